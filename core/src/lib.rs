//! TLS as Azure IoT Hub demands it: the policy, and the engine that runs it.
//!
//! ```text
//! CipherSuite ─▶ Policy ─▶ Roots, Identity ─▶ Config ─▶ Connection ─▶ Stream
//! what there is  what may  who is trusted,    checked,   bytes in,     over any
//!                be used   who we are         immutable  bytes out     Read + Write
//! ```
//!
//! Everything is decided and checked when the [`Config`] is built. A [`Connection`] owns no socket, no thread and no clock; a [`Stream`] puts one
//! over a blocking transport. Each module uses only what stands before it in the picture; [`Error`] is the same for all.
//!
#![cfg_attr(feature = "engine", doc = "```no_run")]
#![cfg_attr(not(feature = "engine"), doc = "```ignore")]
//! let config = hubtls::Config::builder().build()?;
//! let name = "my-hub.azure-devices.net";
//! let socket = std::net::TcpStream::connect((name, 8883))?;
//! let mut stream = hubtls::Stream::new(hubtls::Connection::new(&config, name)?, socket);
//! println!("{}", stream.handshake()?.cipher_suite().iana_name());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Without the cargo feature `engine` the crate is the policy, the names and the trusted roots, and links no TLS library.
//!
//! For a smaller library, leave features out (`default-features = false`) and name those that are needed:
//!
//! | feature | what it adds to `engine` | without it |
//! | --- | --- | --- |
//! | `cbc` | the four CBC suites of TLS 1.2 | [`Policy`] has them, a configuration does not and warns; [`ErrorCode::UnsupportedByEngine`] if nothing is left |
//! | `fragment` | the maximum fragment length | asking for one is [`ErrorCode::UnsupportedByEngine`] |
//! | `encrypted-keys` | private keys under a passphrase | [`ErrorCode::UnsupportedByEngine`] |
//! | `pkcs12` | PKCS#12 files, and `encrypted-keys` | [`ErrorCode::UnsupportedByEngine`] |
//! | `public-web` | the roots of the public web; needs no engine | there is no `Roots::public_web` |
//! | `json-schema` | the schema of policy documents; needs no engine | there is no `Policy::json_schema` |

mod algorithm;
mod certificate;
mod clock;
#[cfg(feature = "engine")]
mod config;
#[cfg(feature = "engine")]
mod connection;
#[cfg(feature = "engine")]
mod engine;
mod error;
mod fingerprint;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "engine")]
mod identity;
mod lookup;
mod native;
mod pem;
mod policy;
#[cfg(feature = "stand-in")]
#[doc(hidden)]
pub mod stand_in;
#[cfg(feature = "engine")]
mod stream;
mod suite;
#[cfg(test)]
mod testing;
mod trust;

pub use algorithm::{Group, SignatureScheme};
pub use certificate::Certificate;
pub use clock::Clock;
#[cfg(feature = "engine")]
pub use config::{Config, ConfigBuilder, ConfigHandle, KeyLog, KeyLogFile, Sni};
#[cfg(feature = "engine")]
pub use connection::{Connection, Negotiated};
pub use error::{Alert, Error, ErrorCode, Result};
#[cfg(feature = "engine")]
pub use identity::{Identity, Signer};
pub use policy::{FragmentLength, FragmentMode, Policy};
#[cfg(feature = "engine")]
pub use stream::{ReadHalf, Stream, WriteHalf};
pub use suite::{Authentication, CipherSuite, KeyExchange, Mode, Strength, Version};
pub use trust::{Origin, Pin, Readiness, RevocationLists, Root, Roots};

/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(all(doctest, feature = "engine"))]
#[doc = include_str!("../../README.md")]
struct Readme;
