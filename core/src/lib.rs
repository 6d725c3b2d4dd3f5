//! TLS as Azure IoT Hub demands it.

mod clock;
mod error;

pub use clock::Clock;
pub use error::{Alert, Error, ErrorCode, Result};

/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
