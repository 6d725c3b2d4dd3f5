//! What `hubtls connect` found out.

use std::net::SocketAddr;

use hubtls::{Config, Negotiated, Root};
use serde::Serialize;

use super::address::Address;
use crate::certificate::Certificate;
use crate::output::{self, BOLD, styled};
use crate::policy;

/// In JSON it has the keys of [`Negotiated`] and these.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    host: &'a str,
    port: u16,
    /// The address dialled, with the port.
    address: String,
    server_name: &'a str,
    policy: &'a str,
    narrowed: bool,
    #[serde(flatten)]
    negotiated: &'a Negotiated,
    root_sha256: Option<String>,
    certificates: Vec<Certificate<'a>>,
    handshake_ms: u128,
    warnings: &'a [String],
}

impl<'a> Report<'a> {
    pub(super) fn new(
        negotiated: &'a Negotiated,
        config: &'a Config,
        address: &'a Address,
        server_name: &'a str,
        peer: SocketAddr,
    ) -> Self {
        let handshake = negotiated.handshake_duration().unwrap_or_default();
        Self {
            host: &address.host,
            port: address.port,
            address: peer.to_string(),
            server_name,
            policy: config.policy().name(),
            narrowed: config.policy().is_narrowed(),
            negotiated,
            root_sha256: negotiated.root().and_then(Root::fingerprint),
            certificates: negotiated
                .peer_chain()
                .iter()
                .map(Certificate::of)
                .collect(),
            handshake_ms: handshake.as_millis(),
            warnings: config.warnings(),
        }
    }

    pub(super) fn text(&self) -> String {
        let negotiated = self.negotiated;
        let suite = negotiated.cipher_suite();
        let group = negotiated
            .group()
            .map_or("none: the session was resumed", |group| group.name());
        let fragment_length = negotiated
            .fragment_length()
            .map(|length| format!("{} bytes", length.bytes()));
        let alpn = negotiated
            .alpn()
            .map(|alpn| String::from_utf8_lossy(alpn).into_owned());
        let root = negotiated.root().map(|root| root.subject().to_owned());
        let or = |value: Option<String>, absent: &str| value.unwrap_or_else(|| absent.into());

        let mut text = format!(
            "connected to {} at {}\n\n",
            styled(BOLD, self.host),
            self.address
        );
        text += &output::pairs([
            ("version", negotiated.version().to_string()),
            (
                "cipher suite",
                format!("{} (0x{:04X})", suite.iana_name(), suite.code()),
            ),
            ("in OpenSSL", suite.openssl_name().into()),
            ("group", group.into()),
            ("fragment length", or(fragment_length, "not agreed")),
            ("ALPN", or(alpn, "not agreed")),
            (
                "resumed",
                if negotiated.resumed() { "yes" } else { "no" }.into(),
            ),
            ("server name", self.server_name.into()),
            ("policy", policy::title(self.policy, self.narrowed)),
            ("handshake", format!("{} ms", self.handshake_ms)),
        ]);
        for (index, certificate) in self.certificates.iter().enumerate() {
            let title = format!("certificate {index}");
            text += &format!("\n{}\n{}", styled(BOLD, title), certificate.text());
        }
        text += &format!("\n{}\n", styled(BOLD, "root"));
        text + &output::pairs([
            ("  subject", or(root, "not known")),
            ("  SHA-256", or(self.root_sha256.clone(), "not known")),
        ])
    }
}
