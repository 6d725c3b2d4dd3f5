//! Connections without sockets.

use std::sync::Arc;

use hubtls_engine::Exclusive;

use crate::config::Config;
use crate::error::{Result, invalid, not_complete};
use crate::negotiated::Negotiated;

/// More than a call can return.
const MOST: usize = 1 << 20;

/// A TLS client connection that owns no socket.
///
/// Loop: send what `transmit` returns, give what arrives to `receive`, take plaintext with `read`. After an error every call throws it again; what
/// `transmit` still returns, an alert, should be sent before the transport is closed. Threads may share it and wait for each other.
#[derive(uniffi::Object)]
pub struct Connection(Exclusive<hubtls::Connection>);

impl Connection {
    fn with<R>(
        &self,
        work: impl FnOnce(&mut hubtls::Connection) -> hubtls::Result<R>,
    ) -> Result<R> {
        Ok(self.0.with(work)??)
    }
}

fn signed(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn limited(limit: i32) -> Result<usize> {
    let limit = usize::try_from(limit)
        .map_err(|_| invalid(format!("{limit} is no number of bytes"), "give 0 or more"))?;
    Ok(limit.min(MOST))
}

#[uniffi::export]
impl Connection {
    /// A connection to the server of that name, a DNS name or an IP address, whatever address is dialled: `INVALID_SERVER_NAME`.
    #[uniffi::constructor]
    pub fn new(config: &Config, server_name: String) -> Result<Arc<Self>> {
        let connection = hubtls::Connection::new(&config.config, &server_name)?;
        Ok(Arc::new(Self(Exclusive::new(connection))))
    }

    /// Accepts ciphertext from the transport and returns how many bytes it took; 0 means that `read` must go first.
    pub fn receive(&self, data: Vec<u8>) -> Result<i32> {
        self.with(|connection| connection.receive(&data).map(signed))
    }

    /// Says that the transport has ended: `CLOSED_IN_HANDSHAKE` or `TRUNCATED` unless the peer had said that it would.
    pub fn receive_end(&self) -> Result<()> {
        self.with(hubtls::Connection::receive_end)
    }

    /// At most `limit` decrypted bytes; none now, or no more ever if `is_ended`.
    #[uniffi::method(default(limit = 16384))]
    pub fn read(&self, limit: i32) -> Result<Vec<u8>> {
        let mut plaintext = vec![0; limited(limit)?];
        let count = self.with(|connection| connection.read(&mut plaintext))?;
        plaintext.truncate(count);
        Ok(plaintext)
    }

    /// How many decrypted bytes can be read at once.
    pub fn readable_bytes(&self) -> Result<i32> {
        self.with(|connection| connection.readable_bytes().map(signed))
    }

    /// Encrypts up to 16,384 bytes as one record and returns how many; 0 in the handshake, or while too much waits to be transmitted.
    pub fn write(&self, data: Vec<u8>) -> Result<i32> {
        self.with(|connection| connection.write(&data).map(signed))
    }

    /// At most `limit` bytes of ciphertext for the transport.
    #[uniffi::method(default(limit = 1048576))]
    pub fn transmit(&self, limit: i32) -> Result<Vec<u8>> {
        let limit = limited(limit)?;
        self.with(|connection| {
            let pending = connection.pending();
            let bytes = pending[..pending.len().min(limit)].to_vec();
            connection.transmitted(bytes.len());
            Ok(bytes)
        })
    }

    /// Queues close_notify: nothing more can be written; receiving goes on until the peer finishes too.
    pub fn finish(&self) -> Result<()> {
        self.with(hubtls::Connection::finish)
    }

    /// Whether the handshake goes on.
    pub fn is_handshaking(&self) -> Result<bool> {
        self.with(|connection| Ok(connection.is_handshaking()))
    }

    /// Whether `receive` would take more now.
    pub fn wants_receive(&self) -> Result<bool> {
        self.with(|connection| Ok(connection.wants_receive()))
    }

    /// Whether something waits in `transmit`.
    pub fn wants_transmit(&self) -> Result<bool> {
        self.with(|connection| Ok(connection.wants_transmit()))
    }

    /// Whether the peer has finished and everything before that was read.
    pub fn is_ended(&self) -> Result<bool> {
        self.with(|connection| Ok(connection.is_ended()))
    }

    /// What was agreed: `HANDSHAKE_NOT_COMPLETE` before that.
    pub fn negotiated(&self) -> Result<Negotiated> {
        let negotiated = self.with(|connection| Ok(connection.negotiated()))?;
        let negotiated = negotiated.as_ref().map(Negotiated::of);
        negotiated.ok_or_else(not_complete)
    }
}
