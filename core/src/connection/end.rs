//! What to say of a connection that ended too early.

use crate::error::{Error, ErrorCode};

/// The transport ended without close_notify. `unanswered`: the server asked for a client certificate and got none.
pub(super) fn unexpected(handshaking: bool, speaks_tls: bool, unanswered: bool) -> Error {
    let hint = if unanswered {
        "the server asked for a client certificate and got none: configure an identity"
    } else if !handshaking {
        "treat what was received as incomplete; the network or the server may have failed, so reconnect"
    } else if speaks_tls {
        "the server or something between the two ends gave up; its log tells why"
    } else {
        "check host and port: a server that does not speak TLS, or refuses this client, may close without a word"
    };
    if handshaking {
        Error::new(
            ErrorCode::ClosedInHandshake,
            "the peer closed the connection in mid-handshake",
            hint,
        )
    } else {
        Error::new(
            ErrorCode::Truncated,
            "the connection ended without close_notify: data may be missing",
            hint,
        )
    }
}
