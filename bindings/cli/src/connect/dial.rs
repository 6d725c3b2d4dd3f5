//! From a name to a connected socket.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use hubtls::{Error, ErrorCode, Result};

use super::address::Address;

/// Connects to the first address of the name that answers; each has `limit`.
pub(super) fn dial(address: &Address, limit: Duration) -> Result<TcpStream> {
    let resolved = (address.host.as_str(), address.port).to_socket_addrs().map_err(|error| {
        Error::new(
            ErrorCode::Unreachable,
            format!("the address of {:?} is not known: {error}", address.host),
            "check the spelling and the network; a hub's name is that of the hub followed by .azure-devices.net",
        )
    })?;
    let mut failures = Vec::new();
    for candidate in resolved {
        match TcpStream::connect_timeout(&candidate, limit) {
            Ok(socket) => return Ok(socket),
            Err(error) => failures.push(format!("{candidate}: {error}")),
        }
    }
    let reasons = match failures.is_empty() {
        true => "the name has no address".to_owned(),
        false => failures.join("; "),
    };
    Err(Error::new(
        ErrorCode::Unreachable,
        format!("{address} cannot be reached: {reasons}"),
        "check host and port; a firewall that blocks 8883 (MQTT) often lets 443 (HTTPS and WebSockets) pass",
    ))
}
