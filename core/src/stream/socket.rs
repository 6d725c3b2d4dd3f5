//! What a stream over a socket can do besides: time limits, and waiting for a late refusal.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use super::{ReadHalf, Stream, WriteHalf, is_temporary};
use crate::clock::Deadline;
use crate::error::{Error, ErrorCode, Result};
use crate::suite::Version;

impl Stream<TcpStream> {
    /// How long the whole handshake may take, from the first call that works at it. Default: for ever.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] if the limit is zero.
    pub fn set_handshake_timeout(&mut self, limit: Option<Duration>) -> Result<()> {
        check(limit)?;
        self.limits.handshake = limit;
        self.limits.apply = Some(set_timeouts);
        Ok(())
    }

    /// How long each read and each write may wait for the network. Default: for ever.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] if the limit is zero; [`ErrorCode::Io`] if the socket refuses it.
    pub fn set_timeout(&mut self, limit: Option<Duration>) -> Result<()> {
        self.set_limits(limit, limit)
    }

    /// How long each read may wait for the network. After [`ErrorCode::Timeout`] reading goes on where it stopped. Default: for ever.
    ///
    /// # Errors
    /// As [`set_timeout`](Self::set_timeout).
    pub fn set_read_timeout(&mut self, limit: Option<Duration>) -> Result<()> {
        self.set_limits(limit, self.limits.write)
    }

    /// How long each write may wait for the network. Default: for ever.
    ///
    /// Nothing is lost when the time is over: a write that has encrypted its data returns how much, and the next write, flush or
    /// [`finish`](Self::finish) sends the rest first. That one fails with [`ErrorCode::Timeout`], having taken no data, if it has to wait
    /// too long again.
    ///
    /// # Errors
    /// As [`set_timeout`](Self::set_timeout).
    pub fn set_write_timeout(&mut self, limit: Option<Duration>) -> Result<()> {
        self.set_limits(self.limits.read, limit)
    }

    fn set_limits(&mut self, read: Option<Duration>, write: Option<Duration>) -> Result<()> {
        check(read)?;
        check(write)?;
        self.limits.read = read;
        self.limits.write = write;
        self.limits.apply = Some(set_timeouts);
        set_timeouts(&self.transport, read, write).map_err(Error::from)
    }

    /// Completes the handshake and waits for a late refusal of the client certificate, at most for `limit`.
    ///
    /// A TLS 1.3 server judges the client's certificate, or its absence, when the client's handshake is complete already: the refusal would
    /// come with the first read. Returns at once where that cannot be: with TLS 1.2, or if the server asked for no certificate. Else returns
    /// as soon as the server sends data or ends, or when `limit` is over, since a server says nothing to accept. Twice the
    /// [`handshake_duration`](crate::Negotiated::handshake_duration) is long enough for most. Data that arrives meanwhile is read later.
    ///
    /// # Errors
    /// [`ErrorCode::ClientCertificateRequired`] or [`ErrorCode::ClientCertificateRefused`]; else as [`handshake`](Self::handshake), or as
    /// the first read. Never [`ErrorCode::Timeout`] once the handshake is complete.
    pub fn confirm(&mut self, limit: Duration) -> Result<()> {
        let negotiated = self.handshake()?;
        if negotiated.version() != Version::Tls13 || !negotiated.client_certificate_requested() {
            return Ok(());
        }
        let before = self.transport.read_timeout().map_err(Error::from)?;
        let outcome = self.listen(&Deadline::after(limit));
        let restored = self.transport.set_read_timeout(before);
        outcome.and(restored.map_err(Error::from))
    }

    /// Receives until there is something to read, or until the time is over.
    fn listen(&mut self, deadline: &Deadline) -> Result<()> {
        loop {
            let readable = self.input.is_readable(&mut self.connection);
            if self.tell(readable)? || self.connection.is_ended() {
                break;
            }
            let Some(left) = deadline.remaining() else {
                break;
            };
            let limited = self.transport.set_read_timeout(Some(left));
            match limited.and_then(|()| self.fill(&mut [])) {
                Err(error) if is_temporary(&error) => break,
                received => received?,
            };
        }
        Ok(())
    }
}

impl ReadHalf<TcpStream> {
    /// How long each read may wait for the network, as [`Stream::set_read_timeout`] says.
    ///
    /// # Errors
    /// As [`Stream::set_timeout`].
    pub fn set_timeout(&mut self, limit: Option<Duration>) -> Result<()> {
        check(limit)?;
        self.limited = limit.is_some();
        let set = self.transport.set_read_timeout(limit);
        set.map_err(Error::from)
    }
}

impl WriteHalf<TcpStream> {
    /// How long each write may wait for the network, as [`Stream::set_write_timeout`] says.
    ///
    /// # Errors
    /// As [`Stream::set_timeout`].
    pub fn set_timeout(&mut self, limit: Option<Duration>) -> Result<()> {
        check(limit)?;
        let mut writer = self.shared.writer();
        writer.limited = limit.is_some();
        let set = writer.transport.set_write_timeout(limit);
        set.map_err(Error::from)
    }
}

fn check(limit: Option<Duration>) -> Result<()> {
    match limit {
        Some(Duration::ZERO) => Err(Error::new(
            ErrorCode::InvalidArgument,
            "a timeout of zero would fail every call",
            "give a positive duration, or None to wait for ever",
        )),
        _ => Ok(()),
    }
}

fn set_timeouts(
    socket: &TcpStream,
    read: Option<Duration>,
    write: Option<Duration>,
) -> io::Result<()> {
    socket.set_read_timeout(read)?;
    socket.set_write_timeout(write)
}
