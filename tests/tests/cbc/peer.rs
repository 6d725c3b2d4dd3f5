//! A hubtls client and OpenSSL's server joined by two buffers, with every byte between them in the test's hand.

use std::io::{self, Read, Write};
use std::mem;

use hubtls::{Config, Connection, Result};
use hubtls_tests::authority::Authority;
use hubtls_tests::fixture;
use openssl::pkey::PKey;
use openssl::ssl::{
    Error, ErrorCode, Ssl, SslContext, SslMethod, SslOptions, SslSessionCacheMode, SslStream,
    SslVerifyMode,
};
use openssl::x509::X509;

/// `SSL_OP_NO_ENCRYPT_THEN_MAC`, which the openssl crate does not name.
pub(crate) const NO_ENCRYPT_THEN_MAC: SslOptions = SslOptions::from_bits_retain(1 << 19);

/// OpenSSL's server with these certificates of the fixture and these suites, in OpenSSL's names.
pub(crate) fn server(
    certificates: &[&str],
    suites: &str,
    client_certificates: bool,
    options: SslOptions,
) -> SslContext {
    let mut builder = SslContext::builder(SslMethod::tls_server()).unwrap();
    for name in certificates {
        let credential = fixture::server(name);
        let certificate = X509::from_pem(credential.certificate.as_bytes()).unwrap();
        builder.set_certificate(&certificate).unwrap();
        for issuer in X509::stack_from_pem(credential.issuers.as_bytes()).unwrap() {
            builder.add_extra_chain_cert(issuer).unwrap();
        }
        let key = PKey::private_key_from_pem(credential.key.as_bytes()).unwrap();
        builder.set_private_key(&key).unwrap();
    }
    builder.set_cipher_list(suites).unwrap();
    builder.set_options(options);
    builder.set_session_id_context(b"cbc").unwrap();
    builder.set_session_cache_mode(SslSessionCacheMode::SERVER);
    if client_certificates {
        let root = X509::from_pem(Authority::devices().root().as_bytes()).unwrap();
        builder.cert_store_mut().add_cert(root).unwrap();
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    builder.build()
}

/// A client and a server, joined.
pub(crate) struct Pair {
    pub(crate) client: Connection,
    pub(crate) server: SslStream<Wire>,
}

impl Pair {
    pub(crate) fn new(config: &Config, server: &SslContext) -> Self {
        Self {
            client: Connection::new(config, "localhost").unwrap(),
            server: SslStream::new(Ssl::new(server).unwrap(), Wire::default()).unwrap(),
        }
    }

    /// Two that have shaken hands.
    pub(crate) fn connected(config: &Config, server: &SslContext) -> Self {
        let mut pair = Self::new(config, server);
        pair.handshake().unwrap();
        pair
    }

    pub(crate) fn handshake(&mut self) -> Result<()> {
        loop {
            let sent = self.take_from_client();
            self.server.get_mut().incoming.extend_from_slice(&sent);
            let done = waiting(self.server.accept());
            let answer = self.take_from_server();
            let read = self.give_to_client(&answer)?;
            assert!(read.is_empty(), "nobody sent data");
            if done.is_some() && !self.client.is_handshaking() {
                return Ok(());
            }
            assert!(sent.len() + answer.len() > 0, "the handshake goes on");
        }
    }

    /// Shakes hands up to the flight in which the server finishes, which the client has not seen yet.
    pub(crate) fn last_flight(&mut self) -> Vec<u8> {
        loop {
            let sent = self.take_from_client();
            assert!(!sent.is_empty(), "the handshake goes on");
            self.server.get_mut().incoming.extend_from_slice(&sent);
            let done = waiting(self.server.accept());
            let answer = self.take_from_server();
            if done.is_some() {
                return answer;
            }
            self.give_to_client(&answer).unwrap();
        }
    }

    /// What the client has for the network.
    pub(crate) fn take_from_client(&mut self) -> Vec<u8> {
        let sent = self.client.pending().to_vec();
        self.client.transmitted(sent.len());
        sent
    }

    /// What the server has for the network.
    pub(crate) fn take_from_server(&mut self) -> Vec<u8> {
        mem::take(&mut self.server.get_mut().outgoing)
    }

    /// Gives `wire` to the client and returns what it reads from it.
    pub(crate) fn give_to_client(&mut self, mut wire: &[u8]) -> Result<Vec<u8>> {
        let mut read = Vec::new();
        let mut buffer = [0; 20_000];
        while !wire.is_empty() {
            let taken = self.client.receive(wire)?;
            wire = &wire[taken..];
            let before = read.len();
            while let length @ 1.. = self.client.read(&mut buffer)? {
                read.extend_from_slice(&buffer[..length]);
            }
            assert!(taken > 0 || read.len() > before, "receiving goes on");
        }
        Ok(read)
    }

    /// Gives `wire` to the server and returns what it reads from it, or why it refuses.
    pub(crate) fn give_to_server(&mut self, wire: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        self.server.get_mut().incoming.extend_from_slice(wire);
        let mut read = Vec::new();
        let mut buffer = [0; 20_000];
        loop {
            match self.server.ssl_read(&mut buffer) {
                Ok(length) => read.extend_from_slice(&buffer[..length]),
                Err(error) if error.code() == ErrorCode::WANT_READ => return Ok(read),
                Err(error) => return Err(error),
            }
        }
    }

    /// The records in which the client sends `data`.
    pub(crate) fn seal(&mut self, mut data: &[u8]) -> Vec<u8> {
        let mut wire = Vec::new();
        while !data.is_empty() {
            let written = self.client.write(data).unwrap();
            data = &data[written..];
            let sent = self.take_from_client();
            assert!(written + sent.len() > 0, "writing goes on");
            wire.extend(sent);
        }
        wire
    }

    /// The records in which the server sends `data`; one that is empty for no data.
    pub(crate) fn server_seal(&mut self, data: &[u8]) -> Vec<u8> {
        self.server.write_all(data).unwrap();
        self.take_from_server()
    }
}

/// The result, or nothing if OpenSSL waits for more.
fn waiting<T>(result: std::result::Result<T, Error>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        // A server that refuses has written an alert: the client judges it.
        Err(error) if matches!(error.code(), ErrorCode::WANT_READ | ErrorCode::SSL) => None,
        Err(error) => panic!("{error}"),
    }
}

/// The network as OpenSSL sees it.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let length = self.incoming.len().min(output.len());
        output[..length].copy_from_slice(&self.incoming[..length]);
        self.incoming.drain(..length);
        Ok(length)
    }
}

impl Write for Wire {
    fn write(&mut self, input: &[u8]) -> io::Result<usize> {
        self.outgoing.extend_from_slice(input);
        Ok(input.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
