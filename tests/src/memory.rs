//! A hubtls client and a stock rustls server joined by two buffers: no socket, no thread, every byte in the test's hand.

use std::io::{Read, Write};
use std::sync::Arc;

use hubtls::{Config, Connection, Result};
use rustls::crypto::aws_lc_rs::{self, Ticketer};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{
    DistinguishedName, RootCertStore, ServerConfig, ServerConnection, SupportedCipherSuite,
    SupportedProtocolVersion,
};

use crate::authority::{Authority, Credential};
use crate::fixture;

/// What the server of a test does; the default takes everything rustls has and asks for no client certificate.
pub struct ServerOptions {
    /// The certificate it shows.
    pub credential: &'static Credential,
    /// The versions it speaks.
    pub versions: Vec<&'static SupportedProtocolVersion>,
    /// Its suites in order of preference.
    pub suites: Vec<SupportedCipherSuite>,
    /// Its groups in order of preference.
    pub groups: Vec<&'static dyn SupportedKxGroup>,
    /// Whether a certificate of [`Authority::devices`] is demanded.
    pub client_certificates: bool,
    /// So many further authorities are named when a client certificate is demanded.
    pub further_authorities: usize,
    /// The largest plaintext of a record, if smaller than usual.
    pub fragment_bytes: Option<usize>,
    /// The protocols it speaks.
    pub alpn: Vec<Vec<u8>>,
    /// How sessions are remembered.
    pub resumption: Resumption,
}

/// How a server remembers sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumption {
    /// Not at all.
    Off,
    /// In a store of its own: session ids in TLS 1.2, opaque tickets in TLS 1.3.
    Store,
    /// In tickets.
    Tickets,
}

impl Default for ServerOptions {
    fn default() -> Self {
        let provider = aws_lc_rs::default_provider();
        Self {
            credential: fixture::server("ecdsa"),
            versions: rustls::ALL_VERSIONS.to_vec(),
            suites: provider.cipher_suites,
            groups: provider.kx_groups,
            client_certificates: false,
            further_authorities: 0,
            fragment_bytes: None,
            alpn: Vec::new(),
            resumption: Resumption::Store,
        }
    }
}

impl ServerOptions {
    /// Shows that one of [`fixture::SERVERS`].
    pub fn certificate(name: &str) -> Self {
        Self {
            credential: fixture::server(name),
            ..Self::default()
        }
    }

    /// Speaks TLS 1.2 only.
    pub fn tls12() -> Self {
        Self {
            versions: vec![&rustls::version::TLS12],
            ..Self::default()
        }
    }

    /// Speaks TLS 1.3 only.
    pub fn tls13() -> Self {
        Self {
            versions: vec![&rustls::version::TLS13],
            ..Self::default()
        }
    }

