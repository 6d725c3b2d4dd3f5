//! The blocking adapter: full duplex, time limits, half-close, transports that are no sockets.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use hubtls::{Error, ErrorCode};
use hubtls_tests::acceptor::Acceptor;
use hubtls_tests::client::{PATIENCE, config, connect, converse, error, pattern};
use hubtls_tests::hub::{Hub, ServerStream, echo};
use hubtls_tests::memory::ServerOptions;
use hubtls_tests::server::{Options, Server};
use rustls::AlertDescription;

const SHORT: Duration = Duration::from_millis(150);
const MEGABYTES: usize = 4 << 20;

fn code(error: &io::Error) -> ErrorCode {
    Error::from_io(error)
        .unwrap_or_else(|| panic!("{error} is no error of hubtls"))
        .code()
}

#[test]
fn two_threads_read_and_write_megabytes_at_the_same_time() {
    for options in [ServerOptions::tls12(), ServerOptions::tls13()] {
        let hub = Hub::start(options.config(), echo);
        let mut stream = connect(&config("iothub"), hub.address());
        stream.handshake().unwrap();
        let (mut reader, mut writer) = stream.split().unwrap();
        let data = pattern(MEGABYTES);
        let mut got = vec![0; data.len()];
        thread::scope(|scope| {
            scope.spawn(|| {
                writer.write_all(&data).unwrap();
                writer.flush().unwrap();
            });
            reader.read_exact(&mut got).unwrap();
        });
        assert!(got == data);
    }
}

#[test]
fn a_reader_that_waits_does_not_keep_the_writer_from_writing() {
    let hub = Hub::start(ServerOptions::tls13().config(), echo);
    let mut stream = connect(&config("iothub"), hub.address());
    stream.handshake().unwrap();
    let (mut reader, mut writer) = stream.split().unwrap();
    thread::scope(|scope| {
        // The reader blocks first; only what is written afterwards can wake it.
        let (waits, waiting) = channel();
        let reading = scope.spawn(move || {
            waits.send(()).unwrap();
            let mut answer = [0; 4];
            reader.read_exact(&mut answer).map(|()| answer)
        });
        waiting.recv_timeout(PATIENCE).unwrap();
        writer.write_all(b"ping").unwrap();
        writer.flush().unwrap();
        assert_eq!(&reading.join().unwrap().unwrap(), b"ping");
    });
}

#[test]
fn a_silent_peer_runs_into_the_handshake_limit() {
    let server = Server::start(&Options::plain(""));
    let mut stream = connect(&config("iothub"), server.address());
    stream.set_handshake_timeout(Some(SHORT)).unwrap();
    let begun = Instant::now();
    let error = stream.handshake().unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error:?}");
    assert!(!error.hint().is_empty());
    assert!(begun.elapsed() >= SHORT && begun.elapsed() < PATIENCE);
}

#[test]
fn a_peer_that_says_close_notify_in_mid_handshake_is_not_waited_for() {
    let acceptor = Acceptor::start(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(&[21, 3, 3, 0, 2, 1, 0]);
    });
    let mut stream = connect(&config("iothub"), acceptor.address());
    stream.set_handshake_timeout(Some(PATIENCE)).unwrap();
    let error = stream.handshake().unwrap_err();
    assert_eq!(error.code(), ErrorCode::ClosedInHandshake, "{error:?}");
}

/// Answers the ClientHello with one byte now and then: each read is in time, the handshake as a whole is not.
fn drip(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    let _ = stream.read(&mut buffer);
    // The header of a record that could hold a ServerHello, then its body byte by byte.
    if stream
        .write_all(&[22, 3, 3, 0x20, 0, 2, 0, 0x1f, 0xfc])
        .is_err()
    {
        return;
    }
    let _ = stream.set_read_timeout(Some(SHORT / 5));
    while stream.write_all(&[0]).is_ok() {
        // The client sends nothing, so this waits for the next beat.
        if matches!(stream.read(&mut buffer), Ok(0)) {
            return;
        }
    }
}

