//! What must hold for any bytes at all: run by the fuzz targets and the property tests.

use super::hello;
use super::scan::{ACKNOWLEDGED, ALIAS, Scan};
use crate::policy::FragmentLength;

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const ENCRYPTED_EXTENSIONS: u8 = 8;

/// The length that the first byte chooses, and the rest.
fn chosen(data: &[u8]) -> Option<(FragmentLength, &[u8])> {
    let (&first, rest) = data.split_first()?;
    Some((FragmentLength::ALL[usize::from(first % 4)], rest))
}

fn wire(messages: &[u8], requested: FragmentLength) -> Vec<u8> {
    let mut output = Vec::new();
    hello::to_wire(messages, requested, &mut |piece| {
        output.extend_from_slice(piece);
    });
    output
}

/// Handshake messages in the form of the wire.
///
/// # Panics
/// If anything but ClientHellos grows, or names are not merely swapped.
pub(crate) fn messages(data: &[u8]) {
    let Some((requested, bytes)) = chosen(data) else {
        return;
    };
    let output = wire(bytes, requested);
    let grown = output.len() - bytes.len();
    assert_eq!(grown % 5, 0);
    let hellos = split(bytes)
        .into_iter()
        .filter(|message| message[0] == CLIENT_HELLO);
    assert!(grown <= 5 * hellos.count());
    if grown == 0 {
        assert_eq!(wire(&output, requested).len(), output.len());
        if !split(bytes)
            .iter()
            .any(|message| message[0] == CLIENT_HELLO)
        {
            assert_eq!(wire(&output, requested), bytes, "swapped twice");
        }
    }
}

/// The messages; what is left of a header is dropped.
fn split(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut all = Vec::new();
    while let Some(&[_, a, b, c]) = bytes.first_chunk() {
        let length = 4 + u32::from_be_bytes([0, a, b, c]) as usize;
        let (message, rest) = bytes.split_at(length.min(bytes.len()));
        all.push(message);
        bytes = rest;
    }
    all
}

/// Records on their way out.
///
/// # Panics
/// If that does.
pub(crate) fn records(data: &[u8]) {
    if let Some((requested, bytes)) = chosen(data) {
        let output = hello::outgoing(bytes, requested);
        assert!(output.len() <= bytes.len() + 5 + 5 * (1 + bytes.len() / 4));
    }
}

/// A server's answer, whole and byte by byte.
///
/// # Panics
/// If the cut makes a difference, if more than names is changed, or if the form of the wire is not what the server sent.
pub(crate) fn answer(data: &[u8]) {
    let Some((requested, bytes)) = chosen(data) else {
        return;
    };
    for (scan, kind) in [
        (Scan::server_hello(requested), SERVER_HELLO),
        (Scan::encrypted_extensions(requested), ENCRYPTED_EXTENSIONS),
    ] {
        let mut whole = bytes.to_vec();
        let outcome = scan.clone().follow(&mut whole);

        let mut pieces = bytes.to_vec();
        let mut cut = scan;
        let mut cut_outcome = Ok(None);
        for (index, byte) in pieces.chunks_mut(1).enumerate() {
            match cut.follow(byte) {
                Ok(None) => {}
                Ok(Some((_, found))) => {
                    cut_outcome = Ok(Some((index + 1, found)));
                    break;
                }
                Err(illegal) => {
                    cut_outcome = Err(illegal);
                    break;
                }
            }
        }
        assert_eq!(outcome, cut_outcome);
        assert_eq!(whole, pieces);
        let other = |byte: &u8| match u16::from(*byte) {
            ACKNOWLEDGED => ALIAS,
            ALIAS => ACKNOWLEDGED,
            byte => byte,
        };
        for (seen, sent) in whole.iter().zip(bytes) {
            assert!(seen == sent || u16::from(*seen) == other(sent));
        }
        if let Ok(Some((end, _))) = outcome
            && let Some((last, before)) = split(&bytes[..end]).split_last()
            && before.iter().all(|message| message[0] != kind)
            && is_well_formed(last)
        {
            let start = end - last.len();
            assert_eq!(wire(&whole[start..end], requested), *last);
        }
    }
}

/// Whether the message's extensions fill it.
fn is_well_formed(message: &[u8]) -> bool {
    let list = match message[0] {
        SERVER_HELLO => message
            .get(38)
            .and_then(|length| message.get(39 + usize::from(*length) + 3..)),
        _ => message.get(4..),
    };
    let Some((&[high, low], mut rest)) = list.and_then(<[u8]>::split_first_chunk) else {
        return false;
    };
    if rest.len() != usize::from(u16::from_be_bytes([high, low])) {
        return false;
    }
    while let Some((&[_, _, high, low], tail)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(tail) = tail.get(length..) else {
            return false;
        };
        rest = tail;
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests;
