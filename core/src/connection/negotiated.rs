//! What a handshake agreed on.

use std::time::Duration;

use rustls::{CommonState, HandshakeKind};
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::algorithm::Group;
use crate::certificate::Certificate;
use crate::policy::FragmentLength;
use crate::suite::{CipherSuite, Version};
use crate::trust::Root;

/// What client and server agreed on, and who the server is.
///
/// Serializes with the keys `version`, `cipher_suite` (IANA's name), `cipher_suite_openssl`, `group`, `fragment_length` (bytes), `alpn`,
/// `resumed`, `root` (its subject) and `peer_chain` (SHA-256 of each certificate, upper-case hex with colons); what is not known is null.
#[derive(Clone, Debug)]
pub struct Negotiated {
    version: Version,
    cipher_suite: CipherSuite,
    group: Option<Group>,
    alpn: Option<Vec<u8>>,
    resumed: bool,
    client_certificate_requested: bool,
    peer_chain: Vec<Certificate>,
    root: Option<Root>,
    fragment_length: Option<FragmentLength>,
    handshake_duration: Option<Duration>,
}

impl Negotiated {
    /// Reads what rustls agreed on; `None` before the handshake is complete.
    pub(super) fn of(
        tls: &CommonState,
        root: Option<Root>,
        fragment_length: Option<FragmentLength>,
        client_certificate_requested: bool,
    ) -> Option<Self> {
        let suite = u16::from(tls.negotiated_cipher_suite()?.suite());
        let chain = tls.peer_certificates().unwrap_or_default();
        Some(Self {
            version: Version::from_code(u16::from(tls.protocol_version()?))?,
            cipher_suite: CipherSuite::from_code(suite)?,
            group: tls
                .negotiated_key_exchange_group()
                .and_then(|group| Group::from_code(u16::from(group.name()))),
            alpn: tls.alpn_protocol().map(<[u8]>::to_vec),
            resumed: tls.handshake_kind() == Some(HandshakeKind::Resumed),
            client_certificate_requested,
            peer_chain: chain.iter().map(|der| Certificate::accepted(der)).collect(),
            root,
            fragment_length,
            handshake_duration: None,
        })
    }

    /// The TLS version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The cipher suite.
    pub fn cipher_suite(&self) -> CipherSuite {
        self.cipher_suite
    }

    /// The key exchange group; `None` for a TLS 1.2 session that was resumed.
    pub fn group(&self) -> Option<Group> {
        self.group
    }

    /// The maximum fragment length that the server agreed to (RFC 6066, section 4).
    pub fn fragment_length(&self) -> Option<FragmentLength> {
        self.fragment_length
    }

    /// The protocol that the server chose with ALPN.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.alpn.as_deref()
    }

    /// Whether an earlier session was resumed.
    pub fn resumed(&self) -> bool {
        self.resumed
    }

    /// Whether the server asked for a client certificate in this handshake.
    ///
    /// In TLS 1.3 it judges the answer only after the client's handshake is complete: a refusal comes with the first read, or with
    /// [`Stream::confirm`](crate::Stream::confirm).
    pub fn client_certificate_requested(&self) -> bool {
        self.client_certificate_requested
    }

    /// The certificates that the server sent, its own first; of a resumed session those of its first handshake.
    pub fn peer_chain(&self) -> &[Certificate] {
        &self.peer_chain
    }

    /// The trusted root that the chain ends in.
    pub fn root(&self) -> Option<&Root> {
        self.root.as_ref()
    }

    /// How long the handshake took, network included, if whoever owns the transport measured it, as a [`Stream`](crate::Stream) does.
    pub fn handshake_duration(&self) -> Option<Duration> {
        self.handshake_duration
    }

    /// As JSON, with the keys of its serialization.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers are valid JSON")
    }

    pub(crate) fn with_handshake_duration(mut self, took: Option<Duration>) -> Self {
        self.handshake_duration = took;
        self
    }
}

impl Serialize for Negotiated {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let chain: Vec<_> = self
            .peer_chain
            .iter()
            .map(Certificate::fingerprint)
            .collect();
        let mut map = serializer.serialize_map(Some(9))?;
        map.serialize_entry("version", self.version.name())?;
        map.serialize_entry("cipher_suite", self.cipher_suite.iana_name())?;
        map.serialize_entry("cipher_suite_openssl", self.cipher_suite.openssl_name())?;
        map.serialize_entry("group", &self.group.map(Group::name))?;
        map.serialize_entry(
            "fragment_length",
            &self.fragment_length().map(FragmentLength::bytes),
        )?;
        map.serialize_entry("alpn", &self.alpn.as_deref().map(String::from_utf8_lossy))?;
        map.serialize_entry("resumed", &self.resumed)?;
        map.serialize_entry("root", &self.root.as_ref().map(Root::subject))?;
        map.serialize_entry("peer_chain", &chain)?;
        map.end()
    }
}
