//! Every way in which a connection says no, as far as no real server is needed (the rest stands in scenarios.json).

use hubtls::{Connection, ErrorCode};
use hubtls_tests::client::{builder, config};
use hubtls_tests::fixture;
use hubtls_tests::memory::{Pair, ServerOptions};
use rustls::AlertDescription;

use crate::assert_error;

fn established(server: ServerOptions) -> Pair {
    let mut pair = Pair::new(&config("iothub"), &server.config());
    pair.handshake().unwrap();
    pair
}

fn both_versions() -> [ServerOptions; 2] {
    [ServerOptions::tls12(), ServerOptions::tls13()]
}

#[test]
fn the_alert_for_a_wrong_name_reaches_the_server() {
    for options in [ServerOptions::tls12(), ServerOptions::tls13()] {
        let options = ServerOptions {
            credential: fixture::server("wrong-name"),
            ..options
        };
        let mut pair = Pair::new(&config("iothub"), &options.config());
        let error = pair.exchange().unwrap_err();
        assert_error(
            &error,
            ErrorCode::HostNameMismatch,
            Some("bad_certificate"),
            "localhost",
        );
        pair.client_to_server();
        assert_eq!(
            pair.server_error,
            Some(rustls::Error::AlertReceived(
                AlertDescription::BadCertificate
            ))
        );
    }
}

#[test]
fn every_name_of_a_wrong_certificate_is_told() {
    let mut pair = Pair::new(
        &config("iothub"),
        &ServerOptions::certificate("wrong-name").config(),
    );
    let error = pair.exchange().unwrap_err();
    for name in fixture::OTHER_NAMES {
        assert_error(
            &error,
            ErrorCode::HostNameMismatch,
            Some("bad_certificate"),
            name,
        );
    }
}

