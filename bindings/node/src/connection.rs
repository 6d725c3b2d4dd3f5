//! Connections without sockets.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use hubtls::{Error, ErrorCode};
use napi::Env;
use napi::bindgen_prelude::{Buffer, BufferSlice, Object, Uint8Array, Uint8ArraySlice};
use napi_derive::napi;

use crate::config::Config;
use crate::error::{OrRaise, raise};
use crate::identity::later;
use crate::negotiated::Negotiated;

/// A TLS client connection that owns no socket.
///
/// Loop: send what `transmit()` returns, give what arrives to `receive()`, take plaintext with `read()`. After an error every call throws it
/// again; what `transmit()` still returns, an alert, should be sent before the transport is closed.
#[napi]
pub struct Connection(Arc<Mutex<hubtls::Connection>>);

/// Whoever calls while a thread shakes hands is told so.
pub(crate) fn lock<'a, T>(env: &Env, value: &'a Mutex<T>) -> napi::Result<MutexGuard<'a, T>> {
    match value.try_lock() {
        Ok(guard) => Ok(guard),
        Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => Err(raise(
            env,
            &Error::new(
                ErrorCode::InUse,
                "the connection is in use: its handshake waits for a signature",
                "wait for the promise that was returned",
            ),
        )),
    }
}

/// Nothing is agreed yet.
pub(crate) fn not_complete(env: &Env) -> napi::Error {
    raise(
        env,
        &Error::new(
            ErrorCode::HandshakeNotComplete,
            "nothing is agreed yet: the handshake goes on",
            "complete the handshake first",
        ),
    )
}

#[napi]
impl Connection {
    /// A connection to the server of that name, a DNS name or an IP address, whatever address is dialled: `INVALID_SERVER_NAME`.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, config: &Config, server_name: String) -> napi::Result<Self> {
        let connection = hubtls::Connection::new(&config.config, &server_name).or_raise(&env)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Accepts ciphertext from the transport and returns how many bytes it took; 0 means that `read()` must go first.
    #[napi(catch_unwind)]
    pub fn receive(&self, env: Env, data: Uint8ArraySlice) -> napi::Result<u32> {
        let taken = lock(&env, &self.0)?.receive(&data).or_raise(&env)?;
        Ok(u32::try_from(taken).unwrap_or(u32::MAX))
    }

    /// As `receive`, in a thread of its own: for an identity whose signer is a function.
    #[napi(catch_unwind, ts_return_type = "Promise<number>")]
    pub fn receive_later<'env>(
        &self,
        env: &'env Env,
        data: Uint8Array,
    ) -> napi::Result<Object<'env>> {
        let (connection, data) = (Arc::clone(&self.0), data.to_vec());
        later(env, move || {
            let mut guard = connection
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            let taken = guard.receive(&data);
            move |env: &Env| Ok(u32::try_from(taken.or_raise(env)?).unwrap_or(u32::MAX))
        })
    }

    /// Says that the transport has ended: `CLOSED_IN_HANDSHAKE` or `TRUNCATED` unless the peer had said that it would.
    #[napi(catch_unwind)]
    pub fn receive_end(&self, env: Env) -> napi::Result<()> {
        lock(&env, &self.0)?.receive_end().or_raise(&env)
    }

    /// At most `limit` decrypted bytes, 16,384 if left out; none now, or no more ever if `isEnded`.
    #[napi(catch_unwind)]
    pub fn read(&self, env: Env, limit: Option<u32>) -> napi::Result<Buffer> {
        let limit = limit.unwrap_or(16_384).min(1 << 20) as usize;
        let mut plaintext = vec![0; limit];
        let count = lock(&env, &self.0)?.read(&mut plaintext).or_raise(&env)?;
        plaintext.truncate(count);
        Ok(plaintext.into())
    }

    /// How many decrypted bytes can be read at once.
    #[napi(catch_unwind)]
    pub fn readable_bytes(&self, env: Env) -> napi::Result<u32> {
        let count = lock(&env, &self.0)?.readable_bytes().or_raise(&env)?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Encrypts up to 16,384 bytes as one record and returns how many; 0 in the handshake, or while too much waits to be transmitted.
    #[napi(catch_unwind)]
    pub fn write(&self, env: Env, data: Uint8ArraySlice) -> napi::Result<u32> {
        let taken = lock(&env, &self.0)?.write(&data).or_raise(&env)?;
        Ok(u32::try_from(taken).unwrap_or(u32::MAX))
    }

    /// At most `limit` bytes of ciphertext for the transport, all that wait if left out.
    #[napi(catch_unwind)]
    pub fn transmit<'env>(
        &self,
        env: &'env Env,
        limit: Option<u32>,
    ) -> napi::Result<BufferSlice<'env>> {
        let mut connection = lock(env, &self.0)?;
        let pending = connection.pending();
        let count = pending
            .len()
            .min(limit.map_or(usize::MAX, |limit| limit as usize));
        let bytes = BufferSlice::copy_from(env, &pending[..count])?;
        connection.transmitted(count);
        Ok(bytes)
    }

    /// Queues close_notify: nothing more can be written; receiving goes on until the peer finishes too.
    #[napi(catch_unwind)]
    pub fn finish(&self, env: Env) -> napi::Result<()> {
        lock(&env, &self.0)?.finish().or_raise(&env)
    }

    /// Whether the handshake goes on.
    #[napi(getter, catch_unwind)]
    pub fn is_handshaking(&self, env: Env) -> napi::Result<bool> {
        Ok(lock(&env, &self.0)?.is_handshaking())
    }

    /// Whether `receive()` would take more now.
    #[napi(getter, catch_unwind)]
    pub fn wants_receive(&self, env: Env) -> napi::Result<bool> {
        Ok(lock(&env, &self.0)?.wants_receive())
    }

    /// Whether something waits in `transmit()`.
    #[napi(getter, catch_unwind)]
    pub fn wants_transmit(&self, env: Env) -> napi::Result<bool> {
        Ok(lock(&env, &self.0)?.wants_transmit())
    }

    /// Whether the peer has finished and everything before that was read.
    #[napi(getter, catch_unwind)]
    pub fn is_ended(&self, env: Env) -> napi::Result<bool> {
        Ok(lock(&env, &self.0)?.is_ended())
    }

    /// What was agreed: `HANDSHAKE_NOT_COMPLETE` before that.
    #[napi(getter, catch_unwind)]
    pub fn negotiated(&self, env: Env) -> napi::Result<Negotiated> {
        let negotiated = lock(&env, &self.0)?.negotiated();
        negotiated.map(Negotiated).ok_or_else(|| not_complete(&env))
    }
}