#[test]
fn a_dripping_peer_runs_into_the_handshake_limit_too() {
    let acceptor = Acceptor::start(drip);
    let mut stream = connect(&config("iothub"), acceptor.address());
    stream.set_handshake_timeout(Some(SHORT)).unwrap();
    let begun = Instant::now();
    let error = stream.handshake().unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error:?}");
    assert!(begun.elapsed() < SHORT * 20, "{:?}", begun.elapsed());
    drop(stream);
}

#[test]
fn a_peer_that_stops_answering_runs_into_the_limit_and_the_connection_survives() {
    let hub = Hub::start(ServerOptions::tls13().config(), echo);
    let mut stream = connect(&config("iothub"), hub.address());
    stream.handshake().unwrap();
    stream.set_timeout(Some(SHORT)).unwrap();
    let failure = stream.read(&mut [0; 16]).unwrap_err();
    assert_eq!(code(&failure), ErrorCode::Timeout);
    assert!(
        matches!(failure.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock),
        "{:?}",
        failure.kind()
    );
    stream.set_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(converse(&mut stream, "awake\n").unwrap(), "awake\n");
}

#[test]
fn a_stream_that_was_finished_reads_what_the_server_still_says() {
    let hub = Hub::start(ServerOptions::tls13().config(), echo);
    let mut stream = connect(&config("iothub"), hub.address());
    stream.write_all(b"that is all").unwrap();
    stream.finish().unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"that is all");
    assert!(stream.connection().is_ended());
    let late = stream.write(b"late").unwrap_err();
    assert_eq!(code(&late), ErrorCode::WriteAfterFinish);
}

/// Sends a little and drops the socket without close_notify.
fn vanish(mut stream: ServerStream) {
    let _ = stream
        .write_all(b"half a mess")
        .and_then(|()| stream.flush());
    let _ = stream.sock.shutdown(Shutdown::Write);
    let _ = io::copy(&mut stream.sock, &mut io::sink());
}

