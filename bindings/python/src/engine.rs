//! What `_ssl._SSLSocket` is for OpenSSL, beneath `ssl.SSLSocket` and `ssl.SSLObject`.
//!
//! Over two `ssl.MemoryBIO` it is all here. Over a socket, `_engine.py` sends and receives: Python before 3.14 may end a daemon thread in the
//! middle of that, and must not find frames of Rust's on its stack.

use hubtls::Connection;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::buffer::Input;
use crate::certificate::Certificate;
use crate::config::Config;
use crate::connection::{WORTH_DETACHING, not_complete};
use crate::detached::detach;
use crate::error::Failure;
use crate::exclusive::Exclusive;
use crate::flow::{MOST, Memory, State, Target, with_scratch};
use crate::negotiated::Negotiated;

/// The largest plaintext of a record.
const RECORD: usize = 16_384;
/// How much one write takes before it is sent.
const BATCH: usize = 2 * RECORD;

/// What `ssl.SSLSocket` and `ssl.SSLObject` stand on.
#[pyclass(frozen, subclass, module = "hubtls._hubtls")]
pub(crate) struct Engine {
    state: Exclusive<State>,
    memory: Option<Memory>,
}

impl Engine {
    /// Gives the connection `data`, or what arrived earlier, and moves decrypted bytes to `target`; None if there are none yet.
    fn take_into<'py>(
        &self,
        py: Python<'py>,
        target: &Target<'py>,
        data: Option<Py<PyBytes>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if target.len() == 0 {
            return target.put(py, &[]).map(Some);
        }
        let mut state = self.state.lock(py)?;
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
        with_scratch(target.len().min(MOST), |scratch| {
            // Without a whole record there is nothing to decrypt.
            let light = scratch.len() < WORTH_DETACHING
                || (data.len() < WORTH_DETACHING && state.connection.wants_receive());
            let told = if light {
                state.take(data, &mut taken, scratch)
            } else {
                // Locked all the while: nobody else may feed what came later.
                let state = &mut *state;
                detach(py, || state.take(data, &mut taken, scratch))
            };
            if taken < data.len() {
                state.arrived = bytes.as_ref().map(|bytes| (bytes.clone_ref(py), taken));
            }
            drop(state);
            match told.map_err(Failure::of_connection)? {
                Some(count) => target.put(py, &scratch[..count]).map(Some),
                None => Ok(None),
            }
        })
    }

    /// Encrypts at most 32 KB of `input`, from `start` on, and says how much.
    fn encrypt_from(&self, py: Python<'_>, input: &Input<'_>, start: usize) -> PyResult<usize> {
        let (mut taken, mut copy) = (start, Vec::new());
        while taken < input.len().min(start + BATCH) {
            let part = input.part(taken, RECORD, &mut copy)?;
            let count = if part.len() >= WORTH_DETACHING {
                self.state
                    .detached(py, |state| state.connection.write(part))?
            } else {
                self.state.lock(py)?.connection.write(part)
            };
            match count.map_err(Failure::of_connection)? {
                0 => break,
                count => taken += count,
            }
        }
        Ok(taken - start)
    }

    /// Does `work` with the memory; if that fails, the alert leaves with the next bytes that are taken from it.
    fn with_alert<R>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Memory) -> PyResult<R>,
    ) -> PyResult<R> {
        let Some(memory) = &self.memory else {
            return Err(PyValueError::new_err(
                "this engine has no memory to read and write",
            ));
        };
        work(memory).inspect_err(|_| {
            let _ = self.push(py, memory);
        })
    }

    fn push(&self, py: Python<'_>, memory: &Memory) -> PyResult<()> {
        if self.wants_transmit(py)? {
            let (outgoing, waiting) = (memory.outgoing.bind(py), self.waiting(py)?);
            outgoing.call_method1(pyo3::intern!(py, "write"), (&waiting,))?;
            self.sent(py, waiting.as_bytes().len())?;
        }
        Ok(())
    }

    fn agreed(&self, py: Python<'_>) -> Result<Option<hubtls::Negotiated>, Failure> {
        Ok(self.state.lock(py)?.connection.negotiated())
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (config, server_name, incoming=None, outgoing=None))]
    fn new(
        config: &Bound<'_, Config>,
        server_name: &str,
        incoming: Option<Py<PyAny>>,
        outgoing: Option<Py<PyAny>>,
    ) -> Result<Self, Failure> {
        let connection = Connection::new(&config.get().config, server_name);
        Ok(Self {
            state: Exclusive::new(State {
                connection: connection.map_err(Failure::of_connection)?,
                arrived: None,
                end_told: false,
                finished: false,
            }),
            memory: incoming
                .zip(outgoing)
                .map(|(incoming, outgoing)| Memory { incoming, outgoing }),
        })
    }

    fn do_handshake(&self, py: Python<'_>) -> PyResult<()> {
        self.with_alert(py, |memory| {
            loop {
                self.push(py, memory)?;
                if !self.is_handshaking(py)? {
                    return Ok(());
                }
                self.feed(py, memory.pull(py)?)?;
            }
        })
    }

    #[pyo3(signature = (len=1024, buffer=None))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        len: isize,
        buffer: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let target = Target::of(len, buffer)?;
        self.with_alert(py, |memory| {
            let mut data = None;
            loop {
                if let Some(result) = self.take_into(py, &target, data.take())? {
                    return Ok(result);
                }
                if self.is_handshaking(py)? {
                    self.do_handshake(py)?;
                } else {
                    self.push(py, memory)?;
                    data = Some(memory.pull(py)?);
                }
            }
        })
    }

    /// Takes all of it: callers rely on that with memory.
    fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let input = Input::of(data)?;
        if self.is_handshaking(py)? {
            self.do_handshake(py)?;
        }
        self.with_alert(py, |memory| {
            let mut written = 0;
            while written < input.len() {
                written += self.encrypt_from(py, &input, written)?;
                self.push(py, memory)?;
            }
            Ok(written)
        })
    }

    /// Says that nothing more is written and waits for the peer to say the same.
    fn shutdown(&self, py: Python<'_>) -> PyResult<()> {
        self.with_alert(py, |memory| {
            self.finish(py)?;
            self.push(py, memory)
        })?;
        // What still comes, the application has said that it does not want.
        while self.read(py, MOST.cast_signed(), None)?.len()? > 0 {}
        Ok(())
    }

    /// Decrypted bytes, or their count if they go into `buffer`; nothing at the end of the stream. A negative number asks for as many bytes from the
    /// socket, as `data` of the next call, empty if it has ended; None says that hands have to be shaken first.
    #[pyo3(signature = (len, buffer=None, data=None))]
    fn take<'py>(
        &self,
        py: Python<'py>,
        len: isize,
        buffer: Option<&Bound<'py, PyAny>>,
        data: Option<Py<PyBytes>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let target = Target::of(len, buffer)?;
        if let Some(result) = self.take_into(py, &target, data)? {
            return Ok(Some(result));
        }
        let state = self.state.lock(py)?;
        if state.connection.is_handshaking() {
            return Ok(None);
        }
        // Others may wait for the socket with `select`: no plaintext may stay here that was not told. After `finish` not even what follows the
        // peer's close_notify is taken: it is no part of TLS.
        let wanted = if state.finished {
            0
        } else {
            target.len().min(MOST)
        };
        let limit = state.connection.receive_limit(wanted).min(MOST);
        Ok(Some((-limit.cast_signed()).into_pyobject(py)?.into_any()))
    }

    /// Gives the handshake what has arrived, empty if the transport has ended.
    fn feed(&self, py: Python<'_>, data: Py<PyBytes>) -> Result<(), Failure> {
        let bytes = data.bind(py).as_bytes();
        let mut taken = 0;
        // Verifies, and perhaps signs.
        let fed = self.state.detached(py, |state| match bytes {
            [] => state.connection.receive_end(),
            _ => state.feed(bytes, &mut taken),
        })?;
        fed.map_err(Failure::of_connection)?;
        if taken < bytes.len() {
            self.state.lock(py)?.arrived = Some((data, taken));
        }
        Ok(())
    }

    /// How much to take from a socket in the handshake, so that nothing of what follows it is taken.
    fn handshake_limit(&self, py: Python<'_>) -> Result<usize, Failure> {
        Ok(self.state.lock(py)?.connection.receive_limit(0))
    }

    /// Encrypts at most 32 KB and returns how many bytes that were, and the ciphertext that waits; None in the handshake.
    fn encrypt<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Option<(usize, Bound<'py, PyBytes>)>> {
        let input = Input::of(data)?;
        if self.is_handshaking(py)? {
            return Ok(None);
        }
        let taken = self.encrypt_from(py, &input, 0)?;
        Ok(Some((taken, self.waiting(py)?)))
    }

    /// The ciphertext that waits. It goes on waiting until it was `sent`.
    fn waiting<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>, Failure> {
        Ok(PyBytes::new(py, self.state.lock(py)?.connection.pending()))
    }

    /// Says that so many bytes of what waits were sent, and how many still wait.
    fn sent(&self, py: Python<'_>, count: usize) -> Result<usize, Failure> {
        let mut state = self.state.lock(py)?;
        state.connection.transmitted(count);
        Ok(state.connection.pending().len())
    }

    /// How many bytes can be taken without waiting. 1 also stands for an end or an error that was not told yet: whoever asks before waiting for
    /// the socket would wait for ever.
    fn pending(&self, py: Python<'_>) -> Result<usize, Failure> {
        let counted = self.probe(py);
        let state = self.state.lock(py)?;
        Ok(match counted {
            Ok(0) if state.connection.is_ended() => usize::from(!state.end_told),
            Ok(count) => count,
            Err(_) => usize::from(!state.end_told),
        })
    }

    /// How many bytes can be taken without waiting.
    fn probe(&self, py: Python<'_>) -> Result<usize, Failure> {
        let mut state = self.state.lock(py)?;
        if state.connection.is_handshaking() {
            return Ok(0);
        }
        loop {
            let count = state.connection.readable_bytes();
            let count = count.map_err(Failure::of_connection)?;
            if count > 0 {
                return Ok(count);
            }
            let Some((bytes, start)) = state.arrived.take() else {
                return Ok(0);
            };
            let (data, mut taken) = (bytes.bind(py).as_bytes(), start);
            let fed = state.feed(data, &mut taken);
            if taken < data.len() {
                state.arrived = Some((bytes, taken));
            }
            fed.map_err(Failure::of_connection)?;
        }
    }

    /// Queues close_notify.
    fn finish(&self, py: Python<'_>) -> Result<(), Failure> {
        let finished = self.state.detached(py, |state| {
            state.finished = true;
            state.connection.finish()
        })?;
        finished.map_err(Failure::of_connection)
    }

    #[getter]
    fn is_handshaking(&self, py: Python<'_>) -> Result<bool, Failure> {
        Ok(self.state.lock(py)?.connection.is_handshaking())
    }

    #[getter]
    fn wants_transmit(&self, py: Python<'_>) -> Result<bool, Failure> {
        Ok(self.state.lock(py)?.connection.wants_transmit())
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

    /// Nothing can be compressed.
    fn compression(&self) {}

    /// Only a server knows.
    fn shared_ciphers(&self) {}

    #[pyo3(signature = (cb_type="tls-unique"))]
    fn get_channel_binding(&self, cb_type: &str) -> PyResult<()> {
        Err(PyValueError::new_err(format!(
            "hubtls gives no {cb_type} channel binding: TLS 1.3 has none of that kind"
        )))
    }

    fn verify_client_post_handshake(&self) -> PyResult<()> {
        Err(PyValueError::new_err(
            "only a server can ask for a client certificate",
        ))
    }

    /// What was agreed: HANDSHAKE_NOT_COMPLETE before that.
    #[getter]
    fn negotiated(&self, py: Python<'_>) -> PyResult<Negotiated> {
        Ok(self.agreed(py)?.map(Negotiated).ok_or_else(not_complete)?)
    }
}
