//! TLS as Azure IoT Hub demands it.

mod algorithm;
mod certificate;
mod error;
#[cfg(feature = "engine")]
mod identity;
mod pem;
#[cfg(test)]
mod testing;
mod trust;

pub use algorithm::SignatureScheme;
pub use error::{Alert, Error, ErrorCode, Result};
#[cfg(feature = "engine")]
pub use identity::{Identity, Signer};
pub use trust::{Origin, Pin, Readiness, RevocationLists, Root, Roots};

/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
