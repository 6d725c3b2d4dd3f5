//! Streams over sockets of the loopback network, against a rustls server.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use pki_types::{CertificateDer, PrivateKeyDer};
use rcgen::SanType;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::config::Config;
use crate::policy::Policy;
use crate::testing::{Party, params};
use crate::trust::Roots;

pub(super) const NAME: &str = "hub.example";
const SHORT: Duration = Duration::from_millis(50);
/// Longer than anything takes; reached only by a test that fails.
const LONG: Duration = Duration::from_secs(60);
/// More than the sockets of both ends hold.
const MUCH: usize = 64 << 20;

type Server = StreamOwned<ServerConnection, TcpStream>;

/// What a server makes of a client without certificate.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Demand {
    Nothing,
    Asks,
    Insists,
}

pub(super) fn server_config(root: &Party, demand: Demand) -> ServerConfig {
    let mut params = params(NAME, false);
    params.subject_alt_names = vec![SanType::DnsName(NAME.try_into().unwrap())];
    let leaf = root.issue(params, &rcgen::PKCS_ECDSA_P256_SHA256);
    let key = PrivateKeyDer::try_from(leaf.key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(root.der())).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
    let verifier = match demand {
        Demand::Nothing => WebPkiClientVerifier::no_client_auth(),
        Demand::Asks => verifier.allow_unauthenticated().build().unwrap(),
        Demand::Insists => verifier.build().unwrap(),
    };
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![leaf.certificate.der().clone()], key)
        .unwrap()
}

/// A client with the policy `policy`, and a server that does `serve` after the handshake.
#[expect(
    clippy::disallowed_methods,
    reason = "the stream under test is one over a socket"
)]
fn connect<V: Send + 'static>(
    policy: &str,
    demand: Demand,
    serve: impl FnOnce(Server) -> V + Send + 'static,
) -> (Stream<TcpStream>, JoinHandle<V>) {
    let root = Party::root("root");
    let roots = Roots::from_der(&[root.der()]).unwrap();
    let policy = Policy::named(policy).unwrap();
    let config = Config::builder().policy(policy).add_roots(roots).build();
    let config = config.unwrap();
    let server = Arc::new(server_config(&root, demand));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        let mut connection = ServerConnection::new(server).unwrap();
        while connection.is_handshaking() && connection.complete_io(&mut socket).is_ok() {}
        serve(StreamOwned::new(connection, socket))
    });
    let socket = TcpStream::connect(address).unwrap();
    let mut stream = Stream::new(Connection::new(&config, NAME).unwrap(), socket);
    stream.set_timeout(Some(LONG)).unwrap();
    (stream, thread)
}

/// Waits until the client has gone.
fn stay(mut server: Server) {
    let _ = io::copy(&mut server, &mut io::sink());
}

fn code(error: &io::Error) -> ErrorCode {
    Error::from_io(error).expect("ours").code()
}

#[test]
fn a_late_refusal_is_found_by_waiting_for_it() {
    let (mut stream, server) = connect("iothub", Demand::Insists, stay);
    let negotiated = stream.handshake().unwrap();
    assert!(negotiated.client_certificate_requested());
    let error = stream.confirm(LONG).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ClientCertificateRequired);
    assert!(error.alert_received());
    assert_eq!(stream.confirm(LONG), Err(error));
    drop(stream);
    server.join().unwrap();
}

#[test]
fn what_arrives_while_waiting_for_a_refusal_is_read_later() {
    let (mut stream, server) = connect("iothub", Demand::Asks, |mut server| {
        server.write_all(b"welcome").unwrap();
        stay(server);
    });
    stream.confirm(LONG).unwrap();
    let mut data = [0; 3];
    stream.read_exact(&mut data).unwrap();
    assert_eq!(&data, b"wel");
    stream.confirm(LONG).unwrap();
    let mut data = [0; 4];
    stream.read_exact(&mut data).unwrap();
    assert_eq!(&data, b"come");
    drop(stream);
    server.join().unwrap();
}

#[test]
fn a_server_that_says_nothing_has_not_refused() {
    let (mut stream, server) = connect("iothub", Demand::Asks, stay);
    stream.confirm(SHORT).unwrap();
    stream.confirm(Duration::ZERO).unwrap();
    let limit = stream.transport().read_timeout().unwrap();
    assert_eq!(limit, Some(LONG), "as before");
    drop(stream);
    server.join().unwrap();
}

#[test]
fn nothing_is_waited_for_where_no_refusal_can_come() {
    for (policy, demand) in [("iothub", Demand::Nothing), ("iothub-tls12", Demand::Asks)] {
        let (mut stream, server) = connect(policy, demand, stay);
        let start = monotonic();
        stream.confirm(LONG).unwrap();
        assert!(start.elapsed() < LONG);
        let negotiated = stream.handshake().unwrap();
        let requested = negotiated.client_certificate_requested();
        assert_eq!(requested, demand == Demand::Asks);
        drop(stream);
        server.join().unwrap();
    }
}

