//! The scenario table that the driver of every language runs (tests/README.md).

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::authority::Authority;
use crate::fixture;
use crate::server::{Kind, Options};

/// One row of `scenarios.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A sentence that says what holds.
    pub name: String,
    /// The peer.
    pub server: Options,
    /// The client under test.
    #[serde(default)]
    pub client: Client,
    /// What must come out.
    pub expect: Expectation,
}

/// How the client is configured; what a row leaves out has the default of hubtls.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// The policy's name; `iothub` if left out.
    pub policy: Option<String>,
    /// Narrows the policy to these versions.
    pub versions: Vec<String>,
    /// Narrows the policy to these suites, in IANA's names.
    pub suites: Vec<String>,
    /// Narrows the policy to these groups.
    pub groups: Vec<String>,
    /// Which roots are trusted.
    pub trust: Trust,
    /// The root to pin.
    pub pin: Option<Pinned>,
    /// Whether the added roots are allowed to vouch for Azure's names.
    pub vouching_for_azure: bool,
    /// Whether the revocation lists are given.
    pub revocation_lists: bool,
    /// The name to verify; `localhost` if left out.
    pub server_name: Option<String>,
    /// One of [`fixture::CLIENTS`].
    pub identity: Option<String>,
    /// The protocols offered with ALPN.
    pub alpn: Vec<String>,
    /// Whether a second connection is made with the same configuration; the expectation is then about that one.
    pub resume: bool,
    /// The time for verification, in seconds since 1970; the machine's if left out.
    pub time: Option<u64>,
    /// The handshake's time limit; the driver's own if left out.
    pub handshake_timeout_ms: Option<u64>,
}

/// Which roots a client trusts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// `roots.pem` replaces the policy's.
    #[default]
    Replaced,
    /// `roots.pem` is added to the policy's.
    Added,
    /// `unrelated.pem` replaces the policy's.
    Unrelated,
    /// The policy's.
    Embedded,
}

/// Which root is pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pinned {
    /// `rsa-root.pem`
    Rsa,
    /// `ecdsa-root.pem`
    Ecdsa,
}

/// What must come out.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Expectation {
    /// The client fails, in the handshake or in the conversation after it.
    Failure(Failure),
    /// The conversation succeeds, and `Negotiated` has at least these keys and values.
    Agreement(Map<String, Value>),
}

/// The error that must come out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The code's name.
    pub error: String,
    /// The alert's name; null for none; not compared if left out.
    #[serde(default, deserialize_with = "given")]
    pub alert: Option<Option<String>>,
    /// A word of the sentence or the hint that helps.
    #[serde(default)]
    pub says: String,
}

/// Tells a null from a missing field.
fn given<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// What the client sends after the handshake, and what it must get back before it is content; both in hexadecimal.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Conversation {
    /// What the client sends.
    pub send: &'static str,
    /// What the server answers.
    pub receive: &'static str,
}

impl Conversation {
    /// The one to have with a server of that kind.
    pub fn with(kind: Kind) -> Self {
        match kind {
            // "ping\n" and the line reversed.
            Kind::Openssl => Self {
                send: "70696e670a",
                receive: "676e69700a",
            },
            // MQTT 3.1.1 CONNECT of the client "hub" with a clean session, and CONNACK.
            Kind::Mosquitto => Self {
                send: "100f00044d5154540402003c0003687562",
                receive: "20020000",
            },
            Kind::Gnutls | Kind::Plain | Kind::Closing => Self {
                send: "70696e670a",
                receive: "70696e670a",
            },
        }
    }
}

/// The whole table.
///
/// # Panics
/// If it is not valid.
pub fn all() -> Vec<Scenario> {
    serde_json::from_str(include_str!("../scenarios.json")).expect("scenarios.json")
}

/// Writes what the client of that scenario needs into `directory`.
pub fn write_client_files(directory: &Path, client: &Client) {
    let text = |name: &str, text: &str| fixture::write_text(&directory.join(name), text);
    text("roots.pem", &fixture::server_roots());
    text("unrelated.pem", &Authority::unrelated().root());
    text("rsa-root.pem", &Authority::rsa().root());
    text("ecdsa-root.pem", &Authority::ecdsa().root());
    if client.revocation_lists {
        text("revocation.pem", &fixture::revocation_lists());
    }
    if let Some(name) = &client.identity {
        fixture::write(directory, "identity", fixture::client(name));
    }
}
