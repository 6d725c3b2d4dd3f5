//! The maximum fragment length (RFC 6066, section 4), negotiated by a rustls that does not know the extension.
//!
//! ```text
//!            rustls's view                                  the wire
//!   ClientHello ─────────────── hello: + extension 1 ─────────▶ ClientHello
//!   ServerHello / EncryptedExtensions ◀── scan: 1 becomes 13 ── acknowledgement
//!   transcript hash, signature ──────── hello: as on the wire ─▶ Finished, CertificateVerify
//! ```
//!
//! - [`hello`] puts the extension at the front of the ClientHello on its way out (`pre_shared_key` stays last), and turns handshake messages
//!   as rustls sees them into those of the wire.
//! - [`scan`] follows the server's answer byte by byte. Lengths must not change, so the acknowledgement is renamed to
//!   `signature_algorithms`, which rustls always offers and ignores in an answer; a real one is renamed to the acknowledgement that rustls
//!   refuses as unsolicited.
//! - [`protection`] wraps the cipher suites: the transcript hash covers the wire's bytes, so that any mistake in here fails the handshake, and
//!   records beyond the agreed length are refused.
//! - [`signer`] does the same for the client's signature of TLS 1.2, which covers the transcript itself.
//!
//! Connections that do not ask for a fragment length never run through this module. It stands on details of the pinned rustls release: the
//! interop tests must pass before the pin moves.

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod check;
mod hello;
mod protection;
mod scan;
mod shim;
mod signer;

pub(crate) use protection::wrapped;
pub(crate) use shim::Shim;
pub(crate) use signer::wire_key;

use crate::error::{Alert, Error, ErrorCode};
use crate::policy::{FragmentLength, FragmentMode};

/// More than any protection adds to a fragment: IV, MAC and 256 bytes of padding in TLS 1.2, 256 bytes in TLS 1.3.
pub(crate) const EXPANSION: usize = 320;

/// What a connection asks for, and what came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agreement {
    requested: FragmentLength,
    required: bool,
    /// The server acknowledged it, now or when the resumed session began.
    acknowledged: bool,
    /// The header of a protected record announced too much: the record is not even decrypted.
    overflow: bool,
}

impl Agreement {
    /// `None` if nothing is to be negotiated.
    pub(crate) fn asked_for(mode: FragmentMode) -> Option<Self> {
        Some(Self {
            requested: mode.length()?,
            required: matches!(mode, FragmentMode::Require(_)),
            acknowledged: false,
            overflow: false,
        })
    }

    /// A resumed session keeps what it began with.
    pub(crate) fn carry_over(&mut self, acknowledged: bool) {
        self.acknowledged |= acknowledged;
    }

    /// The longest fragment that the server may send.
    pub(crate) fn limit(&self) -> Option<usize> {
        self.acknowledged.then(|| self.requested.bytes())
    }

    /// The length that both sides agreed to.
    pub(crate) fn agreed(&self) -> Option<FragmentLength> {
        self.acknowledged.then_some(self.requested)
    }

    /// The error of a connection that demands an agreement which the server did not give.
    pub(crate) fn refusal(&self) -> Option<Error> {
        let refused = self.required && !self.acknowledged;
        refused.then(|| {
            let bytes = self.requested.bytes();
            Error::new(
                ErrorCode::FragmentLengthRefused,
                format!("the server did not agree to a maximum fragment length of {bytes} bytes"),
                "request the length instead of requiring it, or use a server that negotiates it (RFC 6066, section 4)",
            )
            .with_alert(Some(HANDSHAKE_FAILURE))
        })
    }
}

const HANDSHAKE_FAILURE: Alert = Alert::from_code(40);
const BAD_RECORD_MAC: Alert = Alert::from_code(20);
const RECORD_OVERFLOW: Alert = Alert::from_code(22);
const ILLEGAL_PARAMETER: Alert = Alert::from_code(47);

/// The server sent a fragment longer than agreed.
fn overflow() -> Error {
    Error::new(
        ErrorCode::RecordOverflow,
        "the server sent a fragment that is longer than it agreed to",
        "the server breaks RFC 6066, as GnuTLS does; connect to it without a fragment length",
    )
    .with_alert(Some(RECORD_OVERFLOW))
}
