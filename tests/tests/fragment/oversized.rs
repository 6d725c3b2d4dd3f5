//! Records longer than agreed, in every phase, in either form of receiving, and with their headers in pieces.

use super::*;
use hubtls_tests::duo::{Form, Rustls};
use hubtls_tests::forger::{Forger, Forgery};
use hubtls_tests::memory::ServerOptions;
use hubtls_tests::wire;

const FORMS: [Form; 2] = [Form::Copied, Form::InPlace];

/// Gives `wire` to the client in one piece, or with every header in pieces of one byte.
fn give<S: Server>(duo: &mut Duo<S>, wire: &[u8], straddling: bool) -> hubtls::Result<()> {
    if !straddling {
        return duo.give_to_client(wire);
    }
    wire.chunks(1).try_for_each(|byte| duo.give_to_client(byte))
}

/// The client failed with that code and alert, told the server, and stays dead. Returns the record of the alert.
#[track_caller]
fn assert_overflow<S: Server>(duo: &mut Duo<S>, result: hubtls::Result<()>) -> Record {
    let error = result.expect_err("a record longer than agreed");
    assert_error(&error, ErrorCode::RecordOverflow, "record_overflow");
    let alert = duo.take_from_client();
    duo.server.receive(&alert);
    assert_heard(&duo.server, "record overflow");
    duo.assert_dead(&error);
    last_record(&duo.sent)
}

fn each_way(mut run: impl FnMut(Form, bool)) {
    for form in FORMS {
        for straddling in [false, true] {
            run(form, straddling);
        }
    }
}

#[test]
fn a_certificate_of_tls12_in_one_record_longer_than_agreed() {
    for &length in &FragmentLength::ALL[..2] {
        each_way(|form, straddling| {
            let config = requesting(Version::Tls12, length);
            let mut duo = pair(&config, &openssl(Version::Tls12)).in_form(form);
            let hello = duo.take_from_client();
            duo.server.receive(&hello);
            let records = wire::records(&duo.take_from_server());
            let rest = wire::coalesced(&records[1..]);
            assert!(rest[0].payload.len() > length.bytes());
            let flight = wire::bytes(&[&records[..1], &rest].concat());
            let result = give(&mut duo, &flight, straddling);
            let alert = assert_overflow(&mut duo, result);
            assert_eq!(alert.fatal_alert(), Some(RECORD_OVERFLOW));
        });
    }
}

#[test]
fn a_record_of_tls12_one_byte_longer_than_agreed_before_protection() {
    for longer in [0, 1] {
        let config = requesting(Version::Tls12, L512);
        let mut duo = pair(&config, &openssl(Version::Tls12));
        let hello = duo.take_from_client();
        duo.server.receive(&hello);
        let records = wire::records(&duo.take_from_server());
        let messages: Vec<u8> = records[1..]
            .iter()
            .flat_map(|record| record.payload.clone())
            .collect();
        let mut flight = records[0].bytes();
        for piece in messages.chunks(512 + longer) {
            flight.extend(Record::new(content::HANDSHAKE, piece).bytes());
        }
        let result = duo.give_to_client(&flight);
        if longer == 0 {
            result.unwrap();
            duo.handshake().unwrap();
        } else {
            assert_overflow(&mut duo, result);
        }
    }
}

#[test]
fn the_record_with_the_acknowledgement_is_itself_within_it() {
    let config = requesting(Version::Tls12, L512);
    let mut duo = pair(&config, &openssl(Version::Tls12));
    let hello = duo.take_from_client();
    duo.server.receive(&hello);
    let flight = wire::coalesced(&wire::records(&duo.take_from_server()));
    let result = duo.give_to_client(&wire::bytes(&flight));
    let alert = assert_overflow(&mut duo, result);
    assert_eq!(alert.fatal_alert(), Some(RECORD_OVERFLOW));

    let mut duo = liar(Version::Tls13, 16_384);
    let error = duo.exchange().unwrap_err();
    assert_error(&error, ErrorCode::RecordOverflow, "record_overflow");
    assert_heard(&duo.server, "record overflow");
    duo.assert_dead(&error);
}

/// What a man in the middle can put between the records: long enough that its header tells.
fn stray(kind: u8) -> Vec<u8> {
    Record::new(kind, &[1; 2_000]).bytes()
}

#[test]
fn an_alert_longer_than_agreed_before_protection() {
    each_way(|form, straddling| {
        let mut duo = answered(Version::Tls12).in_form(form);
        let result = give(&mut duo, &stray(content::ALERT), straddling);
        let alert = assert_overflow(&mut duo, result);
        assert_eq!(alert.fatal_alert(), Some(RECORD_OVERFLOW));
    });
}

