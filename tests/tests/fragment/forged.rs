//! A man in the middle, and servers that hold the keys, change or make up the request and the acknowledgement.

use std::sync::Arc;

use super::*;
use hubtls_tests::duo::Rustls;
use hubtls_tests::forger::{Forger, Forgery};
use hubtls_tests::memory::ServerOptions;
use hubtls_tests::wire;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::kx_group;

fn options(version: Version) -> ServerOptions {
    match version {
        Version::Tls12 => ServerOptions::tls12(),
        Version::Tls13 => ServerOptions::tls13(),
    }
}

/// Joins `config` with OpenSSL while the extensions of every ClientHello are edited.
fn with_hello_edited(
    config: &Config,
    version: Version,
    mut edit: impl FnMut(usize, &mut Vec<Vec<u8>>),
) -> (Duo<Openssl>, hubtls::Result<()>) {
    let mut duo = pair(config, &openssl(version));
    let mut seen = 0;
    let result = duo.exchange_edited(
        &mut |flight| {
            let records = wire::records(&flight);
            let edited = wire::edit_extensions(&records, handshake::CLIENT_HELLO, |_, list| {
                edit(seen, list);
                seen += 1;
            });
            wire::bytes(&edited)
        },
        &mut |flight| flight,
    );
    (duo, result)
}

#[test]
fn a_request_that_is_stripped_on_the_way_fails_the_handshake() {
    for version in BOTH {
        let config = requesting(version, L512);
        let (mut duo, result) = with_hello_edited(&config, version, |_, list| {
            list.retain(|bytes| !is_extension(bytes));
        });
        assert!(!duo.client.is_handshaking() || result.is_err() || duo.server.failure().is_some());
        assert_failed(&mut duo, version, result);
    }
}

/// The transcripts differ: in TLS 1.2 the server cannot read the client's Finished, in TLS 1.3 the client cannot accept the server's signature
/// or cannot even read its answer.
#[track_caller]
fn assert_failed(duo: &mut Duo<Openssl>, version: Version, result: hubtls::Result<()>) {
    assert!(!duo.server.is_connected());
    assert!(duo.client.negotiated().is_none());
    let error = match (version, result) {
        (_, Err(error)) => error,
        (version, Ok(())) => panic!(
            "{version:?}: the client did not notice; the server: {:?}",
            duo.server.failure()
        ),
    };
    let alert = error.alert().map(|alert| alert.name().to_owned());
    let alert = alert.as_deref();
    match version {
        // The server judges the client's Finished first, and tells.
        Version::Tls12 => {
            assert_eq!(error.code(), ErrorCode::AlertReceived, "{error:?}");
            assert!(
                matches!(alert, Some("decrypt_error" | "bad_record_mac")),
                "{error:?}"
            );
        }
        Version::Tls13 => {
            assert_eq!(error.code(), ErrorCode::BadRecord, "{error:?}");
            assert_eq!(alert, Some("bad_record_mac"), "{error:?}");
            // The alert is protected by keys that the server does not share.
            assert_eq!(last_record(&duo.sent).kind, content::APPLICATION_DATA);
            assert_heard(&duo.server, "bad record mac");
        }
    }
    duo.assert_dead(&error);
}

#[test]
fn a_request_for_another_value_on_the_way_is_an_illegal_parameter() {
    for &length in FragmentLength::ALL {
        for &other in FragmentLength::ALL {
            if other == length {
                continue;
            }
            let config = requesting(Version::Tls12, length);
            let (mut duo, result) = with_hello_edited(&config, Version::Tls12, |_, list| {
                for bytes in list.iter_mut().filter(|bytes| is_extension(bytes)) {
                    *bytes = extension(&[other.code()]);
                }
            });
            let error = result.unwrap_err();
            assert_error(&error, ErrorCode::PeerMisbehaved, "illegal_parameter");
            assert_eq!(last_alert(&duo.sent), Some(ILLEGAL_PARAMETER));
            assert_heard(&duo.server, "illegal parameter");
            duo.assert_dead(&error);
            // In TLS 1.3 the answer is protected by keys that depend on the request: it cannot be read.
            let config = requesting(Version::Tls13, length);
            let (mut duo, result) = with_hello_edited(&config, Version::Tls13, |_, list| {
                for bytes in list.iter_mut().filter(|bytes| is_extension(bytes)) {
                    *bytes = extension(&[other.code()]);
                }
            });
            assert_failed(&mut duo, Version::Tls13, result);
        }
    }
}

