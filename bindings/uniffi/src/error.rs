//! The one funnel from core's errors to those of Kotlin and Swift.

use std::fmt;
use std::path::Path;

use hubtls::{Error, ErrorCode};

/// What went wrong: `code` for programs, `sentence` and `hint` for people.
///
/// There is one variant: the facades make an exception of it that has `message`, which no field here may be called.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Error)]
pub enum HubTlsError {
    /// The call failed.
    Failed {
        /// The stable upper-case name, the same in every language: `UNKNOWN_ROOT`.
        code: String,
        /// The stable number: 1xx fix the call, 2xx fix the configuration, 3xx the peer is not to be trusted, 4xx the transport failed, try again,
        /// 9xx a fault of hubtls or of the machine.
        number: i32,
        /// What is wrong.
        sentence: String,
        /// What to do about it.
        hint: String,
        /// The TLS alert that was sent to the peer or received from it, by its number in IANA's registry.
        alert: Option<i32>,
        /// That alert's name in lower case: `unknown_ca`.
        alert_name: Option<String>,
        /// Whether the alert came from the peer.
        alert_received: bool,
    },
}

/// Short for a result of this crate.
pub(crate) type Result<T> = std::result::Result<T, HubTlsError>;

impl From<Error> for HubTlsError {
    fn from(error: Error) -> Self {
        let alert = error.alert();
        Self::Failed {
            code: error.code().name().into(),
            number: error.code().number().into(),
            sentence: error.message().into(),
            hint: error.hint().into(),
            alert: alert.map(|alert| alert.code().into()),
            alert_name: alert.map(|alert| alert.name().into()),
            alert_received: error.alert_received(),
        }
    }
}

impl fmt::Display for HubTlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Failed { sentence, hint, .. } = self;
        write!(f, "{sentence} ({hint})")
    }
}

impl std::error::Error for HubTlsError {}

/// An argument that cannot be right.
pub(crate) fn invalid(sentence: String, hint: &'static str) -> HubTlsError {
    Error::new(ErrorCode::InvalidArgument, sentence, hint).into()
}

/// The content of a file.
pub(crate) fn read_file(path: &str) -> Result<Vec<u8>> {
    std::fs::read(Path::new(path)).map_err(|error| {
        invalid(
            format!("{path} cannot be read: {error}"),
            "check the path and who may read it",
        )
    })
}

/// Nothing is agreed yet.
pub(crate) fn not_complete() -> HubTlsError {
    Error::new(
        ErrorCode::HandshakeNotComplete,
        "nothing is agreed yet: the handshake goes on",
        "complete the handshake first",
    )
    .into()
}

/// An error code.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ErrorCodeRow {
    /// The stable upper-case name.
    pub code: String,
    /// The stable number.
    pub number: i32,
    /// Whether the same attempt may succeed later without any change.
    pub is_transient: bool,
}

/// Every error code, by ascending number.
#[uniffi::export]
pub fn error_codes() -> Vec<ErrorCodeRow> {
    let codes = ErrorCode::ALL.iter();
    codes
        .map(|code| ErrorCodeRow {
            code: code.name().into(),
            number: code.number().into(),
            is_transient: code.is_transient(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use hubtls::Alert;

    use super::*;

    #[test]
    fn an_error_keeps_all_that_core_says() {
        let error = Error::new(ErrorCode::UnknownRoot, "the sentence", "the hint");
        let HubTlsError::Failed {
            code,
            number,
            sentence,
            hint,
            alert,
            alert_name,
            alert_received,
        } = error.with_alert_received(Alert::from_code(48)).into();
        assert_eq!((code.as_str(), number), ("UNKNOWN_ROOT", 301));
        assert_eq!(
            (sentence.as_str(), hint.as_str()),
            ("the sentence", "the hint")
        );
        assert_eq!(
            (alert, alert_name.as_deref(), alert_received),
            (Some(48), Some("unknown_ca"), true)
        );
    }

    #[test]
    fn every_code_is_listed_with_its_number() {
        let codes = error_codes();
        assert_eq!(codes.len(), ErrorCode::ALL.len());
        let timeout = codes.iter().find(|row| row.code == "TIMEOUT").unwrap();
        assert_eq!((timeout.number, timeout.is_transient), (403, true));
    }
}
