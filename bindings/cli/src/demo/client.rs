//! The clients of the demo, and what becomes of each.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use hubtls::{
    Config, Connection, Error, ErrorCode, FragmentMode, Negotiated, Policy, Result, Roots, Stream,
};
use serde_json::{Value, json};

use super::acknowledging;
use super::authority::Authority;
use super::hub::{Kind as Server, PLENTY};
use super::legacy::Legacy;
use super::tap::Tap;
use super::{DEVICE, NAME, PATIENCE};
use crate::output::{self, BAD, BOLD, CAUTION, GOOD, styled};

/// A client, and what should become of it.
pub(super) struct Client {
    pub(super) who: &'static str,
    kind: Kind,
    /// Which stand-in it connects to.
    pub(super) server: Server,
    /// The error by which it should fail, if it should.
    expected: Option<ErrorCode>,
}

enum Kind {
    Hubtls { config: Config, name: &'static str },
    Legacy(Legacy),
}

/// What a client and the hub agreed on.
pub(super) struct Agreed {
    negotiated: Negotiated,
    /// The device that the hub knows by its certificate.
    device: Option<String>,
    /// The largest records received and sent, in bytes with their headers.
    largest: (usize, usize),
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
        server: Server::Hardened,
        expected: None,
    };
    let refuses = |who, config, name, code| Client {
        who,
        kind: Kind::Hubtls { config, name },
        server: Server::Hardened,
        expected: Some(code),
    };
    let legacy = |who, legacy, code| Client {
        who,
        kind: Kind::Legacy(legacy),
        server: Server::Hardened,
        expected: Some(code),
    };
    let small = Config::builder()
        .add_roots(roots.clone())
        .fragment_length(FragmentMode::Require(acknowledging::LENGTH))
        .build()?;
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
        Client {
            server: Server::CbcOnly,
            ..agrees(
                "a server that has CBC suites alone",
                config("iothub", &roots)?,
            )
        },
        Client {
            server: Server::CbcOnly,
            ..refuses(
                "the same server, and a policy without CBC (iothub-aead)",
                config("iothub-aead", &roots)?,
                NAME,
                ErrorCode::NoCommonSuite,
            )
        },
        Client {
            server: Server::SmallFragments,
            ..agrees("a small device: fragments of at most 512 bytes", small)
        },
    ])
}

impl Client {
    /// Connects, and says what was agreed, or why there is no connection.
    pub(super) fn connect(&self, hub: SocketAddr) -> Result<Agreed> {
        let socket = TcpStream::connect_timeout(&hub, PATIENCE).map_err(Error::from)?;
        let limited = socket
            .set_read_timeout(Some(PATIENCE))
            .and_then(|()| socket.set_write_timeout(Some(PATIENCE)));
        limited.map_err(Error::from)?;
        let (config, name) = match &self.kind {
            Kind::Legacy(legacy) => return Err(legacy.offer(socket)),
            Kind::Hubtls { config, name } => (config, name),
        };
        let mut stream = Stream::new(Connection::new(config, name)?, Tap::new(socket));
        let negotiated = stream.handshake()?;
        if self.server != Server::Hardened {
            stream.write_all(&[b'.'; PLENTY]).map_err(Error::from)?;
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(Error::from)?;
        stream.finish()?;
        let device = answer.trim_end_matches('.');
        Ok(Agreed {
            negotiated,
            device: (!device.is_empty()).then(|| device.to_owned()),
            largest: stream.transport().largest(),
        })
    }

    /// Whether it came as it should.
    pub(super) fn expects(&self, outcome: &Result<Agreed>) -> bool {
        match outcome {
            Ok(_) => self.expected.is_none(),
            Err(error) => self.expected == Some(error.code()),
        }
    }

    pub(super) fn value(&self, outcome: &Result<Agreed>) -> Value {
        let as_expected = self.expects(outcome);
        match outcome {
            Ok(agreed) => json!({
                "client": self.who,
                "outcome": "agreed",
                "as_expected": as_expected,
                "negotiated": agreed.negotiated,
                "device": agreed.device,
                "largest_record": { "received": agreed.largest.0, "sent": agreed.largest.1 },
            }),
            Err(error) => json!({
                "client": self.who,
                "outcome": "refused",
                "as_expected": as_expected,
                "by": refuser(error),
                "error": output::error_value(error),
            }),
        }
    }

    pub(super) fn text(&self, outcome: &Result<Agreed>) -> String {
        let mut text = match outcome {
            Ok(agreed) => agreed.text(self.server),
            Err(error) => refusal(error),
        };
        if !self.expects(outcome) {
            let surprise = styled(CAUTION, "this is not what should have happened");
            text += &format!("  {surprise}\n");
        }
        text
    }
}

/// Who ended it: an alert that was received is the hub's.
fn refuser(error: &Error) -> &'static str {
    match error.alert_received() {
        true => "hub",
        false => "client",
    }
}

fn refusal(error: &Error) -> String {
    let (refused, hint) = (styled(BAD, "refused"), styled(BOLD, "hint"));
    let by = refuser(error);
    let mut text = format!("  {refused} by the {by}: {}\n", error.message());
    text += &format!("  {hint}: {}\n", error.hint());
    text += &format!("  error {} {}", error.code().name(), error.code().number());
    match error.alert() {
        Some(alert) => text + &format!(", alert {alert}\n"),
        None => text + "\n",
    }
}

impl Agreed {
    fn text(&self, server: Server) -> String {
        let (version, suite) = (self.negotiated.version(), self.negotiated.cipher_suite());
        let group = self.negotiated.group().map_or("no", |group| group.name());
        let root = self
            .negotiated
            .root()
            .map_or("no root", |root| root.subject());
        let agreed = styled(GOOD, "agreed");
        let mut text = format!("  {agreed}: {version}, {suite}, group {group}\n");
        text += &format!("  the hub's chain ends in the root `{root}`\n");
        if let Some(device) = &self.device {
            text += &format!("  the hub knows the client as `{device}`\n");
        }
        if server != Server::Hardened {
            let (received, sent) = self.largest;
            let length = self.negotiated.fragment_length();
            let length = length.map_or("no fragment length was agreed on".to_owned(), |length| {
                format!("fragments have at most {} bytes", length.bytes())
            });
            text += &format!(
                "  {length}; the largest record received has {received} bytes, the largest sent {sent}\n"
            );
        }
        text
    }
}
