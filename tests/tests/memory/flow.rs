//! How bytes flow: back-pressure, bounded buffers, half-close, key updates.

use hubtls_tests::client::{builder, config, identity, pattern};
use hubtls_tests::fixture;
use hubtls_tests::memory::{Pair, ServerOptions};
use rustls::crypto::aws_lc_rs::kx_group;

const MEGABYTE: usize = 1 << 20;

fn established(options: ServerOptions) -> Pair {
    let mut pair = Pair::new(&config("iothub"), &options.config());
    pair.handshake().unwrap();
    pair
}

#[test]
fn megabytes_pass_unchanged_both_ways() {
    for options in [ServerOptions::tls12(), ServerOptions::tls13()] {
        let mut pair = established(options);
        let data = pattern(2 * MEGABYTE);
        assert!(pair.send(&data).unwrap() == data);
        assert!(pair.answer(&data).unwrap() == data);
    }
}

#[test]
fn a_client_that_does_not_read_stops_receiving() {
    let mut pair = established(ServerOptions::tls13());
    let mut wire = Vec::new();
    for part in pattern(MEGABYTE).chunks(32 * 1024) {
        wire.extend(pair.encrypt(part));
    }
    let mut taken = 0;
    loop {
        match pair.client.receive(&wire[taken..]).unwrap() {
            0 => break,
            more => taken += more,
        }
    }
    assert!(taken < 128 * 1024, "{taken} bytes were buffered");
    assert!(pair.client.readable_bytes().unwrap() > 0);
    let mut buffer = vec![0; 64 * 1024];
    assert!(pair.client.read(&mut buffer).unwrap() > 0);
    while pair.client.read(&mut buffer).unwrap() > 0 {}
    assert!(
        pair.client.receive(&wire[taken..]).unwrap() > 0,
        "receiving goes on"
    );
}

#[test]
fn a_client_whose_output_is_not_taken_stops_writing() {
    let mut pair = established(ServerOptions::tls13());
    let data = pattern(MEGABYTE);
    let mut written = 0;
    loop {
        match pair.client.write(&data[written..]).unwrap() {
            0 => break,
            more => written += more,
        }
        assert!(written < data.len(), "a megabyte was buffered");
    }
    assert!(written < 256 * 1024, "{written} bytes were buffered");
    assert!(pair.client.wants_transmit());
    pair.client_to_server();
    assert!(
        pair.client.write(&data[written..]).unwrap() > 0,
        "writing goes on"
    );
}

#[test]
fn nothing_can_be_written_before_the_handshake_ends() {
    let mut pair = Pair::new(&config("iothub"), &ServerOptions::default().config());
    assert_eq!(pair.client.write(b"early").unwrap(), 0);
    pair.handshake().unwrap();
    assert_eq!(pair.client.write(b"in time").unwrap(), 7);
}

#[test]
fn pending_and_transmitted_are_transmit_without_a_copy() {
    let mut pair = Pair::new(&config("iothub"), &ServerOptions::default().config());
    loop {
        while !pair.client.pending().is_empty() {
            let piece = pair.client.pending()[..1].to_vec();
            pair.client.transmitted(1);
            pair.give_to_server(&piece);
        }
        if pair.server_to_client().unwrap() == 0 && pair.client.pending().is_empty() {
            break;
        }
    }
    assert!(!pair.client.is_handshaking() && !pair.server.is_handshaking());
}

#[test]
fn after_finish_the_server_still_answers() {
    for options in [ServerOptions::tls12(), ServerOptions::tls13()] {
        let mut pair = established(options);
        assert_eq!(pair.send(b"that is all").unwrap(), b"that is all");
        pair.client.finish().unwrap();
        pair.exchange().unwrap();
        assert!(!pair.client.is_ended(), "the server has not finished");
        assert_eq!(pair.answer(b"understood").unwrap(), b"understood");
        pair.server.send_close_notify();
        pair.exchange().unwrap();
        assert!(pair.client.is_ended());
    }
}

#[test]
fn finishing_twice_sends_one_close_notify() {
    let mut pair = established(ServerOptions::tls13());
    pair.client.finish().unwrap();
    assert!(!pair.take_from_client().is_empty());
    pair.client.finish().unwrap();
    assert!(pair.take_from_client().is_empty());
}

#[test]
fn plaintext_before_close_notify_can_still_be_read() {
    let mut pair = established(ServerOptions::tls13());
    let mut wire = pair.encrypt(b"last words");
    pair.server.send_close_notify();
    wire.extend(pair.take_from_server());
    let taken = pair.client.receive(&wire).unwrap();
    assert!(!pair.client.is_ended(), "there is something to read");
    let mut buffer = [0; 64];
    let length = pair.client.read(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"last words");
    pair.give_to_client(&wire[taken..]).unwrap();
    assert_eq!(pair.client.read(&mut buffer).unwrap(), 0);
    assert!(pair.client.is_ended());
}

#[test]
fn a_key_update_by_the_server_is_followed() {
    let mut pair = established(ServerOptions::tls13());
    for round in 0..3_u8 {
        pair.server.refresh_traffic_keys().unwrap();
        pair.exchange().unwrap();
        assert_eq!(pair.answer(&[round; 9]).unwrap(), [round; 9]);
        assert_eq!(pair.send(&[round; 9]).unwrap(), [round; 9]);
    }
}

#[test]
fn records_received_in_place_are_handed_out_without_a_copy_in_between() {
    for options in [ServerOptions::tls12(), ServerOptions::tls13()] {
        let mut pair = established(options);
        pair.exchange().unwrap();
        let data = pattern(40_000);
        let mut wire = pair.encrypt(&data);
        let mut got = Vec::new();
        let mut consumed = 0;
        while consumed < wire.len() {
            let step = pair
                .client
                .receive_in_place(&mut wire[consumed..], |plaintext| {
                    got.extend_from_slice(plaintext)
                });
            let step = step.unwrap();
            assert!(step > 0, "whole records are consumed");
            consumed += step;
        }
        assert!(got == data);
    }
}

