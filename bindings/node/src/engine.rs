//! The engine beneath `TLSSocket`: few calls for each chunk, and one copy.

use std::sync::{Arc, Mutex, PoisonError};

use hubtls::{Connection, FragmentLength};
use napi::Env;
use napi::bindgen_prelude::{BufferSlice, Object, Uint8Array, Uint8ArraySlice};
use napi_derive::napi;

use crate::config::Config;
use crate::connection::{lock, not_complete};
use crate::error::{OrRaise, raise};
use crate::identity::later;
use crate::negotiated::Negotiated;

/// What a call returns: a number of bytes in the lower 24 bits, and what holds after it.
const BYTES: u32 = (1 << 24) - 1;
const HANDSHAKING: u32 = 1 << 24;
const TRANSMIT: u32 = 1 << 25;
const ENDED: u32 = 1 << 26;
const FAILED: u32 = 1 << 27;
/// The beginning of a record waits for its rest.
const HELD: u32 = 1 << 28;
/// More plaintext waits than the output had room for.
const MORE: u32 = 1 << 29;

/// A connection whose ciphertext is decrypted where it was received; not for users.
#[napi]
pub struct Engine {
    inner: Arc<Mutex<Inner>>,
    /// Whether JavaScript signs: then the handshake needs `feedLater`.
    asks: bool,
    max_fragment: u32,
}

struct Inner {
    connection: Connection,
    held: Vec<u8>,
    unread: Vec<u8>,
    failure: Option<hubtls::Error>,
}

impl Inner {
    fn state(&self, bytes: usize) -> u32 {
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        u32::try_from(bytes).unwrap_or(BYTES).min(BYTES)
            | flag(self.connection.is_handshaking(), HANDSHAKING)
            | flag(self.connection.wants_transmit(), TRANSMIT)
            | flag(self.connection.is_ended(), ENDED)
            | flag(self.failure.is_some(), FAILED)
            | flag(!self.held.is_empty(), HELD)
            | flag(!self.unread.is_empty(), MORE)
    }

    /// Decrypts `buffer` in place and copies plaintext to `output`.
    fn feed(&mut self, buffer: &mut [u8], output: &mut [u8]) -> usize {
        let (mut count, unread) = (0, &mut self.unread);
        let done = self.connection.receive_in_place(buffer, |plaintext| {
            // What did not fit comes first, and after it nothing fits.
            let fits = if unread.is_empty() {
                plaintext.len().min(output.len() - count)
            } else {
                0
            };
            output[count..count + fits].copy_from_slice(&plaintext[..fits]);
            unread.extend_from_slice(&plaintext[fits..]);
            count += fits;
        });
        match done {
            Ok(done) => {
                self.held.clear();
                self.held.extend_from_slice(&buffer[done..]);
                if self.held.is_empty() {
                    self.held = Vec::new();
                }
            }
            Err(error) => self.failure = Some(error),
        }
        count
    }
}

