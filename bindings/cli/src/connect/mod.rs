//! `hubtls connect`: one connection, and what came of it.

mod address;
mod dial;
mod interactive;
mod options;
mod report;

use std::io::Read as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use clap::Args;
use hubtls::{Connection, Error, ErrorCode, Stream, Version};

use crate::exit::{self, Exit};
use crate::output::{self, Failure};
use address::Address;
use options::Options;
use report::Report;

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

impl Connect {
    pub(crate) fn run(self, json: bool) -> Result<Exit, Failure> {
        let config = self.options.config()?;
        for warning in config.warnings() {
            output::warn(warning);
        }
        let server_name = self.name.as_deref().unwrap_or(&self.address.host);
        let connection = Connection::new(&config, server_name)?;
        let limit = Duration::from_secs(self.timeout);

        let (socket, round_trip) = dial::dial(&self.address, limit)?;
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

        let report = Report::new(
            &negotiated,
            &config,
            &self.address,
            server_name,
            peer,
            handshake,
        );
        if self.interactive {
            output::tell(&report.text());
            interactive::run(stream, &early, limit)?;
            return Ok(Exit::Done);
        }
        // All there is to know is known: that the server has gone meanwhile is no failure.
        let _ = stream.finish();
        match json {
            true => output::print_json(&report)?,
            false => output::print(&report.text())?,
        }
        Ok(Exit::Done)
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
