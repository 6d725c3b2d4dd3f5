//! Moves bytes between a connection and its transport, for `ssl.SSLSocket` and `ssl.SSLObject`.
//!
//! Locks, in this order: one thread receives (`receiver`), one thread sends (`sender`), one works on the connection (`state`, never while the
//! transport is used). So a thread may read while another writes.

use std::cell::Cell;
use std::time::Instant;

use hubtls::{Connection, Error, ErrorCode};
use pyo3::exceptions::{PyBrokenPipeError, PyConnectionResetError, PyTimeoutError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::buffer::Input;
use crate::connection::WORTH_DETACHING;
use crate::error::Failure;
use crate::exclusive::{Exclusive, Held};
use crate::transport::{Transport, is_want, timed_out};

/// The largest plaintext of a record.
const RECORD: usize = 16_384;
/// How much one write takes before it sends.
const BATCH: usize = 2 * RECORD;

/// Moves bytes between a connection and its transport.
pub(crate) struct Driver {
    state: Exclusive<State>,
    receiver: Exclusive<()>,
    sender: Exclusive<Sending>,
    transport: Transport,
}

struct State {
    connection: Connection,
    /// Ciphertext that came with other ciphertext and waits for its turn, and how much of it was taken.
    arrived: Option<(Py<PyBytes>, usize)>,
    /// The reader was told that no more comes.
    end_told: bool,
}

/// A write that could not be sent in full: it is told again, as OpenSSL demands, and then counts as written.
struct Sending {
    owed: usize,
}

enum Told {
    Bytes(usize),
    End,
    Nothing,
}

impl State {
    /// Lets the connection take what has arrived; true if it has all of it.
    fn feed(&mut self, data: &[u8], taken: &mut usize) -> hubtls::Result<()> {
        while *taken < data.len() {
            let count = self.connection.receive(&data[*taken..])?;
            *taken += count;
            if count == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Moves plaintext into `output`.
    fn read(&mut self, output: &mut [u8]) -> hubtls::Result<Told> {
        match self.connection.read(output) {
            Ok(0) if self.connection.is_ended() => {
                self.end_told = true;
                Ok(Told::End)
            }
            Ok(0) => Ok(Told::Nothing),
            Ok(count) => Ok(Told::Bytes(count)),
            Err(error) => {
                self.end_told = true;
                Err(error)
            }
        }
    }
}

impl Driver {
    pub(crate) fn new(connection: Connection, transport: Transport) -> Self {
        Self {
            state: Exclusive::new(State {
                connection,
                arrived: None,
                end_told: false,
            }),
            receiver: Exclusive::new(()),
            sender: Exclusive::new(Sending { owed: 0 }),
            transport,
        }
    }

    pub(crate) fn is_handshaking(&self, py: Python<'_>) -> Result<bool, Failure> {
        Ok(self.state(py)?.connection.is_handshaking())
    }

    fn state(&self, py: Python<'_>) -> Result<Held<'_, State>, Failure> {
        self.state.lock(py)
    }

    /// Work that may sign, verify or decrypt much.
    fn heavy<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut State) -> hubtls::Result<R> + Send,
    ) -> Result<R, Failure> {
        self.state
            .detached(py, work)?
            .map_err(Failure::of_connection)
    }

    /// Gives the connection what has arrived earlier; false if there is nothing that it would take.
    fn feed_arrived(&self, py: Python<'_>) -> PyResult<bool> {
        let mut state = self.state(py)?;
        let Some((bytes, start)) = state.arrived.take() else {
            return Ok(false);
        };
        let mut taken = start;
        let outcome = if state.connection.is_handshaking() {
            drop(state);
            let data = bytes.bind(py).as_bytes();
            let outcome = self.heavy(py, |state| Ok(state.feed(data, &mut taken)))?;
            state = self.state(py)?;
            outcome
        } else {
            // A copy, no cryptography: that is `read`'s.
            state.feed(bytes.bind(py).as_bytes(), &mut taken)
        };
        if taken < bytes.bind(py).as_bytes().len() {
            state.arrived = Some((bytes, taken));
        }
        outcome.map_err(Failure::of_connection)?;
        Ok(taken > start)
    }

    /// Receives once and feeds it.
    fn pull(&self, py: Python<'_>) -> PyResult<()> {
        let received = self.transport.receive(py)?;
        if received.as_bytes().is_empty() {
            return Ok(self.heavy(py, |state| state.connection.receive_end())?);
        }
        self.state(py)?.arrived = Some((received.unbind(), 0));
        self.feed_arrived(py).map(|_| ())
    }

    /// Sends what waits. What cannot be sent now goes on waiting.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        loop {
            let waiting = {
                let state = self.state(py)?;
                let pending = state.connection.pending();
                if pending.is_empty() {
                    return Ok(());
                }
                PyBytes::new(py, pending)
            };
            let sent = self.transport.send(py, &waiting)?;
            self.state(py)?.connection.transmitted(sent);
        }
    }

    /// Sends what the connection has to say of its own, unless another thread is sending, which will send it too.
    fn flush_aside(&self, py: Python<'_>) -> PyResult<()> {
        if !self.state(py)?.connection.wants_transmit() {
            return Ok(());
        }
        match self.sender.try_lock()? {
            Some(_held) => self.flush(py),
            None => Ok(()),
        }
    }

    /// After a failure: the alert should leave, but what went wrong is told in any case.
    fn failed(&self, py: Python<'_>, error: PyErr) -> PyErr {
        let _ = self.flush_aside(py);
        error
    }

    /// A peer that refuses says why and hangs up: the alert may have arrived although nothing can be sent any more. For whoever receives.
    fn refused(&self, py: Python<'_>, error: PyErr) -> PyErr {
        let gone = error.is_instance_of::<PyConnectionResetError>(py)
            || error.is_instance_of::<PyBrokenPipeError>(py);
        if gone
            && self.transport.has_arrived(py).unwrap_or(false)
            && let Err(reason) = self.pull(py).and_then(|()| Ok(self.pending_bytes(py)?))
            && is_of_the_peer(py, &reason)
        {
            return reason;
        }
        error
    }

    /// Shakes hands unless that is done.
    pub(crate) fn complete(&self, py: Python<'_>) -> PyResult<()> {
        if !self.state(py)?.connection.is_handshaking() {
            return Ok(());
        }
        let limit = self.transport.timeout(py)?.filter(|seconds| *seconds > 0.0);
        let begun = Instant::now();
        let name_it = |error: PyErr| {
            if error.is_instance_of::<PyTimeoutError>(py) {
                timed_out("handshake")
            } else {
                error
            }
        };
        let _receiving = self.receiver.lock(py)?;
        loop {
            {
                let _sending = self.sender.lock(py)?;
                self.flush(py)
                    .map_err(|error| name_it(self.refused(py, error)))?;
            }
            if !self.state(py)?.connection.is_handshaking() {
                return Ok(());
            }
            // The limit is for the handshake as a whole: a peer that sends a byte at a time must not stretch it.
            if limit.is_some_and(|limit| begun.elapsed().as_secs_f64() > limit) {
                return Err(timed_out("handshake"));
            }
            let fed = self
                .feed_arrived(py)
                .map_err(|error| self.failed(py, error))?;
            if !fed && self.state(py)?.connection.is_handshaking() {
                self.pull(py)
                    .map_err(|error| name_it(self.failed(py, error)))?;
            }
        }
    }

    /// Waits for plaintext and moves at most `most` bytes of it to `put`.
    pub(crate) fn read_into<R>(
        &self,
        py: Python<'_>,
        most: usize,
        put: impl Fn(&[u8]) -> PyResult<R>,
        at_end: impl Fn() -> R,
    ) -> PyResult<R> {
        self.complete(py)?;
        let _receiving = self.receiver.lock(py)?;
        loop {
            let told = with_scratch(most.min(RECORD), |scratch| {
                let mut state = self.state(py)?;
                // Without a whole record there is nothing to decrypt.
                let told = if scratch.len() < WORTH_DETACHING || state.connection.wants_receive() {
                    state.read(scratch)
                } else {
                    drop(state);
                    self.state.detached(py, |state| state.read(scratch))?
                };
                match told.map_err(Failure::of_connection)? {
                    Told::Bytes(count) => put(&scratch[..count]).map(Some),
                    Told::End => Ok(Some(at_end())),
                    Told::Nothing => Ok(None),
                }
            });
            if let Some(result) = told.map_err(|error| self.failed(py, error))? {
                return Ok(result);
            }
            // Answers of the connection's own, to a key update say, and what an earlier write left. What cannot leave now leaves later.
            if let Err(error) = self.flush_aside(py)
                && !is_want(py, &error)
                && !error.is_instance_of::<PyTimeoutError>(py)
                // The reader may still find why.
                && !self.transport.has_arrived(py).unwrap_or(true)
            {
                return Err(error);
            }
            if !self
                .feed_arrived(py)
                .map_err(|error| self.failed(py, error))?
            {
                self.pull(py).map_err(|error| {
                    if error.is_instance_of::<PyTimeoutError>(py) {
                        return timed_out("read");
                    }
                    self.failed(py, error)
                })?;
            }
        }
    }

    /// What can be read at once, without the transport.
    fn pending_bytes(&self, py: Python<'_>) -> Result<usize, Failure> {
        loop {
            let count = self.state(py)?.connection.readable_bytes();
            let count = count.map_err(Failure::of_connection)?;
            if count > 0 {
                return Ok(count);
            }
            match self.feed_arrived(py) {
                Ok(true) => {}
                // An error is latched: the next round tells it.
                Ok(false) => return Ok(0),
                Err(_) => self
                    .state(py)?
                    .connection
                    .readable_bytes()
                    .map_err(Failure::of_connection)
                    .map(|_| ())?,
            }
        }
    }

    /// Encrypts and sends. What was encrypted but could not be sent counts as written only when the call is repeated, as OpenSSL has it.
    pub(crate) fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let input = Input::of(data)?;
        self.complete(py)?;
        let mut sending = self.sender.lock(py)?;
        let late = |error: PyErr| {
            if error.is_instance_of::<PyTimeoutError>(py) {
                timed_out("write")
            } else {
                error
            }
        };
        let refused = |error: PyErr| match self.receiver.try_lock() {
            Ok(Some(_held)) => late(self.refused(py, error)),
            _ => late(error),
        };
        self.flush(py).map_err(refused)?;
        if sending.owed > 0 {
            if input.len() < sending.owed {
                return Err(Failure::of_connection(Error::new(
                    ErrorCode::InvalidArgument,
                    "a write that could not be completed was not repeated: other data came instead",
                    "after SSLWantWriteError or a time limit, call again with the same data",
                ))
                .into());
            }
            return Ok(std::mem::take(&mut sending.owed));
        }
        let mut written = 0;
        let mut copy = Vec::new();
        while written < input.len().min(BATCH) {
            let part = input.part(written, RECORD, &mut copy)?;
            let count = if part.len() >= WORTH_DETACHING {
                self.heavy(py, |state| state.connection.write(part))
            } else {
                let mut state = self.state(py)?;
                state.connection.write(part).map_err(Failure::of_connection)
            };
            match count {
                Ok(0) => break,
                Ok(count) => written += count,
                Err(error) => {
                    let _ = self.flush(py);
                    return Err(error.into());
                }
            }
        }
        if let Err(error) = self.flush(py) {
            sending.owed = written;
            return Err(refused(error));
        }
        Ok(written)
    }

    /// How many bytes can be read without waiting. 1 also stands for an end or an error that was not told yet: whoever asks before waiting for the
    /// socket would wait for ever.
    pub(crate) fn pending(&self, py: Python<'_>) -> PyResult<usize> {
        let counted = match self.receiver.try_lock()? {
            Some(_held) => self.pending_bytes(py),
            // Another thread is taking it.
            None => return Ok(0),
        };
        let state = self.state(py)?;
        match counted {
            Ok(0) if state.connection.is_ended() && !state.end_told => Ok(1),
            Ok(count) => Ok(count),
            Err(_) => Ok(usize::from(!state.end_told)),
        }
    }

    /// Says that nothing more is written and waits for the peer to say the same.
    pub(crate) fn shutdown(&self, py: Python<'_>) -> PyResult<()> {
        {
            let _sending = self.sender.lock(py)?;
            self.heavy(py, |state| state.connection.finish())?;
            self.flush(py)?;
        }
        let _receiving = self.receiver.lock(py)?;
        loop {
            let told = with_scratch(RECORD, |scratch| {
                self.heavy(py, |state| state.read(scratch))
            });
            match told.map_err(|error| self.failed(py, error.into()))? {
                Told::End => return Ok(()),
                // The application has said that it wants no more.
                Told::Bytes(_) => continue,
                Told::Nothing => {}
            }
            if !self.feed_arrived(py)? {
                self.pull(py)?;
            }
        }
    }

    /// What was agreed; None before that.
    pub(crate) fn negotiated(&self, py: Python<'_>) -> Result<Option<hubtls::Negotiated>, Failure> {
        Ok(self.state(py)?.connection.negotiated())
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

/// Whether the error is one of 3xx: the peer said or did something.
fn is_of_the_peer(py: Python<'_>, error: &PyErr) -> bool {
    let number = error.value(py).getattr(pyo3::intern!(py, "number"));
    number.is_ok_and(|number| {
        number
            .extract::<u16>()
            .is_ok_and(|number| number / 100 == 3)
    })
}
