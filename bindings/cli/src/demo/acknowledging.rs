//! A rustls server that acknowledges a maximum fragment length (RFC 6066, section 4), which rustls itself cannot, for the CBC suites of TLS 1.2.
//!
//! The extension is put into the ServerHello on its way out, and the transcript hash covers it: the client's Finished and the server's own
//! cover what is on the wire.

use std::io::{self, Write};
use std::sync::OnceLock;

use hubtls::FragmentLength;
use rustls::crypto::CipherSuiteCommon;
use rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};
use rustls::{ServerConnection, SupportedCipherSuite, Tls12CipherSuite};

/// What the server agrees to.
pub(super) const LENGTH: FragmentLength = FragmentLength::L512;

const HANDSHAKE_RECORD: u8 = 22;
const SERVER_HELLO: u8 = 2;
const HEADER: usize = 5;

/// The CBC suites with such a hash. Made once: rustls wants them to live for ever.
pub(super) fn suites() -> Vec<SupportedCipherSuite> {
    static SUITES: OnceLock<Vec<SupportedCipherSuite>> = OnceLock::new();
    SUITES
        .get_or_init(|| {
            hubtls::stand_in::cbc_suites()
                .into_iter()
                .map(acknowledging)
                .collect()
        })
        .clone()
}

fn acknowledging(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    match suite {
        SupportedCipherSuite::Tls12(stock) => {
            let hash: &'static WireHash = Box::leak(Box::new(WireHash(stock.common.hash_provider)));
            let common = CipherSuiteCommon {
                hash_provider: hash,
                ..stock.common
            };
            SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite { common, ..*stock })))
        }
        other => other,
    }
}

/// Sends what `connection` has to send; its first flight with the acknowledgement in the ServerHello.
pub(super) fn send(connection: &mut ServerConnection, socket: &mut impl Write) -> io::Result<()> {
    let mut records = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut records)?;
    }
    socket.write_all(&on_the_wire(&records))
}

fn on_the_wire(records: &[u8]) -> Vec<u8> {
    let Some((messages, version)) = server_hello_flight(records) else {
        return records.to_vec();
    };
    let messages = with_acknowledgement(&messages);
    let mut output = Vec::new();
    for piece in messages.chunks(LENGTH.bytes()) {
        let length = u16::try_from(piece.len()).unwrap_or(u16::MAX).to_be_bytes();
        output.extend_from_slice(&[HANDSHAKE_RECORD, version[0], version[1]]);
        output.extend_from_slice(&length);
        output.extend_from_slice(piece);
    }
    output
}

/// The messages of a flight that begins with a ServerHello and is not encrypted, and the version of its records.
fn server_hello_flight(mut records: &[u8]) -> Option<(Vec<u8>, [u8; 2])> {
    let mut messages = Vec::new();
    let mut version = [3, 3];
    while let Some(&[kind, major, minor, high, low]) = records.first_chunk() {
        let (record, rest) =
            records.split_at_checked(HEADER + usize::from(u16::from_be_bytes([high, low])))?;
        if kind != HANDSHAKE_RECORD {
            return None;
        }
        version = [major, minor];
        messages.extend_from_slice(&record[HEADER..]);
        records = rest;
    }
    (messages.first() == Some(&SERVER_HELLO)).then_some((messages, version))
}

/// `messages`, which begin with a whole handshake message: if that is a ServerHello, with the extension in front of its others.
fn with_acknowledgement(messages: &[u8]) -> Vec<u8> {
    insert(messages).unwrap_or_else(|| messages.to_vec())
}

fn insert(messages: &[u8]) -> Option<Vec<u8>> {
    let &[kind, a, b, c] = messages.first_chunk()?;
    // Header, version and random; session id; suite and compression.
    let list = 4 + 34 + 1 + usize::from(*messages.get(4 + 34)?) + 3;
    let list_len = u16::from_be_bytes([*messages.get(list)?, *messages.get(list + 1)?]);
    if kind != SERVER_HELLO {
        return None;
    }
    let extension = [0, 1, 0, 1, LENGTH.code()];
    let message_len = (u32::from_be_bytes([0, a, b, c]) + 5).to_be_bytes();
    let mut output = vec![kind];
    output.extend_from_slice(&message_len[1..]);
    output.extend_from_slice(&messages[4..list]);
    output.extend_from_slice(&(list_len + 5).to_be_bytes());
    output.extend_from_slice(&extension);
    output.extend_from_slice(&messages[list + 2..]);
    Some(output)
}

/// A transcript hash of what is on the wire. rustls hashes message by message.
struct WireHash(&'static dyn Hash);

struct WireContext(Box<dyn Context>);

impl Hash for WireHash {
    fn start(&self) -> Box<dyn Context> {
        Box::new(WireContext(self.0.start()))
    }

    fn hash(&self, data: &[u8]) -> Output {
        self.0.hash(data)
    }

    fn output_len(&self) -> usize {
        self.0.output_len()
    }

    fn algorithm(&self) -> HashAlgorithm {
        self.0.algorithm()
    }
}

impl Context for WireContext {
    fn fork_finish(&self) -> Output {
        self.0.fork_finish()
    }

    fn fork(&self) -> Box<dyn Context> {
        Box::new(Self(self.0.fork()))
    }

    fn finish(self: Box<Self>) -> Output {
        self.0.finish()
    }

    fn update(&mut self, message: &[u8]) {
        self.0.update(&with_acknowledgement(message));
    }
}