#[napi]
impl Engine {
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, config: &Config, server_name: String) -> napi::Result<Self> {
        let connection = Connection::new(&config.config, &server_name).or_raise(&env)?;
        let length = config.config.policy().fragment_length().length();
        let max_fragment = length.map_or(16_384, FragmentLength::bytes);
        Ok(Self {
            inner: Arc::new(Mutex::new(Inner {
                connection,
                held: Vec::new(),
                unread: Vec::new(),
                failure: None,
            })),
            asks: config.asks,
            max_fragment: u32::try_from(max_fragment).unwrap_or(BYTES),
        })
    }

    /// Whether the handshake needs `feedLater`.
    #[napi(getter, catch_unwind)]
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// The largest plaintext of a record.
    #[napi(getter, catch_unwind)]
    pub fn max_fragment(&self) -> u32 {
        self.max_fragment
    }

    /// Decrypts `scratch` from `start` to `end` into `output` and overwrites it. Before `start` there must be room for a record: 18,437 bytes.
    #[napi(catch_unwind)]
    pub fn feed(
        &self,
        env: Env,
        mut scratch: BufferSlice,
        start: u32,
        end: u32,
        mut output: BufferSlice,
    ) -> napi::Result<u32> {
        let mut inner = lock(&env, &self.inner)?;
        let held = std::mem::take(&mut inner.held);
        let (start, end) = (start as usize, end as usize);
        let Some(begin) = start
            .checked_sub(held.len())
            .filter(|_| end <= scratch.len())
        else {
            let message = format!("there is no room for {} bytes before {start}", held.len());
            return Err(crate::error::invalid(
                &env,
                message,
                "leave 18,437 bytes free",
            ));
        };
        scratch[begin..start].copy_from_slice(&held);
        inner.held = held;
        let count = inner.feed(&mut scratch[begin..end], &mut output);
        Ok(inner.state(count))
    }

    /// Gives the handshake what has arrived, in a thread of its own.
    #[napi(catch_unwind, ts_return_type = "Promise<number>")]
    pub fn feed_later<'env>(&self, env: &'env Env, data: Uint8Array) -> napi::Result<Object<'env>> {
        let (inner, data) = (Arc::clone(&self.inner), data.to_vec());
        later(env, move || {
            let mut inner = inner.lock().unwrap_or_else(PoisonError::into_inner);
            let mut data = [std::mem::take(&mut inner.held), data].concat();
            inner.feed(&mut data, &mut []);
            let state = inner.state(0);
            drop(inner);
            move |_: &Env| Ok(state)
        })
    }

    /// Says that the transport has ended.
    #[napi(catch_unwind)]
    pub fn feed_end(&self, env: Env) -> napi::Result<u32> {
        let mut inner = lock(&env, &self.inner)?;
        if !inner.held.is_empty() {
            let held = std::mem::take(&mut inner.held);
            // The beginning of a record: the connection has to know that it was cut.
            if let Err(error) = inner.connection.receive(&held) {
                inner.failure = Some(error);
            }
        }
        if inner.failure.is_none()
            && let Err(error) = inner.connection.receive_end()
        {
            inner.failure = Some(error);
        }
        Ok(inner.state(0))
    }

    /// The plaintext that the output had no room for.
    #[napi(catch_unwind)]
    pub fn take_unread<'env>(&self, env: &'env Env) -> napi::Result<BufferSlice<'env>> {
        let mut inner = lock(env, &self.inner)?;
        BufferSlice::from_data(env, std::mem::take(&mut inner.unread))
    }

    /// Encrypts `data` into `output`, which needs 96 bytes for each record beyond the data, and room for what waits to be transmitted.
    #[napi(catch_unwind)]
    pub fn encrypt(
        &self,
        env: Env,
        data: Uint8ArraySlice,
        mut output: BufferSlice,
    ) -> napi::Result<u32> {
        let mut inner = lock(&env, &self.inner)?;
        let connection = &mut inner.connection;
        let (mut taken, mut count) = (0, 0);
        loop {
            count += connection.transmit(&mut output[count..]);
            if taken == data.len() {
                break;
            }
            match connection.write(&data[taken..]).or_raise(&env)? {
                0 => return Err(not_complete(&env)),
                more => taken += more,
            }
        }
        Ok(inner.state(count))
    }

    /// The ciphertext that waits for the transport.
    #[napi(catch_unwind)]
    pub fn outgoing<'env>(&self, env: &'env Env) -> napi::Result<BufferSlice<'env>> {
        let mut inner = lock(env, &self.inner)?;
        let pending = inner.connection.pending();
        let (bytes, count) = (BufferSlice::copy_from(env, pending)?, pending.len());
        inner.connection.transmitted(count);
        Ok(bytes)
    }

    /// Queues close_notify.
    #[napi(catch_unwind)]
    pub fn finish(&self, env: Env) -> napi::Result<u32> {
        let mut inner = lock(&env, &self.inner)?;
        inner.connection.finish().or_raise(&env)?;
        Ok(inner.state(0))
    }

    /// What made it fail, as an exception.
    #[napi(catch_unwind)]
    pub fn fail(&self, env: Env) -> napi::Result<()> {
        let inner = lock(&env, &self.inner)?;
        match &inner.failure {
            Some(error) => Err(raise(&env, error)),
            None => Ok(()),
        }
    }

    /// What was agreed: `HANDSHAKE_NOT_COMPLETE` before that.
    #[napi(getter, catch_unwind)]
    pub fn negotiated(&self, env: Env) -> napi::Result<Negotiated> {
        let negotiated = lock(&env, &self.inner)?.connection.negotiated();
        negotiated.map(Negotiated).ok_or_else(|| not_complete(&env))
    }
}
