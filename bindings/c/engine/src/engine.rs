//! A connection with the little that a socket keeps beside it.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use hubtls::{Config, Connection, Error, ErrorCode, FragmentLength, Negotiated, Result};

use crate::exclusive::Exclusive;
use crate::state::State;

/// Ciphertext of a record is longer than its plaintext by at most this: header, IV, HMAC-SHA-384 and padding of a CBC suite (RFC 5246, section
/// 6.2.3.2).
const EXPANSION: usize = 96;
/// Room for what the connection itself may send beside data: an answer to a key update, an alert.
const EXTRA: usize = 256;

/// A connection for a socket: one thread may feed it while another encrypts; each call locks it for as long as it lasts.
pub struct Engine {
    inner: Exclusive<Inner>,
    /// Beside the lock: a signer may hold that up for seconds.
    handshaking: AtomicBool,
}

/// What only the thread that holds the lock has.
pub(crate) struct Inner {
    connection: Connection,
    /// Plaintext that there was no room for.
    unread: VecDeque<u8>,
    /// What ended the connection.
    failure: Option<Error>,
    /// Why a call did not do all that it should.
    refusal: Option<Error>,
}

impl Inner {
    fn state(&self, bytes: usize) -> State {
        let flag = |is: bool, flag: i64| if is { flag } else { 0 };
        let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
        State(
            i64::from(bytes)
                | flag(self.connection.is_handshaking(), State::HANDSHAKING)
                | flag(self.connection.wants_transmit(), State::TRANSMIT)
                | flag(self.connection.is_ended(), State::ENDED)
                | flag(self.failure.is_some(), State::FAILED)
                | flag(!self.unread.is_empty(), State::MORE),
        )
    }

    fn refuse(&mut self, error: Error) -> State {
        self.refusal = Some(error);
        State(self.state(0).0 | State::REFUSED)
    }

    /// As [`Engine::feed`].
    pub(crate) fn feed(&mut self, ciphertext: &mut [u8], output: &mut [u8]) -> State {
        let mut count = self.take_unread(output);
        if ciphertext.is_empty() || self.failure.is_some() {
            return self.state(count);
        }
        let unread = &mut self.unread;
        let done = self.connection.receive_in_place(ciphertext, |plaintext| {
            // What did not fit comes first, and after it nothing fits.
            let fits = if unread.is_empty() {
                plaintext.len().min(output.len() - count)
            } else {
                0
            };
            output[count..count + fits].copy_from_slice(&plaintext[..fits]);
            unread.extend(&plaintext[fits..]);
            count += fits;
        });
        // What is left is the beginning of a record.
        let kept = done.and_then(|done| self.connection.receive(&ciphertext[done..]));
        self.failure = kept.err();
        self.state(count)
    }

    fn take_unread(&mut self, output: &mut [u8]) -> usize {
        let mut count = 0;
        // What lies around the end of a ring comes in two parts.
        while let Ok(more @ 1..) = self.unread.read(&mut output[count..]) {
            count += more;
        }
        if self.unread.is_empty() {
            self.unread = VecDeque::new();
        }
        count
    }

    /// As [`Engine::encrypt`].
    pub(crate) fn encrypt(&mut self, plaintext: &[u8], output: &mut [u8]) -> State {
        if let Some(failure) = self.failure.clone() {
            return self.refuse(failure);
        }
        if self.connection.is_handshaking() {
            return self.refuse(Error::new(
                ErrorCode::HandshakeNotComplete,
                "nothing can be encrypted before the handshake is complete",
                "complete the handshake first",
            ));
        }
        let length = self.connection.config().policy().fragment_length().length();
        let fragment = length.map_or(16_384, FragmentLength::bytes);
        let records = plaintext.len().div_ceil(fragment);
        let needed =
            self.connection.pending().len() + plaintext.len() + records * EXPANSION + EXTRA;
        if output.len() < needed {
            return self.refuse(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "{} bytes cannot hold the ciphertext: {needed} are needed",
                    output.len()
                ),
                "give a larger buffer, or encrypt less at a time",
            ));
        }
        let (mut taken, mut count) = (0, 0);
        loop {
            count += self.connection.transmit(&mut output[count..]);
            if taken == plaintext.len() {
                return self.state(count);
            }
            match self.connection.write(&plaintext[taken..]) {
                Ok(more) => taken += more,
                // What was encrypted before has to be sent all the same.
                Err(error) => return State(self.refuse(error).0 | self.state(count).0),
            }
        }
    }

    /// As [`Engine::outgoing`].
    pub(crate) fn outgoing(&mut self, output: &mut [u8]) -> State {
        let count = self.connection.transmit(output);
        self.state(count)
    }

    /// Whether the handshake goes on, in which a signer may be called.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    fn feed_end(&mut self) -> Result<()> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let ended = self.connection.receive_end();
        self.failure = ended.clone().err();
        ended
    }
}

