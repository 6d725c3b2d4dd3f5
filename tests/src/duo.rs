//! A hubtls client and a server in this process, OpenSSL's or rustls, with every flight in the test's hand.
//!
//! Unlike [`memory::Pair`](crate::memory::Pair) the server need not be rustls: OpenSSL negotiates a fragment length and rustls does not.

use std::io::{self, Read, Write};
use std::sync::Arc;

use hubtls::{Config, Connection, Error, Result};
use openssl::pkey::PKey;
use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslContextBuilder, SslMethod, SslSessionCacheMode, SslStream,
    SslVerifyMode, SslVersion,
};
use openssl::x509::X509;
use rustls::{ServerConfig, ServerConnection};

use crate::authority::{Authority, Credential};

/// A server without a socket.
pub trait Server {
    /// Takes what the client sent.
    fn receive(&mut self, wire: &[u8]);
    /// What it has to send.
    fn take(&mut self) -> Vec<u8>;
    /// Encrypts `data`.
    fn write(&mut self, data: &[u8]);
    /// The plaintext that has come so far.
    fn received(&self) -> &[u8];
    /// Whether its handshake is complete.
    fn is_connected(&self) -> bool;
    /// Why it gave up: what it says itself.
    fn failure(&self) -> Option<&str>;
}

/// The two ends of OpenSSL's transport.
#[derive(Default)]
struct Pipe {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.incoming.len());
        if length == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buffer[..length].copy_from_slice(&self.incoming[..length]);
        self.incoming.drain(..length);
        Ok(length)
    }
}

impl Write for Pipe {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.outgoing.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// OpenSSL's server.
pub struct Openssl {
    stream: SslStream<Pipe>,
    connected: bool,
    received: Vec<u8>,
    failure: Option<String>,
}

impl Openssl {
    /// A context that shows `credential`, speaks `version` alone, and resumes sessions.
    ///
    /// # Panics
    /// If OpenSSL does not take it.
    pub fn context(credential: &Credential, version: SslVersion) -> SslContextBuilder {
        let mut context = SslContext::builder(SslMethod::tls_server()).expect("a context");
        let certificate = X509::from_pem(credential.certificate.as_bytes()).expect("PEM");
        context.set_certificate(&certificate).expect("a match");
        for issuer in X509::stack_from_pem(credential.issuers.as_bytes()).expect("PEM") {
            context.add_extra_chain_cert(issuer).expect("a chain");
        }
        let key = PKey::private_key_from_pem(credential.key.as_bytes()).expect("PEM");
        context.set_private_key(&key).expect("a match");
        context
            .set_min_proto_version(Some(version))
            .and_then(|()| context.set_max_proto_version(Some(version)))
            .expect("a version");
        context.set_session_cache_mode(SslSessionCacheMode::SERVER);
        context
            .set_session_id_context(b"hubtls")
            .expect("a short name");
        context
    }

    /// The same, demanding a certificate of [`Authority::devices`].
    ///
    /// # Panics
    /// If OpenSSL does not take it.
    pub fn demand_certificates(context: &mut SslContextBuilder) {
        let root = X509::from_der(Authority::devices().root_der()).expect("DER");
        context.cert_store_mut().add_cert(root).expect("a root");
        context.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }

    /// A server of that context.
    ///
    /// # Panics
    /// If OpenSSL does not take it.
    pub fn new(context: &SslContext) -> Self {
        let ssl = Ssl::new(context).expect("a connection");
        Self {
            stream: SslStream::new(ssl, Pipe::default()).expect("a connection"),
            connected: false,
            received: Vec::new(),
            failure: None,
        }
    }

