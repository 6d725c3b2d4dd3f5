//! Connections without sockets.

use hubtls::{Error, ErrorCode};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::buffer::Input;
use crate::config::Config;
use crate::error::Failure;
use crate::exclusive::Exclusive;
use crate::negotiated::Negotiated;

/// Below this, letting other threads of Python run costs more than it gives.
pub(crate) const WORTH_DETACHING: usize = 4096;

/// A TLS client connection that owns no socket and no thread.
///
/// Loop: send what `transmit()` returns, give what arrives to `receive()`, take plaintext with `read()`. After an error every call raises it
/// again; what `transmit()` still returns, an alert, should be sent before the transport is closed.
#[pyclass(frozen, module = "hubtls")]
pub(crate) struct Connection(Exclusive<hubtls::Connection>);

impl Connection {
    fn work<R: Send>(
        &self,
        py: Python<'_>,
        bytes: usize,
        work: impl FnOnce(&mut hubtls::Connection) -> hubtls::Result<R> + Send,
    ) -> Result<R, Failure> {
        let mut held = self.0.lock(py)?;
        let outcome = if bytes >= WORTH_DETACHING || held.is_handshaking() {
            drop(held);
            self.0.detached(py, work)?
        } else {
            work(&mut held)
        };
        outcome.map_err(Failure::of_connection)
    }
}

#[pymethods]
impl Connection {
    /// A connection to the server called `server_name`, a DNS name or an IP address, whatever address is dialled: INVALID_SERVER_NAME.
    #[new]
    fn new(config: &Bound<'_, Config>, server_name: &str) -> Result<Self, Failure> {
        let connection = hubtls::Connection::new(&config.get().config, server_name);
        connection
            .map(|connection| Self(Exclusive::new(connection)))
            .map_err(Failure::of_connection)
    }

    /// Accepts ciphertext from the transport and returns how many bytes it took; 0 means that `read()` must go first.
    fn receive(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let input = Input::of(data)?;
        let mut copy = Vec::new();
        let data = input.part(0, 65_536, &mut copy)?;
        Ok(self.work(py, data.len(), |connection| connection.receive(data))?)
    }

    /// Says that the transport has ended: CLOSED_IN_HANDSHAKE or TRUNCATED unless the peer had said that it would.
    fn receive_end(&self, py: Python<'_>) -> Result<(), Failure> {
        self.work(py, 0, hubtls::Connection::receive_end)
    }

    /// At most `limit` decrypted bytes; none now, or no more ever if `is_ended`.
    #[pyo3(signature = (limit=16_384))]
    fn read<'py>(&self, py: Python<'py>, limit: usize) -> PyResult<Bound<'py, PyBytes>> {
        let mut plaintext = vec![0; limit.min(1 << 20)];
        let count = self.work(py, limit, |connection| connection.read(&mut plaintext))?;
        Ok(PyBytes::new(py, &plaintext[..count]))
    }

    /// How many decrypted bytes can be read at once.
    fn readable_bytes(&self, py: Python<'_>) -> Result<usize, Failure> {
        self.work(py, 0, hubtls::Connection::readable_bytes)
    }

    /// Encrypts up to 16,384 bytes as one record and returns how many; 0 in the handshake, or while too much waits to be transmitted.
    fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let input = Input::of(data)?;
        let mut copy = Vec::new();
        let data = input.part(0, 16_384, &mut copy)?;
        Ok(self.work(py, data.len(), |connection| connection.write(data))?)
    }

    /// At most `limit` bytes of ciphertext for the transport, all that wait if left out.
    #[pyo3(signature = (limit=None))]
    fn transmit<'py>(
        &self,
        py: Python<'py>,
        limit: Option<usize>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut held = self.0.lock(py)?;
        let pending = held.pending();
        let count = pending.len().min(limit.unwrap_or(usize::MAX));
        let bytes = PyBytes::new(py, &pending[..count]);
        held.transmitted(count);
        Ok(bytes)
    }

    /// Queues close_notify: nothing more can be written; receiving goes on until the peer finishes too.
    fn finish(&self, py: Python<'_>) -> Result<(), Failure> {
        self.work(py, 0, hubtls::Connection::finish)
    }

    /// Whether the handshake goes on.
    #[getter]
    fn is_handshaking(&self, py: Python<'_>) -> Result<bool, Failure> {
        Ok(self.0.lock(py)?.is_handshaking())
    }

    /// Whether `receive()` would take more now.
    #[getter]
    fn wants_receive(&self, py: Python<'_>) -> Result<bool, Failure> {
        Ok(self.0.lock(py)?.wants_receive())
    }

    /// Whether something waits in `transmit()`.
    #[getter]
    fn wants_transmit(&self, py: Python<'_>) -> Result<bool, Failure> {
        Ok(self.0.lock(py)?.wants_transmit())
    }

    /// Whether the peer has finished and everything before that was read.
    #[getter]
    fn is_ended(&self, py: Python<'_>) -> Result<bool, Failure> {
        Ok(self.0.lock(py)?.is_ended())
    }

    /// What was agreed: HANDSHAKE_NOT_COMPLETE before that.
    #[getter]
    fn negotiated(&self, py: Python<'_>) -> Result<Negotiated, Failure> {
        let negotiated = self.0.lock(py)?.negotiated();
        negotiated.map(Negotiated).ok_or_else(not_complete)
    }
}

/// Nothing is agreed yet.
pub(crate) fn not_complete() -> Failure {
    Failure::of_connection(Error::new(
        ErrorCode::HandshakeNotComplete,
        "nothing is agreed yet: the handshake goes on",
        "complete the handshake first",
    ))
}