#[test]
fn a_part_of_a_record_received_in_place_is_left_to_the_caller() {
    let mut pair = established(ServerOptions::tls13());
    let mut wire = pair.encrypt(b"twenty-two degrees");
    let part = wire.len() - 1;
    let mut got = Vec::new();
    let consumed = pair
        .client
        .receive_in_place(&mut wire[..part], |text| got.extend_from_slice(text))
        .unwrap();
    assert_eq!((consumed, got.len()), (0, 0));
    let consumed = pair
        .client
        .receive_in_place(&mut wire, |text| got.extend_from_slice(text))
        .unwrap();
    assert_eq!(consumed, wire.len());
    assert_eq!(got, b"twenty-two degrees");
}

#[test]
fn a_handshake_with_client_certificate_and_retry_request_completes() {
    for key in ["rsa2048", "p256", "ed25519"] {
        let config = builder().identity(identity(key)).build().unwrap();
        let options = ServerOptions {
            groups: vec![kx_group::SECP384R1],
            client_certificates: true,
            ..ServerOptions::tls13()
        };
        let mut pair = Pair::new(&config, &options.config()).in_chunks(7);
        pair.handshake().unwrap();
        let shown = pair.server.peer_certificates().unwrap()[0].to_vec();
        assert_eq!(shown, fixture::client(key).certificate_der);
    }
}

#[test]
fn the_post_quantum_group_is_agreed_when_both_want_it() {
    let config = builder().post_quantum(true).build().unwrap();
    let options = ServerOptions {
        groups: vec![kx_group::X25519MLKEM768],
        ..ServerOptions::tls13()
    };
    let mut pair = Pair::new(&config, &options.config());
    pair.handshake().unwrap();
    assert_eq!(
        pair.client.negotiated().unwrap().group(),
        Some(hubtls::Group::X25519MlKem768)
    );
}

#[test]
fn what_was_negotiated_holds_the_peers_chain_and_the_root_it_ended_in() {
    let mut pair = Pair::new(
        &config("iothub"),
        &ServerOptions::certificate("rsa").config(),
    );
    pair.handshake().unwrap();
    let negotiated = pair.client.negotiated().unwrap();
    assert_eq!(
        negotiated.peer_chain()[0].der(),
        fixture::server("rsa").certificate_der
    );
    assert_eq!(negotiated.peer_chain().len(), 2);
    let root = negotiated.root().unwrap();
    assert!(
        root.subject().contains("hubtls test RSA root"),
        "{}",
        root.subject()
    );
}

#[test]
fn handshake_messages_in_many_small_records_are_put_together() {
    let config = builder().identity(identity("p256")).build().unwrap();
    for options in [ServerOptions::tls12(), ServerOptions::tls13()] {
        let options = ServerOptions {
            client_certificates: true,
            fragment_bytes: Some(32),
            ..options
        };
        let server = options.config();
        for chunk in [1, 36, 37, 38, 1000] {
            let mut pair = Pair::new(&config, &server).in_chunks(chunk);
            pair.handshake().unwrap();
            assert_eq!(pair.answer(&[7; 500]).unwrap(), [7; 500]);
        }
    }
}

#[test]
fn a_handshake_message_larger_than_a_record_is_put_together() {
    let config = builder().identity(identity("p256")).build().unwrap();
    for options in [ServerOptions::tls12(), ServerOptions::tls13()] {
        let options = ServerOptions {
            client_certificates: true,
            further_authorities: 900,
            ..options
        };
        let mut pair = Pair::new(&config, &options.config()).in_chunks(5000);
        pair.client_to_server();
        let flight = pair.take_from_server();
        assert!(flight.len() > 50_000, "{} bytes", flight.len());
        pair.give_to_client(&flight).unwrap();
        pair.handshake().unwrap();
        assert_eq!(pair.send(b"ping").unwrap(), b"ping");
    }
}

#[test]
fn the_agreement_as_json_has_the_keys_that_every_language_shows() {
    let mut pair = Pair::new(&config("iothub"), &ServerOptions::default().config());
    pair.handshake().unwrap();
    let value = serde_json::to_value(pair.client.negotiated().unwrap()).unwrap();
    for key in [
        "version",
        "cipher_suite",
        "cipher_suite_openssl",
        "group",
        "fragment_length",
        "alpn",
        "resumed",
        "root",
        "peer_chain",
    ] {
        assert!(value.get(key).is_some(), "{key} is missing in {value}");
    }
}

/// Keeps what it is told.
#[derive(Default)]
struct Recorder(std::sync::Mutex<Vec<String>>);

impl hubtls::KeyLog for Recorder {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        assert!(client_random.len() == 32 && !secret.is_empty());
        self.0.lock().unwrap().push(label.to_owned());
    }
}

#[test]
fn the_key_log_is_told_the_secrets_of_each_version_when_it_is_asked_for() {
    for (options, label) in [
        (ServerOptions::tls12(), "CLIENT_RANDOM"),
        (ServerOptions::tls13(), "SERVER_TRAFFIC_SECRET_0"),
    ] {
        let log = std::sync::Arc::new(Recorder::default());
        let config = builder().key_log(log.clone()).build().unwrap();
        Pair::new(&config, &options.config()).handshake().unwrap();
        let labels = log.0.lock().unwrap();
        assert!(labels.iter().any(|told| told == label), "{labels:?}");
    }
}
