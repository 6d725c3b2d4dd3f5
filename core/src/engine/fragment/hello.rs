//! Handshake messages as they are on the wire, made from what rustls wrote and read.

use super::scan::{ACKNOWLEDGED, ALIAS};
use crate::policy::FragmentLength;

/// The extension: type 1, one byte of content (RFC 6066, section 4).
const EXTENSION_LEN: usize = 5;

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const HANDSHAKE_RECORD: u8 = 22;

/// Length of a handshake message's header: type and 24-bit length.
const HEADER: usize = 4;
/// Version and random.
const VERSION_RANDOM: usize = 2 + 32;

/// Gives `messages` to `sink` piece by piece as they are on the wire. The last may be cut short, as the ClientHello is that a PSK binder covers
/// (RFC 8446, section 4.2.11.2). What cannot be read passes unchanged: the handshake then fails.
pub(super) fn to_wire(mut messages: &[u8], requested: FragmentLength, sink: &mut dyn FnMut(&[u8])) {
    while let Some((&[kind, a, b, c], _)) = messages.split_first_chunk() {
        let length = HEADER + u32::from_be_bytes([0, a, b, c]) as usize;
        let (message, rest) = messages.split_at(length.min(messages.len()));
        match kind {
            CLIENT_HELLO => with_request(message, requested, sink),
            SERVER_HELLO => with_acknowledgement(message, server_hello_list(message), sink),
            ENCRYPTED_EXTENSIONS => with_acknowledgement(message, Some(HEADER), sink),
            _ => sink(message),
        }
        messages = rest;
    }
    if !messages.is_empty() {
        sink(messages);
    }
}

/// The ClientHello with the extension in front of the others.
fn with_request(message: &[u8], requested: FragmentLength, sink: &mut dyn FnMut(&[u8])) {
    let Some((list, message_len, list_len)) = client_hello_list(message) else {
        return sink(message);
    };
    sink(&[CLIENT_HELLO, message_len[1], message_len[2], message_len[3]]);
    sink(&message[HEADER..list]);
    sink(&list_len);
    sink(&[0, 1, 0, 1, requested.code()]);
    sink(&message[list + 2..]);
}

/// Where the length of a ClientHello's extension list stands, and both lengths with the extension counted in.
fn client_hello_list(message: &[u8]) -> Option<(usize, [u8; 4], [u8; 2])> {
    let mut at = HEADER + VERSION_RANDOM;
    at += 1 + usize::from(*message.get(at)?); // session id
    at += 2 + usize::from(u16::from_be_bytes([
        *message.get(at)?,
        *message.get(at + 1)?,
    ])); // cipher suites
    at += 1 + usize::from(*message.get(at)?); // compression methods
    let list_len = usize::from(u16::from_be_bytes([
        *message.get(at)?,
        *message.get(at + 1)?,
    ]));
    let message_len = u32::from_be_bytes([0, message[1], message[2], message[3]]);
    Some((
        at,
        (message_len + u32::try_from(EXTENSION_LEN).ok()?).to_be_bytes(),
        u16::try_from(list_len + EXTENSION_LEN).ok()?.to_be_bytes(),
    ))
}

fn server_hello_list(message: &[u8]) -> Option<usize> {
    let session_id = HEADER + VERSION_RANDOM;
    Some(session_id + 1 + usize::from(*message.get(session_id)?) + 3)
}

/// The server's message with the acknowledgement under its own name; `list` is where its extension list begins.
fn with_acknowledgement(message: &[u8], list: Option<usize>, sink: &mut dyn FnMut(&[u8])) {
    let mut done = 0;
    let mut at = list.map_or(message.len(), |list| list + 2);
    while let Some(&[high, low, length_high, length_low]) =
        message.get(at..).and_then(<[u8]>::first_chunk)
    {
        let other = match u16::from_be_bytes([high, low]) {
            ALIAS => Some(ACKNOWLEDGED),
            ACKNOWLEDGED => Some(ALIAS),
            _ => None,
        };
        if let Some(other) = other {
            sink(&message[done..at]);
            sink(&other.to_be_bytes());
            done = at + 2;
        }
        at += 4 + usize::from(u16::from_be_bytes([length_high, length_low]));
    }
    sink(&message[done..]);
}

