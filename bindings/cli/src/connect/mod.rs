//! `hubtls connect`: one connection, and what came of it.

mod address;
mod dial;
mod interactive;
mod options;

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use clap::Args;
use hubtls::{Config, Connection, Error, ErrorCode, Negotiated, Stream, Version};
use serde::Serialize;

use crate::certificate::{Certificate, fingerprint};
use crate::exit::{self, Exit};
use crate::output::{self, BOLD, Failure, styled};
use address::Address;
use options::Options;

/// A TLS 1.3 server refuses a client certificate after the client's handshake is complete: its alert has at least this long to arrive.
const LATE_ALERT: Duration = Duration::from_millis(300);

#[derive(Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Connect {
    /// The server: a name, an IPv4 address or [an IPv6 address]; the port is 8883 (MQTT) unless given
    #[arg(value_name = "HOST[:PORT]")]
    address: Address,
    /// The certificate must be for this name, instead of HOST: for a gateway or a test at another address
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    options: Options,
    /// How long to wait for each address of HOST, and then for the handshake
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Then send the lines of stdin to the server and write what comes back to stdout, until either ends
    #[arg(long, conflicts_with = "json")]
    interactive: bool,
}

/// What `connect` found out; its JSON form has the keys of [`Negotiated`] and these.
#[derive(Serialize)]
struct Report<'a> {
    host: &'a str,
    port: u16,
    address: String,
    server_name: &'a str,
    policy: &'a str,
    #[serde(flatten)]
    negotiated: &'a Negotiated,
    root_sha256: Option<String>,
    certificates: Vec<Certificate>,
    handshake_ms: u128,
    warnings: &'a [String],
}

impl Connect {
    pub(crate) fn run(self, json: bool) -> Result<Exit, Failure> {
        let config = self.options.config()?;
        config
            .warnings()
            .iter()
            .for_each(|warning| output::warn(warning));
        let server_name = self.name.as_deref().unwrap_or(&self.address.host);
        let connection = Connection::new(&config, server_name)?;
        let limit = Duration::from_secs(self.timeout);

        let started = Instant::now();
        let socket = dial::dial(&self.address, limit)?;
        let round_trip = started.elapsed();
        let peer = socket.peer_addr().map_err(Error::from)?;
        let mut stream = Stream::new(connection, socket);
        stream.set_handshake_timeout(Some(limit));
        let started = Instant::now();
        let negotiated = stream.handshake()?;
        let handshake = started.elapsed();
        let early = match negotiated.version() {
            Version::Tls13 => {
                receive_early(&mut stream, limit.min(LATE_ALERT.max(2 * round_trip)))?
            }
            Version::Tls12 => Vec::new(),
        };

        let report = self.report(&config, peer, server_name, &negotiated, handshake);
        if self.interactive {
            output::tell(&report.text(&self.address));
            interactive::run(stream, &early, limit)?;
            return Ok(Exit::Done);
        }
        // All there is to know is known: that the server has gone meanwhile is no failure.
        let _ = stream.finish();
        match json {
            true => output::print_json(&report)?,
            false => output::print(&report.text(&self.address))?,
        }
        Ok(Exit::Done)
    }

    fn report<'a>(
        &'a self,
        config: &'a Config,
        peer: SocketAddr,
        server_name: &'a str,
        negotiated: &'a Negotiated,
        handshake: Duration,
    ) -> Report<'a> {
        Report {
            host: &self.address.host,
            port: self.address.port,
            address: peer.to_string(),
            server_name,
            policy: config.policy().name(),
            negotiated,
            root_sha256: negotiated
                .root()
                .and_then(|root| root.sha256())
                .map(|sha256| fingerprint(&sha256)),
            certificates: negotiated
                .peer_chain()
                .iter()
                .map(|der| Certificate::of(der))
                .collect(),
            handshake_ms: handshake.as_millis(),
            warnings: config.warnings(),
        }
    }
}

/// Waits for what a TLS 1.3 server says right after the handshake: an alert, data, or nothing.
fn receive_early(stream: &mut Stream<TcpStream>, limit: Duration) -> hubtls::Result<Vec<u8>> {
    stream.set_timeout(Some(limit))?;
    let mut data = vec![0; 16_384];
    match stream.read(&mut data).map_err(Error::from) {
        Ok(count) => data.truncate(count),
        Err(error) if error.code() == ErrorCode::Timeout => data.clear(),
        Err(error) => return Err(error),
    }
    Ok(data)
}

impl Report<'_> {
    fn text(self, asked: &Address) -> String {
        let negotiated = self.negotiated;
        let suite = negotiated.cipher_suite();
        let or = |value: Option<String>, absent: &str| value.unwrap_or_else(|| absent.into());
        let mut text = format!(
            "connected to {} at {}\n\n",
            styled(BOLD, asked),
            self.address
        );
        text += &output::pairs([
            ("version", negotiated.version().name().into()),
            (
                "cipher suite",
                format!("{} (0x{:04X})", suite.iana_name(), suite.code()),
            ),
            ("in OpenSSL", suite.openssl_name().into()),
            (
                "group",
                or(
                    negotiated.group().map(|group| group.name().into()),
                    "none: the session was resumed",
                ),
            ),
            (
                "fragment length",
                or(
                    negotiated
                        .fragment_length()
                        .map(|length| format!("{} bytes", length.bytes())),
                    "not agreed",
                ),
            ),
            (
                "ALPN",
                or(
                    negotiated
                        .alpn()
                        .map(|alpn| String::from_utf8_lossy(alpn).into_owned()),
                    "not agreed",
                ),
            ),
            (
                "resumed",
                if negotiated.resumed() { "yes" } else { "no" }.into(),
            ),
            ("server name", self.server_name.into()),
            ("policy", self.policy.into()),
            ("handshake", format!("{} ms", self.handshake_ms)),
        ]);
        for (index, certificate) in self.certificates.into_iter().enumerate() {
            text += &format!(
                "\n{}\n{}",
                styled(BOLD, format_args!("certificate {index}")),
                certificate.text()
            );
        }
        let subject = negotiated.root().map(|root| root.subject().to_owned());
        text += &format!("\n{}\n", styled(BOLD, "root"));
        text + &output::pairs([
            ("  subject", or(subject, "not known")),
            ("  SHA-256", or(self.root_sha256, "not known")),
        ])
    }
}
