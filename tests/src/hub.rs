//! A stand-in for a hub inside the test's process: stock rustls, one thread per connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::acceptor::Acceptor;

const STACK_BYTES: usize = 256 * 1024;

/// A connection as the server holds it.
pub type ServerStream = StreamOwned<ServerConnection, TcpStream>;

/// A TLS server on loopback; stops accepting when dropped.
#[derive(Debug)]
pub struct Hub(Acceptor);

impl Hub {
    /// Calls `service` with every connection, before its handshake, on a thread of its own.
    pub fn start(
        config: Arc<ServerConfig>,
        service: impl Fn(ServerStream) + Send + Sync + 'static,
    ) -> Self {
        let service = Arc::new(service);
        Self(Acceptor::start(move |socket| {
            let connection =
                ServerConnection::new(Arc::clone(&config)).expect("a valid configuration");
            let stream = StreamOwned::new(connection, socket);
            let service = Arc::clone(&service);
            thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn(move || service(stream))
                .expect("a thread");
        }))
    }

    /// Where to connect.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// Sends back whatever comes, and after the client's close_notify its own.
pub fn echo(mut stream: ServerStream) {
    let mut buffer = [0; 16 * 1024];
    // An error ends the connection; the client's side of the test judges that.
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        if stream
            .write_all(&buffer[..length])
            .and_then(|()| stream.flush())
            .is_err()
        {
            return;
        }
    }
    stream.conn.send_close_notify();
    let _ = stream.flush();
}
