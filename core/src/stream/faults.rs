//! Streams to a rustls server in memory, over a link that fails when it is told to.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use rustls::{AlertDescription, ServerConfig, ServerConnection};

use super::tests::{Demand, NAME, server_config};
use super::*;
use crate::config::Config;
use crate::connection::MAX_RECORD;
use crate::policy::Policy;
use crate::testing::Party;
use crate::trust::Roots;

/// The far end of a link.
struct Far {
    server: ServerConnection,
    /// What the server thinks of what it heard.
    complaint: Option<rustls::Error>,
    /// On its way to the client.
    records: Vec<u8>,
    /// What a read says when nothing is on its way.
    silence: io::ErrorKind,
    /// What a write says instead of taking anything.
    refusal: Option<io::ErrorKind>,
    writes: usize,
    /// For how much each read had room.
    room: Vec<usize>,
}

impl Far {
    fn say(&mut self, data: &[u8]) {
        self.server.writer().write_all(data).unwrap();
        self.send();
    }

    /// Says something that is changed on its way.
    fn say_badly(&mut self) {
        self.say(b"changed on its way");
        *self.records.last_mut().unwrap() ^= 1;
    }

    fn send(&mut self) {
        while self.server.wants_write() {
            self.server.write_tls(&mut self.records).unwrap();
        }
    }

    fn heard(&mut self) -> Vec<u8> {
        let mut data = vec![0; 1 << 16];
        let count = self.server.reader().read(&mut data).unwrap_or(0);
        data.truncate(count);
        data
    }

    fn assert_alerted(&self) {
        let alert = rustls::Error::AlertReceived(AlertDescription::BadRecordMac);
        assert_eq!(self.complaint, Some(alert));
    }
}

#[derive(Clone)]
struct Link(Arc<Mutex<Far>>);

impl Link {
    fn far(&self) -> MutexGuard<'_, Far> {
        self.0.lock().unwrap()
    }
}

impl Read for Link {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let mut far = self.far();
        far.room.push(output.len());
        if far.records.is_empty() {
            return Err(far.silence.into());
        }
        let count = output.len().min(far.records.len());
        output[..count].copy_from_slice(&far.records[..count]);
        far.records.drain(..count);
        Ok(count)
    }
}

impl Write for Link {
    fn write(&mut self, mut data: &[u8]) -> io::Result<usize> {
        let mut far = self.far();
        if let Some(refusal) = far.refusal {
            return Err(refusal.into());
        }
        far.writes += 1;
        let count = far.server.read_tls(&mut data)?;
        far.complaint = far.server.process_new_packets().err();
        far.send();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Both ends' configurations: they keep the sessions.
struct Ends(Config, Arc<ServerConfig>);

fn ends(policy: &str) -> Ends {
    let root = Party::root("root");
    let roots = Roots::from_der(&[root.der()]).unwrap();
    let config = Config::builder()
        .policy(Policy::named(policy).unwrap())
        .add_roots(roots)
        .build()
        .unwrap();
    Ends(config, Arc::new(server_config(&root, Demand::Nothing)))
}

impl Ends {
    fn stream(&self) -> (Stream<Link>, Link) {
        let link = Link(Arc::new(Mutex::new(Far {
            server: ServerConnection::new(self.1.clone()).unwrap(),
            complaint: None,
            records: Vec::new(),
            silence: io::ErrorKind::WouldBlock,
            refusal: None,
            writes: 0,
            room: Vec::new(),
        })));
        let connection = Connection::new(&self.0, NAME).unwrap();
        (Stream::new(connection, link.clone()), link)
    }
}

fn connected() -> (Stream<Link>, Link) {
    let (mut stream, link) = ends("iothub").stream();
    stream.handshake().unwrap();
    (stream, link)
}

fn halves() -> (ReadHalf<Link>, WriteHalf<Link>, Link) {
    let (mut stream, link) = connected();
    let negotiated = stream.handshake().unwrap();
    let (reader, writer) = stream.divide(link.clone(), negotiated);
    (reader, writer, link)
}

fn code(error: io::Error) -> ErrorCode {
    Error::from(error).code()
}

#[test]
fn reading_goes_on_although_nothing_can_be_sent() {
    for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::BrokenPipe] {
        let (mut stream, link) = connected();
        link.far().say(b"goodbye");
        link.far().refusal = Some(kind);
        let written = stream.write(b"hello");
        assert_eq!(written.is_ok(), kind == io::ErrorKind::WouldBlock);
        let mut data = [0; 16];
        assert_eq!(stream.read(&mut data).unwrap(), 7);
        assert_eq!(&data[..7], b"goodbye");
    }
}

#[test]
fn a_write_that_the_transport_has_no_room_for_is_taken_once() {
    for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut] {
        let (mut stream, link) = connected();
        link.far().refusal = Some(kind);
        assert_eq!(stream.write(b"once").unwrap(), 4);
        assert_eq!(stream.write(b"twice").unwrap_err().kind(), kind);
        link.far().refusal = None;
        stream.flush().unwrap();
        assert_eq!(link.far().heard(), b"once");
    }
}

