//! What happens to the records on their way between the transport and rustls.

use super::scan::{Found, Scan};
use super::{Agreement, EXPANSION, ILLEGAL_PARAMETER, hello, overflow};
use crate::error::{Error, ErrorCode};

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const HEADER: usize = 5;

/// The record side of a negotiation.
#[derive(Debug)]
pub(crate) struct Shim {
    /// A ClientHello of rustls's is to be expected in the output.
    hello_due: bool,
    /// The server's records are protected from here on.
    protected: bool,
    /// Until the ServerHello has been read.
    scan: Option<Scan>,
}

/// Why a record is refused before rustls sees it, with the alert record to send.
pub(crate) struct Refused {
    pub(crate) error: Error,
    pub(crate) alert: [u8; 7],
}

impl Shim {
    pub(crate) fn boxed(agreement: &Agreement) -> Box<Self> {
        Box::new(Self {
            hello_due: true,
            protected: false,
            scan: Some(Scan::server_hello(agreement.requested)),
        })
    }

    /// The longest record, without its header, that the server may send.
    pub(crate) fn record_limit(agreement: &Agreement) -> Option<usize> {
        agreement.limit().map(|limit| limit + EXPANSION)
    }

    /// What to send instead of `records`, which rustls has just written; `None` for the same.
    pub(crate) fn outgoing(&mut self, records: &[u8], agreement: &Agreement) -> Option<Vec<u8>> {
        let is_hello = self.hello_due && !records.is_empty() && records[0] != ALERT;
        is_hello.then(|| {
            self.hello_due = false;
            hello::outgoing(records, agreement.requested)
        })
    }

    /// Prepares `record` for rustls: with its header, complete unless the header alone announces too much.
    pub(crate) fn incoming(
        &mut self,
        record: &mut [u8],
        agreement: &mut Agreement,
    ) -> Result<(), Refused> {
        let &mut [kind, _, _, high, low, ..] = record else {
            return Ok(());
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        self.protected |= match kind {
            APPLICATION_DATA => true,
            // After a HelloRetryRequest it means nothing: the ServerHello is still to come.
            CHANGE_CIPHER_SPEC => self.scan.is_none(),
            _ => false,
        };
        if kind == CHANGE_CIPHER_SPEC && agreement.limit().is_some_and(|limit| length > limit) {
            // Never encrypted, so the guard does not see it: rustls refuses a length that no record has.
            record[3..HEADER].copy_from_slice(&[0xff, 0xff]);
            return Ok(());
        }
        if self.protected {
            if Self::record_limit(agreement).is_some_and(|limit| length > limit) {
                // rustls opens a record of one byte, and its guard refuses it unread: so the alert is protected as it must be.
                agreement.overflow = true;
                record[3..HEADER].copy_from_slice(&[0, 1]);
            }
            return Ok(());
        }
        if agreement.limit().is_some_and(|limit| length > limit) {
            return Err(Refused::with(overflow()));
        }
        match self.scan.as_mut() {
            Some(scan) if kind == HANDSHAKE => match scan.follow(&mut record[HEADER..]) {
                Ok(None) => {}
                Ok(Some((_, Found::Retry))) => self.hello_due = true,
                Ok(Some((_, Found::Answer { acknowledged }))) => {
                    agreement.acknowledged = acknowledged;
                    self.scan = None;
                    // The agreement holds from the record that makes it.
                    if agreement.limit().is_some_and(|limit| length > limit) {
                        return Err(Refused::with(overflow()));
                    }
                }
                Err(_) => return Err(Refused::with(illegal())),
            },
            _ => {}
        }
        Ok(())
    }
}

impl Refused {
    fn with(error: Error) -> Self {
        let alert = error.alert().map_or(0, |alert| alert.code());
        Self {
            error,
            alert: [ALERT, 3, 3, 0, 2, 2, alert],
        }
    }
}

/// The server's acknowledgement is not of what was asked for.
pub(super) fn illegal() -> Error {
    Error::new(
        ErrorCode::PeerMisbehaved,
        "the server acknowledged a maximum fragment length that was not asked for",
        "the server's TLS library is at fault, or something between the two ends changes the traffic",
    )
    .with_alert(Some(ILLEGAL_PARAMETER))
}
