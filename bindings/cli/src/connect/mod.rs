//! `hubtls connect`: one connection, and what came of it.

mod address;
mod dial;
mod interactive;
mod options;
mod report;

use std::time::Duration;

use clap::Args;
use hubtls::{Connection, Error, Stream};

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

        let socket = dial::dial(&self.address, limit)?;
        let peer = socket.peer_addr().map_err(Error::from)?;
        let mut stream = Stream::new(connection, socket);
        stream.set_handshake_timeout(Some(limit))?;
        let negotiated = stream.handshake()?;
        let handshake = negotiated.handshake_duration().unwrap_or_default();
        stream.confirm(limit.min(LATE_ALERT.max(2 * handshake)))?;

        let report = Report::new(&negotiated, &config, &self.address, server_name, peer);
        if self.interactive {
            output::tell(&report.text());
            interactive::run(stream, limit)?;
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
