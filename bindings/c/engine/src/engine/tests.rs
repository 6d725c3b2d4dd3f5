//! The engine against a stock rustls server, in memory.

use std::io::{Read, Write};
use std::sync::Arc;

use hubtls::Roots;
use hubtls_tests::fixture;
use hubtls_tests::memory::ServerOptions;
use rustls::{ServerConfig, ServerConnection};

use super::*;
use crate::{Numbered, chunks};

fn config() -> Config {
    let roots = Roots::from_pem(fixture::server_roots().as_bytes()).unwrap();
    Config::builder().add_roots(roots).build().unwrap()
}

struct Pair {
    engine: Engine,
    server: ServerConnection,
}

impl Pair {
    fn new(server: ServerOptions) -> Self {
        let server: Arc<ServerConfig> = server.config();
        Self {
            engine: Engine::new(&config(), "localhost").unwrap(),
            server: ServerConnection::new(server).unwrap(),
        }
    }

    fn outgoing(&self) -> Vec<u8> {
        let mut buffer = vec![0; 64 * 1024];
        let state = self.engine.outgoing(&mut buffer);
        assert!(!state.is(State::TRANSMIT));
        buffer.truncate(state.bytes());
        buffer
    }

    fn tell_server(&mut self, wire: &[u8]) -> Vec<u8> {
        let (mut wire, mut plaintext) = (wire, Vec::new());
        while !wire.is_empty() {
            self.server.read_tls(&mut wire).unwrap();
            self.server.process_new_packets().unwrap();
            let _ = self.server.reader().read_to_end(&mut plaintext);
        }
        plaintext
    }

    fn answer(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        while self.server.wants_write() {
            self.server.write_tls(&mut wire).unwrap();
        }
        wire
    }

    fn feed(&self, wire: &[u8]) -> (State, Vec<u8>) {
        let mut output = vec![0; wire.len() + 16_384];
        let state = self.engine.feed(&mut wire.to_vec(), &mut output);
        output.truncate(state.bytes());
        (state, output)
    }

    fn connected(server: ServerOptions) -> Self {
        let mut pair = Self::new(server);
        while pair.engine.is_handshaking() {
            let hello = pair.outgoing();
            pair.tell_server(&hello);
            let answer = pair.answer();
            let (state, _) = pair.feed(&answer);
            assert!(!state.is(State::FAILED));
            assert_eq!(state.is(State::HANDSHAKING), pair.engine.is_handshaking());
        }
        let rest = pair.outgoing();
        pair.tell_server(&rest);
        let tickets = pair.answer();
        pair.feed(&tickets);
        pair
    }

    fn say(&mut self, data: &[u8]) -> Vec<u8> {
        self.server.writer().write_all(data).unwrap();
        self.answer()
    }
}

#[test]
fn bytes_go_both_ways_in_both_versions() {
    for server in [ServerOptions::tls12(), ServerOptions::tls13()] {
        let mut pair = Pair::connected(server);
        let data: Vec<u8> = (0..40_000_u32).map(|it| it.to_le_bytes()[0]).collect();
        let mut output = vec![0; 50_000];
        let state = pair.engine.encrypt(&data, &mut output);
        assert!(!state.is(State::REFUSED));
        assert_eq!(pair.tell_server(&output[..state.bytes()]), data);
        let wire = pair.say(&data);
        assert_eq!(pair.feed(&wire).1, data);
        assert!(pair.engine.negotiated().unwrap().is_some());
    }
}

#[test]
fn records_may_come_in_pieces_of_any_size() {
    let mut pair = Pair::connected(ServerOptions::default());
    let data = vec![7; 20_000];
    for size in [1, 4, 5, 1000, 16_400] {
        let wire = pair.say(&data);
        let plaintext: Vec<u8> = wire.chunks(size).flat_map(|it| pair.feed(it).1).collect();
        assert_eq!(plaintext, data);
    }
}

#[test]
fn plaintext_without_room_comes_with_the_next_call() {
    let mut pair = Pair::connected(ServerOptions::default());
    let mut wire = pair.say(&[b"one".as_slice(), &[0; 100]].concat());
    let mut output = [0; 3];
    let state = pair.engine.feed(&mut wire, &mut output);
    assert!(state.is(State::MORE));
    assert_eq!((state.bytes(), &output), (3, b"one"));
    let mut rest = [1; 200];
    let state = pair.engine.feed(&mut [], &mut rest);
    assert!(!state.is(State::MORE));
    assert_eq!((state.bytes(), &rest[..100]), (100, [0; 100].as_slice()));
}

