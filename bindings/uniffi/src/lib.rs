//! The library beneath the Kotlin and Swift packages of hubtls: newtypes around core, and the engine beneath their sockets.
//!
//! What Kotlin can say in Kotlin, and Swift in Swift, stands in their facades. Nothing here owns a socket. Whole numbers are signed: unsigned ones
//! get mangled names in Kotlin, which Java cannot call.

mod certificate;
mod config;
mod connection;
mod engine;
mod error;
mod fragment;
mod identity;
mod negotiated;
mod options;
mod pin;
mod policy;
mod roots;
mod signer;
mod suite;

pub use certificate::{Certificate, certificate_from_der};
pub use config::Config;
pub use connection::Connection;
pub use engine::Engine;
pub use error::{ErrorCodeRow, HubTlsError, error_codes};
pub use fragment::FragmentLength;
pub use identity::Identity;
pub use negotiated::Negotiated;
pub use options::{ConfigOptions, Sni};
pub use pin::pin_of_certificate;
pub use policy::{NamedCode, Policy, PolicyAlias, all_policies, policy_aliases};
pub use roots::{Readiness, Root, Roots};
pub use signer::{Signer, SignerError};
pub use suite::CipherSuite;

uniffi::setup_scaffolding!();

/// The version of the library.
#[uniffi::export]
pub fn version() -> String {
    hubtls::VERSION.into()
}
