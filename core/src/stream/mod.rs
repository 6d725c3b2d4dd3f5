//! A [`Connection`] over anything that blocks: `Read` and `Write` on top of `Read` and `Write`.

#[cfg(test)]
mod faults;
mod input;
#[cfg(test)]
mod scripted;
mod socket;
mod split;
#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use input::Input;
pub use split::{ReadHalf, WriteHalf};

use crate::clock::{Deadline, monotonic};
use crate::connection::{Connection, Negotiated};
use crate::error::{Error, ErrorCode, Result, tls};

/// A TLS stream over a blocking transport.
///
/// The first read or write completes the handshake, as [`handshake`](Self::handshake) does. Errors are [`io::Error`]s that hold an
/// [`Error`]: [`Error::from_io`] gets it back.
///
/// A transport that does not block is served as well: `read`, `write` and `flush` pass `WouldBlock` on, and go on where they stopped when they
/// are called again. There a read into an empty buffer completes the handshake, and `flush` sends what [`finish`](Self::finish) could not.
///
/// Dropping a stream closes the transport without close_notify; call [`finish`](Self::finish) to end it properly.
#[derive(Debug)]
pub struct Stream<T> {
    connection: Connection,
    transport: T,
    input: Input,
    limits: Limits<T>,
    handshake_start: Option<Instant>,
    handshake_duration: Option<Duration>,
}

/// Takes the limits for a read and for a write.
type SetTimeouts<T> = fn(&T, Option<Duration>, Option<Duration>) -> io::Result<()>;

/// How long to wait for the transport, and how to tell it.
#[derive(Debug)]
struct Limits<T> {
    handshake: Option<Duration>,
    read: Option<Duration>,
    write: Option<Duration>,
    apply: Option<SetTimeouts<T>>,
}

impl<T: Read + Write> Stream<T> {
    /// A stream of `connection` over `transport`, which must be connected already.
    pub fn new(connection: Connection, transport: T) -> Self {
        Self {
            connection,
            transport,
            input: Input::default(),
            limits: Limits {
                handshake: None,
                read: None,
                write: None,
                apply: None,
            },
            handshake_start: None,
            handshake_duration: None,
        }
    }

    /// Completes the handshake and says what was agreed.
    ///
    /// # Errors
    /// As [`Connection::receive`], or any code 4xx, [`ErrorCode::Timeout`] among them. The alert for the server has been sent, if the
    /// transport took it. [`ErrorCode::Io`] if the transport would block: call again.
    pub fn handshake(&mut self) -> Result<Negotiated> {
        self.complete_handshake().map_err(Error::from)?;
        let negotiated = self
            .connection
            .negotiated()
            .ok_or_else(|| tls::internal(&"no outcome of the handshake"))?;
        Ok(negotiated.with_handshake_duration(self.handshake_duration))
    }

    /// Sends close_notify: nothing more can be written, reading goes on until the peer finishes too.
    ///
    /// # Errors
    /// As [`Connection::finish`], or of the transport. [`ErrorCode::Io`] if that would block: call again.
    pub fn finish(&mut self) -> Result<()> {
        self.connection.finish()?;
        self.flush().map_err(Error::from)
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The transport.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    fn complete_handshake(&mut self) -> io::Result<()> {
        if !self.connection.is_handshaking() {
            return Ok(());
        }
        let failed = self.connection.check();
        self.tell(failed)?;
        let start = *self.handshake_start.get_or_insert_with(monotonic);
        let limit = self.limits.handshake;
        let deadline = limit.map(|limit| Deadline::from(start, limit));
        let outcome = self
            .shake_hands(deadline.as_ref())
            .map_err(|error| self.handshake_error(error));
        self.handshake_duration = Some(start.elapsed());
        let restored = deadline.map_or(Ok(()), |_| self.apply(self.limits.read, self.limits.write));
        outcome.and(restored)
    }

    fn shake_hands(&mut self, deadline: Option<&Deadline>) -> io::Result<()> {
        loop {
            let sent = self
                .wait_at_most(deadline)
                .and_then(|()| self.send_pending());
            match sent {
                Err(error) if self.connection.is_handshaking() && !is_temporary(&error) => {
                    // The server has gone. What it sent last may tell why.
                    self.fill(&mut [])?;
                    return Err(error);
                }
                sent => sent?,
            }
            if !self.connection.is_handshaking() {
                return Ok(());
            }
            match self.wait_at_most(deadline) {
                Err(error) if is_temporary(&error) => return Err(error),
                // A socket whose peer has gone may refuse a limit (macOS), but has something to read.
                _ => self.fill(&mut [])?,
            };
        }
    }

    /// Some servers reset the connection where others close it or send an alert, and some fall silent.
    fn handshake_error(&mut self, error: io::Error) -> io::Error {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut};
        match error.kind() {
            _ if !self.connection.is_handshaking() => error,
            BrokenPipe | ConnectionAborted | ConnectionReset => self
                .connection
                .receive_end()
                .map_or_else(io::Error::from, |()| error),
            TimedOut => {
                self.connection.give_up();
                error
            }
            _ => error,
        }
    }

