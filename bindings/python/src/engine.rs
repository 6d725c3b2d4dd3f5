//! The part of `ssl.SSLSocket` and `ssl.SSLObject` that is not Python: bytes in, bytes out. `_engine.py` moves them.
//!
//! No method here uses the transport: Python may end a daemon thread while that waits, and must not find Rust's frames on its stack.

use std::cell::Cell;

use hubtls::Connection;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::buffer::{Input, Output};
use crate::certificate::Certificate;
use crate::config::Config;
use crate::connection::{WORTH_DETACHING, not_complete};
use crate::error::Failure;
use crate::exclusive::Exclusive;
use crate::negotiated::Negotiated;

/// The largest plaintext of a record.
const RECORD: usize = 16_384;
/// How much one write takes before it is sent.
const BATCH: usize = 2 * RECORD;
/// How much one read takes.
const MOST: usize = 65_536;

/// What `ssl.SSLSocket` and `ssl.SSLObject` stand on.
#[pyclass(frozen, subclass, module = "hubtls._hubtls")]
pub(crate) struct Engine(Exclusive<State>);

struct State {
    connection: Connection,
    /// Ciphertext that waits for its turn, and how much of it was taken.
    arrived: Option<(Py<PyBytes>, usize)>,
    /// Whether the application was told of the end, or of the error.
    end_told: bool,
}

impl State {
    /// Lets the connection take `data` from `taken` on, in the handshake all of it, later one record.
    fn feed(&mut self, data: &[u8], taken: &mut usize) -> hubtls::Result<()> {
        while *taken < data.len() {
            match self.connection.receive(&data[*taken..])? {
                0 => break,
                count => *taken += count,
            }
        }
        Ok(())
    }

    /// Moves plaintext into `output`, of as many records of `data` as fit; None if there is none yet, and 0 at the end of the stream.
    fn take(
        &mut self,
        data: &[u8],
        taken: &mut usize,
        output: &mut [u8],
    ) -> hubtls::Result<Option<usize>> {
        let mut filled = 0;
        loop {
            match self.step(data, taken, &mut output[filled..]) {
                Ok(Some(0)) if filled == 0 => {
                    self.end_told = true;
                    return Ok(Some(0));
                }
                Ok(Some(count)) if count > 0 => filled += count,
                Err(error) if filled == 0 => {
                    self.end_told = true;
                    return Err(error);
                }
                // What comes after the plaintext, an end or an error too, is for the next call.
                _ => return Ok((filled > 0).then_some(filled)),
            }
            if filled == output.len() {
                return Ok(Some(filled));
            }
        }
    }

    /// As `take`, of one record.
    fn step(
        &mut self,
        data: &[u8],
        taken: &mut usize,
        output: &mut [u8],
    ) -> hubtls::Result<Option<usize>> {
        loop {
            let count = self.connection.read(output)?;
            if count > 0 || self.connection.is_ended() {
                return Ok(Some(count));
            }
            let before = *taken;
            self.feed(data, taken)?;
            if *taken == before {
                return Ok(None);
            }
        }
    }
}

impl Engine {
    /// Gives the connection `data`, or what arrived earlier, and moves at most `most` decrypted bytes to `put`; None if there are none yet.
    fn take_into<R>(
        &self,
        py: Python<'_>,
        most: usize,
        data: Option<Py<PyBytes>>,
        put: impl FnOnce(&[u8]) -> PyResult<R>,
    ) -> PyResult<Option<R>> {
        let mut state = self.0.lock(py)?;
        let (bytes, mut taken) = match data {
            Some(data) if data.bind(py).as_bytes().is_empty() => {
                let ended = state.connection.receive_end();
                ended.map_err(Failure::of_connection)?;
                (None, 0)
            }
            Some(data) => (Some(data), 0),
            None => match state.arrived.take() {
                Some((bytes, taken)) => (Some(bytes), taken),
                None => (None, 0),
            },
        };
        let data = bytes.as_ref().map_or(&[][..], |it| it.bind(py).as_bytes());
        with_scratch(most.min(MOST), |scratch| {
            // Without a whole record there is nothing to decrypt.
            let light = scratch.len() < WORTH_DETACHING
                || (data.len() < WORTH_DETACHING && state.connection.wants_receive());
            let told = if light {
                state.take(data, &mut taken, scratch)
            } else {
                drop(state);
                let told = self
                    .0
                    .detached(py, |state| state.take(data, &mut taken, scratch))?;
                state = self.0.lock(py)?;
                told
            };
            if taken < data.len() {
                state.arrived = bytes.as_ref().map(|bytes| (bytes.clone_ref(py), taken));
            }
            drop(state);
            match told.map_err(Failure::of_connection)? {
                Some(count) => put(&scratch[..count]).map(Some),
                None => Ok(None),
            }
        })
    }

