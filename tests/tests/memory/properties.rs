//! Input may be split and joined at any byte.

use hubtls::Config;
use hubtls_tests::client::{builder, identity};
use hubtls_tests::memory::{Pair, ServerOptions};
use proptest::prelude::*;

fn config() -> Config {
    builder().identity(identity("p256")).build().unwrap()
}

fn server(tls13: bool, client_certificates: bool, sizes: &[usize]) -> ServerOptions {
    ServerOptions {
        client_certificates,
        fragment_bytes: Some(sizes[0].clamp(32, 16_384)),
        ..if tls13 {
            ServerOptions::tls13()
        } else {
            ServerOptions::tls12()
        }
    }
}

/// Cuts `wire` into pieces of these sizes, again and again.
fn pieces<'a>(mut wire: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut sizes = sizes.iter().cycle();
    let mut pieces = Vec::new();
    while !wire.is_empty() {
        let size = sizes
            .next()
            .map_or(wire.len(), |&size| size.min(wire.len()));
        let (piece, rest) = wire.split_at(size);
        pieces.push(piece);
        wire = rest;
    }
    pieces
}

/// Receives `wire` as a transport would deliver it, by copy.
fn receive(pair: &mut Pair, wire: &[u8], sizes: &[usize], got: &mut Vec<u8>) {
    let mut buffer = [0; 4096];
    for mut piece in pieces(wire, sizes) {
        while !piece.is_empty() {
            let taken = pair.client.receive(piece).unwrap();
            piece = &piece[taken..];
            while let read @ 1.. = pair.client.read(&mut buffer).unwrap() {
                got.extend_from_slice(&buffer[..read]);
            }
        }
    }
}

/// By copy and in place in turns: each piece goes in the way that its length says, once nothing is left of the one before.
fn receive_either_way(pair: &mut Pair, wire: &[u8], sizes: &[usize], got: &mut Vec<u8>) {
    let mut held = Vec::new();
    for piece in pieces(wire, sizes) {
        if held.is_empty() && piece.len() % 2 == 0 {
            receive(pair, piece, &[], got);
        } else {
            held.extend_from_slice(piece);
            let mut consumed = 1;
            while consumed > 0 && !held.is_empty() {
                consumed = pair
                    .client
                    .receive_in_place(&mut held, |text| got.extend_from_slice(text))
                    .unwrap();
                held.drain(..consumed);
            }
        }
    }
    assert!(held.is_empty(), "{} bytes were not consumed", held.len());
}

/// The same in place: what is not consumed stays in the caller's buffer.
fn receive_in_place(pair: &mut Pair, wire: &[u8], sizes: &[usize], got: &mut Vec<u8>) {
    let mut held = Vec::new();
    for piece in pieces(wire, sizes) {
        held.extend_from_slice(piece);
        loop {
            let consumed = pair
                .client
                .receive_in_place(&mut held, |text| got.extend_from_slice(text))
                .unwrap();
            held.drain(..consumed);
            if consumed == 0 || held.is_empty() {
                break;
            }
        }
    }
    assert!(
        held.is_empty(),
        "{} bytes of whole records were not consumed",
        held.len()
    );
}

type Receive = fn(&mut Pair, &[u8], &[usize], &mut Vec<u8>);

/// Shakes hands and carries messages of these lengths from the server, everything to the client cut by `sizes`.
fn carry(
    receive: Receive,
    tls13: bool,
    client_certificates: bool,
    sizes: &[usize],
    lengths: &[usize],
) {
    let messages = contents(lengths);
    let mut pair = Pair::new(
        &config(),
        &server(tls13, client_certificates, sizes).config(),
    );
    let mut got = Vec::new();
    loop {
        let sent = pair.client_to_server();
        let wire = pair.take_from_server();
        receive(&mut pair, &wire, sizes, &mut got);
        if sent + wire.len() == 0 {
            break;
        }
    }
    assert!(!pair.client.is_handshaking() && !pair.server.is_handshaking());
    let mut wire = Vec::new();
    for message in &messages {
        wire.extend(pair.encrypt(message));
    }
    pair.server.send_close_notify();
    wire.extend(pair.take_from_server());
    receive(&mut pair, &wire, sizes, &mut got);
    assert!(pair.client.is_ended());
    assert!(got == messages.concat(), "{} bytes came through", got.len());
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(
        prop_oneof![4 => 1_usize..8, 2 => 1_usize..600, 1 => 600_usize..40_000],
        1..12,
    )
}

/// Messages by length alone: what they hold follows from it, and a failure prints in a few lines.
fn messages() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![3 => 1_usize..200, 1 => 200_usize..20_000], 0..5)
}

fn contents(lengths: &[usize]) -> Vec<Vec<u8>> {
    let byte = |position: usize| u8::try_from(position % 251).unwrap();
    lengths
        .iter()
        .map(|&length| (length..2 * length).map(byte).collect())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn input_split_at_any_byte_is_received_whole(
        (tls13, mutual, sizes, messages) in (any::<bool>(), any::<bool>(), sizes(), messages())
    ) {
        carry(receive, tls13, mutual, &sizes, &messages);
    }

    #[test]
    fn input_split_at_any_byte_is_received_whole_in_place(
        (tls13, mutual, sizes, messages) in (any::<bool>(), any::<bool>(), sizes(), messages())
    ) {
        carry(receive_in_place, tls13, mutual, &sizes, &messages);
    }

    #[test]
    fn both_ways_of_receiving_can_be_mixed(
        (tls13, mutual, sizes, messages) in (any::<bool>(), any::<bool>(), sizes(), messages())
    ) {
        carry(receive_either_way, tls13, mutual, &sizes, &messages);
    }

    #[test]
    fn output_taken_in_any_pieces_is_sent_whole(
        (tls13, sizes, messages) in (any::<bool>(), sizes(), messages())
    ) {
        let mut pair = Pair::new(&config(), &server(tls13, true, &sizes).config());
        pair.handshake().unwrap();
        let messages = contents(&messages);
        let mut sizes = sizes.iter().cycle();
        for message in &messages {
            let mut rest = message.as_slice();
            while !rest.is_empty() {
                let written = pair.client.write(rest).unwrap();
                rest = &rest[written..];
                let mut piece = vec![0; *sizes.next().unwrap()];
                let length = pair.client.transmit(&mut piece);
                prop_assert!(written + length > 0);
                pair.give_to_server(&piece[..length]);
            }
        }
        pair.client_to_server();
        let got = pair.server_received;
        prop_assert!(got == messages.concat(), "{} bytes came through", got.len());
    }
}
