//! Servers that do not know the extension, and one that acknowledges it and does not obey.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::mpsc;

use super::*;
use hubtls_tests::client::{PATIENCE, connect, error};
use hubtls_tests::hub::{Hub, echo};
use hubtls_tests::memory::ServerOptions;
use hubtls_tests::programs::Enclosed;
use hubtls_tests::wire::{Proxy, records};

fn options(version: Version) -> ServerOptions {
    match version {
        Version::Tls12 => ServerOptions::tls12(),
        Version::Tls13 => ServerOptions::tls13(),
    }
}

#[track_caller]
fn assert_refused(version: Version, address: SocketAddr) {
    for &length in FragmentLength::ALL {
        let config = of_version(version, FragmentMode::Require(length));
        let mut stream = connect(&config.build().unwrap(), address);
        let error = stream.handshake().unwrap_err();
        assert_error(
            &error,
            ErrorCode::FragmentLengthRefused,
            "handshake_failure",
        );
        assert!(error.message().contains(&length.bytes().to_string()));
    }
}

#[test]
fn a_stock_rustls_server_is_accepted_if_the_value_was_only_requested() {
    for version in BOTH {
        let hub = Hub::start(options(version).config(), echo);
        let proxy = Proxy::to(hub.address());
        let mut stream = connect(&requesting(version, L512), proxy.address());
        let negotiated = stream.handshake().unwrap();
        assert_eq!(negotiated.fragment_length(), None);
        let sent = [7; 70_000];
        let mut received = vec![0; sent.len()];
        for (part, answer) in sent.chunks(10_000).zip(received.chunks_mut(10_000)) {
            stream.write_all(part).unwrap();
            stream.flush().unwrap();
            stream.read_exact(answer).unwrap();
        }
        assert!(received == sent);
        stream.finish().unwrap();
        drop(stream);
        let recording = &proxy.recordings()[0];
        // The server need not keep to what it did not agree to; the client, which said so, does.
        let longest = recording.server.iter().map(|record| record.payload.len());
        assert!(longest.max() > Some(1_000));
        assert_fragments(&recording.client[1..], negotiated.cipher_suite(), 512);
    }
}

#[test]
fn a_stock_rustls_server_is_refused_if_the_value_was_required() {
    for version in BOTH {
        let (heard, told) = mpsc::channel();
        let hub = Hub::start(options(version).config(), move |mut stream| {
            let outcome = stream.conn.complete_io(&mut stream.sock);
            let _ = heard.send(outcome.map(|_| ()).map_err(|error| error.to_string()));
        });
        assert_refused(version, hub.address());
        for _ in FragmentLength::ALL {
            let outcome = told.recv_timeout(PATIENCE).unwrap();
            let message = outcome.unwrap_err().to_lowercase();
            assert!(message.contains("handshakefailure"), "{message}");
        }
    }
}

#[test]
fn the_refusal_of_tls12_is_a_handshake_failure_on_the_wire() {
    let mode = FragmentMode::Require(L512);
    let config = of_version(Version::Tls12, mode).build().unwrap();
    let server = hubtls_tests::duo::Rustls::new(&ServerOptions::tls12().config());
    let mut duo = Duo::new(&config, server);
    let error = duo.exchange().unwrap_err();
    assert_error(
        &error,
        ErrorCode::FragmentLengthRefused,
        "handshake_failure",
    );
    assert_eq!(
        records(&duo.sent)[1].bytes(),
        [21, 3, 3, 0, 2, 2, HANDSHAKE_FAILURE]
    );
    duo.assert_dead(&error);
}

/// What comes after a request, until the end or an error: with how many bytes of plaintext, and the longest record of the server's.
fn fetch(config: &Config, address: SocketAddr) -> (hubtls::Result<()>, usize, usize) {
    let proxy = Proxy::to(address);
    let mut stream = connect(config, proxy.address());
    let mut received = 0;
    let mut run = || {
        stream.handshake()?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").map_err(error)?;
        stream.flush().map_err(error)?;
        let mut buffer = [0; 4096];
        while received < Enclosed::CONTENTS {
            match stream.read(&mut buffer).map_err(error)? {
                0 => break,
                length => received += length,
            }
        }
        Ok(())
    };
    let result = run();
    drop(stream);
    let recording = &proxy.recordings()[0];
    let longest = recording.server.iter().map(|record| record.payload.len());
    let longest = longest.max().unwrap();
    (result, received, longest)
}

#[test]
fn nss_is_accepted_if_the_value_was_only_requested_and_refused_if_it_was_required() {
    let server = Enclosed::nss("rsa");
    for version in BOTH {
        for &length in FragmentLength::ALL {
            let config = requesting(version, length);
            let (result, received, longest) = fetch(&config, server.address());
            result.unwrap();
            assert!(received >= Enclosed::CONTENTS);
            assert!(longest > 16_384, "{longest}");
        }
        assert_refused(version, server.address());
    }
    // NSS prints the number of SSL_ERROR_HANDSHAKE_FAILURE_ALERT.
    server.wait_for_output("-12227");
}

#[test]
fn gnutls_acknowledges_in_tls12_sends_longer_records_and_is_refused() {
    let server = Enclosed::gnutls("ecdsa", "NORMAL:-VERS-ALL:+VERS-TLS1.2");
    for &length in FragmentLength::ALL {
        let config = requesting(Version::Tls12, length);
        let (result, _, longest) = fetch(&config, server.address());
        let error =
            result.expect_err("GnuTLS 3.7 does not obey; one that does belongs in the matrix");
        assert_error(&error, ErrorCode::RecordOverflow, "record_overflow");
        assert!(error.hint().contains("GnuTLS"));
        assert!(longest > largest_payload(None, length.bytes()) + 24);
    }
    let (result, received, _) = fetch(&not_asking(Version::Tls12), server.address());
    result.expect("nothing is wrong where nothing was agreed");
    assert!(received >= Enclosed::CONTENTS);
}

#[test]
fn gnutls_obeys_in_tls13() {
    let server = Enclosed::gnutls("ecdsa", "NORMAL:-VERS-ALL:+VERS-TLS1.3");
    for &length in FragmentLength::ALL {
        let config = requesting(Version::Tls13, length);
        let (result, received, longest) = fetch(&config, server.address());
        result.unwrap();
        assert!(received >= Enclosed::CONTENTS);
        assert_eq!(longest, length.bytes() + 1 + 16);
    }
}
