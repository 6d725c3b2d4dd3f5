//! What a call says.

/// A number of bytes in the lower 32 bits, and what holds after the call in the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State(pub i64);

impl State {
    /// The handshake goes on.
    pub const HANDSHAKING: i64 = 1 << 32;
    /// Ciphertext waits for the transport.
    pub const TRANSMIT: i64 = 1 << 33;
    /// The peer has finished: after what was decrypted, nothing more comes.
    pub const ENDED: i64 = 1 << 34;
    /// The connection has failed, after what was decrypted: send what waits, an alert, and ask why.
    pub const FAILED: i64 = 1 << 35;
    /// More plaintext waits than there was room for: feed again, with nothing.
    pub const MORE: i64 = 1 << 36;
    /// Not all was done: ask for the refusal. The bytes that came of it are good.
    pub const REFUSED: i64 = 1 << 37;
    /// There is no engine of that number: it was closed.
    pub const GONE: i64 = 1 << 38;

    /// The number of bytes.
    pub const fn bytes(self) -> usize {
        (self.0 & 0x7FFF_FFFF) as usize
    }

    /// Whether all of `flags` hold.
    pub const fn is(self, flags: i64) -> bool {
        self.0 & flags == flags
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may unwrap")]

    use std::fs;
    use std::path::Path;

    use super::*;

    /// Kotlin and Swift have the flags by hand.
    #[test]
    fn kotlin_and_swift_have_the_same_flags() {
        let uniffi = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../uniffi");
        let read = |path| fs::read_to_string(uniffi.join(path)).unwrap();
        let kotlin = read("kotlin/src/main/kotlin/org/hubtls/ffi/Chunks.kt");
        let swift = read("swift/Sources/CHubTlsFFI/include/hubtls_engine.h");
        for (name, flag) in [
            ("HANDSHAKING", State::HANDSHAKING),
            ("TRANSMIT", State::TRANSMIT),
            ("ENDED", State::ENDED),
            ("FAILED", State::FAILED),
            ("MORE", State::MORE),
            ("REFUSED", State::REFUSED),
            ("GONE", State::GONE),
        ] {
            let bit = flag.trailing_zeros();
            let line = format!("HUBTLS_ENGINE_{name} = INT64_C(1) << {bit};");
            assert!(swift.contains(&line), "{line}");
            let line = format!("const val {name} = 1L shl {bit}\n");
            assert!(kotlin.contains(&line), "{line}");
        }
    }
}
