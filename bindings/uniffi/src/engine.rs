//! The engine beneath the sockets of Kotlin and Swift.

use std::sync::Arc;

use hubtls_engine::Numbered;

use crate::config::Config;
use crate::error::{Result, not_complete};
use crate::negotiated::Negotiated;

/// A connection for sockets, which own the transport: one thread may feed it while another encrypts.
///
/// Bytes go by the functions of C `hubtls_engine_feed`, `hubtls_engine_encrypt` and `hubtls_engine_outgoing`, which take its `number`.
#[derive(uniffi::Object)]
pub struct Engine(Numbered);

#[uniffi::export]
impl Engine {
    /// A connection to the server of that name, a DNS name or an IP address, whatever address is dialled: `INVALID_SERVER_NAME`.
    #[uniffi::constructor]
    pub fn new(config: &Config, server_name: String) -> Result<Arc<Self>> {
        let engine = hubtls_engine::Engine::new(&config.config, &server_name)?;
        Ok(Arc::new(Self(Numbered::new(engine))))
    }

    /// Its number, for as long as it lives. After that a call of C with the number does nothing and says so.
    pub fn number(&self) -> i64 {
        self.0.number()
    }

    /// Says that the transport has ended: `CLOSED_IN_HANDSHAKE` or `TRUNCATED` unless the peer had said that it would.
    pub fn feed_end(&self) -> Result<()> {
        Ok(self.0.engine().feed_end()?)
    }

    /// Throws what made the connection fail, and nothing if it has not failed.
    pub fn fail(&self) -> Result<()> {
        let failure = self.0.engine().failure()?;
        Ok(failure.map_or(Ok(()), Err)?)
    }

    /// Throws why a call of C was refused, once: `HANDSHAKE_NOT_COMPLETE`, `WRITE_AFTER_FINISH`, `RECORD_LIMIT`, `INVALID_ARGUMENT`,
    /// `IN_USE`.
    pub fn refuse(&self) -> Result<()> {
        let refusal = self.0.engine().refusal()?;
        Ok(refusal.map_or(Ok(()), Err)?)
    }

    /// Queues close_notify: nothing more can be encrypted; feeding goes on until the peer finishes too.
    pub fn finish(&self) -> Result<()> {
        Ok(self.0.engine().finish()?)
    }

    /// Whether the handshake goes on. Waits for nobody, not even for a signer.
    pub fn is_handshaking(&self) -> bool {
        self.0.engine().is_handshaking()
    }

    /// What was agreed: `HANDSHAKE_NOT_COMPLETE` before that.
    pub fn negotiated(&self) -> Result<Negotiated> {
        let negotiated = self.0.engine().negotiated()?;
        negotiated
            .as_ref()
            .map(Negotiated::of)
            .ok_or_else(not_complete)
    }
}