    fn agreed(&self, py: Python<'_>) -> Result<Option<hubtls::Negotiated>, Failure> {
        Ok(self.0.lock(py)?.connection.negotiated())
    }
}

#[pymethods]
impl Engine {
    #[new]
    fn new(config: &Bound<'_, Config>, server_name: &str) -> Result<Self, Failure> {
        let connection = Connection::new(&config.get().config, server_name);
        Ok(Self(Exclusive::new(State {
            connection: connection.map_err(Failure::of_connection)?,
            arrived: None,
            end_told: false,
        })))
    }

    /// Decrypted bytes, or their count if they go into `buffer`; nothing at the end of the stream, and None if there are none yet.
    ///
    /// `data` is what has arrived, empty if the transport has ended; a later call takes the next record of it.
    #[pyo3(signature = (len, buffer=None, data=None))]
    fn take<'py>(
        &self,
        py: Python<'py>,
        len: isize,
        buffer: Option<&Bound<'py, PyAny>>,
        data: Option<Py<PyBytes>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(buffer) = buffer else {
            let most = usize::try_from(len)
                .map_err(|_| PyValueError::new_err("size should not be negative"))?;
            if most == 0 {
                return Ok(Some(PyBytes::new(py, b"").into_any()));
            }
            return self.take_into(py, most, data, |data| Ok(PyBytes::new(py, data).into_any()));
        };
        let output = Output::of(buffer)?;
        // As OpenSSL's: no length, or one that is too long, means the whole buffer.
        let most = match usize::try_from(len) {
            Ok(most) if most > 0 => most.min(output.len()),
            _ => output.len(),
        };
        if most == 0 {
            return Ok(Some(0_usize.into_pyobject(py)?.into_any()));
        }
        self.take_into(py, most, data, |data| {
            if !data.is_empty() {
                output.put(data)?;
            }
            Ok(data.len().into_pyobject(py)?.into_any())
        })
    }

    /// Gives the handshake what has arrived, empty if the transport has ended.
    fn feed(&self, py: Python<'_>, data: Py<PyBytes>) -> Result<(), Failure> {
        let bytes = data.bind(py).as_bytes();
        let mut taken = 0;
        // Verifies, and perhaps signs.
        let fed = self.0.detached(py, |state| match bytes {
            [] => state.connection.receive_end(),
            _ => state.feed(bytes, &mut taken),
        })?;
        fed.map_err(Failure::of_connection)?;
        if taken < bytes.len() {
            self.0.lock(py)?.arrived = Some((data, taken));
        }
        Ok(())
    }

    /// How much to take from a socket, so that all of it is told when `limit` bytes are asked for: others may wait for the socket with `select`.
    fn receive_limit(&self, py: Python<'_>, limit: usize) -> Result<usize, Failure> {
        let state = self.0.lock(py)?;
        Ok(state.connection.receive_limit(limit.min(MOST)).min(MOST))
    }

    /// Encrypts at most 32 KB and returns how many bytes that were, and the ciphertext, which must be sent.
    fn encrypt<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<(usize, Bound<'py, PyBytes>)> {
        let input = Input::of(data)?;
        let (mut taken, mut copy) = (0, Vec::new());
        while taken < input.len().min(BATCH) {
            let part = input.part(taken, RECORD, &mut copy)?;
            let count = if part.len() >= WORTH_DETACHING {
                self.0.detached(py, |state| state.connection.write(part))?
            } else {
                self.0.lock(py)?.connection.write(part)
            };
            match count.map_err(Failure::of_connection)? {
                0 => break,
                count => taken += count,
            }
        }
        Ok((taken, self.outgoing(py)?))
    }

    /// The ciphertext that waits, which must be sent.
    fn outgoing<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>, Failure> {
        let mut state = self.0.lock(py)?;
        let bytes = PyBytes::new(py, state.connection.pending());
        state.connection.transmitted(bytes.as_bytes().len());
        Ok(bytes)
    }

    /// How many bytes can be taken without waiting. 1 also stands for an end or an error that was not told yet: whoever asks before waiting for
    /// the socket would wait for ever.
    fn pending(&self, py: Python<'_>) -> Result<usize, Failure> {
        let mut state = self.0.lock(py)?;
        if state.connection.is_handshaking() {
            return Ok(0);
        }
        loop {
            match state.connection.readable_bytes() {
                Ok(0) => {}
                Ok(count) => return Ok(count),
                Err(_) => return Ok(usize::from(!state.end_told)),
            }
            if state.connection.is_ended() {
                return Ok(usize::from(!state.end_told));
            }
            let Some((bytes, start)) = state.arrived.take() else {
                return Ok(0);
            };
            let (data, mut taken) = (bytes.bind(py).as_bytes(), start);
            // An error is latched, and the next round tells it.
            let _ = state.feed(data, &mut taken);
            if taken < data.len() {
                state.arrived = Some((bytes, taken));
            }
        }
    }

    /// Queues close_notify.
    fn finish(&self, py: Python<'_>) -> Result<(), Failure> {
        let finished = self.0.detached(py, |state| state.connection.finish())?;
        finished.map_err(Failure::of_connection)
    }

    #[getter]
    fn is_handshaking(&self, py: Python<'_>) -> Result<bool, Failure> {
        Ok(self.0.lock(py)?.connection.is_handshaking())
    }

    #[getter]
    fn wants_transmit(&self, py: Python<'_>) -> Result<bool, Failure> {
        Ok(self.0.lock(py)?.connection.wants_transmit())
    }

    #[pyo3(signature = (binary_form=false))]
    fn getpeercert<'py>(
        &self,
        py: Python<'py>,
        binary_form: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(negotiated) = self.agreed(py)? else {
            return Err(PyValueError::new_err("handshake not done yet"));
        };
        let Some(certificate) = negotiated.peer_chain().first().cloned().map(Certificate) else {
            return Ok(None);
        };
        if binary_form {
            return Ok(Some(PyBytes::new(py, certificate.0.der()).into_any()));
        }
        let decoded: Bound<'py, PyDict> = crate::decoded::certificate(py, certificate.0.der())?;
        Ok(Some(decoded.into_any()))
    }

    /// The certificates that the peer sent, its own first, in DER.
    fn peer_chain<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let negotiated = self.agreed(py)?;
        let chain = negotiated
            .as_ref()
            .map_or(&[][..], hubtls::Negotiated::peer_chain);
        Ok(chain.iter().map(|it| PyBytes::new(py, it.der())).collect())
    }

    fn cipher(&self, py: Python<'_>) -> PyResult<Option<(&'static str, &'static str, u16)>> {
        Ok(self.agreed(py)?.map(|negotiated| {
            let suite = negotiated.cipher_suite();
            let bits = if suite.iana_name().contains("AES_256") {
                256
            } else {
                128
            };
            (suite.openssl_name(), negotiated.version().name(), bits)
        }))
    }

    fn version(&self, py: Python<'_>) -> PyResult<Option<&'static str>> {
        Ok(self
            .agreed(py)?
            .map(|negotiated| negotiated.version().name()))
    }

    fn selected_alpn_protocol(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.agreed(py)?.and_then(|negotiated| {
            negotiated
                .alpn()
                .map(|protocol| String::from_utf8_lossy(protocol).into_owned())
        }))
    }

    #[getter]
    fn session_reused(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self
            .agreed(py)?
            .is_some_and(|negotiated| negotiated.resumed()))
    }

    /// What was agreed: HANDSHAKE_NOT_COMPLETE before that.
    #[getter]
    fn negotiated(&self, py: Python<'_>) -> PyResult<Negotiated> {
        Ok(self.agreed(py)?.map(Negotiated).ok_or_else(not_complete)?)
    }
}

/// Lends a buffer of the thread's: one for each connection would make idle ones large.
fn with_scratch<R>(bytes: usize, work: impl FnOnce(&mut [u8]) -> R) -> R {
    thread_local! {
        static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    }
    let mut scratch = SCRATCH.take();
    if scratch.len() < bytes {
        scratch.resize(bytes, 0);
    }
    let result = work(&mut scratch[..bytes]);
    SCRATCH.set(scratch);
    result
}
