//! The parts of an engine: the connection with what waits for it, memory as its transport, and where plaintext goes.

use std::cell::Cell;

use hubtls::Connection;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

use crate::buffer::Output;

/// How much one read takes.
pub(crate) const MOST: usize = 65_536;

/// A pair of `ssl.MemoryBIO`.
pub(crate) struct Memory {
    pub(crate) incoming: Py<PyAny>,
    pub(crate) outgoing: Py<PyAny>,
}

impl Memory {
    /// What has arrived, empty at the end; `ssl.SSLWantReadError` if nothing has.
    pub(crate) fn pull(&self, py: Python<'_>) -> PyResult<Py<PyBytes>> {
        static WANT_READ: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let incoming = self.incoming.bind(py);
        let read = incoming.call_method1(pyo3::intern!(py, "read"), (MOST,))?;
        let read = read.cast_into::<PyBytes>()?;
        if read.as_bytes().is_empty() && !incoming.getattr(pyo3::intern!(py, "eof"))?.is_truthy()? {
            let class = WANT_READ.import(py, "ssl", "SSLWantReadError")?;
            let error = class.call1((2, "The operation did not complete (read)"))?;
            return Err(PyErr::from_value(error));
        }
        Ok(read.unbind())
    }
}

/// Where decrypted bytes go: into new `bytes`, or into a buffer.
pub(crate) enum Target<'py> {
    Bytes(usize),
    Buffer(Output<'py>, usize),
}

impl<'py> Target<'py> {
    pub(crate) fn of(len: isize, buffer: Option<&Bound<'py, PyAny>>) -> PyResult<Self> {
        let most = usize::try_from(len);
        let Some(buffer) = buffer else {
            let most = most.map_err(|_| PyValueError::new_err("size should not be negative"))?;
            return Ok(Self::Bytes(most));
        };
        let output = Output::of(buffer)?;
        // As OpenSSL's: no length, or one that is too long, means the whole buffer.
        let most = match most {
            Ok(most) if most > 0 => most.min(output.len()),
            _ => output.len(),
        };
        Ok(Self::Buffer(output, most))
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(most) | Self::Buffer(_, most) => *most,
        }
    }

    pub(crate) fn put(&self, py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Bytes(_) => Ok(PyBytes::new(py, data).into_any()),
            Self::Buffer(output, _) => {
                if !data.is_empty() {
                    output.put(data)?;
                }
                Ok(data.len().into_pyobject(py)?.into_any())
            }
        }
    }
}

pub(crate) struct State {
    pub(crate) connection: Connection,
    /// Ciphertext that waits for its turn, and how much of it was taken.
    pub(crate) arrived: Option<(Py<PyBytes>, usize)>,
    /// Whether the application was told of the end, or of the error.
    pub(crate) end_told: bool,
    /// The application has said that it is done.
    pub(crate) finished: bool,
}

impl State {
    /// Lets the connection take `data` from `taken` on, in the handshake all of it, later one record.
    pub(crate) fn feed(&mut self, data: &[u8], taken: &mut usize) -> hubtls::Result<()> {
        while *taken < data.len() {
            match self.connection.receive(&data[*taken..])? {
                0 => break,
                count => *taken += count,
            }
        }
        Ok(())
    }

    /// Moves plaintext into `output`, of as many records of `data` as fit; None if there is none yet, and 0 at the end of the stream.
    pub(crate) fn take(
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

/// Lends a buffer of the thread's: one for each connection would make idle ones large.
pub(crate) fn with_scratch<R>(bytes: usize, work: impl FnOnce(&mut [u8]) -> R) -> R {
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
