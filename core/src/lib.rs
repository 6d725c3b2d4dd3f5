//! TLS as Azure IoT Hub demands it.

mod certificate;
mod error;
mod pem;
#[cfg(test)]
mod testing;
mod trust;

pub use error::{Alert, Error, ErrorCode, Result};
pub use trust::{Origin, Pin, Readiness, RevocationLists, Root, Roots};

/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