impl Engine {
    /// Starts a connection to the server of that name; the ClientHello waits in [`outgoing`](Self::outgoing).
    ///
    /// # Errors
    /// [`ErrorCode::InvalidServerName`].
    pub fn new(config: &Config, server_name: &str) -> Result<Self> {
        Ok(Self {
            inner: Exclusive::new(Inner {
                connection: Connection::new(config, server_name)?,
                unread: VecDeque::new(),
                failure: None,
                refusal: None,
            }),
            handshaking: AtomicBool::new(true),
        })
    }

    fn with<R>(&self, work: impl FnOnce(&mut Inner) -> R) -> Result<R> {
        self.inner.with(|inner| {
            let result = work(inner);
            let handshaking = inner.connection.is_handshaking();
            self.handshaking.store(handshaking, Ordering::Release);
            result
        })
    }

    /// Does `work` while no other thread is at work with it.
    pub(crate) fn stating(&self, work: impl FnOnce(&mut Inner) -> State) -> State {
        // Only a signer's own thread is refused here, and is told so again when it asks why.
        self.with(work).unwrap_or(State(State::REFUSED))
    }

    /// Decrypts `ciphertext`, which is overwritten, and moves plaintext to `output`. What there is no room for comes with the next call.
    pub fn feed(&self, ciphertext: &mut [u8], output: &mut [u8]) -> State {
        self.stating(|inner| inner.feed(ciphertext, output))
    }

    /// Encrypts all of `plaintext`, and moves it to `output` behind the ciphertext that waited.
    ///
    /// `output` needs 96 bytes more than the plaintext for each record, 256 for the connection's own, and room for what waits.
    pub fn encrypt(&self, plaintext: &[u8], output: &mut [u8]) -> State {
        self.stating(|inner| inner.encrypt(plaintext, output))
    }

    /// Moves ciphertext that waits to `output`.
    pub fn outgoing(&self, output: &mut [u8]) -> State {
        self.stating(|inner| inner.outgoing(output))
    }

    /// Says that the transport has ended.
    ///
    /// # Errors
    /// [`ErrorCode::ClosedInHandshake`] or [`ErrorCode::Truncated`] unless the peer had finished; the failure if it had failed before.
    pub fn feed_end(&self) -> Result<()> {
        self.with(Inner::feed_end)?
    }

    /// Queues close_notify.
    ///
    /// # Errors
    /// As [`Connection::finish`].
    pub fn finish(&self) -> Result<()> {
        self.with(|inner| inner.connection.finish())?
    }

    /// What ended the connection.
    ///
    /// # Errors
    /// [`ErrorCode::InUse`].
    pub fn failure(&self) -> Result<Option<Error>> {
        self.with(|inner| inner.failure.clone())
    }

    /// Why a call was [`State::REFUSED`]; told once.
    ///
    /// # Errors
    /// [`ErrorCode::InUse`].
    pub fn refusal(&self) -> Result<Option<Error>> {
        self.with(|inner| inner.refusal.take())
    }

    /// A fault of hubtls ended the connection.
    pub(crate) fn break_down(&self) -> State {
        self.stating(|inner| {
            inner.failure.get_or_insert_with(|| {
                Error::new(
                    ErrorCode::Internal,
                    "hubtls panicked",
                    "report this as a bug of hubtls",
                )
            });
            inner.state(0)
        })
    }

    /// Whether the handshake goes on. Waits for nobody.
    pub fn is_handshaking(&self) -> bool {
        self.handshaking.load(Ordering::Acquire)
    }

    /// What was agreed; `None` before the handshake is complete.
    ///
    /// # Errors
    /// [`ErrorCode::InUse`].
    pub fn negotiated(&self) -> Result<Option<Negotiated>> {
        self.with(|inner| inner.connection.negotiated())
    }
}
