//! What a client must be able to do to be measured, and the server that all of them talk to.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use openssl::ssl::SslContext;
use rustls::crypto::aws_lc_rs::{self, Ticketer, cipher_suite, kx_group};
use rustls::server::{NoServerSessionStorage, ServerConfig, ServerConnection};
use rustls::version::{TLS12, TLS13};

use crate::cbc::{CbcServer, Protection};
use crate::pki::Pki;

/// The largest plaintext of a record in bytes (RFC 8446, section 5.1).
pub const RECORD: usize = 16_384;

/// The version and suite the server speaks. The clients offer all, as the default policy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// TLS 1.2 with `ECDHE-ECDSA-AES128-GCM-SHA256`.
    V12,
    /// TLS 1.3 with `TLS_AES_128_GCM_SHA256`.
    V13,
    /// TLS 1.2 with `ECDHE-ECDSA-AES128-SHA256`, without encrypt-then-MAC: OpenSSL and hubtls alone have it.
    V12Cbc,
}

impl Tls {
    /// Both with AES-GCM, in the order of the table.
    pub const BOTH: [Self; 2] = [Self::V12, Self::V13];

    /// As the table writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V12 => "TLS 1.2",
            Self::V13 => "TLS 1.3",
            Self::V12Cbc => "TLS 1.2 CBC",
        }
    }
}

/// A TLS client joined to its server by byte buffers.
///
/// `wire` is where a client appends the ciphertext it wants sent: each of them pays for one copy, as with a socket.
pub trait Client: Sized + 'static {
    /// Its column in the table.
    const NAME: &'static str;
    /// What its connections share.
    type Config: Send + Sync;

    /// Trusts the root of `pki`; `resumption` says whether sessions are kept and tried.
    fn config(pki: &Pki, resumption: bool) -> Self::Config;

    /// Starts a connection to [`SERVER_NAME`](crate::pki::SERVER_NAME).
    fn connect(config: &Self::Config, wire: &mut Vec<u8>) -> Self;

    /// Takes all of `ciphertext`, and reads what it holds through `output`; returns how many bytes were read.
    fn receive(&mut self, ciphertext: &mut Vec<u8>, wire: &mut Vec<u8>, output: &mut [u8])
    -> usize;

    /// Encrypts all of `data`.
    fn send(&mut self, data: &[u8], wire: &mut Vec<u8>);

    /// The version agreed, and whether the session was resumed.
    fn agreed(&self) -> Option<(Tls, bool)>;
}

/// A client that can also decrypt in the buffer that its caller has read into.
pub trait InPlace: Client {
    /// Takes the whole records in `ciphertext`; returns how many bytes of plaintext were seen.
    fn receive_in_place(&mut self, ciphertext: &mut [u8]) -> usize;
}

/// The server's end of a connection: the same for every client, and never timed.
#[derive(Debug)]
pub enum Server {
    /// rustls
    Gcm(Box<ServerConnection>),
    /// OpenSSL
    Cbc(CbcServer),
}

/// What the connections of a [`Server`] share.
pub enum ServerSetup {
    /// rustls
    Gcm(Arc<ServerConfig>),
    /// OpenSSL
    Cbc(SslContext),
}

impl Server {
    /// Speaks one version with one suite and X25519. With `resumption`, it hands out one ticket per connection.
    #[must_use]
    pub fn config(pki: &Pki, tls: Tls, resumption: bool) -> ServerSetup {
        let mut provider = aws_lc_rs::default_provider();
        provider.kx_groups = vec![kx_group::X25519];
        let version = match tls {
            Tls::V12 => {
                provider.cipher_suites =
                    vec![cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];
                &TLS12
            }
            Tls::V13 => {
                provider.cipher_suites = vec![cipher_suite::TLS13_AES_128_GCM_SHA256];
                &TLS13
            }
            Tls::V12Cbc => {
                return ServerSetup::Cbc(CbcServer::config(pki, Protection::Aes128Sha256));
            }
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[version])
            .expect("suites for the version")
            .with_no_client_auth()
            .with_single_cert(pki.chain.clone(), pki.key())
            .expect("a key that fits the certificate");
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = usize::from(resumption);
        if resumption {
            config.ticketer = Ticketer::new().expect("a ticket key");
        }
        ServerSetup::Gcm(Arc::new(config))
    }

    /// Waits for a client.
    #[must_use]
    pub fn accept(setup: &ServerSetup) -> Self {
        match setup {
            ServerSetup::Gcm(config) => {
                let mut connection =
                    ServerConnection::new(Arc::clone(config)).expect("a sound config");
                connection.set_buffer_limit(None);
                Self::Gcm(Box::new(connection))
            }
            ServerSetup::Cbc(context) => Self::Cbc(CbcServer::accept(context)),
        }
    }

    /// Takes all of `wire` and returns how many bytes of plaintext it held; the answer is appended to `ciphertext`.
    pub fn receive(&mut self, wire: &mut Vec<u8>, ciphertext: &mut Vec<u8>) -> usize {
        let connection = match self {
            Self::Gcm(connection) => connection,
            Self::Cbc(server) => return server.receive(wire, ciphertext),
        };
        let mut received = 0;
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            connection.read_tls(&mut rest).expect("room for input");
            connection.process_new_packets().expect("sound records");
            let mut output = [0; RECORD];
            while let Ok(n @ 1..) = connection.reader().read(&mut output) {
                received += n;
            }
        }
        wire.clear();
        flush(connection, ciphertext);
        received
    }

    /// Encrypts `data` into one record per [`RECORD`] bytes.
    pub fn send(&mut self, data: &[u8], ciphertext: &mut Vec<u8>) {
        match self {
            Self::Gcm(connection) => {
                connection
                    .writer()
                    .write_all(data)
                    .expect("no buffer limit");
                flush(connection, ciphertext);
            }
            Self::Cbc(server) => server.send(data, ciphertext),
        }
    }

    /// Whether the server still waits for the client's part of the handshake.
    #[must_use]
    pub fn is_handshaking(&self) -> bool {
        match self {
            Self::Gcm(connection) => connection.is_handshaking(),
            Self::Cbc(server) => server.is_handshaking(),
        }
    }
}

fn flush(connection: &mut ServerConnection, ciphertext: &mut Vec<u8>) {
    while connection.wants_write() {
        connection
            .write_tls(ciphertext)
            .expect("a vector takes all");
    }
}
