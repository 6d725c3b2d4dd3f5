//! Streams over transports that fail in the ways that networks do.

use std::collections::VecDeque;

use super::*;
use crate::config::Config;

/// Gives what the script says, and takes everything unless it is broken.
#[derive(Default)]
struct Scripted {
    reads: VecDeque<io::Result<Vec<u8>>>,
    broken: bool,
    sent: Vec<u8>,
}

impl Read for Scripted {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let next = self.reads.pop_front().expect("a read beyond the script");
        next.map(|bytes| {
            output[..bytes.len()].copy_from_slice(&bytes);
            bytes.len()
        })
    }
}

impl Write for Scripted {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.sent.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn stream(reads: impl IntoIterator<Item = io::Result<Vec<u8>>>) -> Stream<Scripted> {
    let config = Config::builder().build().unwrap();
    let connection = Connection::new(&config, "hub.example").unwrap();
    let reads = reads.into_iter().collect();
    Stream::new(
        connection,
        Scripted {
            reads,
            ..Scripted::default()
        },
    )
}

fn failing(kind: io::ErrorKind) -> io::Result<Vec<u8>> {
    Err(kind.into())
}

#[test]
fn a_reset_in_mid_handshake_is_an_end_in_mid_handshake() {
    for kind in [
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionAborted,
    ] {
        let error = stream([failing(kind)]).handshake().unwrap_err();
        assert_eq!(error.code(), ErrorCode::ClosedInHandshake);
    }
}

#[test]
fn a_failed_handshake_fails_again_without_a_look_at_the_transport() {
    let mut stream = stream([Ok(b"HTTP/1.1 400 Bad Request".to_vec())]);
    let error = stream.handshake().unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotTls);
    assert_eq!(stream.handshake().unwrap_err(), error);
    let again = stream.read(&mut [0; 8]).unwrap_err();
    assert_eq!(Error::from_io(&again), Some(&error));
    let again = stream.write(b"data").unwrap_err();
    assert_eq!(Error::from_io(&again), Some(&error));
}

#[test]
fn what_a_server_said_before_it_went_counts_more_than_that_it_went() {
    let alert = [21, 3, 3, 0, 2, 2, 70];
    let mut stream = stream([Ok(alert.to_vec())]);
    stream.transport.broken = true;
    let error = stream.handshake().unwrap_err();
    assert_eq!(error.code(), ErrorCode::ProtocolVersion);
    assert!(error.alert_received());
}

#[test]
fn a_transport_that_is_not_ready_is_asked_again() {
    let mut stream = stream([
        failing(io::ErrorKind::WouldBlock),
        failing(io::ErrorKind::Interrupted),
        failing(io::ErrorKind::WouldBlock),
        Ok(b"SSH-2.0".to_vec()),
    ]);
    let error = stream.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    let error = stream.handshake().unwrap_err();
    assert_eq!(error.code(), ErrorCode::Io);
    assert!(error.hint().contains("call again"), "{error}");
    let hello = stream.transport.sent.clone();
    assert_eq!(stream.handshake().unwrap_err().code(), ErrorCode::NotTls);
    assert_eq!(
        stream.transport.sent, hello,
        "the ClientHello went out once"
    );
}

#[test]
fn the_handshake_began_with_the_first_call() {
    let mut stream = stream([
        failing(io::ErrorKind::WouldBlock),
        failing(io::ErrorKind::WouldBlock),
    ]);
    stream.handshake().unwrap_err();
    let start = stream.handshake_start;
    assert!(start.is_some());
    stream.handshake().unwrap_err();
    assert_eq!(stream.handshake_start, start);
    stream.limits.handshake = Some(Duration::from_nanos(1));
    let late = stream.handshake().unwrap_err();
    assert_eq!(late.code(), ErrorCode::Timeout);
}

#[test]
fn a_socket_that_refuses_time_limits_hides_no_reason() {
    let alert = [21, 3, 3, 0, 2, 2, 70];
    let mut stream = stream([Ok(alert.to_vec())]);
    stream.limits.handshake = Some(Duration::MAX);
    stream.limits.apply = Some(|_, _, _| Err(io::ErrorKind::InvalidInput.into()));
    let error = stream.handshake().unwrap_err();
    assert_eq!(error.code(), ErrorCode::ProtocolVersion);
}
