//! The four CBC suites of TLS 1.2 against other implementations, in memory and on loopback.

#![allow(
    clippy::unwrap_used,
    reason = "a test may unwrap, and so may what it calls"
)]

mod data;
mod peer;
mod servers;
mod tampering;

use hubtls::{CipherSuite, Config, ConfigBuilder, Mode, Policy};
use hubtls_tests::client::builder;

/// The CBC suites, each with the certificate of a server that can speak it.
fn suites() -> Vec<(CipherSuite, &'static str)> {
    let all = Policy::default();
    let cbc = all
        .suites()
        .iter()
        .filter(|suite| suite.mode() == Mode::Cbc);
    let suites: Vec<_> = cbc.map(|&suite| (suite, certificate(suite))).collect();
    assert_eq!(suites.len(), 4);
    suites
}

fn certificate(suite: CipherSuite) -> &'static str {
    if suite.openssl_name().contains("ECDSA") {
        "ecdsa"
    } else {
        "rsa"
    }
}

/// Offers one suite.
fn only(suite: CipherSuite) -> ConfigBuilder {
    builder().policy(Policy::default().only_suites(&[suite]).unwrap())
}

fn config(suite: CipherSuite) -> Config {
    only(suite).build().unwrap()
}

fn bytes(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}
