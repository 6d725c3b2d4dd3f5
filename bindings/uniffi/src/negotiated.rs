//! What a handshake agreed on.

use crate::certificate::Certificate;
use crate::fragment;
use crate::roots::Root;
use crate::suite::CipherSuite;

/// What client and server agreed on, and who the server is.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Negotiated {
    /// The TLS version: `TLSv1.2` or `TLSv1.3`.
    pub version: String,
    /// The cipher suite by IANA's name, which is JSSE's too.
    pub cipher_suite: String,
    /// The cipher suite by OpenSSL's name.
    pub cipher_suite_openssl: String,
    /// The cipher suite's number in IANA's registry.
    pub cipher_suite_code: i32,
    /// The key exchange group; absent for a TLS 1.2 session that was resumed.
    pub group: Option<String>,
    /// The maximum fragment length in bytes that the server agreed to.
    pub fragment_length: Option<i32>,
    /// The protocol that the server chose with ALPN.
    pub alpn: Option<String>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// Whether the server asked for a client certificate.
    pub client_certificate_requested: bool,
    /// The certificates that the server sent, its own first.
    pub peer_chain: Vec<Certificate>,
    /// The trusted root that the chain ends in.
    pub root: Option<Root>,
    /// The same as JSON: `version`, `cipher_suite`, `cipher_suite_openssl`, `group`, `fragment_length`, `alpn`, `resumed`, `root`, `peer_chain`.
    pub json: String,
}

impl Negotiated {
    pub(crate) fn of(negotiated: &hubtls::Negotiated) -> Self {
        let suite = CipherSuite::of(negotiated.cipher_suite());
        Self {
            version: suite.version,
            cipher_suite: suite.name,
            cipher_suite_openssl: suite.openssl,
            cipher_suite_code: suite.code,
            group: negotiated.group().map(|group| group.name().into()),
            fragment_length: negotiated.fragment_length().map(fragment::bytes),
            // The server chose one that was offered, and only text can be.
            alpn: negotiated
                .alpn()
                .map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
            resumed: negotiated.resumed(),
            client_certificate_requested: negotiated.client_certificate_requested(),
            peer_chain: Certificate::all(negotiated.peer_chain()),
            root: negotiated.root().map(Root::of),
            json: negotiated.to_json(),
        }
    }
}
