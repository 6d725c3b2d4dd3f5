//! A hubtls client and a stock rustls server joined by two buffers.

#![allow(
    clippy::unwrap_used,
    reason = "a test may unwrap, and so may what it calls"
)]

mod client_hello;
mod errors;
mod faults;
mod flow;
mod properties;
mod sessions;
mod threads;
mod trust;

use hubtls::{Error, ErrorCode};

/// The error has that code and alert, a hint, and `word` (in whatever case) in what it says.
#[track_caller]
fn assert_error(error: &Error, code: ErrorCode, alert: Option<&str>, word: &str) {
    assert_eq!(error.code(), code, "{error:?}");
    assert_eq!(error.alert().map(|alert| alert.name()), alert, "{error:?}");
    assert!(!error.hint().is_empty(), "{error:?}");
    assert!(
        error
            .to_string()
            .to_lowercase()
            .contains(&word.to_lowercase()),
        "{word:?} is not said: {error:?}"
    );
}
