//! The clients of the demo, and what becomes of each.

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};

use hubtls::{Config, Connection, Error, ErrorCode, Negotiated, Policy, Result, Roots, Stream};
use serde_json::{Value, json};

use super::authority::Authority;
use super::legacy::Legacy;
use super::{DEVICE, NAME, PATIENCE};
use crate::output::{self, BAD, BOLD, CAUTION, GOOD, styled};

/// A client, and what should become of it.
pub(super) struct Client {
    pub(super) who: &'static str,
    kind: Kind,
    /// The error by which it should fail, if it should.
    expected: Option<ErrorCode>,
}

enum Kind {
    Hubtls { config: Config, name: &'static str },
    Legacy(Legacy),
}

/// What became of a client.
pub(super) enum Outcome {
    Agreed {
        negotiated: Box<Negotiated>,
        device: String,
    },
    Refused {
        by: &'static str,
        error: Error,
    },
}

/// The clients in the order shown.
pub(super) fn all(authority: &Authority) -> Result<Vec<Client>> {
    let roots = authority.roots()?;
    let config = |policy, roots: &Roots| {
        Config::builder()
            .policy(Policy::named(policy)?)
            .add_roots(roots.clone())
            .build()
    };
    let with_certificate = Config::builder()
        .add_roots(roots.clone())
        .identity(authority.device(DEVICE)?)
        .build()?;
    let other_roots = Authority::new("another root")?.roots()?;
    let agrees = |who, config| Client {
        who,
        kind: Kind::Hubtls { config, name: NAME },
        expected: None,
    };
    let refuses = |who, config, name, code| Client {
        who,
        kind: Kind::Hubtls { config, name },
        expected: Some(code),
    };
    let legacy = |who, legacy, code| Client {
        who,
        kind: Kind::Legacy(legacy),
        expected: Some(code),
    };
    Ok(vec![
        agrees("a client with the policy iothub", config("iothub", &roots)?),
        agrees(
            "TLS 1.2 only (iothub-tls12)",
            config("iothub-tls12", &roots)?,
        ),
        agrees(
            "ECC only (iothub-ecc): the hub answers with its ECDSA certificate",
            config("iothub-ecc", &roots)?,
        ),
        agrees("a device with a certificate", with_certificate),
        refuses(
            "a client that trusts another root",
            config("iothub", &other_roots)?,
            NAME,
            ErrorCode::UnknownRoot,
        ),
        refuses(
            "a client that asks for another name",
            config("iothub", &roots)?,
            "other-hub.example",
            ErrorCode::HostNameMismatch,
        ),
        legacy(
            "a legacy client: TLS 1.1 with weak cipher suites",
            Legacy::Tls11,
            ErrorCode::ProtocolVersion,
        ),
        legacy(
            "a legacy client: TLS 1.2 with retired cipher suites",
            Legacy::RetiredSuites,
            ErrorCode::NoCommonSuite,
        ),
    ])
}

impl Client {
    pub(super) fn connect(&self, hub: SocketAddr) -> Outcome {
        let by = match self.kind {
            Kind::Hubtls { .. } => "client",
            Kind::Legacy(_) => "hub",
        };
        self.attempt(hub)
            .unwrap_or_else(|error| Outcome::Refused { by, error })
    }

    fn attempt(&self, hub: SocketAddr) -> Result<Outcome> {
        let socket = TcpStream::connect_timeout(&hub, PATIENCE).map_err(Error::from)?;
        socket
            .set_read_timeout(Some(PATIENCE))
            .map_err(Error::from)?;
        let (config, name) = match &self.kind {
            Kind::Legacy(legacy) => {
                return legacy
                    .refusal(socket)
                    .map(|error| Outcome::Refused { by: "hub", error });
            }
            Kind::Hubtls { config, name } => (config, name),
        };
        let mut stream = Stream::new(Connection::new(config, name)?, socket);
        stream.set_timeout(Some(PATIENCE))?;
        let negotiated = Box::new(stream.handshake()?);
        let mut device = String::new();
        stream.read_to_string(&mut device).map_err(Error::from)?;
        stream.finish()?;
        Ok(Outcome::Agreed { negotiated, device })
    }

    /// Whether it came as it should.
    pub(super) fn expects(&self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Agreed { .. } => self.expected.is_none(),
            Outcome::Refused { error, .. } => self.expected == Some(error.code()),
        }
    }
}

impl Outcome {
    pub(super) fn value(&self, client: &Client) -> Value {
        let as_expected = client.expects(self);
        match self {
            Self::Agreed { negotiated, device } => json!({
                "client": client.who,
                "outcome": "agreed",
                "as_expected": as_expected,
                "negotiated": negotiated,
                "device": (!device.is_empty()).then_some(device),
            }),
            Self::Refused { by, error } => json!({
                "client": client.who,
                "outcome": "refused",
                "as_expected": as_expected,
                "by": by,
                "error": output::error_value(error),
            }),
        }
    }

    pub(super) fn text(&self, client: &Client) -> String {
        let mut text = match self {
            Self::Agreed { negotiated, device } => {
                let group = negotiated.group().map_or("no", |group| group.name());
                let root = negotiated.root().map_or("no root", |root| root.subject());
                let (version, suite) = (negotiated.version(), negotiated.cipher_suite());
                let mut text = format!(
                    "  {}: {version}, {suite}, group {group}\n",
                    styled(GOOD, "agreed")
                );
                text += &format!("  the hub's chain ends in the root `{root}`\n");
                if !device.is_empty() {
                    text += &format!("  the hub knows the client as `{device}`\n");
                }
                text
            }
            Self::Refused { by, error } => {
                let mut text = format!(
                    "  {} by the {by}: {}\n",
                    styled(BAD, "refused"),
                    error.message()
                );
                text += &format!("  {}: {}\n", styled(BOLD, "hint"), error.hint());
                let code = error.code();
                text += &format!("  error {} {}", code.name(), code.number());
                if let Some(alert) = error.alert() {
                    text += &format!(", alert {alert}");
                }
                text + "\n"
            }
        };
        if !client.expects(self) {
            text += &format!(
                "  {}\n",
                styled(CAUTION, "this is not what should have happened")
            );
        }
        text
    }
}
