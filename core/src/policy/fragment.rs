//! The maximum fragment length (RFC 6066, section 4).

use crate::{Error, ErrorCode, Result};

/// The largest fragment of plaintext that a record may carry, where a device is too short of memory for the usual 16 384 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum FragmentLength {
    /// 512 bytes.
    L512 = 1,
    /// 1 024 bytes.
    L1024 = 2,
    /// 2 048 bytes.
    L2048 = 3,
    /// 4 096 bytes.
    L4096 = 4,
}

impl FragmentLength {
    /// Every length, shortest first.
    pub const ALL: &'static [Self] = &[Self::L512, Self::L1024, Self::L2048, Self::L4096];

    /// The number on the wire, 1 to 4.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The length in bytes.
    pub const fn bytes(self) -> usize {
        256 << self.code()
    }

    /// The length of that many bytes.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidFragmentLength`] unless `bytes` is one of 512, 1024, 2048 and 4096.
    pub fn from_bytes(bytes: usize) -> Result<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|length| length.bytes() == bytes)
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::InvalidFragmentLength,
                    format!("{bytes} bytes is no maximum fragment length"),
                    "the lengths that TLS can negotiate are 512, 1024, 2048 and 4096 bytes",
                )
            })
    }
}

/// Whether to negotiate a maximum fragment length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FragmentMode {
    /// Do not ask. Every released policy says so.
    #[default]
    Off,
    /// Ask, and go on with fragments of usual length if the server does not agree.
    Request(FragmentLength),
    /// Ask, and fail the handshake if the server does not agree.
    Require(FragmentLength),
}

impl FragmentMode {
    /// The length to ask for.
    pub const fn length(self) -> Option<FragmentLength> {
        match self {
            Self::Off => None,
            Self::Request(length) | Self::Require(length) => Some(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_lengths_are_powers_of_two_from_2_to_the_9th() {
        let table: Vec<_> = FragmentLength::ALL
            .iter()
            .map(|length| (length.code(), length.bytes()))
            .collect();
        assert_eq!(table, [(1, 512), (2, 1024), (3, 2048), (4, 4096)]);
    }

    #[test]
    fn any_other_length_is_refused_with_the_four_in_the_hint() {
        assert_eq!(FragmentLength::from_bytes(512), Ok(FragmentLength::L512));
        for bytes in [0, 256, 513, 8192, usize::MAX] {
            let error = FragmentLength::from_bytes(bytes).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidFragmentLength);
            assert!(error.message().contains(&bytes.to_string()), "{error}");
            assert!(error.hint().contains("512, 1024, 2048 and 4096"), "{error}");
        }
    }
}
