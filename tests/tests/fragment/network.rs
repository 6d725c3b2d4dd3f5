//! A man in the middle between real sockets, and how little a connection of 512 bytes buffers.

use std::net::SocketAddr;

use super::*;
use hubtls_tests::client::{connect, converse};
use hubtls_tests::programs::Java;
use hubtls_tests::server::{Options, Server as Program};
use hubtls_tests::wire::{Proxy, Side, edit_extensions};

/// Changes the extensions of every message of that type on its way, and demands that no handshake comes of it.
fn changed(
    address: SocketAddr,
    version: Version,
    mode: FragmentMode,
    kind: u8,
    edit: fn(&mut Vec<Vec<u8>>),
) -> Error {
    let proxy = Proxy::editing(address, move |side, record| {
        let sends = match kind {
            handshake::CLIENT_HELLO => Side::Client,
            _ => Side::Server,
        };
        if side == sends {
            edit_extensions(&[record], kind, |_, list| edit(list))
        } else {
            vec![record]
        }
    });
    let mut stream = connect(&of_version(version, mode).build().unwrap(), proxy.address());
    let error = converse(&mut stream, "line\n").unwrap_err();
    assert!(stream.connection().negotiated().is_none());
    error
}

fn strip(list: &mut Vec<Vec<u8>>) {
    list.retain(|bytes| !is_extension(bytes));
}

fn add(list: &mut Vec<Vec<u8>>) {
    list.insert(0, extension(&[1]));
}

fn change(list: &mut Vec<Vec<u8>>) {
    strip(list);
    list.insert(0, extension(&[4]));
}

fn assert_every_change_fails(address: SocketAddr) {
    use ErrorCode::{AlertReceived, BadRecord, FragmentLengthRefused, PeerMisbehaved};
    let (request, require) = (FragmentMode::Request(L512), FragmentMode::Require(L512));
    let (hello, answer) = (handshake::CLIENT_HELLO, handshake::SERVER_HELLO);
    let (tls12, tls13) = (Version::Tls12, Version::Tls13);
    type Case = (Version, FragmentMode, u8, fn(&mut Vec<Vec<u8>>), ErrorCode);
    let cases: [Case; 11] = [
        (tls12, request, hello, strip, AlertReceived),
        (tls12, require, hello, strip, FragmentLengthRefused),
        (tls12, request, hello, change, PeerMisbehaved),
        (tls12, FragmentMode::Off, hello, add, PeerMisbehaved),
        (tls12, request, answer, strip, AlertReceived),
        (tls12, request, answer, change, PeerMisbehaved),
        (tls13, request, hello, strip, BadRecord),
        (tls13, require, hello, change, BadRecord),
        (tls13, FragmentMode::Off, hello, add, BadRecord),
        (tls13, request, answer, add, PeerMisbehaved),
        (tls13, require, answer, change, PeerMisbehaved),
    ];
    for (index, (version, mode, kind, edit, code)) in cases.into_iter().enumerate() {
        let error = changed(address, version, mode, kind, edit);
        assert_eq!(error.code(), code, "case {index}: {error:?}");
    }
}

#[test]
fn no_change_on_the_way_to_mosquitto_goes_unnoticed() {
    assert_every_change_fails(Program::start(&Options::mosquitto("ecdsa", &[])).address());
}

#[test]
fn no_change_on_the_way_to_java_goes_unnoticed() {
    assert_every_change_fails(Java::start("ecdsa", &[]).addresses[0]);
}

#[test]
fn a_connection_of_512_bytes_takes_no_more_than_a_record_of_that_size_at_a_time() {
    for version in BOTH {
        let config = of_version(version, FragmentMode::Require(L512))
            .build()
            .unwrap();
        let mut duo = pair(&config, &openssl(version));
        duo.handshake().unwrap();
        let suite = duo.client.negotiated().unwrap().cipher_suite();
        duo.server.write(&[7; 20_000]);
        let wire = duo.take_from_server();
        let (mut at, mut buffer) = (0, [0; 4_096]);
        while at < wire.len() {
            let taken = duo.client.receive(&wire[at..]).unwrap();
            at += taken;
            assert!(
                (1..=5 + largest_payload(Some(suite), 512)).contains(&taken),
                "{taken}"
            );
            assert_eq!(duo.client.receive(&wire[at..]).unwrap(), 0, "one at a time");
            let waiting = duo.client.readable_bytes().unwrap();
            assert!(waiting <= 512, "{waiting}");
            let read = duo.client.read(&mut buffer).unwrap();
            duo.received.extend_from_slice(&buffer[..read]);
        }
        assert_eq!(duo.received, [7; 20_000]);
    }
}