#[test]
fn a_server_that_vanishes_has_truncated_the_stream() {
    let hub = Hub::start(ServerOptions::tls13().config(), vanish);
    let mut stream = connect(&config("iothub"), hub.address());
    let mut answer = Vec::new();
    let failure = stream.read_to_end(&mut answer).unwrap_err();
    assert_eq!(answer, b"half a mess");
    assert_eq!(code(&failure), ErrorCode::Truncated);
    assert_eq!(failure.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn reading_or_writing_first_shakes_hands() {
    let hub = Hub::start(ServerOptions::tls13().config(), echo);
    let mut stream = connect(&config("iothub"), hub.address());
    stream.write_all(b"x").unwrap();
    assert!(stream.connection().negotiated().is_some());
}

#[test]
fn a_handshake_that_failed_fails_again_in_read_and_write() {
    let server = Server::start(&Options::openssl("expired", &[]));
    let mut stream = connect(&config("iothub"), server.address());
    let first = stream.handshake().unwrap_err();
    assert_eq!(first.code(), ErrorCode::CertificateExpired);
    assert_eq!(error(stream.read(&mut [0; 4]).unwrap_err()), first);
    assert_eq!(error(stream.write(b"x").unwrap_err()), first);
}

#[test]
fn the_alert_of_a_failed_handshake_reaches_a_real_server() {
    let server = Server::start(&Options::openssl("expired", &["-tls1_2"]));
    let mut stream = connect(&config("iothub"), server.address());
    stream.handshake().unwrap_err();
    drop(stream);
    server.wait_for_output("alert certificate expired");
}

#[test]
fn a_half_that_was_finished_lets_the_other_read_on() {
    let hub = Hub::start(ServerOptions::tls13().config(), echo);
    let (mut reader, mut writer) = connect(&config("iothub"), hub.address()).split().unwrap();
    writer.write_all(b"that is all").unwrap();
    writer.finish().unwrap();
    let mut answer = Vec::new();
    reader.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"that is all");
    let late = writer.write(b"late").unwrap_err();
    assert_eq!(code(&late), ErrorCode::WriteAfterFinish);
}

#[test]
fn a_half_that_waited_too_long_can_go_on_reading() {
    let hub = Hub::start(ServerOptions::tls13().config(), echo);
    let mut stream = connect(&config("iothub"), hub.address());
    stream.set_timeout(Some(SHORT)).unwrap();
    let (mut reader, mut writer) = stream.split().unwrap();
    let failure = reader.read(&mut [0; 16]).unwrap_err();
    assert_eq!(code(&failure), ErrorCode::Timeout);
    writer.write_all(b"ping").unwrap();
    let mut answer = [0; 4];
    // The limit is for each read; a machine under load may need several.
    let deadline = Instant::now() + PATIENCE;
    let length = loop {
        match reader.read(&mut answer) {
            Ok(length) => break length,
            Err(error) => assert!(
                code(&error) == ErrorCode::Timeout && Instant::now() < deadline,
                "{error}"
            ),
        }
    };
    assert!(length > 0 && answer.starts_with(&b"ping"[..length]));
}

/// Says one thing and is gone.
fn leave(mut stream: ServerStream) {
    let _ = stream.write_all(b"farewell").and_then(|()| stream.flush());
}

#[test]
fn a_writer_hears_of_a_server_that_vanished() {
    let hub = Hub::start(ServerOptions::tls13().config(), leave);
    let (mut reader, mut writer) = connect(&config("iothub"), hub.address()).split().unwrap();
    reader.read_to_end(&mut Vec::new()).unwrap_err();
    let deadline = Instant::now() + PATIENCE;
    while writer.write_all(&[0; 16_384]).is_ok() {
        assert!(
            Instant::now() < deadline,
            "writing to nobody goes on for ever"
        );
    }
}

/// A hub that sends a forged record after the handshake, and what it hears in answer.
fn forger() -> (Hub, Receiver<io::Error>) {
    let (tell, told) = channel();
    let hub = Hub::start(ServerOptions::tls13().config(), move |mut stream| {
        let forged = [[23, 3, 3, 0, 45].as_slice(), &[7; 45]].concat();
        let answer = stream
            .write_all(b"genuine")
            .and_then(|()| stream.flush())
            .and_then(|()| stream.sock.write_all(&forged))
            .and_then(|()| stream.read_to_end(&mut Vec::new()));
        tell.send(answer.expect_err("no client takes a forged record"))
            .unwrap();
    });
    (hub, told)
}

fn assert_alerted(told: &Receiver<io::Error>) {
    let heard = told.recv_timeout(PATIENCE).unwrap();
    let alert = rustls::Error::AlertReceived(AlertDescription::BadRecordMac);
    assert_eq!(
        heard.get_ref().and_then(|error| error.downcast_ref()),
        Some(&alert),
        "{heard}"
    );
}

#[test]
fn a_server_hears_why_its_record_was_refused() {
    let (hub, told) = forger();
    let mut stream = connect(&config("iothub"), hub.address());
    let mut answer = Vec::new();
    let failure = stream.read_to_end(&mut answer).unwrap_err();
    assert_eq!(
        (code(&failure), answer.as_slice()),
        (ErrorCode::BadRecord, b"genuine".as_slice())
    );
    assert_alerted(&told);
}

#[test]
fn a_server_hears_why_a_reading_half_refused_its_record() {
    let (hub, told) = forger();
    let (mut reader, _writer) = connect(&config("iothub"), hub.address()).split().unwrap();
    let mut answer = Vec::new();
    let failure = reader.read_to_end(&mut answer).unwrap_err();
    assert_eq!(
        (code(&failure), answer.as_slice()),
        (ErrorCode::BadRecord, b"genuine".as_slice())
    );
    assert_alerted(&told);
}
