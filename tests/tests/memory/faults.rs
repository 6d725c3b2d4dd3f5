//! Peers and networks that misbehave.

use hubtls::{Connection, ErrorCode};
use hubtls_tests::client::config;
use hubtls_tests::memory::{Pair, ServerOptions};
use proptest::prelude::*;

/// The server's first flight to a fresh client, and that client.
fn flight(options: ServerOptions) -> (Pair, Vec<u8>) {
    let mut pair = Pair::new(&config("iothub"), &options.config());
    pair.client_to_server();
    let flight = pair.take_from_server();
    (pair, flight)
}

fn ends_at_every_point(options: fn() -> ServerOptions) {
    let config = config("iothub");
    let server = options().config();
    let mut cut = 0;
    loop {
        let mut pair = Pair::new(&config, &server);
        pair.client_to_server();
        let flight = pair.take_from_server();
        if cut >= flight.len() {
            break;
        }
        pair.give_to_client(&flight[..cut]).unwrap();
        let error = pair.client.receive_end().unwrap_err();
        assert_eq!(
            error.code(),
            ErrorCode::ClosedInHandshake,
            "after {cut} bytes"
        );
        // Record and message headers lie in the first bytes; the certificates in between are all alike.
        cut += if (256..flight.len() - 256).contains(&cut) {
            16
        } else {
            1
        };
    }
    assert!(cut > 600, "the flight has {cut} bytes");
}

#[test]
fn a_tls12_flight_that_ends_anywhere_is_closed_in_handshake() {
    ends_at_every_point(ServerOptions::tls12);
}

#[test]
fn a_tls13_flight_that_ends_anywhere_is_closed_in_handshake() {
    ends_at_every_point(ServerOptions::tls13);
}

fn tampered(options: ServerOptions, position: usize, mask: u8) {
    let (mut pair, mut flight) = flight(options);
    let position = position % flight.len();
    // The version of a record's header is neither authenticated nor significant (RFC 8446, section 5.1).
    let mut header = 0;
    while header < flight.len() {
        if (header + 1..header + 3).contains(&position) {
            return;
        }
        header += 5 + usize::from(flight[header + 3]) * 256 + usize::from(flight[header + 4]);
    }
    flight[position] ^= mask;
    let refused = pair
        .give_to_client(&flight)
        .and_then(|()| pair.exchange())
        .is_err();
    let agreed = !pair.client.is_handshaking() && !pair.server.is_handshaking();
    assert!(
        refused || !agreed,
        "byte {position} changed by {mask:#04x} went unnoticed"
    );
}

#[test]
fn every_byte_of_garbage_is_judged_within_one_record() {
    for first in 0..=u8::MAX {
        let mut connection = Connection::new(&config("iothub"), "localhost").unwrap();
        let garbage = [first; 20_000];
        let mut fed = 0;
        let outcome = loop {
            match connection.receive(&garbage[fed..]) {
                Ok(0) => break Ok(()),
                Ok(taken) => fed += taken,
                Err(error) => break Err(error),
            }
        };
        let error = outcome.expect_err("garbage");
        assert!((300..400).contains(&error.code().number()), "{error:?}");
        assert!(fed <= 18_437, "{fed} bytes of {first:#04x} were swallowed");
    }
}

#[test]
fn a_dripping_network_completes_the_handshake() {
    for options in [ServerOptions::tls12(), ServerOptions::tls13()] {
        let mut pair = Pair::new(&config("iothub"), &options.config()).in_chunks(1);
        pair.handshake().unwrap();
        assert_eq!(pair.send(b"drip").unwrap(), b"drip");
        assert_eq!(pair.answer(b"drop").unwrap(), b"drop");
    }
}

#[test]
fn a_hello_retry_request_survives_a_dripping_network() {
    let options = ServerOptions {
        groups: vec![rustls::crypto::aws_lc_rs::kx_group::SECP384R1],
        ..ServerOptions::tls13()
    };
    let mut pair = Pair::new(&config("iothub"), &options.config()).in_chunks(1);
    pair.handshake().unwrap();
    assert_eq!(
        pair.client.negotiated().unwrap().group(),
        Some(hubtls::Group::Secp384r1)
    );
}

#[test]
fn a_stalled_peer_leaves_the_connection_waiting() {
    let (mut pair, flight) = flight(ServerOptions::tls13());
    pair.give_to_client(&flight[..flight.len() / 2]).unwrap();
    assert!(pair.client.is_handshaking() && pair.client.wants_receive());
    assert_eq!(pair.client.write(b"too early").unwrap(), 0);
}

#[test]
fn a_flight_sent_twice_is_refused() {
    for options in [ServerOptions::tls12(), ServerOptions::tls13()] {
        let (mut pair, flight) = flight(options);
        let twice = [flight.clone(), flight].concat();
        let error = pair.give_to_client(&twice).unwrap_err();
        assert!((300..400).contains(&error.code().number()), "{error:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn garbage_never_establishes_a_connection_and_never_panics(garbage in prop::collection::vec(any::<u8>(), 0..4096)) {
        let mut connection = Connection::new(&config("iothub"), "localhost").unwrap();
        let mut rest = garbage.as_slice();
        while let Ok(taken @ 1..) = connection.receive(rest) {
            rest = &rest[taken..];
        }
        prop_assert!(connection.is_handshaking());
        prop_assert!(connection.negotiated().is_none());
    }

    #[test]
    fn garbage_behind_a_record_header_never_establishes_a_connection(
        kind in 20_u8..26,
        body in prop::collection::vec(any::<u8>(), 0..2048),
    ) {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        let record = [&[kind, 3, 3], &length[..], &body].concat();
        let mut connection = Connection::new(&config("iothub"), "localhost").unwrap();
        let mut rest = record.as_slice();
        while let Ok(taken @ 1..) = connection.receive(rest) {
            rest = &rest[taken..];
        }
        prop_assert!(connection.is_handshaking());
    }

    #[test]
    fn garbage_after_the_handshake_is_refused_and_yields_no_plaintext(garbage in prop::collection::vec(any::<u8>(), 64..2048)) {
        let mut pair = Pair::new(&config("iothub"), &ServerOptions::tls13().config());
        pair.handshake().unwrap();
        let length = u16::try_from(garbage.len()).unwrap().to_be_bytes();
        let record = [&[23, 3, 3], &length[..], &garbage].concat();
        let error = pair.give_to_client(&record).unwrap_err();
        prop_assert_eq!(error.code(), ErrorCode::BadRecord);
        prop_assert!(pair.received.is_empty());
    }

    #[test]
    fn no_byte_of_a_tls12_flight_can_be_changed_unnoticed(position in any::<usize>(), mask in 1_u8..) {
        tampered(ServerOptions::tls12(), position, mask);
    }

    #[test]
    fn no_byte_of_a_tls13_flight_can_be_changed_unnoticed(position in any::<usize>(), mask in 1_u8..) {
        tampered(ServerOptions::tls13(), position, mask);
    }
}