    fn advance(&mut self) {
        if !self.connected {
            match self.stream.accept() {
                Ok(()) => self.connected = true,
                Err(error) if error.code() == ErrorCode::WANT_READ => return,
                Err(error) => return self.failure = Some(error.to_string()),
            }
        }
        let mut buffer = [0; 4096];
        loop {
            match self.stream.ssl_read(&mut buffer) {
                Ok(length) => self.received.extend_from_slice(&buffer[..length]),
                Err(error) if error.code() == ErrorCode::WANT_READ => return,
                Err(error) if error.code() == ErrorCode::ZERO_RETURN => return,
                Err(error) => return self.failure = Some(error.to_string()),
            }
        }
    }
}

impl Server for Openssl {
    fn receive(&mut self, wire: &[u8]) {
        self.stream.get_mut().incoming.extend_from_slice(wire);
        if self.failure.is_none() {
            self.advance();
        }
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.stream.get_mut().outgoing)
    }

    fn write(&mut self, data: &[u8]) {
        self.stream.write_all(data).expect("a pipe takes it");
    }

    fn received(&self) -> &[u8] {
        &self.received
    }

    fn is_connected(&self) -> bool {
        self.connected
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}

/// rustls's server.
pub struct Rustls {
    connection: ServerConnection,
    received: Vec<u8>,
    failure: Option<String>,
}

impl Rustls {
    /// A server of that configuration.
    ///
    /// # Panics
    /// If rustls does not take it.
    pub fn new(config: &Arc<ServerConfig>) -> Self {
        Self {
            connection: ServerConnection::new(Arc::clone(config)).expect("a valid configuration"),
            received: Vec::new(),
            failure: None,
        }
    }
}

impl Server for Rustls {
    fn receive(&mut self, mut wire: &[u8]) {
        while !wire.is_empty() && self.failure.is_none() {
            let read = self.connection.read_tls(&mut wire);
            read.expect("a slice can be read");
            if let Err(error) = self.connection.process_new_packets() {
                self.failure = Some(error.to_string());
            }
            // `WouldBlock` means that there is no more for now.
            let _ = self.connection.reader().read_to_end(&mut self.received);
        }
    }

    fn take(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        while self.connection.wants_write() {
            let written = self.connection.write_tls(&mut wire);
            written.expect("a vector takes everything");
        }
        wire
    }

    fn write(&mut self, data: &[u8]) {
        let written = self.connection.writer().write_all(data);
        written.expect("the server buffers");
    }

    fn received(&self) -> &[u8] {
        &self.received
    }

    fn is_connected(&self) -> bool {
        !self.connection.is_handshaking()
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}

/// What becomes of a flight on its way: flight by flight, for each direction.
pub type Edit<'a> = &'a mut dyn FnMut(Vec<u8>) -> Vec<u8>;

/// How the client gets its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// [`Connection::receive`] and [`Connection::read`].
    Copied,
    /// [`Connection::receive_in_place`].
    InPlace,
}

/// A client and a server that have not yet spoken.
pub struct Duo<S> {
    /// The side under test.
    pub client: Connection,
    /// Its peer.
    pub server: S,
    /// How the client gets its bytes.
    pub form: Form,
    /// What the client has read.
    pub received: Vec<u8>,
    /// What the client was given and has not yet taken, in the form `InPlace`.
    rest: Vec<u8>,
    /// Everything the client sent, unedited.
    pub sent: Vec<u8>,
    /// Everything the server sent, unedited.
    pub answered: Vec<u8>,
}

impl<S: Server> Duo<S> {
    /// Joins a client that connects to `localhost` with `server`.
    ///
    /// # Panics
    /// Never: the name is valid.
    pub fn new(config: &Config, server: S) -> Self {
        Self {
            client: Connection::new(config, "localhost").expect("a valid name"),
            server,
            form: Form::Copied,
            received: Vec::new(),
            rest: Vec::new(),
            sent: Vec::new(),
            answered: Vec::new(),
        }
    }

    /// The same with the client's bytes given in that form.
    #[must_use]
    pub fn in_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Everything that the client has to send.
    pub fn take_from_client(&mut self) -> Vec<u8> {
        let wire = self.client.pending().to_vec();
        self.client.transmitted(wire.len());
        self.sent.extend_from_slice(&wire);
        wire
    }