#[test]
fn what_is_not_tls_is_told_from_its_first_bytes() {
    for (answer, word) in [
        (b"\x20\x02\x00\x00".as_slice(), "MQTT"),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
    ] {
        let mut connection = Connection::new(&config("iothub"), "localhost").unwrap();
        connection.transmit(&mut [0; 4096]);
        let error = connection.receive(answer).unwrap_err();
        assert_eq!(error.code(), ErrorCode::NotTls, "{error:?}");
        assert!(error.to_string().contains(word), "{error:?}");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn a_fatal_alert_is_told_by_its_name() {
    let mut connection = Connection::new(&config("iothub"), "localhost").unwrap();
    let error = connection.receive(&[21, 3, 3, 0, 2, 2, 80]).unwrap_err();
    assert_error(
        &error,
        ErrorCode::AlertReceived,
        Some("internal_error"),
        "internal_error",
    );
}

#[test]
fn a_fatal_alert_after_the_handshake_is_told_by_its_name() {
    for options in both_versions() {
        let mut pair = established(options);
        pair.give_to_server(
            &[23, 3, 3, 0, 40]
                .iter()
                .copied()
                .chain([7; 40])
                .collect::<Vec<_>>(),
        );
        assert!(
            pair.server_error.is_some(),
            "the server refuses a forged record"
        );
        let error = pair.server_to_client().unwrap_err();
        assert_error(
            &error,
            ErrorCode::AlertReceived,
            Some("bad_record_mac"),
            "bad_record_mac",
        );
    }
}

#[test]
fn a_record_that_was_tampered_with_is_a_bad_record_and_the_server_is_alerted() {
    for options in both_versions() {
        let mut pair = established(options);
        let mut wire = pair.encrypt(b"twenty-two degrees");
        *wire.last_mut().unwrap() ^= 1;
        let error = pair.give_to_client(&wire).unwrap_err();
        assert_error(
            &error,
            ErrorCode::BadRecord,
            Some("bad_record_mac"),
            "record",
        );
        pair.client_to_server();
        assert_eq!(
            pair.server_error,
            Some(rustls::Error::AlertReceived(AlertDescription::BadRecordMac))
        );
    }
}

#[test]
fn a_record_larger_than_any_may_be_is_an_overflow_and_the_server_is_alerted() {
    for options in both_versions() {
        let mut pair = established(options);
        let header_alone = [23, 3, 3, 0x48, 0x01];
        let error = pair.give_to_client(&header_alone).unwrap_err();
        // rustls answers a header with an impossible length with this alert.
        assert_error(
            &error,
            ErrorCode::RecordOverflow,
            Some("decode_error"),
            "larger",
        );
        pair.client_to_server();
        assert_eq!(
            pair.server_error,
            Some(rustls::Error::AlertReceived(AlertDescription::DecodeError))
        );
    }
}

#[test]
fn a_transport_that_ends_without_close_notify_has_truncated_the_stream() {
    for options in both_versions() {
        let mut pair = established(options);
        assert_eq!(pair.answer(b"half a mess").unwrap(), b"half a mess");
        let error = pair.client.receive_end().unwrap_err();
        assert_error(&error, ErrorCode::Truncated, None, "close_notify");
    }
}

#[test]
fn a_transport_that_ends_inside_a_record_has_truncated_the_stream() {
    let mut pair = established(ServerOptions::tls13());
    let wire = pair.encrypt(b"twenty-two degrees");
    pair.give_to_client(&wire[..wire.len() - 1]).unwrap();
    assert_eq!(
        pair.client.receive_end().unwrap_err().code(),
        ErrorCode::Truncated
    );
}

#[test]
fn a_transport_that_ends_after_close_notify_has_ended_well() {
    for options in both_versions() {
        let mut pair = established(options);
        pair.server.send_close_notify();
        pair.exchange().unwrap();
        pair.client.receive_end().unwrap();
        assert!(pair.client.is_ended());
    }
}

#[test]
fn a_transport_that_ends_before_the_handshake_is_closed_in_handshake() {
    let mut connection = Connection::new(&config("iothub"), "localhost").unwrap();
    let error = connection.receive_end().unwrap_err();
    assert_error(&error, ErrorCode::ClosedInHandshake, None, "closed");
}

#[test]
fn whatever_alert_answers_a_missing_client_certificate_it_is_told_as_that() {
    let options = || ServerOptions {
        client_certificates: true,
        ..ServerOptions::tls12()
    };
    for (alert, name) in [
        (40, "handshake_failure"),
        (42, "bad_certificate"),
        (50, "decode_error"),
    ] {
        let mut pair = Pair::new(&config("iothub"), &options().config());
        pair.client_to_server();
        pair.server_to_client().unwrap();
        let error = pair
            .give_to_client(&[21, 3, 3, 0, 2, 2, alert])
            .unwrap_err();
        assert_error(
            &error,
            ErrorCode::ClientCertificateRequired,
            Some(name),
            "identity",
        );
    }
}

#[test]
fn a_close_notify_in_mid_handshake_is_closed_in_handshake() {
    for flights in 0..=1 {
        let server = ServerOptions::tls12().config();
        let mut pair = Pair::new(&config("iothub-tls12"), &server);
        for _ in 0..flights {
            pair.client_to_server();
            pair.server_to_client().unwrap();
        }
        let close_notify = [21, 3, 3, 0, 2, 1, 0];
        let outcome = pair.client.receive(&close_notify);
        let outcome = outcome.and_then(|_| pair.client.receive_end());
        assert_error(
            &outcome.unwrap_err(),
            ErrorCode::ClosedInHandshake,
            None,
            "closed",
        );
    }
}

#[test]
fn a_failed_connection_stays_failed_with_the_same_error() {
    let mut pair = Pair::new(
        &config("iothub"),
        &ServerOptions::certificate("expired").config(),
    );
    let error = pair.exchange().unwrap_err();
    let mut buffer = [0; 64];
    assert_eq!(pair.client.receive(&[0]).unwrap_err(), error);
    assert_eq!(
        pair.client
            .receive_in_place(&mut buffer, |_| ())
            .unwrap_err(),
        error
    );
    assert_eq!(pair.client.read(&mut buffer).unwrap_err(), error);
    assert_eq!(pair.client.write(b"x").unwrap_err(), error);
    assert_eq!(pair.client.finish().unwrap_err(), error);
    assert_eq!(pair.client.receive_end().unwrap_err(), error);
}

#[test]
fn a_failed_connection_has_nothing_to_send_once_its_alert_is_sent() {
    let mut pair = Pair::new(
        &config("iothub"),
        &ServerOptions::certificate("expired").config(),
    );
    pair.exchange().unwrap_err();
    assert!(!pair.take_from_client().is_empty());
    assert!(!pair.client.wants_transmit());
    assert!(pair.take_from_client().is_empty());
}

#[test]
fn nothing_is_negotiated_on_a_connection_that_failed() {
    let mut pair = Pair::new(
        &config("iothub"),
        &ServerOptions::certificate("expired").config(),
    );
    pair.exchange().unwrap_err();
    assert!(pair.client.negotiated().is_none());
}

#[test]
fn writing_after_finish_is_refused_and_reading_goes_on() {
    let mut pair = established(ServerOptions::tls13());
    pair.client.finish().unwrap();
    let error = pair.client.write(b"late").unwrap_err();
    assert_error(&error, ErrorCode::WriteAfterFinish, None, "finish");
    pair.exchange().unwrap();
    assert_eq!(pair.answer(b"still here").unwrap(), b"still here");
}

#[test]
fn a_name_that_is_none_is_refused_before_anything_is_sent() {
    for name in ["", ".", "no spaces allowed", "a..b", "a..", "*.example"] {
        let error = Connection::new(&config("iothub"), name).err().unwrap();
        assert_error(&error, ErrorCode::InvalidServerName, None, "name");
    }
}

#[test]
fn an_error_never_shows_plaintext_or_keys() {
    let secret = "correct horse battery staple";
    let mut pair = established(ServerOptions::tls13());
    let mut wire = pair.encrypt(secret.as_bytes());
    *wire.last_mut().unwrap() ^= 1;
    let error = pair.give_to_client(&wire).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(secret));
}

#[test]
fn an_expired_certificate_is_judged_by_the_configs_clock() {
    let config = builder()
        .clock(hubtls::Clock::fixed(2_000_000_000 * 2))
        .build()
        .unwrap();
    let error = Pair::new(&config, &ServerOptions::default().config())
        .exchange()
        .unwrap_err();
    assert_error(
        &error,
        ErrorCode::CertificateExpired,
        Some("certificate_expired"),
        "expired",
    );
}

#[test]
fn a_clock_that_knows_no_time_is_an_error_of_its_own() {
    let unknown = hubtls::Clock::from_fn(std::sync::Arc::new(|| None));
    let outcome = builder()
        .clock(unknown)
        .build()
        .and_then(|config| Pair::new(&config, &ServerOptions::default().config()).exchange());
    assert_eq!(outcome.unwrap_err().code(), ErrorCode::NoTime);
}
