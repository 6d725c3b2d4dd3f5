//! TLS as Azure IoT Hub demands it.

mod algorithm;
mod clock;
mod error;
mod lookup;
mod policy;
mod suite;

pub use algorithm::{Group, SignatureScheme};
pub use clock::Clock;
pub use error::{Alert, Error, ErrorCode, Result};
pub use policy::{FragmentLength, FragmentMode, Policy};
pub use suite::{Authentication, CipherSuite, KeyExchange, Mode, Strength, Version};

/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
