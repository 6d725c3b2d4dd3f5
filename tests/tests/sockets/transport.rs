//! The blocking adapter over transports that are no sockets and do less than they are asked.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Instant;

use hubtls::{Connection, Stream};
use hubtls_tests::client::{PATIENCE, config, pattern};
use hubtls_tests::memory::ServerOptions;
use rustls::{ServerConnection, StreamOwned};

/// A transport that gives and takes a few bytes at a time, and every other time refuses with the same error.
struct Reluctant {
    inner: UnixStream,
    bytes: usize,
    refusal: ErrorKind,
    refuses: bool,
}

impl Reluctant {
    fn refuse(&mut self) -> io::Result<()> {
        self.refuses = !self.refuses;
        if self.refuses {
            Err(self.refusal.into())
        } else {
            Ok(())
        }
    }
}

impl Read for Reluctant {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.refuse()?;
        let length = self.bytes.min(buffer.len());
        self.inner.read(&mut buffer[..length])
    }
}

impl Write for Reluctant {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.refuse()?;
        self.inner.write(&data[..self.bytes.min(data.len())])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A stream over a reluctant transport whose peer sends back what it gets until close_notify.
fn reluctant(bytes: usize, refusal: ErrorKind) -> Stream<Reluctant> {
    let (client, server) = UnixStream::pair().unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    thread::spawn(move || {
        let connection = ServerConnection::new(ServerOptions::tls13().config()).unwrap();
        let mut stream = StreamOwned::new(connection, server);
        let mut buffer = [0; 1024];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            stream.write_all(&buffer[..length]).unwrap();
        }
        stream.conn.send_close_notify();
        stream.flush().unwrap();
    });
    let transport = Reluctant {
        inner: client,
        bytes,
        refusal,
        refuses: false,
    };
    let connection = Connection::new(&config("iothub"), "localhost").unwrap();
    Stream::new(connection, transport)
}

#[test]
fn any_transport_will_do_even_one_byte_at_a_time_with_interruptions() {
    let mut stream = reluctant(1, ErrorKind::Interrupted);
    stream.write_all(b"ping").unwrap();
    stream.flush().unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"ping");
}

/// Calls again for as long as the transport would block.
fn insist<T>(mut call: impl FnMut() -> io::Result<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                assert!(Instant::now() < deadline, "it blocks for ever");
            }
            result => return result.unwrap(),
        }
    }
}

#[test]
fn a_transport_that_would_block_loses_and_doubles_nothing() {
    let mut stream = reluctant(700, ErrorKind::WouldBlock);
    let data = pattern(100_000);
    let mut got = Vec::new();
    let mut buffer = [0; 5000];
    for part in data.chunks(3000) {
        let mut rest = part;
        while !rest.is_empty() {
            let written = insist(|| stream.write(rest));
            rest = &rest[written..];
        }
        insist(|| stream.flush());
        while got.len() < part.len() {
            let length = insist(|| stream.read(&mut buffer));
            assert!(length > 0, "the peer has not finished");
            got.extend_from_slice(&buffer[..length]);
        }
        assert!(got == part);
        got.clear();
    }
    // `finish` cannot say that the transport would block; what it queued goes with the next flush.
    let _ = stream.finish();
    insist(|| stream.flush());
    assert_eq!(insist(|| stream.read(&mut buffer)), 0);
}
