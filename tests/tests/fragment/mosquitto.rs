//! A device that subscribes and publishes to itself through mosquitto, MQTT 3.1.1 written by hand.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::*;
use hubtls::{Negotiated, Stream};
use hubtls_tests::client::{connect, identity};
use hubtls_tests::programs::Enclosed;
use hubtls_tests::server::{Options, Server as Program};
use hubtls_tests::wire::Proxy;

const TOPIC: &[u8] = b"devices/d/messages";

/// A packet: type with flags, remaining length in groups of seven bits, and the rest.
fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut length = rest.len();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap();
        length >>= 7;
        packet.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    packet.extend_from_slice(rest);
    packet
}

fn text(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    [&length.to_be_bytes(), bytes].concat()
}

fn read_packet(stream: &mut Stream<TcpStream>) -> (u8, Vec<u8>) {
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    let first = byte[0];
    let (mut length, mut shift) = (0, 0);
    loop {
        stream.read_exact(&mut byte).unwrap();
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).unwrap();
    (first, rest)
}

/// Publishes what takes more than three fragments and gets it back.
fn round_trip(config: &Config, address: SocketAddr, length: FragmentLength) -> Negotiated {
    let mut stream = connect(config, address);
    let negotiated = stream.handshake().unwrap();
    let connect = [&text(b"MQTT")[..], &[4, 2, 0, 60], &text(b"d")].concat();
    stream.write_all(&packet(0x10, &connect)).unwrap();
    stream.flush().unwrap();
    assert_eq!(read_packet(&mut stream), (0x20, vec![0, 0]));
    let subscribe = [&[0, 1][..], &text(TOPIC), &[0]].concat();
    stream.write_all(&packet(0x82, &subscribe)).unwrap();
    stream.flush().unwrap();
    assert_eq!(read_packet(&mut stream), (0x90, vec![0, 1, 0]));
    let payload: Vec<u8> = (0..=u8::MAX)
        .cycle()
        .take(4 * length.bytes() + 77)
        .collect();
    let publish = [text(TOPIC), payload].concat();
    stream.write_all(&packet(0x30, &publish)).unwrap();
    stream.flush().unwrap();
    let (first, received) = read_packet(&mut stream);
    assert_eq!(first, 0x30);
    assert!(received == publish, "the message came back as it was");
    stream.write_all(&packet(0xe0, &[])).unwrap();
    stream.flush().unwrap();
    let _ = stream.finish();
    negotiated
}

fn each_value(options: &Options, named: Option<&str>) {
    let server = Program::start(options);
    let proxy = Proxy::to(server.address());
    for version in BOTH {
        for &length in FragmentLength::ALL {
            let mut config = of_version(version, FragmentMode::Require(length));
            if let Some(name) = named {
                config = config.identity(identity(name));
            }
            let config = config.build().unwrap();
            let mut resumed = 0;
            for _ in 0..2 {
                let negotiated = round_trip(&config, proxy.address(), length);
                assert_eq!(negotiated.version(), version);
                assert_eq!(negotiated.fragment_length(), Some(length));
                resumed += usize::from(negotiated.resumed());
                let recording = &proxy.recordings()[0];
                let suite = negotiated.cipher_suite();
                let sent = assert_fragments(&recording.client[1..], suite, length.bytes());
                let answered = assert_fragments(&recording.server, suite, length.bytes());
                assert!(sent >= 3 && answered >= 3, "{sent} and {answered}");
            }
            assert_eq!(resumed, 1, "{version:?}: the second is resumed");
        }
    }
}

#[test]
fn a_message_goes_round_full_and_resumed() {
    each_value(&Options::mosquitto("rsa", &[]), None);
}

#[test]
fn a_message_goes_round_with_client_certificates() {
    let options = Options::mosquitto("ecdsa", &[]).with_client_certificates();
    each_value(&options, Some("p256"));
}

#[test]
fn a_message_goes_round_with_each_cbc_suite() {
    for certificate in ["ecdsa", "rsa"] {
        let server = Program::start(&Options::mosquitto(certificate, &[]));
        let proxy = Proxy::to(server.address());
        let default = Policy::default();
        let suites = default.suites().iter().filter(|suite| {
            let name = suite.iana_name();
            name.contains("CBC") && name.contains(&certificate.to_uppercase())
        });
        for &suite in suites {
            let policy = Policy::default().only_suites(&[suite]).unwrap();
            let policy = policy.only_versions(&[Version::Tls12]).unwrap();
            for &length in FragmentLength::ALL {
                let config = builder()
                    .policy(policy.clone())
                    .fragment_length(FragmentMode::Require(length))
                    .build()
                    .unwrap();
                let negotiated = round_trip(&config, proxy.address(), length);
                assert_eq!(negotiated.cipher_suite(), suite);
                let recording = &proxy.recordings()[0];
                assert!(assert_fragments(&recording.client[1..], suite, length.bytes()) >= 3);
                // OpenSSL encrypts four CBC records or more at once, and then makes them a little shorter than they may be.
                assert_fragments(&recording.server, suite, length.bytes());
                let long = |record: &&Record| record.payload.len() > length.bytes() * 3 / 4;
                assert!(recording.server.iter().filter(long).count() >= 4);
            }
        }
    }
}

#[test]
fn a_message_goes_round_after_a_hello_retry_request() {
    let server = Enclosed::mosquitto_with_p384("ecdsa");
    let proxy = Proxy::to(server.address());
    for &length in FragmentLength::ALL {
        let config = of_version(Version::Tls13, FragmentMode::Require(length));
        let config = config.build().unwrap();
        let negotiated = round_trip(&config, proxy.address(), length);
        assert_eq!(negotiated.group(), Some(hubtls::Group::Secp384r1));
        assert_eq!(negotiated.fragment_length(), Some(length));
        let recording = &proxy.recordings()[0];
        let hellos = recording.client.iter().filter(|record| {
            record.kind == content::HANDSHAKE && record.payload[0] == handshake::CLIENT_HELLO
        });
        assert_eq!(hellos.count(), 2, "the server asked again");
        let rest: Vec<_> = recording
            .client
            .iter()
            .filter(|record| record.kind != content::HANDSHAKE)
            .cloned()
            .collect();
        let suite = negotiated.cipher_suite();
        assert!(assert_fragments(&rest, suite, length.bytes()) >= 3);
        assert!(assert_fragments(&recording.server, suite, length.bytes()) >= 3);
    }
}
