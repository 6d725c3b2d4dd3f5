//! What a handshake agreed on.

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::certificate::Certificate;
use crate::roots::Root;

/// What client and server agreed on, and who the server is.
#[napi]
pub struct Negotiated(pub(crate) hubtls::Negotiated);

#[napi]
impl Negotiated {
    /// The TLS version: `TLSv1.2` or `TLSv1.3`.
    #[napi(getter, catch_unwind)]
    pub fn version(&self) -> &'static str {
        self.0.version().name()
    }

    /// The cipher suite by IANA's name.
    #[napi(getter, catch_unwind)]
    pub fn cipher_suite(&self) -> &'static str {
        self.0.cipher_suite().iana_name()
    }

    /// The cipher suite by OpenSSL's name.
    #[napi(getter, catch_unwind)]
    pub fn cipher_suite_openssl(&self) -> &'static str {
        self.0.cipher_suite().openssl_name()
    }

    /// The key exchange group; null for a TLS 1.2 session that was resumed.
    #[napi(getter, catch_unwind)]
    pub fn group(&self) -> Option<String> {
        self.0.group().map(|group| group.name().into())
    }

    /// The maximum fragment length in bytes that the server agreed to.
    #[napi(getter, catch_unwind)]
    pub fn fragment_length(&self) -> Option<u32> {
        let length = self.0.fragment_length()?;
        u32::try_from(length.bytes()).ok()
    }

    /// The protocol that the server chose with ALPN.
    #[napi(getter, catch_unwind)]
    pub fn alpn(&self) -> Option<Buffer> {
        self.0.alpn().map(Buffer::from)
    }

    /// Whether an earlier session was resumed.
    #[napi(getter, catch_unwind)]
    pub fn resumed(&self) -> bool {
        self.0.resumed()
    }

    /// Whether the server asked for a client certificate.
    #[napi(getter, catch_unwind)]
    pub fn client_certificate_requested(&self) -> bool {
        self.0.client_certificate_requested()
    }

    /// The certificates that the server sent, its own first.
    #[napi(getter, catch_unwind)]
    pub fn peer_chain(&self) -> Vec<Certificate> {
        Certificate::all(self.0.peer_chain())
    }

    /// The trusted root that the chain ends in.
    #[napi(getter, catch_unwind)]
    pub fn root(&self) -> Option<Root> {
        self.0.root().cloned().map(Root)
    }

    /// As JSON: `version`, `cipher_suite`, `cipher_suite_openssl`, `group`, `fragment_length`, `alpn`, `resumed`, `root`, `peer_chain`.
    #[napi(catch_unwind)]
    pub fn to_json(&self) -> String {
        self.0.to_json()
    }
}