/// A server that reads only once it is told to, and returns all that it got.
fn sluggish() -> (Sender<()>, impl FnOnce(Server) -> Vec<u8>) {
    let (tell, told) = channel();
    let serve = move |mut server: Server| {
        server.write_all(b"first").unwrap();
        told.recv().unwrap();
        let mut data = Vec::new();
        server.read_to_end(&mut data).unwrap();
        data
    };
    (tell, serve)
}

/// Bytes of which no two parts are equal: a lost one shows.
fn distinct(start: usize, length: usize) -> Vec<u8> {
    let words = start / 4..(start + length).div_ceil(4);
    words
        .flat_map(|word| u32::try_from(word).unwrap().to_be_bytes())
        .take(length)
        .collect()
}

/// Writes until the time is over, and returns how much was taken.
fn fill(writer: &mut impl Write) -> usize {
    let mut taken = 0;
    loop {
        match writer.write(&distinct(taken, 16_384)) {
            Ok(count) => taken += count,
            Err(error) => {
                assert_eq!(code(&error), ErrorCode::Timeout);
                return taken;
            }
        }
        assert!(taken < MUCH, "the sockets are never full");
    }
}

#[test]
fn a_write_that_took_too_long_loses_nothing() {
    let (tell, serve) = sluggish();
    let (mut stream, server) = connect("iothub", Demand::Nothing, serve);
    stream.set_write_timeout(Some(SHORT)).unwrap();
    let taken = fill(&mut stream);
    // The kernel may have found more room meanwhile.
    if let Err(error) = stream.flush() {
        assert_eq!(code(&error), ErrorCode::Timeout);
    }
    let mut first = [0; 5];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"first", "reading goes on meanwhile");
    tell.send(()).unwrap();
    stream.set_write_timeout(Some(LONG)).unwrap();
    stream.flush().unwrap();
    stream.write_all(b"last").unwrap();
    stream.finish().unwrap();
    let expected = [&distinct(0, taken)[..], b"last"].concat();
    assert!(server.join().unwrap() == expected);
}

#[test]
fn a_half_whose_write_took_too_long_loses_nothing() {
    let (tell, serve) = sluggish();
    let (stream, server) = connect("iothub", Demand::Nothing, serve);
    let (mut reader, mut writer) = stream.split().unwrap();
    writer.set_timeout(Some(SHORT)).unwrap();
    let taken = fill(&mut writer);
    if let Err(error) = writer.finish() {
        assert_eq!(error.code(), ErrorCode::Timeout);
    }
    let mut first = [0; 5];
    reader.read_exact(&mut first).unwrap();
    reader.set_timeout(Some(SHORT)).unwrap();
    let silence = reader.read(&mut first).unwrap_err();
    assert_eq!(code(&silence), ErrorCode::Timeout);
    tell.send(()).unwrap();
    writer.set_timeout(None).unwrap();
    writer.finish().unwrap();
    assert!(server.join().unwrap() == distinct(0, taken));
    assert!(reader.transport().peer_addr().is_ok());
}

#[test]
fn a_reader_does_not_wait_for_a_writer_at_a_full_socket() {
    let (tell, serve) = sluggish();
    let (stream, server) = connect("iothub", Demand::Nothing, serve);
    let (mut reader, mut writer) = stream.split().unwrap();
    let writing = thread::spawn(move || {
        writer.write_all(&vec![7; MUCH]).unwrap();
        writer.finish().unwrap();
    });
    let mut first = [0; 5];
    reader.read_exact(&mut first).unwrap();
    assert!(
        !writing.is_finished(),
        "the sockets hold more than expected"
    );
    tell.send(()).unwrap();
    writing.join().unwrap();
    assert_eq!(server.join().unwrap().len(), MUCH);
}

#[test]
fn a_timeout_of_zero_is_refused() {
    let (mut stream, server) = connect("iothub", Demand::Nothing, stay);
    let zero = Some(Duration::ZERO);
    for refused in [
        stream.set_timeout(zero),
        stream.set_handshake_timeout(zero),
        stream.set_read_timeout(zero),
        stream.set_write_timeout(zero),
    ] {
        assert_eq!(refused.unwrap_err().code(), ErrorCode::InvalidArgument);
    }
    stream.set_read_timeout(Some(SHORT)).unwrap();
    let socket = stream.transport();
    assert_eq!(socket.write_timeout().unwrap(), Some(LONG));
    // The kernel rounds.
    assert!(socket.read_timeout().unwrap() < Some(2 * SHORT));
    drop(stream);
    server.join().unwrap();
}
