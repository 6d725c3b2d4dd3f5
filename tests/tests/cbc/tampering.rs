//! A man in the middle between hubtls and OpenSSL changes, cuts, moves and repeats records: always the same alert and the same error.

use hubtls::{CipherSuite, Error, ErrorCode};
use openssl::ssl::{SslContext, SslOptions};

use super::peer::{Pair, server};
use super::{bytes, config, suites};

const HEADER: usize = 5;

struct Attack {
    suite: CipherSuite,
    config: hubtls::Config,
    server: SslContext,
}

impl Attack {
    fn on_every_suite() -> impl Iterator<Item = Self> {
        suites().into_iter().map(|(suite, certificate)| Self {
            suite,
            config: config(suite),
            server: server(
                &[certificate],
                suite.openssl_name(),
                false,
                SslOptions::empty(),
            ),
        })
    }

    fn pair(&self) -> Pair {
        Pair::connected(&self.config, &self.server)
    }

    /// A fresh pair, and two records of the server for its client.
    fn records(&self) -> (Pair, Vec<u8>, Vec<u8>) {
        let mut pair = self.pair();
        let first = pair.server_seal(&bytes(40));
        let second = pair.server_seal(b"second");
        (pair, first, second)
    }

    /// The client reads `expected` from `wire` and then refuses as it must: BAD_RECORD, and an encrypted alert that OpenSSL reads as
    /// bad_record_mac.
    #[track_caller]
    fn assert_refused(&self, pair: &mut Pair, wire: &[u8], what: &str) {
        let error = pair.give_to_client(wire).unwrap_err();
        let name = self.suite.openssl_name();
        assert_eq!(
            error.code(),
            ErrorCode::BadRecord,
            "{name}, {what}: {error:?}"
        );
        let again = pair.client.read(&mut [0; 100]).unwrap_err();
        assert_eq!(again.to_string(), error.to_string(), "{name}, {what}");
        assert_eq!(error.to_string(), the_error().to_string(), "{name}, {what}");
        let alert = pair.take_from_client();
        // An IV, and two bytes with the MAC in whole blocks.
        let length = if name.ends_with("SHA384") { 80 } else { 64 };
        assert_eq!(alert[0], 21, "{name}, {what}");
        assert_eq!(alert.len(), HEADER + length, "{name}, {what}");
        let heard = pair.give_to_server(&alert).unwrap_err().to_string();
        assert!(
            heard.contains("alert bad record mac"),
            "{name}, {what}: {heard}"
        );
    }
}

/// What hubtls says of the first record that it ever refuses: all others must be refused with the same words.
fn the_error() -> &'static Error {
    static ERROR: std::sync::OnceLock<Error> = std::sync::OnceLock::new();
    ERROR.get_or_init(|| {
        let attack = Attack::on_every_suite().next().unwrap();
        let (mut pair, mut record, _) = attack.records();
        record[HEADER] ^= 1;
        pair.give_to_client(&record).unwrap_err()
    })
}

/// The record's body, behind a header with its length.
fn with_body(record: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&record[..3], &length, body].concat()
}

fn records(mut wire: &[u8]) -> Vec<&[u8]> {
    let mut records = Vec::new();
    while !wire.is_empty() {
        let length = usize::from(u16::from_be_bytes([wire[3], wire[4]]));
        let (record, rest) = wire.split_at(HEADER + length);
        records.push(record);
        wire = rest;
    }
    records
}

#[test]
fn a_change_of_any_byte_of_the_body_is_refused() {
    for attack in Attack::on_every_suite() {
        let length = attack.records().1.len();
        for index in HEADER..length {
            let (mut pair, mut record, _) = attack.records();
            record[index] ^= 1 << (index % 8);
            attack.assert_refused(&mut pair, &record, &format!("byte {index} changed"));
        }
    }
}

#[test]
fn a_record_of_another_type_is_refused() {
    for attack in Attack::on_every_suite() {
        for content_type in [21, 22] {
            let (mut pair, mut record, _) = attack.records();
            record[0] = content_type;
            attack.assert_refused(&mut pair, &record, &format!("type {content_type}"));
        }
    }
}

/// No CBC matter: rustls looks at the header, which is public, before it decrypts with whatever suite.
#[test]
fn a_header_that_no_record_can_have_is_refused_before_decryption() {
    for attack in Attack::on_every_suite() {
        for (index, value) in [(0, 20), (0, 0), (0, 99), (0, 255), (1, 0), (1, 2), (1, 255)] {
            let (mut pair, mut record, _) = attack.records();
            record[index] = value;
            let error = pair.give_to_client(&record).unwrap_err();
            let alert = pair.take_from_client();
            let heard = pair.give_to_server(&alert).unwrap_err().to_string();
            let what = format!("{value} at {index}: {error:?}, {heard}");
            assert_eq!(error.code(), ErrorCode::PeerMisbehaved, "{what}");
            assert!(heard.contains("alert decode error"), "{what}");
        }
    }
}

