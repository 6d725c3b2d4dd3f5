//! The MAC of a PKCS#12 file (RFC 7292, section 4) that was made without any passphrase.

use aws_lc_rs::{digest, hmac};
use pkcs8::der::{Decode as _, Encode as _};
use pkcs12::MacData;
use pkcs12::pfx::Pfx;

const MAX_ROUNDS: i32 = 10_000_000;

/// The file without its MAC, if that is right for no passphrase.
pub(super) fn checked_without_passphrase(file: &[u8]) -> Option<Vec<u8>> {
    let mut pfx = Pfx::from_der(file).ok()?;
    let mac = pfx.mac_data.take()?;
    is_right(&mac, pfx.auth_safe.content.value())?;
    pfx.to_der().ok()
}

fn is_right(mac: &MacData, content: &[u8]) -> Option<()> {
    let (digest, hmac, block) = match mac.mac.algorithm.oid.to_string().as_str() {
        "1.3.14.3.2.26" => (
            &digest::SHA1_FOR_LEGACY_USE_ONLY,
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            64,
        ),
        "2.16.840.1.101.3.4.2.1" => (&digest::SHA256, hmac::HMAC_SHA256, 64),
        "2.16.840.1.101.3.4.2.2" => (&digest::SHA384, hmac::HMAC_SHA384, 128),
        "2.16.840.1.101.3.4.2.3" => (&digest::SHA512, hmac::HMAC_SHA512, 128),
        _ => return None,
    };
    if !(1..=MAX_ROUNDS).contains(&mac.iterations) {
        return None;
    }
    let key = key(digest, block, mac.mac_salt.as_bytes(), mac.iterations);
    let key = hmac::Key::new(hmac, key.as_ref());
    hmac::verify(&key, content, mac.mac.digest.as_bytes()).ok()
}

/// The key that RFC 7292, appendix B.2, derives from no passphrase. It is as long as the digest, so one block is enough.
fn key(
    algorithm: &'static digest::Algorithm,
    block: usize,
    salt: &[u8],
    rounds: i32,
) -> digest::Digest {
    const FOR_A_MAC: u8 = 3;
    let mut input = vec![FOR_A_MAC; block];
    let length = salt.len().next_multiple_of(block);
    input.extend(salt.iter().cycle().take(length));
    let mut key = digest::digest(algorithm, &input);
    for _ in 1..rounds {
        key = digest::digest(algorithm, key.as_ref());
    }
    key
}