/// The records with rustls's ClientHello as one record with the wire's. Any other record, a ChangeCipherSpec, keeps its place.
pub(super) fn outgoing(mut records: &[u8], requested: FragmentLength) -> Vec<u8> {
    let mut output = Vec::with_capacity(records.len() + EXTENSION_LEN);
    let mut hello = Vec::new();
    let mut version = [3, 1];
    while let Some(&[kind, major, minor, high, low]) = records.first_chunk() {
        let length = (5 + usize::from(u16::from_be_bytes([high, low]))).min(records.len());
        let (record, rest) = records.split_at(length);
        if kind == HANDSHAKE_RECORD {
            if hello.is_empty() {
                version = [major, minor];
            }
            hello.extend_from_slice(&record[5..]);
        } else {
            output.extend_from_slice(record);
        }
        records = rest;
    }
    let start = output.len();
    output.extend_from_slice(&[HANDSHAKE_RECORD, version[0], version[1], 0, 0]);
    to_wire(&hello, requested, &mut |piece| {
        output.extend_from_slice(piece)
    });
    // A ClientHello is far shorter than a record may be.
    let length = u16::try_from(output.len() - start - 5).unwrap_or(u16::MAX);
    output[start + 3..start + 5].copy_from_slice(&length.to_be_bytes());
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ClientHello built field by field, with the extension or without.
    fn hello(session_id: &[u8], extensions: &[u8], with_request: bool) -> Vec<u8> {
        let mut list = Vec::new();
        if with_request {
            list.extend_from_slice(&[0, 1, 0, 1, 2]);
        }
        list.extend_from_slice(extensions);
        let mut body = vec![3, 3];
        body.extend_from_slice(&[0x11; 32]);
        body.push(u8::try_from(session_id.len()).unwrap());
        body.extend_from_slice(session_id);
        body.extend_from_slice(&[0, 4, 0x13, 0x01, 0xC0, 0x2F, 1, 0]);
        body.extend_from_slice(&u16::try_from(list.len()).unwrap().to_be_bytes());
        body.extend_from_slice(&list);
        message(CLIENT_HELLO, &body)
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[kind], &length[1..], body].concat()
    }

    fn wire(messages: &[u8]) -> Vec<u8> {
        let mut output = Vec::new();
        to_wire(messages, FragmentLength::L1024, &mut |piece| {
            output.extend_from_slice(piece)
        });
        output
    }

    #[test]
    fn the_request_stands_in_front_of_the_other_extensions() {
        let extensions = [0, 0x2b, 0, 3, 2, 3, 4, 0, 0x29, 0, 1, 9];
        for session_id in [&[][..], &[7; 32]] {
            let plain = hello(session_id, &extensions, false);
            assert_eq!(wire(&plain), hello(session_id, &extensions, true));
        }
    }

    #[test]
    fn a_hello_that_is_cut_short_keeps_its_full_lengths() {
        let extensions = [0, 0x29, 0, 200]
            .iter()
            .chain(&[5; 200])
            .copied()
            .collect::<Vec<_>>();
        let plain = hello(&[7; 32], &extensions, false);
        let full = hello(&[7; 32], &extensions, true);
        assert_eq!(wire(&plain[..plain.len() - 50]), full[..full.len() - 50]);
    }

    #[test]
    fn the_alias_of_an_acknowledgement_gets_its_name_back() {
        let mut body = vec![3, 3];
        body.extend_from_slice(&[0x22; 32]);
        body.extend_from_slice(&[2, 8, 8, 0xC0, 0x2F, 0]);
        for (seen, on_wire) in [
            (ALIAS, ACKNOWLEDGED),
            (ACKNOWLEDGED, ALIAS),
            (0x0017, 0x0017),
        ] {
            let list = |kind: u16| {
                let kind = kind.to_be_bytes();
                [
                    &[0, 14, 0xff, 0x01, 0, 1, 0][..],
                    &kind,
                    &[0, 1, 2],
                    &[0, 0x23, 0, 0],
                ]
                .concat()
            };
            let hello = |kind| message(SERVER_HELLO, &[&body[..], &list(kind)].concat());
            let extensions = |kind| message(ENCRYPTED_EXTENSIONS, &list(kind));
            let finished = message(20, &[9; 12]);
            let all = |kind| [hello(kind), finished.clone(), extensions(kind)].concat();
            assert_eq!(wire(&all(seen)), all(on_wire));
        }
    }

    #[test]
    fn what_cannot_be_read_passes_unchanged() {
        let good = hello(&[7; 32], &[0, 0x17, 0, 0], false);
        for end in 0..good.len() - 10 {
            assert_eq!(wire(&good[..end]), good[..end], "{end}");
        }
        let oversized = message(SERVER_HELLO, &[0xff; 40]);
        assert_eq!(wire(&oversized), oversized);
    }

    #[test]
    fn a_hello_in_several_records_leaves_in_one() {
        let plain = hello(&[7; 32], &[0, 0x17, 0, 0], false);
        let full = hello(&[7; 32], &[0, 0x17, 0, 0], true);
        let record = |payload: &[u8]| {
            let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
            [&[22, 3, 1][..], &length, payload].concat()
        };
        let change = [20, 3, 3, 0, 1, 1];
        for cut in [1, 40, plain.len() - 1] {
            let records = [&change[..], &record(&plain[..cut]), &record(&plain[cut..])].concat();
            assert_eq!(
                outgoing(&records, FragmentLength::L1024),
                [&change[..], &record(&full)].concat()
            );
        }
    }
}
