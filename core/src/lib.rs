//! TLS as Azure IoT Hub demands it.

mod error;

pub use error::{Alert, Error, ErrorCode, Result};

/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
