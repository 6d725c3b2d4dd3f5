//! The maximum fragment length: real servers behind a recording proxy, flights cut anywhere, peers that ignore it, and peers and networks that lie.

#![allow(
    clippy::unwrap_used,
    reason = "a test may unwrap, and so may what it calls"
)]

mod flights;
mod forged;
mod ignoring;
mod matrix;
mod mosquitto;
mod network;
mod oversized;
mod pin;
mod sessions;

use hubtls::{CipherSuite, Policy};
use hubtls::{Config, ConfigBuilder, Error, ErrorCode, FragmentLength, FragmentMode, Version};
use hubtls_tests::client::builder;
use hubtls_tests::duo::{Duo, Openssl, Server};
use hubtls_tests::fixture;
use hubtls_tests::wire::{Record, content, handshake};
use openssl::ssl::{SslContext, SslVersion};

const L512: FragmentLength = FragmentLength::L512;
/// The fragments of a forger that keeps to 512 bytes: the one with the acknowledgement grows by its five.
const HONEST: usize = 512 - 5;
const BOTH: [Version; 2] = [Version::Tls12, Version::Tls13];

/// A configuration of that version alone.
fn of_version(version: Version, mode: FragmentMode) -> ConfigBuilder {
    let policy = Policy::default().only_versions(&[version]).unwrap();
    builder().policy(policy).fragment_length(mode)
}

fn requesting(version: Version, length: FragmentLength) -> Config {
    of_version(version, FragmentMode::Request(length))
        .build()
        .unwrap()
}

fn not_asking(version: Version) -> Config {
    of_version(version, FragmentMode::Off).build().unwrap()
}

/// A context of OpenSSL's that speaks that version alone and negotiates fragment lengths.
fn openssl(version: Version) -> SslContext {
    let version = match version {
        Version::Tls12 => SslVersion::TLS1_2,
        Version::Tls13 => SslVersion::TLS1_3,
    };
    Openssl::context(fixture::server("ecdsa"), version).build()
}

fn pair(config: &Config, context: &SslContext) -> Duo<Openssl> {
    Duo::new(config, Openssl::new(context))
}

/// The extension as client or server sends it.
fn extension(content: &[u8]) -> Vec<u8> {
    handshake::extension(handshake::MAX_FRAGMENT_LENGTH, content)
}

/// Whether those bytes are the extension, whatever it says.
fn is_extension(bytes: &[u8]) -> bool {
    bytes.starts_with(&handshake::MAX_FRAGMENT_LENGTH.to_be_bytes())
}

/// The largest payload of a record that carries a fragment of `fragment` bytes under the suite; `None` is no protection.
fn largest_payload(suite: Option<CipherSuite>, fragment: usize) -> usize {
    let Some(suite) = suite else {
        return fragment;
    };
    let name = suite.iana_name();
    if suite.version() == Version::Tls13 {
        // Content type and tag (RFC 8446, section 5.2).
        fragment + 1 + 16
    } else if name.contains("GCM") {
        // Explicit nonce and tag (RFC 5288, section 3).
        fragment + 8 + 16
    } else {
        // IV, then the fragment, its MAC and the least padding, filled up to blocks (RFC 5246, section 6.2.3.2).
        let mac = if name.ends_with("SHA384") { 48 } else { 32 };
        16 + (fragment + mac + 1).div_ceil(16) * 16
    }
}

/// Every record is within `fragment` bytes, from `protected` on under the suite; returns how many are as large as may be.
#[track_caller]
fn assert_fragments(records: &[Record], suite: CipherSuite, fragment: usize) -> usize {
    let tls13 = suite.version() == Version::Tls13;
    let mut protected = false;
    let mut full = 0;
    for (index, record) in records.iter().enumerate() {
        if record.kind == content::CHANGE_CIPHER_SPEC {
            assert_eq!(record.payload, [1]);
            // In TLS 1.3 it means nothing.
            protected |= !tls13;
            continue;
        }
        protected |= record.kind == content::APPLICATION_DATA;
        let largest = largest_payload(protected.then_some(suite), fragment);
        let length = record.payload.len();
        assert!(
            length <= largest,
            "record {index} of type {} has {length} bytes, not {largest}, with {}",
            record.kind,
            suite.iana_name()
        );
        full += usize::from(protected && length == largest);
    }
    full
}

/// The error has that code and alert and says what to do.
#[track_caller]
fn assert_error(error: &Error, code: ErrorCode, alert: &str) {
    assert_eq!(error.code(), code, "{error:?}");
    assert_eq!(
        error.alert().map(|alert| alert.name()),
        Some(alert),
        "{error:?}"
    );
    assert!(!error.hint().is_empty(), "{error:?}");
}

/// What the server heard is that alert, in its library's words.
#[track_caller]
fn assert_heard(server: &impl Server, alert: &str) {
    let heard = server.failure().unwrap_or("nothing");
    let letters = |text: &str| text.to_lowercase().replace(['_', ' '], "");
    assert!(letters(heard).contains(&letters(alert)), "{heard}");
}

/// The description of the fatal alert that the client sent last, if that was not protected.
fn last_alert(sent: &[u8]) -> Option<u8> {
    last_record(sent).fatal_alert()
}

fn last_record(sent: &[u8]) -> Record {
    hubtls_tests::wire::records(sent).pop().unwrap()
}

const UNSUPPORTED_EXTENSION: u8 = 110;
const ILLEGAL_PARAMETER: u8 = 47;
const RECORD_OVERFLOW: u8 = 22;
const HANDSHAKE_FAILURE: u8 = 40;
