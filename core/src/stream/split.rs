//! The two directions of a stream for two threads, as MQTT clients use them.
//!
//! Nothing waits for the network with the connection locked: that is locked only to encrypt and decrypt, so that the reader reads on while the
//! writer waits for a full socket. The lock on the writer keeps records in order. The reader takes it only to send an alert, which is the last
//! that is sent, and only when nobody has it and nothing else is left to send. Its other answers, to key updates, leave with the next write.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use super::{Input, Stream, transport_error, unless_temporary, write_some};
use crate::connection::{Connection, Negotiated, Queue};
use crate::error::{Error, Result};

/// What both halves share. Lock the writer first, then the connection.
#[derive(Debug)]
pub(super) struct Shared<W> {
    writer: Mutex<Writer<W>>,
    connection: Mutex<Connection>,
    negotiated: Negotiated,
}

#[derive(Debug)]
pub(super) struct Writer<W> {
    pub(super) transport: W,
    /// What the transport has not taken yet, if it stopped in the middle.
    unsent: Queue,
    pub(super) limited: bool,
}

/// The receiving half of a split [`Stream`].
#[derive(Debug)]
pub struct ReadHalf<R, W = R> {
    shared: Arc<Shared<W>>,
    pub(super) transport: R,
    input: Input,
    pub(super) limited: bool,
}

/// The sending half of a split [`Stream`].
#[derive(Debug)]
pub struct WriteHalf<W> {
    pub(super) shared: Arc<Shared<W>>,
}

impl Stream<TcpStream> {
    /// Completes the handshake and splits the stream into halves for two threads. Both keep the time limits of the stream.
    ///
    /// To end both from elsewhere, keep a clone of the socket (`transport().try_clone()`) and shut that down.
    ///
    /// # Errors
    /// As [`Stream::handshake`]; [`ErrorCode::Io`](crate::ErrorCode::Io) if the socket cannot be duplicated.
    pub fn split(mut self) -> Result<(ReadHalf<TcpStream>, WriteHalf<TcpStream>)> {
        let negotiated = self.handshake()?;
        let writer = self.transport.try_clone().map_err(Error::from)?;
        Ok(self.divide(writer, negotiated))
    }
}

impl<T: Read + Write> Stream<T> {
    /// The halves of a stream whose handshake is complete; `writer` is another handle of its transport.
    pub(super) fn divide<W>(
        self,
        writer: W,
        negotiated: Negotiated,
    ) -> (ReadHalf<T, W>, WriteHalf<W>) {
        let limited = self.has_limit();
        let shared = Arc::new(Shared {
            writer: Mutex::new(Writer {
                transport: writer,
                unsent: Queue::default(),
                limited,
            }),
            connection: Mutex::new(self.connection),
            negotiated,
        });
        let writer = WriteHalf {
            shared: shared.clone(),
        };
        let reader = ReadHalf {
            shared,
            transport: self.transport,
            input: self.input,
            limited,
        };
        (reader, writer)
    }
}

impl<W: Write> Shared<W> {
    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic in between leaves a connection that errors, not one that leaks.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Writer<W>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, writer: &mut Writer<W>) -> io::Result<()> {
        loop {
            while !writer.unsent.is_empty() {
                let bytes = writer.unsent.as_slice();
                let count = write_some(&mut writer.transport, bytes, writer.limited)?;
                writer.unsent.consume(count);
            }
            let mut connection = self.connection();
            if !connection.wants_transmit() {
                return Ok(());
            }
            writer.unsent.push(connection.pending());
            connection.transmitted(usize::MAX);
        }
    }

    /// Runs `work` with the writer, and then sends the alert of a reader that found the writer taken.
    fn in_turn<V>(&self, work: impl FnOnce(&mut Writer<W>) -> io::Result<V>) -> io::Result<V> {
        let outcome = work(&mut self.writer());
        self.send_alert();
        outcome
    }

    /// Runs `work` with the connection. If that has failed then, sends the alert, even if plaintext before it hides the error until the next call.
    fn work<V>(&self, work: impl FnOnce(&mut Connection) -> Result<V>) -> io::Result<V> {
        let (outcome, failed) = {
            let mut connection = self.connection();
            let outcome = work(&mut connection);
            (outcome, connection.check().is_err())
        };
        if failed {
            self.send_alert();
        }
        Ok(outcome?)
    }

    /// Once the connection has failed, tells the peer, unless a writer is at it or waits for a full socket.
    fn send_alert(&self) {
        if self.connection().check().is_ok() {
            return;
        }
        let mut writer = match self.writer.try_lock() {
            Ok(writer) => writer,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if writer.unsent.is_empty() {
            // The peer may be gone already: what it sent counts.
            let _ = self.send(&mut writer);
        }
    }
}

impl<R, W> ReadHalf<R, W> {
    /// What was agreed.
    pub fn negotiated(&self) -> &Negotiated {
        &self.shared.negotiated
    }

    /// The transport that this half reads from. For a socket, the other half writes to the same.
    pub fn transport(&self) -> &R {
        &self.transport
    }
}

impl<R: Read, W: Write> Read for ReadHalf<R, W> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        let (shared, input) = (&self.shared, &mut self.input);
        loop {
            let (count, ended) = shared.work(|connection| {
                let count = input.take(connection, output)?;
                Ok((count, connection.is_ended()))
            })?;
            if count > 0 || ended {
                return Ok(count);
            }
            let read = input
                .read_from(&mut self.transport)
                .map_err(|error| transport_error(error, self.limited))?;
            let count = shared.work(|connection| input.open(connection, read, output))?;
            if count > 0 {
                return Ok(count);
            }
        }
    }
}

impl<W: Write> WriteHalf<W> {
    /// Sends close_notify: nothing more can be written, the other half reads on.
    ///
    /// # Errors
    /// As [`Stream::finish`].
    pub fn finish(&mut self) -> Result<()> {
        let shared = &self.shared;
        let finished = shared.in_turn(|writer| {
            shared.connection().finish()?;
            shared.send(writer)
        });
        finished.map_err(Error::from)
    }
}

impl<W: Write> Write for WriteHalf<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let shared = &self.shared;
        shared.in_turn(|writer| {
            shared.connection().check()?;
            shared.send(writer)?;
            let count = shared.connection().write(data)?;
            unless_temporary(shared.send(writer)).map(|()| count)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        let shared = &self.shared;
        shared.in_turn(|writer| {
            shared.send(writer)?;
            writer.transport.flush()
        })
    }
}
