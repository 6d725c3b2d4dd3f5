//! TLS records as they are on the wire, read without any code of hubtls's, and a proxy on loopback that records, edits and cuts them.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::acceptor::Acceptor;
use crate::client::PATIENCE;

/// Content types (RFC 8446, appendix B.1).
pub mod content {
    /// `change_cipher_spec`
    pub const CHANGE_CIPHER_SPEC: u8 = 20;
    /// `alert`
    pub const ALERT: u8 = 21;
    /// `handshake`
    pub const HANDSHAKE: u8 = 22;
    /// `application_data`
    pub const APPLICATION_DATA: u8 = 23;
}

const HEADER: usize = 5;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The content type.
    pub kind: u8,
    /// The version in the header.
    pub version: u16,
    /// What follows the header, protected or not.
    pub payload: Vec<u8>,
}

impl Record {
    /// A record of that type with the version 3.3.
    pub fn new(kind: u8, payload: &[u8]) -> Self {
        Self {
            kind,
            version: 0x0303,
            payload: payload.to_vec(),
        }
    }

    /// The record's bytes.
    ///
    /// # Panics
    /// If a length of 16 bits does not hold the payload's.
    pub fn bytes(&self) -> Vec<u8> {
        let length = u16::try_from(self.payload.len()).expect("a record's length");
        let mut bytes = vec![self.kind];
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// The description in a fatal alert that is not protected.
    pub fn fatal_alert(&self) -> Option<u8> {
        match (self.kind, &self.payload[..]) {
            (content::ALERT, &[2, description]) => Some(description),
            _ => None,
        }
    }
}

/// Takes the whole records from the front of `bytes`.
fn take_records(bytes: &mut Vec<u8>) -> Vec<Record> {
    let mut records = Vec::new();
    let mut at = 0;
    while let Some(&[kind, major, minor, high, low]) = bytes[at..].first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(payload) = bytes.get(at + HEADER..at + HEADER + length) else {
            break;
        };
        records.push(Record {
            kind,
            version: u16::from_be_bytes([major, minor]),
            payload: payload.to_vec(),
        });
        at += HEADER + length;
    }
    bytes.drain(..at);
    records
}

/// The records that `bytes` are.
///
/// # Panics
/// If they end within one.
pub fn records(bytes: &[u8]) -> Vec<Record> {
    let mut bytes = bytes.to_vec();
    let records = take_records(&mut bytes);
    assert!(bytes.is_empty(), "{} bytes of a record", bytes.len());
    records
}

/// The bytes of `records`.
pub fn bytes(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(Record::bytes).collect()
}

/// `records` with neighbouring ones of the handshake, not protected, put into one.
pub fn coalesced(records: &[Record]) -> Vec<Record> {
    let mut result: Vec<Record> = Vec::new();
    for record in records {
        match result.last_mut() {
            Some(last) if last.kind == record.kind && record.kind == content::HANDSHAKE => {
                last.payload.extend_from_slice(&record.payload);
            }
            _ => result.push(record.clone()),
        }
    }
    result
}

/// Handshake messages (RFC 8446, section 4) and the extensions in them.
pub mod handshake {
    /// `client_hello`
    pub const CLIENT_HELLO: u8 = 1;
    /// `server_hello`
    pub const SERVER_HELLO: u8 = 2;
    /// `encrypted_extensions`
    pub const ENCRYPTED_EXTENSIONS: u8 = 8;
    /// `max_fragment_length` (RFC 6066, section 4).
    pub const MAX_FRAGMENT_LENGTH: u16 = 1;

