//! OpenSSL through the `openssl` crate, set up as its users are told to: one `SSL_CTX`, host name verified.

use std::io::{self, Read, Write};
use std::mem;
use std::sync::{Arc, Mutex};

use openssl::ssl::{
    ErrorCode, ShutdownState, Ssl, SslContext, SslMethod, SslMode, SslOptions, SslSession,
    SslStream, SslVerifyMode, SslVersion,
};
use openssl::x509::X509;

use crate::cbc::Protection;
use crate::peer::{Client, Tls};
use crate::pki::{Pki, SERVER_NAME};

const SUITES_12: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
                         ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:\
                         ECDHE-ECDSA-AES128-SHA256";
const CBC: &str = Protection::Aes128Sha256.name();
const SUITES_13: &str = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384";

/// A connection of OpenSSL, with `SSL_MODE_RELEASE_BUFFERS` or, as by default, without.
pub struct OpenSsl<const RELEASE_BUFFERS: bool = false> {
    stream: SslStream<Transport>,
    session: Option<Session>,
}

/// What the connections of [`OpenSsl`] share.
pub struct Config {
    context: SslContext,
    session: Option<Session>,
}

/// That of the connection which ended last.
type Session = Arc<Mutex<Option<SslSession>>>;

impl<const RELEASE_BUFFERS: bool> Client for OpenSsl<RELEASE_BUFFERS> {
    const NAME: &'static str = if RELEASE_BUFFERS {
        "OpenSSL, RELEASE_BUFFERS"
    } else {
        "OpenSSL"
    };
    type Config = Config;

    fn config(pki: &Pki, resumption: bool) -> Config {
        let context = context(pki, resumption, RELEASE_BUFFERS);
        Config {
            context: context.expect("a sound context"),
            session: resumption.then(Session::default),
        }
    }

    fn connect(config: &Config, wire: &mut Vec<u8>) -> Self {
        let mut ssl = Ssl::new(&config.context).expect("a sound context");
        ssl.set_hostname(SERVER_NAME).expect("a DNS name");
        ssl.param_mut().set_host(SERVER_NAME).expect("a DNS name");
        if let Some(session) = &config.session
            && let Some(session) = &*session.lock().expect("no panic while held")
        {
            resume(&mut ssl, session);
        }
        ssl.set_connect_state();
        let stream = SslStream::new(ssl, Transport::default()).expect("a new connection");
        let session = config.session.clone();
        let mut client = Self { stream, session };
        client.handshake(wire);
        client
    }

    fn receive(
        &mut self,
        ciphertext: &mut Vec<u8>,
        wire: &mut Vec<u8>,
        output: &mut [u8],
    ) -> usize {
        // Handed over, not copied: OpenSSL's own read out of it stands for the read from a socket.
        mem::swap(&mut self.stream.get_mut().incoming, ciphertext);
        if !self.stream.ssl().is_init_finished() {
            self.handshake(wire);
        }
        let mut received = 0;
        if self.stream.ssl().is_init_finished() {
            loop {
                match self.stream.ssl_read(output) {
                    Ok(n) => received += n,
                    Err(error) => break assert_eq!(error.code(), ErrorCode::WANT_READ),
                }
            }
        }
        let transport = self.stream.get_mut();
        transport.taken = 0;
        mem::swap(&mut transport.incoming, ciphertext);
        ciphertext.clear();
        received
    }

    fn send(&mut self, data: &[u8], wire: &mut Vec<u8>) {
        mem::swap(&mut self.stream.get_mut().outgoing, wire);
        self.stream.write_all(data).expect("a vector takes all");
        mem::swap(&mut self.stream.get_mut().outgoing, wire);
    }

    fn agreed(&self) -> Option<(Tls, bool)> {
        let ssl = self.stream.ssl();
        let tls = match ssl.version2()? {
            SslVersion::TLS1_2 if ssl.current_cipher()?.name() == CBC => Tls::V12Cbc,
            SslVersion::TLS1_2 => Tls::V12,
            SslVersion::TLS1_3 => Tls::V13,
            _ => return None,
        };
        ssl.is_init_finished().then(|| (tls, ssl.session_reused()))
    }
}

impl<const RELEASE_BUFFERS: bool> OpenSsl<RELEASE_BUFFERS> {
    fn handshake(&mut self, wire: &mut Vec<u8>) {
        mem::swap(&mut self.stream.get_mut().outgoing, wire);
        if let Err(error) = self.stream.do_handshake() {
            assert_eq!(error.code(), ErrorCode::WANT_READ, "{error}");
        }
        mem::swap(&mut self.stream.get_mut().outgoing, wire);
    }
}

#[allow(
    unsafe_code,
    reason = "the openssl crate has no safe way to resume a session"
)]
fn resume(ssl: &mut Ssl, session: &SslSession) {
    // SAFETY: `session` was made by a connection of the same context, which is what is asked for.
    unsafe { ssl.set_session(session) }.expect("a session of this context");
}

impl<const RELEASE_BUFFERS: bool> Drop for OpenSsl<RELEASE_BUFFERS> {
    fn drop(&mut self) {
        // OpenSSL never resumes the session of a connection that was not shut down.
        self.stream
            .set_shutdown(ShutdownState::SENT | ShutdownState::RECEIVED);
        if let Some(session) = &self.session {
            let newest = self.stream.ssl().session().map(ToOwned::to_owned);
            *session.lock().expect("no panic while held") = newest;
        }
    }
}

fn context(
    pki: &Pki,
    resumption: bool,
    release_buffers: bool,
) -> Result<SslContext, openssl::error::ErrorStack> {
    let mut builder = SslContext::builder(SslMethod::tls_client())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    builder.set_cipher_list(SUITES_12)?;
    builder.set_ciphersuites(SUITES_13)?;
    builder.set_groups_list("X25519:P-256:P-384")?;
    builder.set_verify(SslVerifyMode::PEER);
    let root = X509::from_pem(pki.root_pem.as_bytes())?;
    builder.cert_store_mut().add_cert(root)?;
    if release_buffers {
        builder.set_mode(SslMode::RELEASE_BUFFERS);
    }
    if !resumption {
        builder.set_options(SslOptions::NO_TICKET);
    }
    Ok(builder.build())
}

/// The network as OpenSSL sees it.
#[derive(Debug, Default)]
pub(crate) struct Transport {
    pub(crate) incoming: Vec<u8>,
    pub(crate) taken: usize,
    pub(crate) outgoing: Vec<u8>,
}

impl Read for Transport {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let rest = &self.incoming[self.taken..];
        if rest.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let n = rest.len().min(output.len());
        output[..n].copy_from_slice(&rest[..n]);
        self.taken += n;
        Ok(n)
    }
}

impl Write for Transport {
    fn write(&mut self, input: &[u8]) -> io::Result<usize> {
        self.outgoing.extend_from_slice(input);
        Ok(input.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
