//! Flights of OpenSSL's, coalesced and cut at every byte, in both directions.

use super::*;
use hubtls_tests::client::identity;
use hubtls_tests::duo::Form;
use hubtls_tests::wire;

/// A conversation of more than three fragments each way, and everything both sides sent obeys the value.
#[track_caller]
fn assert_agreed(duo: &mut Duo<Openssl>, length: FragmentLength) {
    let data: Vec<u8> = (0..=u8::MAX)
        .cycle()
        .take(3 * length.bytes() + 77)
        .collect();
    duo.converse(&data);
    let negotiated = duo.client.negotiated().unwrap();
    assert_eq!(negotiated.fragment_length(), Some(length));
    let suite = negotiated.cipher_suite();
    for bytes in [&duo.sent, &duo.answered] {
        let records = wire::records(bytes);
        // The ClientHello comes before any agreement.
        let records = &records[usize::from(records[0].payload[0] == handshake::CLIENT_HELLO)..];
        assert!(assert_fragments(records, suite, length.bytes()) >= 3);
    }
}

/// A handshake in which every flight of one direction comes in two pieces; returns the longest flight of each.
fn handshake_cut(
    config: &Config,
    context: &SslContext,
    cuts: [usize; 2],
    resumed: bool,
) -> [usize; 2] {
    let mut duo = pair(config, context);
    let mut longest = [0, 0];
    loop {
        let flight = duo.take_from_client();
        longest[0] = longest[0].max(flight.len());
        let (first, second) = flight.split_at(cuts[0].min(flight.len()));
        duo.server.receive(first);
        duo.server.receive(second);
        let answer = duo.take_from_server();
        longest[1] = longest[1].max(answer.len());
        if flight.len() + answer.len() == 0 {
            break;
        }
        let (first, second) = answer.split_at(cuts[1].min(answer.len()));
        duo.give_to_client(first).unwrap();
        duo.give_to_client(second).unwrap();
    }
    assert_eq!(duo.server.failure(), None, "cut at {cuts:?}");
    let negotiated = duo.client.negotiated().unwrap();
    assert_eq!(negotiated.fragment_length(), Some(L512), "cut at {cuts:?}");
    assert_eq!(negotiated.resumed(), resumed, "cut at {cuts:?}");
    longest
}

#[track_caller]
fn cut_at_every_byte(config: &Config, context: &SslContext, resumed: bool) {
    let longest = handshake_cut(config, context, [0, 0], resumed);
    assert!(longest[0] + longest[1] > 400, "{longest:?}");
    for cut in 1..longest[0] {
        handshake_cut(config, context, [cut, 0], resumed);
    }
    for cut in 1..longest[1] {
        handshake_cut(config, context, [0, cut], resumed);
    }
}

fn full_flights_cut_at_every_byte(version: Version) {
    let mode = FragmentMode::Require(L512);
    let config = of_version(version, mode).resumption(false).build().unwrap();
    cut_at_every_byte(&config, &openssl(version), false);
}

#[test]
fn full_flights_of_tls12_in_two_pieces_cut_at_every_byte() {
    full_flights_cut_at_every_byte(Version::Tls12);
}

#[test]
fn full_flights_of_tls13_in_two_pieces_cut_at_every_byte() {
    full_flights_cut_at_every_byte(Version::Tls13);
}

#[test]
fn resumed_flights_in_two_pieces_cut_at_every_byte() {
    for version in BOTH {
        let (config, context) = (requesting(version, L512), openssl(version));
        pair(&config, &context).handshake().unwrap();
        cut_at_every_byte(&config, &context, true);
    }
}

#[test]
fn flights_of_single_bytes_in_either_form() {
    for version in BOTH {
        for form in [Form::Copied, Form::InPlace] {
            let config = of_version(version, FragmentMode::Require(L512))
                .identity(identity("p256"))
                .build()
                .unwrap();
            let mut duo = pair(&config, &demanding(version)).in_form(form);
            loop {
                let flight = duo.take_from_client();
                flight.chunks(1).for_each(|byte| duo.server.receive(byte));
                let answer = duo.take_from_server();
                if flight.len() + answer.len() == 0 {
                    break;
                }
                for byte in answer.chunks(1) {
                    duo.give_to_client(byte).unwrap();
                }
            }
            assert_agreed(&mut duo, L512);
        }
    }
}

