//! TLS as Azure IoT Hub demands it.

mod algorithm;
mod certificate;
mod clock;
mod error;
mod lookup;
mod pem;
mod policy;
mod suite;
#[cfg(test)]
mod testing;
mod trust;

pub use algorithm::{Group, SignatureScheme};
pub use clock::Clock;
pub use error::{Alert, Error, ErrorCode, Result};
pub use policy::{FragmentLength, FragmentMode, Policy};
pub use suite::{Authentication, CipherSuite, KeyExchange, Mode, Strength, Version};
pub use trust::{Origin, Pin, Readiness, RevocationLists, Root, Roots};

/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
