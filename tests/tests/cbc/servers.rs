//! Real servers on loopback.

use std::io::{Read, Write};

use hubtls::{CipherSuite, ErrorCode, Stream};
use hubtls_tests::client::{self, connect, converse, identity};
use hubtls_tests::server::{Options, Server};

use super::{config, only, suites};

/// Lengths of lines around the edges of blocks and of the server's buffer.
const LENGTHS: [usize; 12] = [0, 1, 14, 15, 16, 17, 31, 32, 33, 255, 600, 16_000];

fn line(length: usize) -> String {
    let text = ('a'..='z').cycle().take(length);
    text.chain(['\n']).collect()
}

fn reversed(line: &str) -> String {
    line.trim_end().chars().rev().chain(['\n']).collect()
}

fn openssl(suite: CipherSuite, certificate: &str, further: &[&str]) -> Options {
    let arguments = [&["-tls1_2", "-cipher", suite.openssl_name()], further].concat();
    Options::openssl(certificate, &arguments)
}

#[test]
fn s_server_answers_lines_of_many_lengths_with_and_without_encrypt_then_mac() {
    for (suite, certificate) in suites() {
        for further in [&[][..], &["-no_etm"]] {
            let server = Server::start(&openssl(suite, certificate, further));
            let mut stream = connect(&config(suite), server.address());
            for length in LENGTHS {
                let line = line(length);
                assert_eq!(converse(&mut stream, &line).unwrap(), reversed(&line));
            }
            let negotiated = stream.connection().negotiated().unwrap();
            assert_eq!(negotiated.cipher_suite(), suite);
        }
    }
}

#[test]
fn s_server_answers_more_than_a_megabyte() {
    for (suite, certificate) in suites() {
        let server = Server::start(&openssl(suite, certificate, &[]));
        let mut stream = connect(&config(suite), server.address());
        let line = line(16_000);
        let expected = reversed(&line);
        for _ in 0..70 {
            assert!(exchange(&mut stream, line.as_bytes(), expected.len()) == expected.as_bytes());
        }
    }
}

#[test]
fn s_server_resumes_the_session_and_takes_the_client_certificate() {
    for (suite, certificate) in suites() {
        let options = openssl(suite, certificate, &[]).with_client_certificates();
        let server = Server::start(&options);
        let config = only(suite).identity(identity("p256")).build().unwrap();
        for resumed in [false, true] {
            let mut stream = connect(&config, server.address());
            assert_eq!(converse(&mut stream, "ping\n").unwrap(), "gnip\n");
            assert_eq!(stream.connection().negotiated().unwrap().resumed(), resumed);
            stream.finish().unwrap();
        }
    }
}

#[test]
fn the_aead_policy_is_refused_by_a_cbc_s_server() {
    let (suite, certificate) = suites()[0];
    let server = Server::start(&openssl(suite, certificate, &[]));
    let mut stream = connect(&client::config("iothub-aead"), server.address());
    let error = stream.handshake().unwrap_err();
    assert_eq!(error.code(), ErrorCode::NoCommonSuite);
}

#[test]
fn gnutls_echoes_lines_of_many_lengths() {
    for (suite, certificate) in suites() {
        let (cipher, mac) = if suite.openssl_name().ends_with("SHA384") {
            ("AES-256-CBC", "SHA384")
        } else {
            ("AES-128-CBC", "SHA256")
        };
        let priority =
            format!("NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+{cipher}:-MAC-ALL:+{mac}");
        let server = Server::start(&Options::gnutls(certificate, &priority));
        let config = config(suite);
        for resumed in [false, true] {
            let mut stream = connect(&config, server.address());
            for length in LENGTHS {
                let line = line(length);
                assert_eq!(
                    exchange(&mut stream, line.as_bytes(), line.len()),
                    line.as_bytes(),
                    "{length}"
                );
            }
            let negotiated = stream.connection().negotiated().unwrap();
            assert_eq!(negotiated.cipher_suite(), suite);
            assert_eq!(negotiated.resumed(), resumed);
            stream.finish().unwrap();
        }
    }
}

#[test]
fn mosquitto_brings_back_messages_of_many_lengths() {
    // MQTT 3.1.1: CONNECT of the client "hub" with a clean session, and SUBSCRIBE to "t".
    const CONNECT: &[u8] = b"\x10\x0f\0\x04MQTT\x04\x02\0\x3c\0\x03hub";
    const SUBSCRIBE: &[u8] = b"\x82\x06\0\x01\0\x01t\0";
    for (suite, certificate) in suites() {
        let lines = [
            "tls_version tlsv1.2".to_owned(),
            format!("ciphers {}", suite.openssl_name()),
        ];
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let broker = Server::start(&Options::mosquitto(certificate, &lines));
        let mut stream = connect(&config(suite), broker.address());
        assert_eq!(exchange(&mut stream, CONNECT, 4), b"\x20\x02\0\0");
        assert_eq!(exchange(&mut stream, SUBSCRIBE, 5), b"\x90\x03\0\x01\0");
        for length in LENGTHS.into_iter().chain([1_200_000]) {
            let message = publish(length);
            assert!(
                exchange(&mut stream, &message, message.len()) == message,
                "{length}"
            );
        }
        assert_eq!(
            stream.connection().negotiated().unwrap().cipher_suite(),
            suite
        );
    }
}

/// PUBLISH to "t" with quality of service 0: what the subscriber gets back is the same packet.
fn publish(length: usize) -> Vec<u8> {
    let mut packet = vec![0x30];
    let mut rest = length + 3;
    while rest > 127 {
        packet.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    packet.push(u8::try_from(rest).unwrap());
    packet.extend_from_slice(b"\0\x01t");
    packet.extend(super::bytes(length));
    packet
}

/// Sends `request` and reads an answer of `length` bytes.
fn exchange(stream: &mut Stream<std::net::TcpStream>, request: &[u8], length: usize) -> Vec<u8> {
    stream.write_all(request).unwrap();
    stream.flush().unwrap();
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).unwrap();
    answer
}