#[test]
fn an_alert_leaves_with_the_plaintext_that_came_before_its_cause() {
    let (mut stream, link) = connected();
    link.far().say(b"good");
    link.far().say_badly();
    let mut data = [0; 16];
    assert_eq!(stream.read(&mut data).unwrap(), 4);
    link.far().assert_alerted();
    assert_eq!(
        code(stream.read(&mut data).unwrap_err()),
        ErrorCode::BadRecord
    );

    let (mut reader, _writer, link) = halves();
    link.far().say(b"good");
    link.far().say_badly();
    assert_eq!(reader.read(&mut data).unwrap(), 4);
    link.far().assert_alerted();
    assert_eq!(
        code(reader.read(&mut data).unwrap_err()),
        ErrorCode::BadRecord
    );
}

#[test]
fn a_failure_stays_what_it_was_when_the_transport_breaks_too() {
    let (mut stream, link) = connected();
    link.far().say_badly();
    link.far().refusal = Some(io::ErrorKind::BrokenPipe);
    for _ in 0..2 {
        let error = stream.read(&mut [0; 16]).unwrap_err();
        assert_eq!(code(error), ErrorCode::BadRecord);
        let error = stream.write(b"data").unwrap_err();
        assert_eq!(code(error), ErrorCode::BadRecord);
    }

    let (mut reader, mut writer, link) = halves();
    link.far().say_badly();
    link.far().refusal = Some(io::ErrorKind::BrokenPipe);
    let error = reader.read(&mut [0; 16]).unwrap_err();
    assert_eq!(code(error), ErrorCode::BadRecord);
    let error = writer.write(b"data").unwrap_err();
    assert_eq!(code(error), ErrorCode::BadRecord);
}

#[test]
fn a_session_that_the_server_does_not_answer_is_not_offered_again() {
    for kind in [
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::BrokenPipe,
        io::ErrorKind::TimedOut,
    ] {
        let ends = ends("iothub-tls12");
        let resumed = || ends.stream().0.handshake().unwrap().resumed();
        assert!(!resumed());
        assert!(resumed());
        let (mut stream, link) = ends.stream();
        link.far().refusal = Some(kind);
        link.far().silence = kind;
        assert!(stream.handshake().unwrap_err().code().is_transient());
        assert!(!resumed(), "after {kind}");
    }
}

#[test]
fn small_messages_need_small_buffers_and_large_ones_large() {
    let (mut stream, link) = connected();
    let mut data = vec![0; 20_000];
    assert!(stream.read(&mut data).is_err(), "tickets, and nothing else");
    for (length, room) in [
        (100, 1..=1024),
        (16_384, 16_384..=MAX_RECORD),
        (100, 1..=1024),
    ] {
        link.far().room.clear();
        link.far().say(&vec![7; length]);
        stream.read_exact(&mut data[..length]).unwrap();
        let error = stream.read(&mut data).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let largest = *link.far().room.iter().max().unwrap();
        assert!(room.contains(&largest), "{largest} for {length}");
        assert_eq!(link.far().room.last(), Some(&1024), "while nothing comes");
    }
}

#[test]
fn debug_output_shows_no_plaintext() {
    let (mut stream, link) = connected();
    link.far().say(&[222; 40]);
    stream.read_exact(&mut [0]).unwrap();
    let shown = format!("{:?}", stream.input);
    assert_eq!(shown, "Input { ciphertext: 0, plaintext: 39, .. }");
}

#[test]
fn a_reader_leaves_the_answer_to_a_key_update_to_the_writer() {
    let (mut reader, mut writer, link) = halves();
    link.far().server.refresh_traffic_keys().unwrap();
    link.far().say(b"new keys");
    link.far().writes = 0;
    let mut data = [0; 16];
    assert_eq!(reader.read(&mut data).unwrap(), 8);
    assert_eq!(link.far().writes, 0, "a reader that writes may wait");
    writer.write_all(b"mine too").unwrap();
    assert_eq!(link.far().heard(), b"mine too");
}

#[test]
fn an_alert_that_finds_the_writer_taken_leaves_after_it() {
    let (mut reader, mut writer, link) = halves();
    let shared = writer.shared.clone();
    link.far().say_badly();
    {
        let _busy = shared.writer();
        let error = reader.read(&mut [0; 16]).unwrap_err();
        assert_eq!(code(error), ErrorCode::BadRecord);
        assert_eq!(link.far().complaint, None);
    }
    let error = writer.write(b"data").unwrap_err();
    assert_eq!(code(error), ErrorCode::BadRecord);
    link.far().assert_alerted();
}

#[test]
fn an_alert_leaves_although_a_writer_has_panicked() {
    let (mut reader, writer, link) = halves();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _busy = writer.shared.writer();
        panic!("in a writer");
    }));
    assert!(panicked.is_err());
    link.far().say_badly();
    let error = reader.read(&mut [0; 16]).unwrap_err();
    assert_eq!(code(error), ErrorCode::BadRecord);
    link.far().assert_alerted();
}
