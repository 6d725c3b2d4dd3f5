//! What an end means depends on what came before it.

use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;

use super::*;

/// The SHA-256 of "HelloRetryRequest" (RFC 8446, section 4.1.3).
const RETRY_RANDOM: &str = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";

/// A server that asks for a client certificate and does without, as IoT Hub for devices with symmetric keys.
fn indulgent() -> ServerConnection {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority().root.clone().into()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
    let key = PrivateKeyDer::try_from(authority().key.clone()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap())
        .with_single_cert(authority().chain.clone(), key)
        .unwrap();
    ServerConnection::new(Arc::new(config)).unwrap()
}

#[test]
fn a_certificate_is_missed_only_until_the_server_has_answered() {
    for answered in [false, true] {
        let config = config("iothub");
        let (mut client, mut server) = (Connection::new(&config, NAME).unwrap(), indulgent());
        while client.is_handshaking() {
            let answer = exchange(&mut client, &mut server);
            client.receive(&answer).unwrap();
        }
        let mut tickets = exchange(&mut client, &mut server);
        client.receive_in_place(&mut tickets, |_| ()).unwrap();
        if answered {
            let mut records = say(&mut server, b"telemetry accepted");
            client.receive_in_place(&mut records, |_| ()).unwrap();
        }
        let error = client.receive_end().unwrap_err();
        assert_eq!(error.code(), ErrorCode::Truncated);
        assert_eq!(error.hint().contains("identity"), !answered, "{error}");
    }
}

/// A server's request to try again with the key exchange group secp384r1.
fn retry_request(client_hello: &[u8]) -> Vec<u8> {
    // Record and handshake header, version, random; the session identifier is to be echoed.
    let session = &client_hello[5 + 4 + 2 + 32..][..33];
    let random = data_encoding::HEXLOWER.decode(RETRY_RANDOM.as_bytes());
    let extensions = [0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 24];
    let hello = [
        &[3, 3],
        &random.unwrap()[..],
        session,
        &[0x13, 0x01, 0, 0, 12],
        &extensions,
    ]
    .concat();
    let length = u8::try_from(hello.len()).unwrap();
    [&[22, 3, 3, 0, length + 4, 2, 0, 0, length], &hello[..]].concat()
}

#[test]
fn a_server_that_gives_up_after_its_retry_request_has_no_suite_in_common() {
    let mut client = Connection::new(&config("iothub"), NAME).unwrap();
    let request = retry_request(client.pending());
    client.transmitted(usize::MAX);
    client.receive(&request).unwrap();
    assert!(client.wants_transmit(), "the second ClientHello");
    let error = client.receive(&[21, 3, 3, 0, 2, 2, 40]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NoCommonSuite);
}

#[test]
fn a_close_in_mid_handshake_is_one_in_tls_1_3_too() {
    let (mut client, mut server) = (Connection::new(&config("iothub"), NAME).unwrap(), server());
    let answer = exchange(&mut client, &mut server);
    let hello = whole_record(&answer, usize::MAX).unwrap();
    client.receive(&answer[..hello]).unwrap();
    let error = client.receive(&[21, 3, 3, 0, 2, 1, 0]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ClosedInHandshake);
}
