//! The two directions of a stream for two threads, as MQTT clients use them.
//!
//! No lock is held while a thread waits for the network to give: the connection is locked only to encrypt and decrypt. Writers take turns at the
//! transport, so that records leave in order.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Input, Stream, transport_error};
use crate::connection::{Connection, Negotiated};
use crate::error::{Error, Result};

/// What both halves share. Lock the writer first, then the connection.
#[derive(Debug)]
struct Shared<W> {
    writer: Mutex<Writer<W>>,
    connection: Mutex<Connection>,
    negotiated: Negotiated,
    limited: bool,
}

#[derive(Debug)]
struct Writer<W> {
    transport: W,
    ciphertext: Vec<u8>,
}

/// The receiving half of a split [`Stream`].
#[derive(Debug)]
pub struct ReadHalf<R, W = R> {
    shared: Arc<Shared<W>>,
    transport: R,
    input: Input,
}

/// The sending half of a split [`Stream`].
#[derive(Debug)]
pub struct WriteHalf<W> {
    shared: Arc<Shared<W>>,
}

impl Stream<TcpStream> {
    /// Completes the handshake and splits the stream into halves for two threads.
    ///
    /// # Errors
    /// As [`Stream::handshake`]; [`ErrorCode::Io`](crate::ErrorCode::Io) if the socket cannot be duplicated.
    pub fn split(mut self) -> Result<(ReadHalf<TcpStream>, WriteHalf<TcpStream>)> {
        let negotiated = self.handshake()?;
        let writer = self.transport.try_clone().map_err(Error::from)?;
        let limited = self.has_limit();
        let shared = Arc::new(Shared {
            writer: Mutex::new(Writer {
                transport: writer,
                ciphertext: Vec::new(),
            }),
            connection: Mutex::new(self.connection),
            negotiated,
            limited,
        });
        let write = WriteHalf {
            shared: shared.clone(),
        };
        Ok((
            ReadHalf {
                shared,
                transport: self.transport,
                input: self.input,
            },
            write,
        ))
    }
}

impl<W: Write> Shared<W> {
    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic in between leaves a connection that errors, not one that leaks.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Writer<W>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, writer: &mut Writer<W>) -> io::Result<()> {
        loop {
            {
                let mut connection = self.connection();
                if !connection.wants_transmit() {
                    return Ok(());
                }
                writer.ciphertext.clear();
                writer.ciphertext.extend_from_slice(connection.pending());
                connection.transmitted(usize::MAX);
            }
            let sent = writer.transport.write_all(&writer.ciphertext);
            sent.map_err(|error| transport_error(error, self.limited))?;
        }
    }

    /// Sends what the reader caused, an alert or an answer to a key update, unless a writer is at it and sends it on its way.
    fn send_if_free(&self) -> io::Result<()> {
        match self.writer.try_lock() {
            Ok(mut writer) => self.send(&mut writer),
            Err(_) => Ok(()),
        }
    }
}

impl<R, W> ReadHalf<R, W> {
    /// What was agreed.
    pub fn negotiated(&self) -> &Negotiated {
        &self.shared.negotiated
    }
}

impl<R: Read, W: Write> Read for ReadHalf<R, W> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        loop {
            {
                let mut connection = self.shared.connection();
                let count = self.input.take(&mut connection, output)?;
                if count > 0 || connection.is_ended() {
                    return Ok(count);
                }
            }
            let read = self
                .input
                .read_from(&mut self.transport)
                .map_err(|error| transport_error(error, self.shared.limited))?;
            let (result, answers) = {
                let mut connection = self.shared.connection();
                let result = self.input.open(&mut connection, read, output);
                (result, connection.wants_transmit())
            };
            if answers {
                // The peer may be gone already: what it sent counts.
                let _ = self.shared.send_if_free();
            }
            let count = result?;
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
        let mut writer = self.shared.writer();
        self.shared.connection().finish()?;
        self.shared.send(&mut writer).map_err(Error::from)
    }
}

impl<W: Write> Write for WriteHalf<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut writer = self.shared.writer();
        self.shared.send(&mut writer)?;
        let count = self.shared.connection().write(data)?;
        self.shared.send(&mut writer)?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut writer = self.shared.writer();
        self.shared.send(&mut writer)?;
        writer.transport.flush()
    }
}
