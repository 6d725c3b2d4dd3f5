//! One TLS connection without sockets: bytes from the network go in, bytes for the network come out.
//!
//! ```text
//!   network ── receive ──▶ ┌────────────┐ ── read ──▶ application
//!           ◀── transmit ─ │ Connection │ ◀─ write ──
//!                          └────────────┘
//! ```

mod buffer;
mod end;
mod machine;
pub(crate) mod name;
mod negotiated;
#[cfg(test)]
mod tests;

use std::fmt;

use buffer::{Incoming, whole_record};
pub(crate) use buffer::{MAX_RECORD, Queue};
use machine::{Machine, Task};
pub use negotiated::Negotiated;

use crate::config::{Config, Sni};
use crate::error::{Error, ErrorCode, Result, tls};
use crate::policy::FragmentLength;

/// The largest plaintext of a record (RFC 8446, section 5.1).
const MAX_FRAGMENT: usize = 16_384;
/// Nothing more is encrypted while this much waits to be transmitted.
const MAX_OUTPUT: usize = 2 * MAX_FRAGMENT;
/// A record of application data is longer than its plaintext by at least this: header, content type and tag (RFC 8446, section 5.2).
const MIN_EXPANSION: usize = 5 + 1 + 16;
/// A handshake message has at most 65,535 bytes for rustls; with the headers of the records that it spans, this is ample.
const MAX_INCOMING: usize = 128 * 1024;

/// A TLS client connection that owns no socket, no thread and no clock.
///
/// Loop: send what [`transmit`](Self::transmit) yields, give what arrives to [`receive`](Self::receive), take plaintext with
/// [`read`](Self::read). Buffers are bounded: `receive` and `write` return 0 when the other side has to move first.
///
/// After an error the connection is dead: every call returns the same error. What `transmit` still yields, an alert, should be
/// sent before the transport is closed.
pub struct Connection {
    config: Config,
    machine: Machine,
    incoming: Incoming,
    plaintext: Queue,
    failure: Option<Error>,
    /// The first bytes looked like TLS.
    speaks_tls: bool,
    finished: bool,
    /// Why nothing more can be written although reading goes on.
    write_failure: Option<Error>,
}

impl Connection {
    /// Starts a connection to the server called `server_name`, a DNS name or an IP address: its certificate must be for that name,
    /// whatever address is dialled. The ClientHello waits in [`transmit`](Self::transmit).
    ///
    /// # Errors
    /// [`ErrorCode::InvalidServerName`] if it is neither.
    pub fn new(config: &Config, server_name: &str) -> Result<Self> {
        let verified = name::parse(server_name)?;
        let sent = match config.sni() {
            Sni::Named(name) => name::parse(name)?,
            Sni::FromName | Sni::Off => verified.clone(),
        };
        Ok(Self {
            machine: Machine::new(config, verified, sent)?,
            config: config.clone(),
            incoming: Incoming::default(),
            plaintext: Queue::default(),
            failure: None,
            speaks_tls: false,
            finished: false,
            write_failure: None,
        })
    }

    /// Accepts ciphertext read from the transport and returns how many bytes it took.
    ///
    /// Buffers one record of up to 18,437 bytes (RFC 5246, section 6.2.3). 0 means that [`read`](Self::read) must go first.
    ///
    /// # Errors
    /// Any of the codes 3xx, [`ErrorCode::SignerFailed`], [`ErrorCode::NoTime`] or [`ErrorCode::Internal`]; then see [`Connection`].
    pub fn receive(&mut self, input: &[u8]) -> Result<usize> {
        // Not when it runs empty: a sender of many records would need it again at once.
        self.machine.output.release();
        let mut taken = 0;
        loop {
            self.check()?;
            if self.machine.peer_finished {
                // RFC 8446, section 6.1: whatever follows close_notify is ignored.
                return Ok(input.len());
            }
            taken += self.incoming.fill(&input[taken..]);
            self.check_start()?;
            // Once connected, records are opened by `read`, straight into its buffer.
            if !self.incoming.is_complete() || !self.machine.is_handshaking() {
                return Ok(taken);
            }
            self.open_collected(&mut [])?;
        }
    }

