//! A [`Connection`] over anything that blocks: `Read` and `Write` on top of `Read` and `Write`.

mod socket;
mod split;
#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};
use std::time::Duration;

pub use split::{ReadHalf, WriteHalf};

use crate::clock::{Deadline, monotonic};
use crate::connection::{Connection, MAX_RECORD, Negotiated, Queue};
use crate::error::{Error, ErrorCode, Result, tls};

/// A TLS stream over a blocking transport.
///
/// The first read or write completes the handshake, as [`handshake`](Self::handshake) does. Errors are [`io::Error`]s that hold an
/// [`Error`]: [`Error::from_io`] gets it back. A transport that does not block is served as well: `WouldBlock` is passed on, call again.
///
/// Dropping a stream closes the transport without close_notify; call [`finish`](Self::finish) to end it properly.
#[derive(Debug)]
pub struct Stream<T> {
    connection: Connection,
    transport: T,
    input: Input,
    limits: Limits<T>,
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
            handshake_duration: None,
        }
    }

    /// Completes the handshake and says what was agreed.
    ///
    /// # Errors
    /// Any code 3xx or 4xx, [`ErrorCode::Timeout`] among them. The alert for the server has been sent, if the transport took it.
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
    /// As [`Connection::finish`], or of the transport.
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
        let start = monotonic();
        let deadline = self.limits.handshake.map(Deadline::after);
        let result = loop {
            if let Err(error) = self
                .wait_at_most(deadline.as_ref())
                .and_then(|()| self.send_pending())
            {
                break Err(error);
            }
            if !self.connection.is_handshaking() {
                break Ok(());
            }
            if let Err(error) = self
                .wait_at_most(deadline.as_ref())
                .and_then(|()| self.fill(&mut []).map(|_| ()))
            {
                break Err(error);
            }
        };
        self.handshake_duration = Some(start.elapsed());
        if deadline.is_some() {
            self.apply(self.limits.read, self.limits.write)?;
        }
        result
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
        let result = self.input.open(&mut self.connection, read, output);
        if self.connection.wants_transmit() {
            // An alert goes at once, even if plaintext before it hides the error until the next call. That the transport fails as well is
            // no news, or comes again with the next attempt to send.
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
            let count = self.input.take(&mut self.connection, output)?;
            if count > 0 || self.connection.is_ended() {
                return Ok(count);
            }
            match self.send_pending() {
                // The peer may wait for us to read before it takes more.
                Err(error) if !is_temporary(&error) => return Err(error),
                _ => {}
            }
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

/// Ciphertext that was read from a transport, decrypted in place, and plaintext that its reader had no room for.
#[derive(Debug, Default)]
struct Input {
    ciphertext: Vec<u8>,
    filled: usize,
    plaintext: Queue,
}

impl Input {
    /// Reads once; 0 is the end of the transport.
    fn read_from(&mut self, transport: &mut impl Read) -> io::Result<usize> {
        self.ciphertext.resize(MAX_RECORD, 0);
        let read = loop {
            match transport.read(&mut self.ciphertext[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.filled += *read.as_ref().unwrap_or(&0);
        self.release();
        read
    }

    /// Decrypts after a read of `read` bytes. Plaintext goes into `output` as far as it fits; returns how much did.
    fn open(
        &mut self,
        connection: &mut Connection,
        read: usize,
        output: &mut [u8],
    ) -> Result<usize> {
        if read == 0 {
            connection.receive_end()?;
            return connection.read(output);
        }
        let mut copied = 0;
        let plaintext = &mut self.plaintext;
        let done = connection.receive_in_place(&mut self.ciphertext[..self.filled], |record| {
            let fits = record.len().min(output.len() - copied);
            output[copied..copied + fits].copy_from_slice(&record[..fits]);
            plaintext.push(&record[fits..]);
            copied += fits;
        });
        // Plaintext that came before the error is handed out first; the connection keeps the error.
        let done = match done {
            Err(error) if copied == 0 && self.plaintext.is_empty() => return Err(error),
            Err(_) => self.filled,
            Ok(done) => done,
        };
        self.ciphertext.copy_within(done..self.filled, 0);
        self.filled -= done;
        self.release();
        Ok(copied)
    }

    /// Takes plaintext that waits here or in the connection.
    fn take(&mut self, connection: &mut Connection, output: &mut [u8]) -> Result<usize> {
        if self.plaintext.is_empty() {
            return connection.read(output);
        }
        let count = self.plaintext.pop_into(output);
        self.plaintext.release();
        Ok(count)
    }

    fn release(&mut self) {
        if self.filled == 0 {
            self.ciphertext = Vec::new();
        }
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
