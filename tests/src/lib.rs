//! What the tests of hubtls stand on: throwaway certificates, real servers on loopback, in-memory peers.
//!
//! Everything here panics with a sentence when the machine cannot do what a test needs: a test that cannot run must fail.

pub mod acceptor;
pub mod authority;
pub mod client;
pub mod client_hello;
pub mod duo;
pub mod fixture;
pub mod forger;
pub mod hub;
pub mod memory;
pub mod namespace;
mod output;
pub mod programs;
pub mod scenario;
pub mod server;
pub mod signer;
pub mod wire;