#[test]
fn a_request_that_the_client_did_not_make_is_unsupported_or_noticed() {
    let add = |_: usize, list: &mut Vec<Vec<u8>>| list.insert(0, extension(&[1]));
    let (mut duo, result) = with_hello_edited(&not_asking(Version::Tls12), Version::Tls12, add);
    let error = result.unwrap_err();
    assert_error(&error, ErrorCode::PeerMisbehaved, "unsupported_extension");
    assert_eq!(last_alert(&duo.sent), Some(UNSUPPORTED_EXTENSION));
    assert_heard(&duo.server, "unsupported extension");
    duo.assert_dead(&error);
    let (mut duo, result) = with_hello_edited(&not_asking(Version::Tls13), Version::Tls13, add);
    assert_failed(&mut duo, Version::Tls13, result);
}

#[test]
fn a_request_in_the_second_hello_alone_is_changed_in_vain() {
    let mut context = Openssl::context(fixture::server("ecdsa"), SslVersion::TLS1_3);
    context.set_groups_list("P-384").unwrap();
    let context = context.build();
    for change in [None, Some(2)] {
        let mut duo = pair(&requesting(Version::Tls13, L512), &context);
        let mut hellos = 0;
        let result = duo.exchange_edited(
            &mut |flight| {
                let records = wire::records(&flight);
                let edited = wire::edit_extensions(&records, handshake::CLIENT_HELLO, |_, list| {
                    hellos += 1;
                    if hellos == 2 {
                        list.retain(|bytes| !is_extension(bytes));
                        list.splice(0..0, change.map(|value| extension(&[value])));
                    }
                });
                wire::bytes(&edited)
            },
            &mut |flight| flight,
        );
        assert_eq!(hellos, 2);
        // OpenSSL itself refuses the change or sends what the client cannot read.
        assert!(result.is_err() || duo.server.failure().is_some());
        assert!(duo.client.negotiated().is_none() && !duo.server.is_connected());
    }
}

/// What a man in the middle makes of the ServerHello's extensions, TLS 1.2.
fn with_answer_edited(
    config: &Config,
    version: Version,
    edit: impl Fn(&mut Vec<Vec<u8>>),
) -> (Duo<Openssl>, hubtls::Result<()>) {
    let mut duo = pair(config, &openssl(version));
    let result = duo.exchange_edited(&mut |flight| flight, &mut |flight| {
        let records = wire::records(&flight);
        let edited = wire::edit_extensions(&records, handshake::SERVER_HELLO, |_, list| edit(list));
        // Within the value: what is to be shown is not the size.
        let records: Vec<_> = edited
            .iter()
            .flat_map(|record| {
                let pieces = record.payload.chunks(512);
                pieces.map(|piece| Record::new(record.kind, piece))
            })
            .collect();
        wire::bytes(&records)
    });
    (duo, result)
}

#[test]
fn an_acknowledgement_of_another_value_twice_or_of_another_length_is_an_illegal_parameter() {
    let wrong = [
        extension(&[2]),
        extension(&[0]),
        extension(&[5]),
        extension(&[255]),
        extension(&[]),
        extension(&[1, 1]),
        extension(&[1, 0]),
        [extension(&[1]), extension(&[1])].concat(),
        [extension(&[1]), extension(&[2])].concat(),
        [extension(&[1]), extension(&[])].concat(),
    ];
    for acknowledgement in wrong {
        let config = requesting(Version::Tls12, L512);
        let (mut duo, result) = with_answer_edited(&config, Version::Tls12, |list| {
            list.retain(|bytes| !is_extension(bytes));
            list.push(acknowledgement.clone());
        });
        let error = result.expect_err(&format!("{acknowledgement:?}"));
        assert_error(&error, ErrorCode::PeerMisbehaved, "illegal_parameter");
        assert_eq!(last_alert(&duo.sent), Some(ILLEGAL_PARAMETER));
        assert_heard(&duo.server, "illegal parameter");
        duo.assert_dead(&error);
    }
}

#[test]
fn an_acknowledgement_that_is_stripped_or_forged_on_the_way_fails_tls12() {
    // Stripped: the client goes on without, and its Finished does not match. Forged: with, and likewise.
    let config = requesting(Version::Tls12, L512);
    let (mut duo, result) = with_answer_edited(&config, Version::Tls12, |list| {
        list.retain(|bytes| !is_extension(bytes));
    });
    assert_failed(&mut duo, Version::Tls12, result);
    let (mut duo, result) = {
        let mut duo = Duo::new(&config, Rustls::new(&ServerOptions::tls12().config()));
        let result = duo.exchange_edited(&mut |flight| flight, &mut |flight| {
            let records = wire::records(&flight);
            let edited = wire::edit_extensions(&records, handshake::SERVER_HELLO, |_, list| {
                list.push(extension(&[1]));
            });
            let pieces = edited.iter().flat_map(|record| {
                record
                    .payload
                    .chunks(512)
                    .map(|piece| Record::new(record.kind, piece))
            });
            wire::bytes(&pieces.collect::<Vec<_>>())
        });
        (duo, result)
    };
    let error = result.unwrap_err();
    assert_eq!(error.code(), ErrorCode::AlertReceived, "{error:?}");
    assert!(duo.server.failure().is_some() && !duo.server.is_connected());
    duo.assert_dead(&error);
}

