//! What tests/fuzz runs. No part of the library: behind the cargo feature `fuzzing`.

use crate::engine::fragment::check;

/// Handshake messages in the form of the wire.
pub fn messages(data: &[u8]) {
    check::messages(data);
}

/// Records on their way out.
pub fn records(data: &[u8]) {
    check::records(data);
}

/// A server's answer, whole and byte by byte.
pub fn answer(data: &[u8]) {
    check::answer(data);
}