    /// The configuration for rustls.
    pub fn config(self) -> Arc<ServerConfig> {
        let provider = CryptoProvider {
            cipher_suites: self.suites,
            kx_groups: self.groups,
            ..aws_lc_rs::default_provider()
        };
        let builder = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&self.versions)
            .expect("suites for the versions");
        let builder = if self.client_certificates {
            let mut roots = RootCertStore::empty();
            roots
                .add(CertificateDer::from(Authority::devices().root_der()).into_owned())
                .expect("a root");
            let provider = Arc::new(aws_lc_rs::default_provider());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .add_root_hint_subjects((0..self.further_authorities).map(authority_name))
                .build();
            builder.with_client_cert_verifier(verifier.expect("a verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let chain = CertificateDer::pem_slice_iter(self.credential.chain().as_bytes())
            .collect::<std::result::Result<_, _>>()
            .expect("a chain");
        let key = PrivateKeyDer::from_pem_slice(self.credential.key.as_bytes()).expect("a key");
        let mut config = builder
            .with_single_cert(chain, key)
            .expect("a certificate and its key");
        config.alpn_protocols = self.alpn;
        // rustls counts the record's header.
        config.max_fragment_size = self.fragment_bytes.map(|bytes| bytes + 5);
        match self.resumption {
            Resumption::Off => {
                config.session_storage = Arc::new(NoServerSessionStorage {});
                config.send_tls13_tickets = 0;
            }
            Resumption::Store => config.session_storage = ServerSessionMemoryCache::new(256),
            Resumption::Tickets => config.ticketer = Ticketer::new().expect("a ticketer"),
        }
        Arc::new(config)
    }
}

/// A distinguished name of 60 bytes: one attribute, a common name of 49 digits.
fn authority_name(index: usize) -> DistinguishedName {
    let mut der = vec![0x30, 58, 0x31, 56, 0x30, 54, 0x06, 3, 0x55, 4, 3, 0x0c, 47];
    der.extend_from_slice(format!("{index:047}").as_bytes());
    DistinguishedName::from(der)
}

/// A client and a server that have not yet spoken.
pub struct Pair {
    /// The side under test.
    pub client: Connection,
    /// The stock peer.
    pub server: ServerConnection,
    /// Why the server gave up, if it did.
    pub server_error: Option<rustls::Error>,
    /// What the client has read so far; a test may take it.
    pub received: Vec<u8>,
    /// What the server has read so far; a test may take it.
    pub server_received: Vec<u8>,
    /// At most this many bytes are handed over at a time, in either direction.
    pub chunk: usize,
}

impl Pair {
    /// Joins a client of `config` that connects to `localhost` with a server of `server`.
    pub fn new(config: &Config, server: &Arc<ServerConfig>) -> Self {
        Self::named(config, server, "localhost")
    }

    /// The same for another server name.
    ///
    /// # Panics
    /// If the client refuses the name.
    pub fn named(config: &Config, server: &Arc<ServerConfig>, name: &str) -> Self {
        Self {
            client: Connection::new(config, name).expect("a valid name"),
            server: ServerConnection::new(Arc::clone(server)).expect("a valid configuration"),
            server_error: None,
            received: Vec::new(),
            server_received: Vec::new(),
            chunk: usize::MAX,
        }
    }

    /// The same with `chunk` bytes at a time.
    #[must_use]
    pub fn in_chunks(mut self, chunk: usize) -> Self {
        self.chunk = chunk;
        self
    }

    /// Carries bytes both ways until nobody has any left.
    pub fn exchange(&mut self) -> Result<()> {
        loop {
            let sent = self.client_to_server();
            let received = self.server_to_client()?;
            if sent + received == 0 {
                return Ok(());
            }
        }
    }

    /// The same, and then demands that both sides finished the handshake.
    pub fn handshake(&mut self) -> Result<()> {
        self.exchange()?;
        assert_eq!(self.server_error, None, "the server is content");
        assert!(!self.client.is_handshaking(), "the client finished");
        assert!(!self.server.is_handshaking(), "the server finished");
        Ok(())
    }

    /// Everything that the client has to send.
    pub fn take_from_client(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut buffer = vec![0; self.chunk.min(32 * 1024)];
        loop {
            match self.client.transmit(&mut buffer) {
                0 => return all,
                length => all.extend_from_slice(&buffer[..length]),
            }
        }
    }

    /// Everything that the server has to send.
    pub fn take_from_server(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while self.server.wants_write() {
            self.server
                .write_tls(&mut all)
                .expect("a vector takes everything");
        }
        all
    }

    /// Carries what the client has to send; returns how much that was.
    pub fn client_to_server(&mut self) -> usize {
        let wire = self.take_from_client();
        self.give_to_server(&wire);
        wire.len()
    }

    /// Hands these bytes to the server and reads what they hold into `server_received`.
    pub fn give_to_server(&mut self, wire: &[u8]) {
        for mut piece in wire.chunks(self.chunk) {
            while !piece.is_empty() && self.server_error.is_none() {
                self.server
                    .read_tls(&mut piece)
                    .expect("a slice can be read");
                if let Err(error) = self.server.process_new_packets() {
                    self.server_error = Some(error);
                }
                // `WouldBlock` means that there is no more for now.
                let _ = self.server.reader().read_to_end(&mut self.server_received);
            }
        }
    }

    /// Carries what the server has to send; returns how much that was.
    pub fn server_to_client(&mut self) -> Result<usize> {
        let wire = self.take_from_server();
        self.give_to_client(&wire)?;
        Ok(wire.len())
    }

    /// Hands these bytes to the client and reads what they hold into `received`.
    pub fn give_to_client(&mut self, wire: &[u8]) -> Result<()> {
        for mut piece in wire.chunks(self.chunk) {
            loop {
                let taken = self.client.receive(piece)?;
                piece = &piece[taken..];
                let read = self.read_from_client()?;
                if piece.is_empty() {
                    break;
                }
                assert!(
                    taken + read > 0,
                    "receiving goes on once everything was read"
                );
            }
        }
        Ok(())
    }

    fn read_from_client(&mut self) -> Result<usize> {
        let mut buffer = vec![0; 4096];
        let mut total = 0;
        loop {
            // Reading nothing opens a record that holds no plaintext, a ticket for example.
            let waiting = self.client.readable_bytes()?;
            let read = self.client.read(&mut buffer)?;
            self.received.extend_from_slice(&buffer[..read]);
            total += read;
            if waiting + read == 0 {
                return Ok(total);
            }
        }
    }

    /// Sends `data` from the client, and returns what the server got.
    pub fn send(&mut self, data: &[u8]) -> Result<Vec<u8>> {
        let mut rest = data;
        while !rest.is_empty() {
            let written = self.client.write(rest)?;
            rest = &rest[written..];
            let sent = self.client_to_server();
            assert!(
                written + sent > 0,
                "writing goes on once the output is taken"
            );
        }
        Ok(std::mem::take(&mut self.server_received))
    }

    /// Sends `data` from the server, and returns what the client read.
    pub fn answer(&mut self, data: &[u8]) -> Result<Vec<u8>> {
        for part in data.chunks(32 * 1024) {
            let wire = self.encrypt(part);
            self.give_to_client(&wire)?;
        }
        Ok(std::mem::take(&mut self.received))
    }

    /// The records in which the server sends `data`, at most its buffer's 64 KB.
    pub fn encrypt(&mut self, data: &[u8]) -> Vec<u8> {
        self.server
            .writer()
            .write_all(data)
            .expect("the server buffers");
        self.take_from_server()
    }
}