#[test]
fn a_required_acknowledgement_that_is_stripped_on_the_way_is_refused_by_the_client() {
    let mode = FragmentMode::Require(L512);
    let config = of_version(Version::Tls12, mode).build().unwrap();
    let (mut duo, result) = with_answer_edited(&config, Version::Tls12, |list| {
        list.retain(|bytes| !is_extension(bytes));
    });
    let error = result.unwrap_err();
    assert_error(
        &error,
        ErrorCode::FragmentLengthRefused,
        "handshake_failure",
    );
    assert_eq!(last_alert(&duo.sent), Some(HANDSHAKE_FAILURE));
    assert_heard(&duo.server, "handshake failure");
    duo.assert_dead(&error);
}

#[test]
fn an_acknowledgement_that_was_not_asked_for_is_an_unsupported_extension() {
    for version in BOTH {
        for content in [&[1][..], &[2], &[9], &[], &[1, 1]] {
            let forgery = match version {
                Version::Tls12 => Forgery::server_hello(extension(content)),
                Version::Tls13 => Forgery::encrypted_extensions(extension(content)),
            };
            let server = forgery.config(options(version));
            let mut duo = Duo::new(&not_asking(version), Forger::new(&forgery, &server));
            let error = duo.exchange().unwrap_err();
            assert_error(&error, ErrorCode::PeerMisbehaved, "unsupported_extension");
            assert_heard(&duo.server, "UnsupportedExtension");
            duo.assert_dead(&error);
        }
    }
}

#[test]
fn signature_algorithms_in_an_answer_do_not_pass_for_an_acknowledgement() {
    // Its number stands for the acknowledgement behind rustls's back.
    const SIGNATURE_ALGORITHMS: u16 = 13;
    for version in BOTH {
        for content in [&[1][..], &[0, 2, 4, 3], &[]] {
            let bytes = handshake::extension(SIGNATURE_ALGORITHMS, content);
            let forgery = match version {
                Version::Tls12 => Forgery::server_hello(bytes),
                Version::Tls13 => Forgery::encrypted_extensions(bytes),
            };
            let server = forgery.config(options(version));
            let mut duo = Duo::new(&requesting(version, L512), Forger::new(&forgery, &server));
            let error = duo.exchange().unwrap_err();
            assert_error(&error, ErrorCode::PeerMisbehaved, "unsupported_extension");
            duo.assert_dead(&error);
        }
    }
}

#[test]
fn an_acknowledgement_from_a_server_that_holds_the_keys_is_judged_by_its_value_in_tls13() {
    let config = requesting(Version::Tls13, L512);
    let wrong = [
        extension(&[2]),
        extension(&[0]),
        extension(&[255]),
        extension(&[]),
        extension(&[1, 1]),
        [extension(&[1]), extension(&[1])].concat(),
    ];
    for acknowledgement in wrong {
        let forgery = Forgery::encrypted_extensions(acknowledgement.clone());
        let server = forgery.config(ServerOptions::tls13());
        let mut duo = Duo::new(&config, Forger::new(&forgery, &server));
        let error = duo.exchange().expect_err(&format!("{acknowledgement:?}"));
        assert_error(&error, ErrorCode::PeerMisbehaved, "illegal_parameter");
        assert_heard(&duo.server, "IllegalParameter");
        // The alert is a record like any other that is protected.
        assert_eq!(last_record(&duo.sent).kind, content::APPLICATION_DATA);
        duo.assert_dead(&error);
    }
    let forgery = Forgery::encrypted_extensions(extension(&[1]));
    let options = || ServerOptions {
        fragment_bytes: Some(HONEST),
        ..ServerOptions::tls13()
    };
    let server = forgery.config(options());
    let mut duo = Duo::new(&config, Forger::new(&forgery, &server));
    duo.handshake().unwrap();
    duo.converse(&[7; 2_000]);
    assert_eq!(
        duo.client.negotiated().unwrap().fragment_length(),
        Some(L512)
    );
}