    /// An extension's bytes.
    ///
    /// # Panics
    /// If the content is too long for one.
    pub fn extension(number: u16, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).expect("an extension's length");
        [&number.to_be_bytes(), &length.to_be_bytes(), content].concat()
    }

    /// Where the extension list of that message begins, with its length of two bytes.
    fn list_at(message: &[u8]) -> usize {
        let session_id = 4 + 2 + 32;
        let after = |at: usize| at + 1 + usize::from(message[at]);
        match message[0] {
            CLIENT_HELLO => {
                let suites = after(session_id);
                let length = u16::from_be_bytes([message[suites], message[suites + 1]]);
                after(suites + 2 + usize::from(length))
            }
            SERVER_HELLO => after(session_id) + 3,
            ENCRYPTED_EXTENSIONS => 4,
            other => panic!("message {other} has no extension list"),
        }
    }

    /// The extensions of a message: its number and content each.
    pub fn extensions(message: &[u8]) -> Vec<(u16, Vec<u8>)> {
        let mut rest = message.get(list_at(message) + 2..).unwrap_or_default();
        let mut all = Vec::new();
        while let Some((&[a, b, c, d], tail)) = rest.split_first_chunk() {
            let (content, tail) = tail.split_at(usize::from(u16::from_be_bytes([c, d])));
            all.push((u16::from_be_bytes([a, b]), content.to_vec()));
            rest = tail;
        }
        all
    }

    /// The message with other extensions in the place of its own: `edit` gets them as bytes, each with its number and length.
    ///
    /// # Panics
    /// If `message` is not a hello or EncryptedExtensions, or they get too long.
    pub fn with_extensions(message: &[u8], edit: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
        let mut list: Vec<_> = extensions(message)
            .iter()
            .map(|(number, content)| extension(*number, content))
            .collect();
        edit(&mut list);
        let list = list.concat();
        let length = u16::try_from(list.len()).expect("a list's length");
        let body = [
            &message[4..list_at(message)],
            &length.to_be_bytes(),
            &list[..],
        ]
        .concat();
        let length = u32::try_from(body.len())
            .expect("a message's length")
            .to_be_bytes();
        [&message[..1], &length[1..], &body].concat()
    }

    /// The messages in `bytes`; the last may be cut short.
    pub fn messages(mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(&[_, a, b, c]) = bytes.first_chunk() {
            let length = 4 + u32::from_be_bytes([0, a, b, c]) as usize;
            let (message, rest) = bytes.split_at(length.min(bytes.len()));
            all.push(message.to_vec());
            bytes = rest;
        }
        all
    }

    /// Whether the message is as long as it says.
    pub fn is_whole(message: &[u8]) -> bool {
        matches!(message, &[_, a, b, c, ..] if message.len() == 4 + u32::from_be_bytes([0, a, b, c]) as usize)
    }

    /// Whether the message is a HelloRetryRequest (RFC 8446, section 4.1.3).
    pub fn is_retry(message: &[u8]) -> bool {
        message[0] == SERVER_HELLO && message[6..].starts_with(&[0xCF, 0x21, 0xAD, 0x74])
    }
}

/// Edits the extensions of each message of type `kind` among the records that are not protected; `edit` gets the message's number among those of
/// its type, and its extensions as in [`handshake::with_extensions`].
pub fn edit_extensions(
    records: &[Record],
    kind: u8,
    mut edit: impl FnMut(usize, &mut Vec<Vec<u8>>),
) -> Vec<Record> {
    let mut seen = 0;
    let mut records = coalesced(records);
    for record in &mut records {
        if record.kind != content::HANDSHAKE {
            continue;
        }
        let messages = handshake::messages(&record.payload);
        if messages[0].first() != Some(&kind) || !handshake::is_whole(&messages[0]) {
            continue;
        }
        record.payload.clear();
        for message in messages {
            if message[0] == kind {
                let edited = handshake::with_extensions(&message, |list| edit(seen, list));
                record.payload.extend_from_slice(&edited);
                seen += 1;
            } else {
                record.payload.extend_from_slice(&message);
            }
        }
    }
    records
}

/// Who sent a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client under test.
    Client,
    /// The server.
    Server,
}

/// What a [`Proxy`] does with the bytes of the records that it passes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cut {
    /// Records are written as they come.
    #[default]
    Records,
    /// Never more than this many bytes with one write.
    Pieces(usize),
}

/// The records of one connection in the order in which each side sent them.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Of the client.
    pub client: Vec<Record>,
    /// Of the server.
    pub server: Vec<Record>,
}

