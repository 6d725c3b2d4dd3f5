//! Handshakes and data with OpenSSL in memory: every suite, with a server that has encrypt-then-MAC (RFC 7366) and one that has not.
//!
//! hubtls never offers encrypt-then-MAC, so nothing may differ.

use hubtls::{ErrorCode, Policy};
use hubtls_tests::client::{builder, identity};
use openssl::ssl::SslOptions;

use super::peer::{NO_ENCRYPT_THEN_MAC, Pair, server};
use super::{bytes, config, only, suites};

const SERVERS: [SslOptions; 2] = [SslOptions::empty(), NO_ENCRYPT_THEN_MAC];

/// The names of all CBC suites and of nothing else, in OpenSSL's order.
fn every_suite() -> String {
    let names: Vec<_> = suites()
        .iter()
        .map(|(suite, _)| suite.openssl_name())
        .collect();
    names.join(":")
}

#[track_caller]
fn assert_both_ways(pair: &mut Pair, plain: &[u8]) {
    let sent = pair.seal(plain);
    assert!(
        pair.give_to_server(&sent).unwrap() == plain,
        "{} bytes to the server",
        plain.len()
    );
    let answer = pair.server_seal(plain);
    assert!(
        pair.give_to_client(&answer).unwrap() == plain,
        "{} bytes to the client",
        plain.len()
    );
}

#[test]
fn every_suite_is_agreed_and_both_sides_know_its_name() {
    for (suite, certificate) in suites() {
        for options in SERVERS {
            let server = server(&[certificate], &every_suite(), false, options);
            let pair = Pair::connected(&config(suite), &server);
            let negotiated = pair.client.negotiated().unwrap();
            assert_eq!(negotiated.cipher_suite(), suite);
            let theirs = pair.server.ssl().current_cipher().unwrap();
            assert_eq!(theirs.name(), suite.openssl_name());
        }
    }
}

#[test]
fn every_length_passes_in_both_directions() {
    for (suite, certificate) in suites() {
        for options in SERVERS {
            let server = server(&[certificate], suite.openssl_name(), false, options);
            let mut pair = Pair::connected(&config(suite), &server);
            for length in (1..=600).chain(16_368..=16_400) {
                assert_both_ways(&mut pair, &bytes(length));
            }
        }
    }
}

#[test]
fn more_than_a_megabyte_passes_in_both_directions() {
    let plain = bytes(1_200_003);
    for (suite, certificate) in suites() {
        for options in SERVERS {
            let server = server(&[certificate], suite.openssl_name(), false, options);
            let mut pair = Pair::connected(&config(suite), &server);
            assert_both_ways(&mut pair, &plain);
        }
    }
}

#[test]
fn both_sides_finish_with_close_notify() {
    for (suite, certificate) in suites() {
        let server = server(
            &[certificate],
            suite.openssl_name(),
            false,
            SslOptions::empty(),
        );
        let mut pair = Pair::connected(&config(suite), &server);
        pair.client.finish().unwrap();
        let sent = pair.take_from_client();
        let end = pair.give_to_server(&sent).unwrap_err();
        assert_eq!(end.code(), openssl::ssl::ErrorCode::ZERO_RETURN);
        pair.server.shutdown().unwrap();
        let answer = pair.take_from_server();
        assert!(pair.give_to_client(&answer).unwrap().is_empty());
        pair.client.receive_end().unwrap();
        assert!(pair.client.is_ended());
    }
}

#[test]
fn sessions_are_resumed_by_ticket_and_by_id() {
    for (suite, certificate) in suites() {
        for options in [SslOptions::empty(), SslOptions::NO_TICKET] {
            let server = server(&[certificate], suite.openssl_name(), false, options);
            let config = config(suite);
            for resumed in [false, true, true] {
                let mut pair = Pair::connected(&config, &server);
                let negotiated = pair.client.negotiated().unwrap();
                assert_eq!(
                    (negotiated.cipher_suite(), negotiated.resumed()),
                    (suite, resumed)
                );
                assert_eq!(pair.server.ssl().session_reused(), resumed);
                assert_both_ways(&mut pair, &bytes(100));
                pair.client.finish().unwrap();
                let end = pair.take_from_client();
                pair.give_to_server(&end).unwrap_err();
                pair.server.shutdown().unwrap();
            }
        }
    }
}

#[test]
fn a_client_certificate_of_every_kind_is_accepted() {
    for (suite, certificate) in suites() {
        let server = server(
            &[certificate],
            suite.openssl_name(),
            true,
            SslOptions::empty(),
        );
        for kind in ["rsa2048", "p256", "p384"] {
            let config = only(suite).identity(identity(kind)).build().unwrap();
            let mut pair = Pair::connected(&config, &server);
            let device = pair.server.ssl().peer_certificate().unwrap();
            let subject = format!("{:?}", device.subject_name());
            assert!(subject.contains(&format!("device-{kind}")), "{subject}");
            assert_both_ways(&mut pair, &bytes(100));
        }
    }
}

#[test]
fn every_policy_with_cbc_suites_meets_a_server_that_has_nothing_else() {
    for policy in Policy::all() {
        let own = policy.suites();
        if !own.iter().any(|suite| suite.mode() == hubtls::Mode::Cbc) {
            continue;
        }
        let server = server(&["ecdsa"], &every_suite(), false, SslOptions::NO_TLSV1_3);
        let config = builder().policy(policy.clone()).build().unwrap();
        let pair = Pair::connected(&config, &server);
        let agreed = pair.client.negotiated().unwrap().cipher_suite();
        assert_eq!(agreed.mode(), hubtls::Mode::Cbc, "{}", policy.name());
    }
}

#[test]
fn the_ecc_policy_gets_the_ecdsa_certificate_of_a_cbc_server_with_both_kinds() {
    let config = builder()
        .policy(Policy::named("iothub-ecc").unwrap())
        .build()
        .unwrap();
    let options = SslOptions::CIPHER_SERVER_PREFERENCE;
    for certificates in [&["ecdsa"][..], &["rsa", "ecdsa"]] {
        let server = server(
            certificates,
            "ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256",
            false,
            options,
        );
        let mut pair = Pair::connected(&config, &server);
        let negotiated = pair.client.negotiated().unwrap();
        assert_eq!(
            negotiated.cipher_suite().iana_name(),
            "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"
        );
        assert_both_ways(&mut pair, &bytes(100));
    }
}

#[test]
fn the_aead_policies_have_nothing_in_common_with_a_cbc_server() {
    for policy in Policy::all() {
        if policy
            .suites()
            .iter()
            .any(|suite| suite.mode() == hubtls::Mode::Cbc)
        {
            continue;
        }
        let config = builder().policy(policy.clone()).build().unwrap();
        let server = server(
            &["rsa", "ecdsa"],
            &every_suite(),
            false,
            SslOptions::NO_TLSV1_3,
        );
        let error = Pair::new(&config, &server).handshake().unwrap_err();
        assert_eq!(error.code(), ErrorCode::NoCommonSuite, "{}", policy.name());
    }
}
