//! SHA-256 fingerprints of certificates as people write them: `CB:3C:...:5F`.

use sha2::{Digest as _, Sha256};

/// The fingerprint of a certificate or a public key, DER.
pub(crate) fn of(der: &[u8]) -> [u8; 32] {
    Sha256::digest(der).into()
}

/// The fingerprint in `text`: 32 pairs of hexadecimal digits with colons between them.
pub(crate) const fn parsed(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    if text.len() != 32 * 3 - 1 {
        return None;
    }
    let mut fingerprint = [0; 32];
    let mut i = 0;
    while i < 32 {
        let (Some(high), Some(low)) = (digit(text[3 * i]), digit(text[3 * i + 1])) else {
            return None;
        };
        if i < 31 && text[3 * i + 2] != b':' {
            return None;
        }
        fingerprint[i] = high << 4 | low;
        i += 1;
    }
    Some(fingerprint)
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'A'..=b'F' => Some(character - b'A' + 10),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

/// The fingerprint in upper case with colons.
pub(crate) fn written(fingerprint: &[u8; 32]) -> String {
    fingerprint.map(|byte| format!("{byte:02X}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_in_either_case_and_written_in_upper_case() {
        let text = format!("{}ff", "0a:".repeat(31));
        let fingerprint = parsed(&text).unwrap();
        assert_eq!((fingerprint[0], fingerprint[31]), (0x0A, 0xFF));
        assert_eq!(written(&fingerprint), text.to_uppercase());
    }

    #[test]
    fn anything_else_is_no_fingerprint() {
        for text in [
            String::new(),
            "0a".repeat(32),
            "0a:".repeat(32),
            format!("{}0g", "0a:".repeat(31)),
            format!("{}ff", "0a-".repeat(31)),
            format!("{}\u{e9}", "0a:".repeat(31)),
        ] {
            assert_eq!(parsed(&text), None, "{text}");
        }
    }
}