#[test]
fn encrypted_extensions_in_several_records_are_judged_like_whole_ones() {
    // Records of 32 bytes: a protocol of 60 pushes the acknowledgement behind it into the third.
    let protocol = [b'x'; 60];
    for (content, agreed) in [
        (&[1][..], true),
        (&[2], false),
        (&[1, 1], false),
        (&[], false),
    ] {
        let mode = FragmentMode::Request(L512);
        let config = of_version(Version::Tls13, mode)
            .alpn([protocol])
            .build()
            .unwrap();
        let forgery = Forgery::encrypted_extensions(extension(content)).behind_the_others();
        let server = forgery.config(ServerOptions {
            fragment_bytes: Some(32),
            alpn: vec![protocol.to_vec()],
            ..ServerOptions::tls13()
        });
        let mut duo = Duo::new(&config, Forger::new(&forgery, &server));
        let result = duo.exchange();
        if agreed {
            result.unwrap();
            let negotiated = duo.client.negotiated().unwrap();
            assert_eq!(negotiated.fragment_length(), Some(L512));
            assert_eq!(negotiated.alpn(), Some(&protocol[..]));
            duo.converse(&[7; 2_000]);
        } else {
            let error = result.unwrap_err();
            let alert = error.alert().unwrap().name().to_owned();
            assert_error(&error, ErrorCode::PeerMisbehaved, &alert);
            assert_heard(&duo.server, &alert);
            duo.assert_dead(&error);
        }
    }
}

fn retrying() -> ServerOptions {
    ServerOptions {
        groups: vec![kx_group::SECP384R1],
        ..ServerOptions::tls13()
    }
}

#[track_caller]
fn assert_illegal(forgery: &Forgery, server: &Arc<ServerConfig>) {
    let config = requesting(Version::Tls13, L512);
    let mut duo = Duo::new(&config, Forger::new(forgery, server));
    let error = duo.exchange().unwrap_err();
    assert_error(&error, ErrorCode::PeerMisbehaved, "illegal_parameter");
    assert_eq!(last_alert(&duo.sent), Some(ILLEGAL_PARAMETER));
    assert_heard(&duo.server, "IllegalParameter");
    duo.assert_dead(&error);
}

#[test]
fn an_acknowledgement_in_a_server_hello_of_tls13_is_an_illegal_parameter() {
    for content in [&[1][..], &[2], &[]] {
        let forgery = Forgery::server_hello(extension(content));
        assert_illegal(&forgery, &ServerOptions::tls13().config());
    }
}

#[test]
fn an_acknowledgement_in_a_hello_retry_request_is_an_illegal_parameter() {
    for content in [&[1][..], &[2], &[]] {
        let forgery = Forgery::retry_request(extension(content));
        assert_illegal(&forgery, &retrying().config());
    }
}

#[test]
fn an_acknowledgement_in_the_server_hello_after_a_retry_is_an_illegal_parameter() {
    for content in [&[1][..], &[2], &[]] {
        let forgery = Forgery::server_hello(extension(content));
        assert_illegal(&forgery, &retrying().config());
    }
}

#[test]
fn an_acknowledgement_after_a_retry_is_accepted() {
    let forgery = Forgery::encrypted_extensions(extension(&[1]));
    let server = forgery.config(ServerOptions {
        fragment_bytes: Some(HONEST),
        ..retrying()
    });
    let config = requesting(Version::Tls13, L512);
    let mut duo = Duo::new(&config, Forger::new(&forgery, &server));
    duo.handshake().unwrap();
    assert_eq!(
        duo.client.negotiated().unwrap().fragment_length(),
        Some(L512)
    );
    let hellos: Vec<_> = wire::records(&duo.sent)
        .into_iter()
        .filter(|record| record.payload[0] == handshake::CLIENT_HELLO && record.kind == 22)
        .collect();
    assert_eq!(hellos.len(), 2);
    for hello in hellos {
        assert!(handshake::extensions(&hello.payload).contains(&(1, vec![1])));
    }
}

#[test]
fn a_value_not_asked_for_from_a_server_that_holds_the_keys_is_an_illegal_parameter_in_tls12() {
    let forgery = Forgery::server_hello(extension(&[3]));
    let server = forgery.config(ServerOptions::tls12());
    let mut duo = Duo::new(
        &requesting(Version::Tls12, L512),
        Forger::new(&forgery, &server),
    );
    let error = duo.exchange().unwrap_err();
    assert_error(&error, ErrorCode::PeerMisbehaved, "illegal_parameter");
    assert_eq!(last_alert(&duo.sent), Some(ILLEGAL_PARAMETER));
    duo.assert_dead(&error);
}
