//! The stand-in for a hub that enforces TLS 1.2: on loopback, for as long as the demo runs.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use hubtls::{Certificate, CipherSuite, Result, Strength};
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, ServerConnection};

use super::acknowledging;
use super::authority::{Authority, ecdsa_key, fault, rsa_key};
use super::{NAME, PATIENCE};

/// What the stand-in stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A hub that enforces TLS 1.2 and the recommended suites.
    Hardened,
    /// A server that has the CBC suites alone.
    CbcOnly,
    /// The same, and it agrees to fragments of 512 bytes.
    SmallFragments,
}

/// What a server other than the hardened hub says: several records, if fragments are small.
pub(super) const PLENTY: usize = 5_000;

/// Listens until it is dropped.
pub(super) struct Hub {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Hub {
    /// Starts listening on a port that the kernel chooses.
    pub(super) fn start(authority: &Authority, kind: Kind) -> Result<Self> {
        let config = Arc::new(server_config(authority, kind)?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let thread = thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                if seen.load(Ordering::Acquire) {
                    return;
                }
                // A client that is refused is what the demo is about; it tells of it itself.
                let _ = serve(socket, &config, kind);
            }
        });
        Ok(Self {
            address,
            ended,
            thread: Some(thread),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // A last connection wakes the listener, so that it sees the end; without one, waiting for it would never end.
        if TcpStream::connect_timeout(&self.address, PATIENCE).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

/// Shakes hands, tells the client what its certificate says, and waits for its end.
fn serve(mut socket: TcpStream, config: &Arc<ServerConfig>, kind: Kind) -> io::Result<()> {
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let mut connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        if kind != Kind::SmallFragments {
            connection.complete_io(&mut socket)?;
            continue;
        }
        if connection.read_tls(&mut socket)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // The alert, if something is wrong, goes out like any answer.
        let processed = connection.process_new_packets();
        acknowledging::send(&mut connection, &mut socket)?;
        processed.map_err(io::Error::other)?;
    }
    let device = connection
        .peer_certificates()
        .and_then(|chain| Certificate::from_der(chain.first()?).ok());
    let mut stream = rustls::Stream::new(&mut connection, &mut socket);
    let name = device.as_ref().map_or("", Certificate::subject);
    stream.write_all(name.as_bytes())?;
    if kind != Kind::Hardened {
        stream.write_all(&[b'.'; PLENTY])?;
    }
    stream.conn.send_close_notify();
    stream.flush()?;
    stream.read_to_end(&mut Vec::new()).map(|_| ())
}

fn server_config(authority: &Authority, kind: Kind) -> Result<ServerConfig> {
    let mut provider = aws_lc_rs::default_provider();
    match kind {
        Kind::Hardened => provider.cipher_suites.retain(|suite| {
            let known = CipherSuite::from_code(suite.suite().into());
            known.is_some_and(|suite| suite.strength() == Strength::Recommended)
        }),
        Kind::CbcOnly => provider.cipher_suites = hubtls::stand_in::cbc_suites(),
        Kind::SmallFragments => provider.cipher_suites = acknowledging::suites(),
    }
    let provider = Arc::new(provider);
    let mut devices = RootCertStore::empty();
    devices
        .add(authority.certificate().clone())
        .map_err(fault)?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(devices), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .map_err(fault)?;
    let certificates = Certificates {
        rsa: Arc::new(authority.server(NAME, &rsa_key()?)?),
        ecdsa: Arc::new(authority.server(NAME, &ecdsa_key()?)?),
    };
    let versions: &[_] = match kind {
        Kind::Hardened => &[&TLS13, &TLS12],
        Kind::CbcOnly | Kind::SmallFragments => &[&TLS12],
    };
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(fault)?;
    let mut config = match kind {
        Kind::Hardened => config.with_client_cert_verifier(verifier),
        Kind::CbcOnly | Kind::SmallFragments => config.with_no_client_auth(),
    }
    .with_cert_resolver(Arc::new(certificates));
    if kind == Kind::SmallFragments {
        // rustls counts the record's header in.
        config.max_fragment_size = Some(acknowledging::LENGTH.bytes() + 5);
    }
    Ok(config)
}

/// A hub's choice: the RSA certificate, unless the client's cipher suites leave the ECDSA one alone.
#[derive(Debug)]
struct Certificates {
    rsa: Arc<CertifiedKey>,
    ecdsa: Arc<CertifiedKey>,
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let usable =
            |key: &CertifiedKey| key.key.choose_scheme(hello.signature_schemes()).is_some();
        let ecdsa_alone = usable(&self.ecdsa) && !usable(&self.rsa);
        Some(Arc::clone(if ecdsa_alone {
            &self.ecdsa
        } else {
            &self.rsa
        }))
    }
}