#[test]
fn a_finished_message_with_any_byte_changed_is_refused() {
    for attack in Attack::on_every_suite() {
        let mut index = HEADER;
        loop {
            let mut pair = Pair::new(&attack.config, &attack.server);
            let flight = pair.last_flight();
            // The server's last record is its Finished, the first that is encrypted.
            let finished = records(&flight).last().unwrap().len();
            if index == finished {
                break;
            }
            let mut changed = flight.clone();
            changed[flight.len() - finished + index] ^= 1;
            attack.assert_refused(&mut pair, &changed, &format!("byte {index} of Finished"));
            index += 1;
        }
    }
}

#[test]
fn a_record_that_the_end_of_the_network_cuts_off_is_truncated() {
    for attack in Attack::on_every_suite() {
        for length in 0..attack.records().1.len() {
            let (mut pair, record, _) = attack.records();
            assert!(pair.give_to_client(&record[..length]).unwrap().is_empty());
            let error = pair.client.receive_end().unwrap_err();
            assert_eq!(error.code(), ErrorCode::Truncated, "after {length} bytes");
        }
    }
}

#[test]
fn a_record_of_another_version_is_refused() {
    for attack in Attack::on_every_suite() {
        for version in [0x0300_u16, 0x0301, 0x0302, 0x0304] {
            let (mut pair, mut record, _) = attack.records();
            record[1..3].copy_from_slice(&version.to_be_bytes());
            attack.assert_refused(&mut pair, &record, &format!("version {version:04x}"));
        }
    }
}

#[test]
fn a_shortened_record_is_refused() {
    for attack in Attack::on_every_suite() {
        let body = attack.records().1.len() - HEADER;
        for length in 0..body {
            let (mut pair, record, _) = attack.records();
            let cut = with_body(&record, &record[HEADER..][..length]);
            attack.assert_refused(&mut pair, &cut, &format!("cut to {length} bytes"));
            let (mut pair, record, _) = attack.records();
            let cut = with_body(&record, &record[record.len() - length..]);
            attack.assert_refused(&mut pair, &cut, &format!("the last {length} bytes"));
        }
    }
}

#[test]
fn a_lengthened_record_is_refused() {
    for attack in Attack::on_every_suite() {
        for more in [1, 15, 16, 32, 256, 16_000] {
            let (mut pair, record, _) = attack.records();
            let longer = with_body(&record, &[&record[HEADER..], &vec![0; more]].concat());
            attack.assert_refused(&mut pair, &longer, &format!("{more} bytes more"));
        }
    }
}

#[test]
fn a_record_sent_twice_is_read_once_and_then_refused() {
    for attack in Attack::on_every_suite() {
        let (mut pair, record, _) = attack.records();
        assert_eq!(pair.give_to_client(&record).unwrap(), bytes(40));
        attack.assert_refused(&mut pair, &record, "replayed");
    }
}

#[test]
fn records_out_of_order_are_refused() {
    for attack in Attack::on_every_suite() {
        let (mut pair, first, second) = attack.records();
        attack.assert_refused(&mut pair, &[second, first].concat(), "swapped");
    }
}

#[test]
fn a_record_after_a_lost_one_is_refused() {
    for attack in Attack::on_every_suite() {
        let (mut pair, _, second) = attack.records();
        attack.assert_refused(&mut pair, &second, "the first one lost");
    }
}

#[test]
fn a_record_sent_back_to_its_sender_is_refused() {
    for attack in Attack::on_every_suite() {
        let mut pair = attack.pair();
        let own = pair.seal(b"to the server");
        // The server gets it too, so that it can read the alert behind it.
        pair.give_to_server(&own).unwrap();
        attack.assert_refused(&mut pair, &own, "reflected");
    }
}

#[test]
fn a_record_of_another_connection_is_refused() {
    for attack in Attack::on_every_suite() {
        let (_, other, _) = attack.records();
        attack.assert_refused(&mut attack.pair(), &other, "of another connection");
    }
}

#[test]
fn a_block_moved_within_a_record_is_refused() {
    for attack in Attack::on_every_suite() {
        let (mut pair, mut record, _) = attack.records();
        let (left, right) = record[HEADER..].split_at_mut(32);
        left[16..].swap_with_slice(&mut right[..16]);
        attack.assert_refused(&mut pair, &record, "two blocks swapped");
    }
}

#[test]
fn what_the_client_sends_cannot_be_changed_either() {
    for attack in Attack::on_every_suite() {
        let length = attack.pair().seal(b"telemetry").len();
        for index in HEADER..length {
            let mut pair = attack.pair();
            let mut record = pair.seal(b"telemetry");
            record[index] ^= 1;
            pair.give_to_server(&record).unwrap_err();
            let alert = pair.take_from_server();
            let error = pair.give_to_client(&alert).unwrap_err();
            let name = error.alert().map(|alert| alert.name());
            assert_eq!(name, Some("bad_record_mac"), "byte {index}: {error:?}");
        }
    }
}