impl Recording {
    fn of(&mut self, side: Side) -> &mut Vec<Record> {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

type Edit = dyn Fn(Side, Record) -> Vec<Record> + Send + Sync;

/// Stands between a client and a server on loopback and records what each sends, as they sent it.
pub struct Proxy {
    acceptor: Acceptor,
    connections: Arc<Mutex<Vec<Connection>>>,
}

struct Connection {
    recording: Arc<Mutex<Recording>>,
    threads: Vec<JoinHandle<()>>,
}

impl Proxy {
    /// Passes everything on.
    pub fn to(server: SocketAddr) -> Self {
        Self::start(server, Cut::default(), |_, record| vec![record])
    }

    /// Passes everything on, cut like that.
    pub fn cutting(server: SocketAddr, cut: Cut) -> Self {
        Self::start(server, cut, |_, record| vec![record])
    }

    /// Passes on what `edit` makes of each record.
    pub fn editing(
        server: SocketAddr,
        edit: impl Fn(Side, Record) -> Vec<Record> + Send + Sync + 'static,
    ) -> Self {
        Self::start(server, Cut::default(), edit)
    }

    fn start(
        server: SocketAddr,
        cut: Cut,
        edit: impl Fn(Side, Record) -> Vec<Record> + Send + Sync + 'static,
    ) -> Self {
        let edit: Arc<Edit> = Arc::new(edit);
        let connections = Arc::new(Mutex::new(Vec::new()));
        let known = Arc::clone(&connections);
        let acceptor = Acceptor::start(move |client| {
            // The client's handshake fails if the server is gone, and tells so.
            if let Ok(connection) = Connection::join(client, server, cut, &edit) {
                locked(&known).push(connection);
            }
        });
        Self {
            acceptor,
            connections,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.acceptor.address()
    }

    /// Waits until every connection so far has ended on both sides and takes their recordings, oldest first.
    ///
    /// # Panics
    /// If a thread of the proxy panicked, as `edit` may.
    pub fn recordings(&self) -> Vec<Recording> {
        let ended = std::mem::take(&mut *locked(&self.connections));
        ended
            .into_iter()
            .map(|connection| {
                for thread in connection.threads {
                    thread.join().expect("the proxy passes on what comes");
                }
                locked(&connection.recording).clone()
            })
            .collect()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    fn join(client: TcpStream, server: SocketAddr, cut: Cut, edit: &Arc<Edit>) -> io::Result<Self> {
        let server = TcpStream::connect_timeout(&server, PATIENCE)?;
        let recording = Arc::new(Mutex::new(Recording::default()));
        let mut threads = Vec::new();
        for (side, from, to) in [
            (Side::Client, client.try_clone()?, server.try_clone()?),
            (Side::Server, server, client),
        ] {
            from.set_read_timeout(Some(PATIENCE))?;
            to.set_nodelay(true)?;
            let (recording, edit) = (Arc::clone(&recording), Arc::clone(edit));
            threads.push(thread::spawn(move || {
                pass_on(side, &from, &to, cut, &recording, &*edit);
                let _ = to.shutdown(Shutdown::Write);
            }));
        }
        Ok(Self { recording, threads })
    }
}

/// Until one of the two is gone: what that means is for the test to judge.
fn pass_on(
    side: Side,
    mut from: &TcpStream,
    mut to: &TcpStream,
    cut: Cut,
    recording: &Mutex<Recording>,
    edit: &Edit,
) {
    let mut collected = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = match from.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result.unwrap_or(0),
        };
        collected.extend_from_slice(&buffer[..length]);
        let records = take_records(&mut collected);
        locked(recording).of(side).extend_from_slice(&records);
        let mut passed: Vec<u8> = records
            .into_iter()
            .flat_map(|record| edit(side, record))
            .flat_map(|record| record.bytes())
            .collect();
        if length == 0 {
            passed.append(&mut collected);
        }
        let size = match cut {
            Cut::Records => passed.len().max(1),
            Cut::Pieces(size) => size,
        };
        let gone = passed
            .chunks(size)
            .any(|piece| to.write_all(piece).is_err());
        if gone || length == 0 {
            return;
        }
    }
}
