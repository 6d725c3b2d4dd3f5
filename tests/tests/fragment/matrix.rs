//! Real servers behind the recording proxy: every value, version and kind of handshake.

use std::net::SocketAddr;

use super::*;
use hubtls::{Negotiated, Stream};
use hubtls_tests::client::{connect, converse, identity};
use hubtls_tests::programs::Java;
use hubtls_tests::server::{Options, Server as Program};
use hubtls_tests::wire::{Cut, Proxy, Recording};
use std::net::TcpStream;

/// A line of more than three fragments, and its reverse.
fn line(length: FragmentLength) -> (String, String) {
    let mut text: String = ('a'..='z').cycle().take(3 * length.bytes() + 77).collect();
    let reversed: String = text.chars().rev().collect();
    text.push('\n');
    (text, reversed + "\n")
}

/// A session from handshake to close_notify.
#[track_caller]
fn session(config: &Config, address: SocketAddr, length: FragmentLength) -> Negotiated {
    let (sent, answer) = line(length);
    let mut stream = connect(config, address);
    let received = converse(&mut stream, &sent).unwrap_or_else(|error| panic!("{error:?}"));
    assert!(received == answer, "the answer came as it was");
    let negotiated = stream.connection().negotiated().unwrap();
    let _ = Stream::<TcpStream>::finish(&mut stream);
    assert_eq!(negotiated.fragment_length(), Some(length));
    negotiated
}

/// What both sides sent obeys the value, and fills it in each direction. Returns the ClientHellos.
#[track_caller]
fn assert_recorded(recording: &Recording, negotiated: &Negotiated) -> Vec<Vec<u8>> {
    let length = negotiated.fragment_length().unwrap();
    let suite = negotiated.cipher_suite();
    let is_hello = |record: &&Record| {
        record.kind == content::HANDSHAKE
            && record.payload[0] == handshake::CLIENT_HELLO
            && handshake::is_whole(&record.payload)
    };
    let hellos: Vec<_> = recording.client.iter().filter(is_hello).collect();
    for hello in &hellos {
        assert_eq!(
            handshake::messages(&hello.payload).len(),
            1,
            "in one record"
        );
        let extensions = handshake::extensions(&hello.payload);
        assert!(extensions.contains(&(1, vec![length.code()])));
    }
    let rest: Vec<_> = recording
        .client
        .iter()
        .filter(|record| !is_hello(record))
        .cloned()
        .collect();
    assert!(assert_fragments(&rest, suite, length.bytes()) >= 3);
    let full = assert_fragments(&recording.server, suite, length.bytes());
    let protected = |record: &&Record| record.kind == content::APPLICATION_DATA;
    let count = recording.server.iter().filter(protected).count();
    // Java's fragments of TLS 1.3 are a little shorter than they may be.
    let java = negotiated.version() == Version::Tls13 && full == 0;
    assert!(
        full >= 3 || java && count >= 4,
        "{full} full records of {count}"
    );
    hellos.iter().map(|hello| hello.payload.clone()).collect()
}

/// Full and resumed sessions at `address` with each value.
fn each_value(
    address: SocketAddr,
    version: Version,
    build: impl Fn(ConfigBuilder) -> ConfigBuilder,
    check: impl Fn(&Negotiated, &[Vec<u8>]),
) {
    let proxy = Proxy::to(address);
    for &length in FragmentLength::ALL {
        let config = build(of_version(version, FragmentMode::Require(length)));
        let config = config.build().unwrap();
        for resumed in [false, true] {
            let negotiated = session(&config, proxy.address(), length);
            assert_eq!(negotiated.resumed(), resumed);
            assert_eq!(negotiated.version(), version);
            let recordings = proxy.recordings();
            assert_eq!(recordings.len(), 1);
            let hellos = assert_recorded(&recordings[0], &negotiated);
            check(&negotiated, &hellos);
        }
    }
}

fn one_hello(_: &Negotiated, hellos: &[Vec<u8>]) {
    assert_eq!(hellos.len(), 1);
}

fn retried(_: &Negotiated, hellos: &[Vec<u8>]) {
    // The key exchange of a resumed session begins with the group that the server liked.
    assert!((1..=2).contains(&hellos.len()));
}

fn openssl_server(arguments: &[&str]) -> Options {
    Options::openssl("ecdsa", arguments)
}

#[test]
fn openssl_full_and_resumed() {
    let server = Program::start(&openssl_server(&[]));
    for version in BOTH {
        each_value(server.address(), version, |builder| builder, one_hello);
    }
}

#[test]
fn openssl_with_client_certificates() {
    let server = Program::start(&Options::openssl("rsa", &[]).with_client_certificates());
    for version in BOTH {
        for name in ["p256", "rsa2048"] {
            each_value(
                server.address(),
                version,
                |builder| builder.identity(identity(name)),
                one_hello,
            );
        }
    }
}