    /// Everything that the server has to send.
    pub fn take_from_server(&mut self) -> Vec<u8> {
        let wire = self.server.take();
        self.answered.extend_from_slice(&wire);
        wire
    }

    /// Gives bytes to the client and reads what they hold.
    pub fn give_to_client(&mut self, wire: &[u8]) -> Result<()> {
        match self.form {
            Form::Copied => self.give_copied(wire),
            Form::InPlace => {
                self.rest.extend_from_slice(wire);
                let received = &mut self.received;
                let done = self.client.receive_in_place(&mut self.rest, |plaintext| {
                    received.extend_from_slice(plaintext);
                })?;
                self.rest.drain(..done);
                Ok(())
            }
        }
    }

    fn give_copied(&mut self, mut wire: &[u8]) -> Result<()> {
        let mut buffer = [0; 4096];
        loop {
            let taken = self.client.receive(wire)?;
            wire = &wire[taken..];
            loop {
                // Reading nothing opens a record that holds no plaintext, a ticket for example.
                let waiting = self.client.readable_bytes()?;
                let read = self.client.read(&mut buffer)?;
                self.received.extend_from_slice(&buffer[..read]);
                if waiting + read == 0 {
                    break;
                }
            }
            if wire.is_empty() {
                return Ok(());
            }
        }
    }

    /// Carries flights both ways, edited, until nobody has any left or the client fails. The client's alert still reaches the server.
    pub fn exchange_edited(&mut self, to_server: Edit, to_client: Edit) -> Result<()> {
        loop {
            let mut flight = self.take_from_client();
            let mut moved = flight.len();
            if moved > 0 {
                flight = to_server(flight);
                self.server.receive(&flight);
            }
            let mut flight = self.take_from_server();
            moved += flight.len();
            if moved == 0 {
                return Ok(());
            }
            if !flight.is_empty() {
                flight = to_client(flight);
                if let Err(error) = self.give_to_client(&flight) {
                    let alert = self.take_from_client();
                    self.server.receive(&alert);
                    return Err(error);
                }
            }
        }
    }

    /// The same, unedited.
    pub fn exchange(&mut self) -> Result<()> {
        self.exchange_edited(&mut |flight| flight, &mut |flight| flight)
    }

    /// Carries the handshake to its end.
    ///
    /// # Panics
    /// If there is none.
    pub fn handshake(&mut self) -> Result<()> {
        self.exchange()?;
        assert_eq!(self.server.failure(), None);
        assert!(!self.client.is_handshaking() && self.server.is_connected());
        Ok(())
    }

    /// Sends `data` each way, the client first, and demands that it arrives as it is.
    ///
    /// # Panics
    /// If it does not.
    pub fn converse(&mut self, data: &[u8]) {
        let before = (self.received.len(), self.server.received().len());
        let mut rest = data;
        while !rest.is_empty() {
            let written = self.client.write(rest).expect("the client writes");
            rest = &rest[written..];
            self.exchange().expect("the client goes on");
            assert!(written > 0, "there is room for more");
        }
        for part in data.chunks(32 * 1024) {
            self.server.write(part);
            self.exchange().expect("the client goes on");
        }
        assert!(self.server.received()[before.1..] == *data, "as it was");
        assert!(self.received[before.0..] == *data, "as it was");
    }

    /// The client is dead: every call gives the same error, and nothing more leaves it.
    ///
    /// # Panics
    /// If it is not.
    pub fn assert_dead(&mut self, error: &Error) {
        let client = &mut self.client;
        let same = |other: Option<Error>| assert_eq!(other.as_ref(), Some(error));
        same(client.receive(&[23, 3, 3, 0, 1, 0]).err());
        same(client.receive_in_place(&mut [0; 6], |_| ()).err());
        same(client.read(&mut [0; 16]).err());
        same(client.write(b"more").err());
        same(client.finish().err());
        same(client.receive_end().err());
        assert!(!client.wants_transmit(), "the alert is the last word");
        assert!(client.negotiated().is_none_or(|_| !client.is_handshaking()));
    }
}
