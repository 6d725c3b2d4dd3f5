//! Short ways to the client under test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use hubtls::{Config, ConfigBuilder, Connection, Error, Identity, Policy, Result, Roots, Stream};

use crate::fixture;

/// No test waits longer for a peer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The roots of all server certificates, private ones that replace the embedded ones.
pub fn roots() -> Roots {
    Roots::from_pem(fixture::server_roots().as_bytes()).expect("roots")
}

/// A builder that trusts [`roots`] and nothing else.
pub fn builder() -> ConfigBuilder {
    Config::builder().roots(roots())
}

/// A configuration that trusts [`roots`] and has the policy of that name.
pub fn config(policy: &str) -> Config {
    builder()
        .policy(Policy::named(policy).expect("a policy"))
        .build()
        .expect("a configuration")
}

/// The identity of one of [`fixture::CLIENTS`].
pub fn identity(name: &str) -> Identity {
    let credential = fixture::client(name);
    Identity::from_pem(
        credential.chain().as_bytes(),
        credential.key.as_bytes(),
        None,
    )
    .expect("an identity")
}

/// A blocking connection to `address`, verified as `localhost`, before its handshake.
pub fn connect(config: &Config, address: SocketAddr) -> Stream<TcpStream> {
    connect_named(config, address, "localhost")
}

/// The same, verified as `name`.
///
/// # Panics
/// If nobody listens there.
pub fn connect_named(config: &Config, address: SocketAddr, name: &str) -> Stream<TcpStream> {
    let socket = TcpStream::connect_timeout(&address, PATIENCE).expect("the server listens");
    socket.set_nodelay(true).expect("a TCP socket");
    let mut stream = Stream::new(Connection::new(config, name).expect("a valid name"), socket);
    stream
        .set_handshake_timeout(Some(PATIENCE))
        .expect("a positive limit");
    stream
        .set_timeout(Some(PATIENCE))
        .expect("a positive limit");
    stream
}

/// Shakes hands, sends `line` and returns the answering line: what a session with a peer amounts to.
///
/// In TLS 1.3 a server judges the client's certificate after the client's handshake, so only the answer tells that it agreed.
pub fn converse(stream: &mut Stream<TcpStream>, line: &str) -> Result<String> {
    stream.handshake()?;
    stream.write_all(line.as_bytes()).map_err(error)?;
    stream.flush().map_err(error)?;
    let mut answer = Vec::new();
    let mut byte = [0];
    while answer.last() != Some(&b'\n') {
        match stream.read(&mut byte).map_err(error)? {
            0 => break,
            _ => answer.push(byte[0]),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The error of hubtls inside that I/O error.
///
/// # Panics
/// If there is none.
pub fn error(error: std::io::Error) -> Error {
    Error::from_io(&error)
        .cloned()
        .unwrap_or_else(|| panic!("an I/O error without an error of hubtls: {error}"))
}

/// So many bytes, in which a piece that is missing, doubled or out of place shows.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}