#[test]
fn openssl_with_a_hello_retry_request() {
    let arguments = ["-groups", "P-384"];
    for options in [
        openssl_server(&arguments),
        openssl_server(&arguments).with_client_certificates(),
    ] {
        let server = Program::start(&options);
        let proxy = Proxy::to(server.address());
        for &length in FragmentLength::ALL {
            let config = of_version(Version::Tls13, FragmentMode::Require(length));
            let config = config.identity(identity("p384")).build().unwrap();
            let negotiated = session(&config, proxy.address(), length);
            assert!(!negotiated.resumed());
            let hellos = assert_recorded(&proxy.recordings()[0], &negotiated);
            assert_eq!(hellos.len(), 2, "the server asked again");
        }
        each_value(
            server.address(),
            Version::Tls13,
            |builder| builder.identity(identity("p256")),
            retried,
        );
    }
}

#[test]
fn openssl_with_a_post_quantum_hello() {
    let server = Program::start(&openssl_server(&[]));
    each_value(
        server.address(),
        Version::Tls13,
        |builder| builder.post_quantum(true),
        // A resumed session begins with the group that the server liked.
        |negotiated, hellos| {
            let length = hellos[0].len();
            assert!(negotiated.resumed() || length > 1_300, "{length} bytes");
        },
    );
}

#[test]
fn openssl_with_each_suite() {
    let server = Program::start(&openssl_server(&[]).with_certificate("rsa"));
    let proxy = Proxy::to(server.address());
    for &suite in Policy::default().suites() {
        for &length in FragmentLength::ALL {
            let policy = Policy::default().only_suites(&[suite]).unwrap();
            let policy = policy.only_versions(&[suite.version()]).unwrap();
            let config = builder()
                .policy(policy)
                .fragment_length(FragmentMode::Require(length))
                .build()
                .unwrap();
            for resumed in [false, true] {
                let negotiated = session(&config, proxy.address(), length);
                assert_eq!(negotiated.cipher_suite(), suite);
                assert_eq!(negotiated.resumed(), resumed);
                assert_recorded(&proxy.recordings()[0], &negotiated);
            }
        }
    }
}

#[test]
fn openssl_over_a_network_that_cuts_everything_into_bytes() {
    let server = Program::start(&openssl_server(&[]).with_client_certificates());
    let proxy = Proxy::cutting(server.address(), Cut::Pieces(1));
    for version in BOTH {
        let config = of_version(version, FragmentMode::Require(L512)).identity(identity("p256"));
        let config = config.build().unwrap();
        for _ in 0..2 {
            let negotiated = session(&config, proxy.address(), L512);
            assert_recorded(&proxy.recordings()[0], &negotiated);
        }
    }
}

#[test]
fn java_full_resumed_and_with_client_certificates() {
    for certificate in ["ecdsa", "rsa"] {
        let server = Java::start(certificate, &[]);
        for version in BOTH {
            for address in server.addresses {
                each_value(
                    address,
                    version,
                    |builder| builder.identity(identity("p256")),
                    one_hello,
                );
            }
        }
    }
}

#[test]
fn java_with_a_hello_retry_request_and_a_post_quantum_hello() {
    let server = Java::start("ecdsa", &["-Djdk.tls.namedGroups=secp384r1"]);
    for (address, post_quantum) in server.addresses.into_iter().zip([false, true]) {
        let proxy = Proxy::to(address);
        for &length in FragmentLength::ALL {
            let config = of_version(Version::Tls13, FragmentMode::Require(length))
                .identity(identity("p256"))
                .post_quantum(post_quantum)
                .build()
                .unwrap();
            let negotiated = session(&config, proxy.address(), length);
            let hellos = assert_recorded(&proxy.recordings()[0], &negotiated);
            assert_eq!(hellos.len(), 2, "the server asked again");
            let negotiated = session(&config, proxy.address(), length);
            assert!(negotiated.resumed());
            assert_recorded(&proxy.recordings()[0], &negotiated);
        }
    }
}

#[test]
fn java_with_each_suite_of_tls12() {
    for certificate in ["ecdsa", "rsa"] {
        let server = Java::start(certificate, &[]);
        let proxy = Proxy::to(server.addresses[0]);
        let suites = Policy::default();
        let suites = suites.suites().iter().filter(|suite| {
            suite.version() == Version::Tls12
                && suite.iana_name().contains(&certificate.to_uppercase())
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
                let negotiated = session(&config, proxy.address(), length);
                assert_eq!(negotiated.cipher_suite(), suite);
                assert_recorded(&proxy.recordings()[0], &negotiated);
            }
        }
    }
}
