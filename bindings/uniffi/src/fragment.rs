//! The maximum fragment length.

use hubtls::FragmentMode;

use crate::error::{Result, invalid};

/// Whether to negotiate a maximum fragment length (RFC 6066, section 4): the largest plaintext of a record, where a device is too short of memory
/// for the usual 16,384 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum FragmentLength {
    /// Do not ask.
    Off,
    /// Ask, and go on with fragments of usual length if the server does not agree.
    Request {
        /// 512, 1024, 2048 or 4096.
        bytes: i32,
    },
    /// Ask, and fail the handshake if the server does not agree.
    Require {
        /// 512, 1024, 2048 or 4096.
        bytes: i32,
    },
}

impl FragmentLength {
    pub(crate) fn mode(self) -> Result<FragmentMode> {
        Ok(match self {
            Self::Off => FragmentMode::Off,
            Self::Request { bytes } => FragmentMode::Request(length(bytes)?),
            Self::Require { bytes } => FragmentMode::Require(length(bytes)?),
        })
    }

    pub(crate) fn of(mode: FragmentMode) -> Self {
        match mode {
            FragmentMode::Off => Self::Off,
            FragmentMode::Request(length) => Self::Request {
                bytes: bytes(length),
            },
            FragmentMode::Require(length) => Self::Require {
                bytes: bytes(length),
            },
        }
    }
}

fn length(bytes: i32) -> Result<hubtls::FragmentLength> {
    let count = usize::try_from(bytes).map_err(|_| {
        invalid(
            format!("{bytes} bytes is no length"),
            "give 512, 1024, 2048 or 4096",
        )
    })?;
    Ok(hubtls::FragmentLength::from_bytes(count)?)
}

pub(crate) fn bytes(length: hubtls::FragmentLength) -> i32 {
    256 << length.code()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::HubTlsError;

    #[test]
    fn every_mode_survives_the_way_there_and_back() {
        for mode in [
            FragmentLength::Off,
            FragmentLength::Request { bytes: 512 },
            FragmentLength::Require { bytes: 4096 },
        ] {
            assert_eq!(FragmentLength::of(mode.mode().unwrap()), mode);
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        for (bytes, expected) in [(513, "INVALID_FRAGMENT_LENGTH"), (-1, "INVALID_ARGUMENT")] {
            let HubTlsError::Failed { code, .. } =
                FragmentLength::Request { bytes }.mode().unwrap_err();
            assert_eq!(code, expected);
        }
    }
}