    /// Gives the transport what is left of the time for the handshake.
    fn wait_at_most(&self, deadline: Option<&Deadline>) -> io::Result<()> {
        let Some(deadline) = deadline else {
            return Ok(());
        };
        let Some(left) = deadline.remaining() else {
            return Err(timeout().into());
        };
        let sooner = |limit: Option<Duration>| Some(limit.map_or(left, |limit| limit.min(left)));
        self.apply(sooner(self.limits.read), sooner(self.limits.write))
    }

    fn apply(&self, read: Option<Duration>, write: Option<Duration>) -> io::Result<()> {
        self.limits
            .apply
            .map_or(Ok(()), |apply| apply(&self.transport, read, write))
    }

    /// Reads once from the transport and decrypts: plaintext goes into `output` as far as it fits, the rest waits.
    fn fill(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let limited = self.has_limit();
        let read = self
            .input
            .read_from(&mut self.transport)
            .map_err(|error| transport_error(error, limited))?;
        let opened = self.input.open(&mut self.connection, read, output);
        self.tell(opened)
    }

    /// If the connection has failed, sends the alert, even if plaintext before it hides the error until the next call.
    fn tell<V>(&mut self, result: Result<V>) -> io::Result<V> {
        if self.connection.check().is_err() {
            // That the transport fails as well is no news.
            let _ = self.send_pending();
        }
        Ok(result?)
    }

    fn send_pending(&mut self) -> io::Result<()> {
        let limited = self.has_limit();
        while self.connection.wants_transmit() {
            let count = write_some(&mut self.transport, self.connection.pending(), limited)?;
            self.connection.transmitted(count);
        }
        Ok(())
    }

    fn has_limit(&self) -> bool {
        let Limits {
            handshake,
            read,
            write,
            ..
        } = self.limits;
        handshake.or(read).or(write).is_some()
    }
}

impl<T: Read + Write> Read for Stream<T> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        self.complete_handshake()?;
        if output.is_empty() {
            return Ok(0);
        }
        loop {
            let taken = self.input.take(&mut self.connection, output);
            let count = self.tell(taken)?;
            if count > 0 || self.connection.is_ended() {
                return Ok(count);
            }
            // The peer may wait for us to read before it takes more. If it has gone, what it sent last counts.
            let _ = self.send_pending();
            let count = self.fill(output)?;
            if count > 0 {
                return Ok(count);
            }
        }
    }
}

impl<T: Read + Write> Write for Stream<T> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.complete_handshake()?;
        let failed = self.connection.check();
        self.tell(failed)?;
        // What an earlier call could not send goes first: only then is there room, and order.
        self.send_pending()?;
        let count = self.connection.write(data)?;
        unless_temporary(self.send_pending()).map(|()| count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send_pending()?;
        self.transport.flush()
    }
}

fn timeout() -> Error {
    Error::new(
        ErrorCode::Timeout,
        "the peer did not answer in time",
        "check that the server is up and speaks TLS on this port; the network may be slow",
    )
}

/// Writes once and returns how many bytes the transport took: at least one.
fn write_some(transport: &mut impl Write, bytes: &[u8], limited: bool) -> io::Result<usize> {
    loop {
        match transport.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map_err(|error| transport_error(error, limited)),
        }
    }
}

/// Whether the transport may do later what it did not do now.
fn is_temporary(error: &io::Error) -> bool {
    use io::ErrorKind::{TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut)
}

/// For data that is encrypted: what is not sent yet is kept and goes with the next call, and so does the reason.
fn unless_temporary(sent: io::Result<()>) -> io::Result<()> {
    match sent {
        Err(error) if is_temporary(&error) => Ok(()),
        sent => sent,
    }
}

/// With a limit set, a blocking socket says `WouldBlock` when the time is over.
fn transport_error(error: io::Error, limited: bool) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut if limited => timeout().into(),
        _ => error,
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.code() {
            ErrorCode::Timeout => io::ErrorKind::TimedOut,
            ErrorCode::Truncated | ErrorCode::ClosedInHandshake => io::ErrorKind::UnexpectedEof,
            ErrorCode::WriteAfterFinish => io::ErrorKind::BrokenPipe,
            ErrorCode::Io | ErrorCode::Internal => io::ErrorKind::Other,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

impl From<io::Error> for Error {
    /// The error of hubtls that `error` holds; any other becomes [`ErrorCode::Io`].
    fn from(error: io::Error) -> Self {
        match Self::from_io(&error) {
            Some(ours) => ours.clone(),
            None if error.kind() == io::ErrorKind::WouldBlock => Self::new(
                ErrorCode::Io,
                "the transport is not ready and does not block",
                "wait until it is ready, then call again",
            ),
            None => Self::new(
                ErrorCode::Io,
                format!("the transport failed: {error}"),
                "the network or the server failed; try again",
            ),
        }
    }
}

impl Error {
    /// The error of hubtls inside an error of a [`Stream`], if it came from hubtls and not from the transport.
    pub fn from_io(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}
