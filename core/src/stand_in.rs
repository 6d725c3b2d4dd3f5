//! What a stand-in for a hub needs of the engine. No part of the API: behind the cargo feature `stand-in`, and it changes with rustls.

use rustls::SupportedCipherSuite;

/// The four CBC suites, which rustls does not have: they serve on either side.
pub fn cbc_suites() -> Vec<SupportedCipherSuite> {
    crate::engine::cbc_suites()
}