/// A client that has read the acknowledgement and no more.
fn answered(version: Version) -> Duo<Openssl> {
    let mut duo = pair(&requesting(version, L512), &openssl(version));
    let hello = duo.take_from_client();
    duo.server.receive(&hello);
    let answer = wire::records(&duo.take_from_server());
    let first = |kind| answer.iter().position(|record| record.kind == kind);
    let acknowledged = match version {
        Version::Tls12 => first(content::HANDSHAKE),
        Version::Tls13 => first(content::APPLICATION_DATA),
    };
    let answer = wire::bytes(&answer[..=acknowledged.unwrap()]);
    duo.give_to_client(&answer).unwrap();
    duo
}

/// ChangeCipherSpec is never encrypted, so what refuses other records does not see it: rustls calls its length a decode_error.
#[track_caller]
fn assert_change_refused<S: Server>(duo: &mut Duo<S>, result: hubtls::Result<()>) -> Record {
    let error = result.expect_err("a ChangeCipherSpec longer than agreed");
    assert_error(&error, ErrorCode::RecordOverflow, "decode_error");
    let alert = duo.take_from_client();
    duo.server.receive(&alert);
    assert_heard(&duo.server, "decode error");
    duo.assert_dead(&error);
    last_record(&duo.sent)
}

#[test]
fn a_change_cipher_spec_longer_than_agreed() {
    const DECODE_ERROR: u8 = 50;
    for longer in [513, 2_000] {
        let change = Record::new(content::CHANGE_CIPHER_SPEC, &vec![1; longer]).bytes();
        each_way(|form, straddling| {
            let mut duo = answered(Version::Tls12).in_form(form);
            let result = give(&mut duo, &change, straddling);
            let alert = assert_change_refused(&mut duo, result);
            assert_eq!(alert.fatal_alert(), Some(DECODE_ERROR));

            let mut duo = answered(Version::Tls13).in_form(form);
            let result = give(&mut duo, &change, straddling);
            let alert = assert_change_refused(&mut duo, result);
            assert_eq!(alert.fatal_alert(), None, "the alert is protected");

            // In the place of the true one.
            let config = requesting(Version::Tls12, L512);
            let mut duo = pair(&config, &openssl(Version::Tls12)).in_form(form);
            let mut changed = 0;
            let result = duo.exchange_edited(&mut |flight| flight, &mut |flight| {
                let mut records = wire::records(&flight);
                for record in &mut records {
                    if record.kind == content::CHANGE_CIPHER_SPEC {
                        record.payload = vec![1; longer];
                        changed += 1;
                    }
                }
                wire::bytes(&records)
            });
            assert_eq!(changed, 1);
            let error = result.unwrap_err();
            assert_error(&error, ErrorCode::RecordOverflow, "decode_error");
            assert_heard(&duo.server, "decode error");
            duo.assert_dead(&error);
        });
    }
}

#[test]
fn a_record_of_any_type_longer_than_agreed_once_connected() {
    for version in BOTH {
        for kind in [
            content::ALERT,
            content::HANDSHAKE,
            content::APPLICATION_DATA,
        ] {
            each_way(|form, straddling| {
                let config = requesting(version, L512);
                let mut duo = pair(&config, &openssl(version)).in_form(form);
                duo.handshake().unwrap();
                let result = give(&mut duo, &stray(kind), straddling);
                let alert = assert_overflow(&mut duo, result);
                assert_eq!(alert.fatal_alert(), None, "the alert is protected");
            });
        }
    }
}

#[test]
fn a_protected_finished_of_tls12_longer_than_agreed() {
    for resumed in [false, true] {
        each_way(|form, straddling| {
            let config = requesting(Version::Tls12, L512);
            let context = openssl(Version::Tls12);
            if resumed {
                pair(&config, &context).handshake().unwrap();
            }
            let mut duo = pair(&config, &context).in_form(form);
            for _ in 0..2 {
                let flight = duo.take_from_client();
                duo.server.receive(&flight);
                let answer = duo.take_from_server();
                let mut records = wire::records(&answer);
                if records
                    .iter()
                    .all(|record| record.kind != content::CHANGE_CIPHER_SPEC)
                {
                    duo.give_to_client(&answer).unwrap();
                    continue;
                }
                records.last_mut().unwrap().payload.resize(2_000, 0);
                let result = give(&mut duo, &wire::bytes(&records), straddling);
                let alert = assert_overflow(&mut duo, result);
                // In a resumed session the server's Finished comes before the client protects anything.
                assert_eq!(alert.fatal_alert().is_some(), resumed);
                assert_eq!(alert.kind, content::ALERT);
                return;
            }
            panic!("no Finished came");
        });
    }
}