    /// Accepts ciphertext and decrypts it in the caller's buffer: saves the copies that [`receive`](Self::receive) and
    /// [`read`](Self::read) make. Plaintext is handed to `each` in order, a record or a part of one at a time.
    ///
    /// Returns how many bytes of `buffer` are done with. The rest is the beginning of a record: keep it, append what arrives and call
    /// again; a buffer of 18,437 bytes holds any record. The bytes done with are overwritten.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn receive_in_place(
        &mut self,
        buffer: &mut [u8],
        mut each: impl FnMut(&[u8]),
    ) -> Result<usize> {
        self.machine.output.release();
        let mut done = 0;
        loop {
            if !self.plaintext.is_empty() {
                each(self.plaintext.as_slice());
                self.plaintext.consume(usize::MAX);
                self.plaintext.release();
            }
            self.check()?;
            let rest = &mut buffer[done..];
            if self.machine.peer_finished {
                return Ok(done + rest.len());
            }
            if self.machine.is_handshaking() || !self.incoming.is_empty() {
                done += self.receive(rest)?;
                if !self.incoming.is_complete() {
                    return Ok(done);
                }
                self.open_collected(&mut [])?;
                continue;
            }
            let Some(length) = whole_record(rest, self.incoming.limit()) else {
                return Ok(done);
            };
            let record = &mut rest[..length];
            let result = self.machine.step(&self.config, record, 0, None, &mut each);
            let discarded = self.latch(result)?;
            self.incoming.hold(&record[discarded..]);
            done += length;
        }
    }

    /// Says that the transport has ended: no more bytes will be received.
    ///
    /// # Errors
    /// [`ErrorCode::ClosedInHandshake`] or [`ErrorCode::Truncated`] unless the peer had sent close_notify. What was received before can
    /// still be read.
    pub fn receive_end(&mut self) -> Result<()> {
        self.check()?;
        if self.incoming.is_complete() {
            self.open_collected(&mut [])?;
        }
        if self.machine.peer_finished {
            return Ok(());
        }
        let error = self.unexpected_end();
        self.give_up();
        self.latch(Err(error))
    }

    /// Says that nothing more is expected of the handshake: the session that was offered may be why the server is silent.
    pub(crate) fn give_up(&self) {
        self.machine.forget_session(&self.config);
    }

    /// Moves decrypted bytes into `output` and returns how many; 0 means none now, or no more ever if [`is_ended`](Self::is_ended).
    ///
    /// # Errors
    /// As [`receive`](Self::receive), after everything that was received before has been read.
    pub fn read(&mut self, output: &mut [u8]) -> Result<usize> {
        if !self.plaintext.is_empty() {
            let count = self.plaintext.pop_into(output);
            self.plaintext.release();
            return Ok(count);
        }
        self.check()?;
        if !self.incoming.is_complete()
            || self.machine.is_handshaking()
            || self.machine.peer_finished
        {
            return Ok(0);
        }
        self.open_collected(output)
    }

    /// How many decrypted bytes can be read at once, without receiving anything more.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn readable_bytes(&mut self) -> Result<usize> {
        if self.plaintext.is_empty() {
            self.read(&mut [])?;
        }
        Ok(self.plaintext.len())
    }

    /// Encrypts up to 16,384 bytes of `data` as one record and returns how many; 0 while the handshake goes on or too much waits to be
    /// transmitted.
    ///
    /// # Errors
    /// [`ErrorCode::WriteAfterFinish`]; [`ErrorCode::RecordLimit`] when the keys are used up: what the peer still sends can be read; else as [`receive`](Self::receive).
    pub fn write(&mut self, data: &[u8]) -> Result<usize> {
        self.check()?;
        if let Some(error) = &self.write_failure {
            return Err(error.clone());
        }
        if self.finished {
            return Err(Error::new(
                ErrorCode::WriteAfterFinish,
                "data was written after close_notify",
                "write everything before finish",
            ));
        }
        let data = &data[..data.len().min(self.max_fragment())];
        let full =
            !self.machine.output.is_empty() && self.machine.output.len() + data.len() > MAX_OUTPUT;
        if data.is_empty() || full || self.machine.is_handshaking() {
            return Ok(0);
        }
        self.perform(Task::Write(data))?;
        Ok(data.len())
    }

    /// Moves ciphertext for the transport into `output` and returns how many bytes.
    pub fn transmit(&mut self, output: &mut [u8]) -> usize {
        self.machine.output.pop_into(output)
    }

    /// The ciphertext that waits for the transport, without a copy; see [`transmitted`](Self::transmitted).
    pub fn pending(&self) -> &[u8] {
        self.machine.output.as_slice()
    }

    /// Says that the transport took the first `count` bytes of [`pending`](Self::pending).
    pub fn transmitted(&mut self, count: usize) {
        self.machine.output.consume(count);
    }

    /// Queues close_notify: nothing more can be written; receiving goes on until the peer finishes too (RFC 8446, section 6.1).
    ///
    /// # Errors
    /// [`ErrorCode::HandshakeNotComplete`]; else as [`receive`](Self::receive).
    pub fn finish(&mut self) -> Result<()> {
        self.check()?;
        if self.machine.is_handshaking() {
            return Err(Error::new(
                ErrorCode::HandshakeNotComplete,
                "a connection cannot finish before its handshake is complete",
                "complete the handshake, or drop the connection",
            ));
        }
        if !std::mem::replace(&mut self.finished, true) {
            self.perform(Task::CloseNotify)?;
        }
        Ok(())
    }

    /// Whether the handshake goes on.
    pub fn is_handshaking(&self) -> bool {
        self.machine.is_handshaking()
    }

    /// Whether [`receive`](Self::receive) would take more now.
    pub fn wants_receive(&self) -> bool {
        self.failure.is_none() && !self.machine.peer_finished && !self.incoming.is_complete()
    }

    /// How much to take from a transport that somebody watches with `select` or `poll`, in bytes: all plaintext that comes of it fits into `limit`
    /// bytes or is of one record, so that no other record lies here unseen while the transport looks idle.
    ///
    /// 0 only if [`read`](Self::read) must go first.
    pub fn receive_limit(&self, limit: usize) -> usize {
        let (lacking, collected) = self.incoming.lacking();
        if lacking == 0 && !self.machine.peer_finished {
            return 0;
        }
        let ample = limit.saturating_add(MIN_EXPANSION);
        ample.saturating_sub(collected).max(lacking).max(1)
    }

    /// Whether something waits in [`transmit`](Self::transmit).
    pub fn wants_transmit(&self) -> bool {
        !self.machine.output.is_empty()
    }

    /// Whether the peer has sent close_notify and everything before it was read.
    pub fn is_ended(&self) -> bool {
        self.machine.peer_finished && self.plaintext.is_empty()
    }

    /// What was agreed; `None` before the handshake is complete.
    pub fn negotiated(&self) -> Option<Negotiated> {
        if self.machine.is_handshaking() {
            return None;
        }
        let root = self
            .machine
            .root()
            .and_then(|index| self.config.roots().iter().nth(index));
        Negotiated::of(
            self.machine.tls(),
            root.cloned(),
            self.machine.fragment_length(),
            self.machine.certificate_requested(),
        )
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Opens the collected record: plaintext goes into `output` as far as it fits, the rest waits. Returns how much went into `output`.
    fn open_collected(&mut self, output: &mut [u8]) -> Result<usize> {
        let mut copied = 0;
        let plaintext = &mut self.plaintext;
        let mut each = |record: &[u8]| {
            let fits = record.len().min(output.len() - copied);
            output[copied..copied + fits].copy_from_slice(&record[..fits]);
            plaintext.push(&record[fits..]);
            copied += fits;
        };
        let new = self.incoming.held_len();
        let result = self
            .machine
            .step(&self.config, self.incoming.all(), new, None, &mut each);
        let discarded = self.latch(result)?;
        self.incoming.shown(discarded);
        self.incoming.set_limit(self.machine.record_limit());
        if self.incoming.len() > MAX_INCOMING {
            self.latch(Err(tls::misbehaved(
                "a handshake message spans too many records".into(),
                None,
            )))?;
        }
        Ok(copied)
    }

    /// One record at a time: with a fragment length that was asked for, rustls keeps to it whether the server agrees or not.
    fn max_fragment(&self) -> usize {
        let asked_for = self.config.policy().fragment_length().length();
        asked_for.map_or(MAX_FRAGMENT, FragmentLength::bytes)
    }

    fn perform(&mut self, task: Task<'_>) -> Result<()> {
        let new = self.incoming.held_len();
        let held = self.incoming.held();
        let result = self
            .machine
            .step(&self.config, held, new, Some(task), &mut |_| ());
        match result {
            // close_notify is queued; what the peer still sends can be read.
            Err(error) if error.code() == ErrorCode::RecordLimit => {
                self.finished = true;
                self.write_failure = Some(error.clone());
                Err(error)
            }
            result => self.latch(result).map(|_| ()),
        }
    }

    /// The failure, if it has failed.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.failure {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    fn latch<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            self.failure = Some(error.clone());
            self.incoming.clear();
        }
        result
    }

    /// Refuses a peer whose first bytes are not of a TLS record. An MQTT broker's whole answer has four bytes: a header's five never come.
    fn check_start(&mut self) -> Result<()> {
        const CONTENT_TYPES: std::ops::RangeInclusive<u8> = 20..=24;
        match self.incoming.record() {
            [first, ..] if !self.speaks_tls && !CONTENT_TYPES.contains(first) => {
                if self.incoming.len() < 4 {
                    return Ok(());
                }
                let error = tls::not_tls(self.incoming.record());
                self.latch(Err(error))
            }
            [] => Ok(()),
            _ => {
                self.speaks_tls = true;
                Ok(())
            }
        }
    }

    fn unexpected_end(&self) -> Error {
        if !self.speaks_tls && !self.incoming.is_empty() {
            return tls::not_tls(self.incoming.record());
        }
        let unanswered = self.machine.certificate_is_due() && self.config.identity().is_none();
        end::unexpected(self.is_handshaking(), self.speaks_tls, unanswered)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("handshaking", &self.is_handshaking())
            .field("ended", &self.is_ended())
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}