fn demanding(version: Version) -> SslContext {
    let version = match version {
        Version::Tls12 => SslVersion::TLS1_2,
        Version::Tls13 => SslVersion::TLS1_3,
    };
    let mut context = Openssl::context(fixture::server("rsa"), version);
    Openssl::demand_certificates(&mut context);
    context.build()
}

#[test]
fn messages_of_tls12_coalesced_into_records_within_the_value() {
    for &length in FragmentLength::ALL {
        let config = requesting(Version::Tls12, length);
        let mut duo = pair(&config, &openssl(Version::Tls12));
        let mut most = 0;
        let result = duo.exchange_edited(&mut |flight| flight, &mut |flight| {
            let mut stream: Vec<u8> = Vec::new();
            let mut records = Vec::new();
            for record in wire::records(&flight) {
                if record.kind == content::HANDSHAKE
                    && stream.len() + record.payload.len() > 0
                    && !records
                        .iter()
                        .any(|other: &Record| other.kind == content::CHANGE_CIPHER_SPEC)
                {
                    stream.extend_from_slice(&record.payload);
                } else {
                    flush(&mut stream, length, &mut records);
                    records.push(record);
                }
            }
            flush(&mut stream, length, &mut records);
            most = most.max(records[0].payload.len());
            wire::bytes(&records)
        });
        result.unwrap();
        assert!(most > 500, "the first record has {most} bytes");
        assert_agreed(&mut duo, length);
    }
}

fn flush(stream: &mut Vec<u8>, length: FragmentLength, records: &mut Vec<Record>) {
    for piece in stream.chunks(length.bytes()) {
        records.push(Record::new(content::HANDSHAKE, piece));
    }
    stream.clear();
}

#[test]
fn messages_of_tls12_in_records_of_one_byte() {
    let config = requesting(Version::Tls12, L512);
    let mut duo = pair(&config, &openssl(Version::Tls12));
    duo.exchange_edited(&mut |flight| flight, &mut |flight| {
        let mut protected = false;
        let mut records = Vec::new();
        for record in wire::records(&flight) {
            protected |= record.kind == content::CHANGE_CIPHER_SPEC;
            if record.kind == content::HANDSHAKE && !protected {
                let bytes = record.payload.chunks(1);
                records.extend(bytes.map(|byte| Record::new(content::HANDSHAKE, byte)));
            } else {
                records.push(record);
            }
        }
        wire::bytes(&records)
    })
    .unwrap();
    assert_agreed(&mut duo, L512);
}

#[test]
fn the_server_hello_of_tls13_in_records_of_one_byte() {
    let config = requesting(Version::Tls13, L512);
    let mut duo = pair(&config, &openssl(Version::Tls13));
    duo.exchange_edited(&mut |flight| flight, &mut |flight| {
        let mut records = Vec::new();
        for record in wire::records(&flight) {
            if record.kind == content::HANDSHAKE {
                let bytes = record.payload.chunks(1);
                records.extend(bytes.map(|byte| Record::new(content::HANDSHAKE, byte)));
            } else {
                records.push(record);
            }
        }
        wire::bytes(&records)
    })
    .unwrap();
    assert_agreed(&mut duo, L512);
}

#[test]
fn the_clients_flights_are_its_own_hello_in_one_record_and_fragments_after_it() {
    for version in BOTH {
        for &length in FragmentLength::ALL {
            let config = of_version(version, FragmentMode::Require(length))
                .identity(identity("rsa4096"))
                .post_quantum(true)
                .build()
                .unwrap();
            let mut duo = pair(&config, &demanding(version));
            duo.handshake().unwrap();
            assert_agreed(&mut duo, length);
            let records = wire::records(&duo.sent);
            let hello = &records[0].payload;
            assert_eq!(handshake::messages(hello).len(), 1);
            let extensions = handshake::extensions(hello);
            let asked: Vec<_> = extensions
                .iter()
                .filter(|(number, _)| *number == 1)
                .collect();
            assert_eq!(asked, [&(1, vec![length.code()])]);
            if version == Version::Tls13 {
                assert!(hello.len() > 1_300, "the hybrid share makes it large");
            }
        }
    }
}