#[test]
fn protected_handshake_records_of_tls13_longer_than_agreed() {
    // The first record has the acknowledgement; any later one is longer.
    for later in 0..2 {
        each_way(|form, straddling| {
            let config = requesting(Version::Tls13, L512);
            let mut duo = pair(&config, &openssl(Version::Tls13)).in_form(form);
            let hello = duo.take_from_client();
            duo.server.receive(&hello);
            let mut records = wire::records(&duo.take_from_server());
            let acknowledged = records
                .iter()
                .position(|record| record.kind == content::APPLICATION_DATA)
                .unwrap();
            records.truncate(acknowledged + 1 + later);
            let mut flight = wire::bytes(&records);
            flight.extend(stray(content::APPLICATION_DATA));
            let result = give(&mut duo, &flight, straddling);
            let alert = assert_overflow(&mut duo, result);
            assert_eq!(
                alert.kind,
                content::APPLICATION_DATA,
                "the alert is protected"
            );
        });
    }
}

/// A server that acknowledges 512 bytes and sends fragments of `sends`.
fn liar(version: Version, sends: usize) -> Duo<Forger> {
    let acknowledgement = extension(&[1]);
    let (forgery, options) = match version {
        Version::Tls12 => (
            Forgery::server_hello(acknowledgement),
            ServerOptions::tls12(),
        ),
        Version::Tls13 => (
            Forgery::encrypted_extensions(acknowledgement),
            ServerOptions::tls13(),
        ),
    };
    let server = forgery.config(ServerOptions {
        fragment_bytes: Some(sends),
        ..options
    });
    Duo::new(&requesting(version, L512), Forger::new(&forgery, &server))
}

#[test]
fn a_handshake_of_tls13_in_fragments_one_byte_longer_than_agreed() {
    for form in FORMS {
        let mut duo = liar(Version::Tls13, 513).in_form(form);
        let error = duo.exchange().unwrap_err();
        assert_error(&error, ErrorCode::RecordOverflow, "record_overflow");
        assert_heard(&duo.server, "record overflow");
        duo.assert_dead(&error);
    }
}

#[test]
fn application_data_in_every_length_around_the_value() {
    for version in BOTH {
        // Up to 320 more than agreed the header alone does not tell.
        for longer in [0, 1, 24, 256, 295, 296, 297, 319, 320, 321, 3_000] {
            for form in FORMS {
                let mut duo = talking(version).in_form(form);
                duo.server.lengthen(512 - HONEST + longer);
                duo.server.write(&[7; HONEST]);
                let answer = duo.take_from_server();
                let result = duo.give_to_client(&answer);
                if longer == 0 {
                    result.unwrap();
                    assert_eq!(duo.received, [7; 512]);
                } else {
                    assert!(duo.received.is_empty(), "nothing of it is handed out");
                    let alert = assert_overflow(&mut duo, result);
                    assert_eq!(alert.fatal_alert(), None, "the alert is protected");
                }
            }
        }
    }
}

/// A server that acknowledges 512 bytes and keeps to it so far.
fn talking(version: Version) -> Duo<Forger> {
    let mut duo = liar(version, HONEST);
    duo.handshake().unwrap();
    assert_eq!(
        duo.client.negotiated().unwrap().fragment_length(),
        Some(L512)
    );
    duo
}

#[test]
fn plaintext_before_a_record_that_is_too_long_is_still_read() {
    for version in BOTH {
        each_way(|form, straddling| {
            let mut duo = talking(version).in_form(form);
            duo.server.write(&[1; 100]);
            let mut wire = duo.take_from_server();
            duo.server.lengthen(2_000);
            duo.server.write(&[2; 100]);
            wire.extend(duo.take_from_server());
            let result = give(&mut duo, &wire, straddling);
            assert_eq!(duo.received, [1; 100]);
            assert_overflow(&mut duo, result);
        });
    }
}

#[test]
fn a_header_that_announces_too_much_is_refused_before_its_record_comes() {
    for version in BOTH {
        for form in FORMS {
            let mut duo = talking(version).in_form(form);
            duo.server.lengthen(5_000);
            duo.server.write(&[7; 100]);
            let wire = duo.take_from_server();
            duo.give_to_client(&wire[..5]).unwrap();
            let result = duo.give_to_client(&wire[5..6]);
            assert_overflow(&mut duo, result);
        }
    }
}

#[test]
fn records_of_usual_length_are_accepted_where_nothing_was_agreed() {
    for version in BOTH {
        for &length in FragmentLength::ALL {
            for form in FORMS {
                let options = match version {
                    Version::Tls12 => ServerOptions::tls12(),
                    Version::Tls13 => ServerOptions::tls13(),
                };
                let server = Rustls::new(&options.config());
                let mut duo = Duo::new(&requesting(version, length), server).in_form(form);
                duo.handshake().unwrap();
                duo.converse(&[7; 40_000]);
                assert_eq!(duo.client.negotiated().unwrap().fragment_length(), None);
                let longest = wire::records(&duo.answered)
                    .iter()
                    .map(|record| record.payload.len())
                    .max();
                assert!(longest > Some(16_384), "{longest:?}");
            }
        }
    }
}