#[test]
fn plaintext_before_a_failure_is_delivered_first() {
    let mut pair = Pair::connected(ServerOptions::default());
    let mut wire = pair.say(b"good");
    let mut bad = pair.say(b"bad");
    *bad.last_mut().unwrap() ^= 1;
    wire.extend_from_slice(&bad);
    let (state, plaintext) = pair.feed(&wire);
    assert_eq!(plaintext, b"good");
    assert!(state.is(State::FAILED | State::TRANSMIT), "an alert waits");
    let failure = pair.engine.failure().unwrap().unwrap();
    assert_eq!(failure.code(), ErrorCode::BadRecord);
    assert_eq!(
        pair.engine.feed_end().unwrap_err().code(),
        failure.code(),
        "the first failure stays"
    );
    let state = pair.engine.encrypt(b"more", &mut [0; 1000]);
    assert!(state.is(State::REFUSED));
    let refusal = pair.engine.refusal().unwrap().unwrap();
    assert_eq!(refusal.code(), ErrorCode::BadRecord);
}

#[test]
fn an_end_without_close_notify_is_an_error_and_with_it_is_none() {
    let pair = Pair::connected(ServerOptions::default());
    let error = pair.engine.feed_end().unwrap_err();
    assert_eq!(error.code(), ErrorCode::Truncated);

    let mut pair = Pair::connected(ServerOptions::default());
    pair.server.send_close_notify();
    let wire = pair.answer();
    assert!(pair.feed(&wire).0.is(State::ENDED));
    assert_eq!(pair.engine.feed_end(), Ok(()));

    let mut pair = Pair::connected(ServerOptions::default());
    let wire = pair.say(b"cut");
    pair.feed(&wire[..wire.len() - 1]);
    let error = pair.engine.feed_end().unwrap_err();
    assert_eq!(error.code(), ErrorCode::Truncated);
}

#[test]
fn what_cannot_be_encrypted_is_refused_with_a_reason() {
    let pair = Pair::new(ServerOptions::default());
    let refusal = |pair: &Pair, data: &[u8], room: usize| {
        let state = pair.engine.encrypt(data, &mut vec![0; room]);
        assert!(state.is(State::REFUSED));
        let refusal = pair.engine.refusal().unwrap().unwrap().code();
        assert!(pair.engine.refusal().unwrap().is_none(), "told once");
        refusal
    };
    assert_eq!(
        refusal(&pair, b"early", 1000),
        ErrorCode::HandshakeNotComplete
    );
    let pair = Pair::connected(ServerOptions::default());
    assert_eq!(refusal(&pair, b"no room", 100), ErrorCode::InvalidArgument);
    pair.engine.finish().unwrap();
    let state = pair.engine.encrypt(b"late", &mut [0; 1000]);
    assert!(
        state.is(State::REFUSED) && state.bytes() > 0,
        "close_notify"
    );
    let refusal = pair.engine.refusal().unwrap().unwrap();
    assert_eq!(refusal.code(), ErrorCode::WriteAfterFinish);
}

#[test]
#[allow(unsafe_code, reason = "it calls as C does")]
fn a_number_outlives_its_engine_harmlessly() {
    let new = || Numbered::new(Engine::new(&config(), "localhost").unwrap());
    let (first, second) = (new(), new());
    assert_ne!(first.number(), second.number());
    let number = first.number();
    drop(first);
    // SAFETY: no pointers are passed.
    let outgoing =
        |number| unsafe { chunks::hubtls_engine_outgoing(number, std::ptr::null_mut(), 0) };
    assert_eq!(outgoing(number), State::GONE);
    let state = State(outgoing(second.number()));
    assert!(state.is(State::HANDSHAKING | State::TRANSMIT));
}

#[test]
fn one_thread_feeds_while_another_encrypts() {
    let mut pair = Pair::connected(ServerOptions::default());
    let wires: Vec<_> = (0..200).map(|_| pair.say(&[3; 1000])).collect();
    let engine = &pair.engine;
    let sent = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut all = Vec::new();
            let mut output = [0; 2000];
            for _ in 0..200 {
                let state = engine.encrypt(&[5; 1000], &mut output);
                all.extend_from_slice(&output[..state.bytes()]);
            }
            all
        });
        for mut wire in wires {
            let mut output = [0; 2000];
            let state = engine.feed(&mut wire, &mut output);
            assert_eq!((state.bytes(), output[0]), (1000, 3));
        }
        writer.join().unwrap()
    });
    assert_eq!(pair.tell_server(&sent), [5; 200_000]);
}
