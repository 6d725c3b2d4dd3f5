//! What `_ssl._SSLSocket` is for OpenSSL: the object beneath `ssl.SSLSocket` and `ssl.SSLObject`.

use hubtls::Connection;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyWeakrefMethods, PyWeakrefReference};

use crate::buffer::Output;
use crate::certificate::Certificate;
use crate::config::Config;
use crate::connection::not_complete;
use crate::driver::Driver;
use crate::error::Failure;
use crate::negotiated::Negotiated;
use crate::transport::Transport;

/// What `ssl.SSLSocket` and `ssl.SSLObject` stand on: their own documentation says what each method does.
#[pyclass(frozen, subclass, module = "hubtls._hubtls")]
pub(crate) struct Engine {
    driver: Driver,
    socket: Option<Py<PyWeakrefReference>>,
}

#[pymethods]
impl Engine {
    /// Over a socket, which is not kept alive, or over two `ssl.MemoryBIO`.
    #[new]
    #[pyo3(signature = (config, server_name, socket, incoming=None, outgoing=None))]
    fn new(
        config: &Bound<'_, Config>,
        server_name: &str,
        socket: Option<&Bound<'_, PyAny>>,
        incoming: Option<Py<PyAny>>,
        outgoing: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let transport = match (socket, incoming, outgoing) {
            (Some(socket), None, None) => Transport::of_socket(socket)?,
            (None, Some(incoming), Some(outgoing)) => Transport::Memory { incoming, outgoing },
            _ => return Err(PyValueError::new_err("give a socket, or two MemoryBIO")),
        };
        let connection =
            Connection::new(&config.get().config, server_name).map_err(Failure::of_connection)?;
        Ok(Self {
            driver: Driver::new(connection, transport),
            socket: socket
                .map(PyWeakrefReference::new)
                .transpose()?
                .map(Bound::unbind),
        })
    }

    fn do_handshake(&self, py: Python<'_>) -> PyResult<()> {
        self.driver.complete(py)
    }

    #[pyo3(signature = (len=1024, buffer=None))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        len: isize,
        buffer: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(buffer) = buffer else {
            let most = usize::try_from(len)
                .map_err(|_| PyValueError::new_err("size should not be negative"))?;
            if most == 0 {
                return Ok(PyBytes::new(py, b"").into_any());
            }
            let bytes = self.driver.read_into(
                py,
                most,
                |data| Ok(PyBytes::new(py, data)),
                || PyBytes::new(py, b""),
            )?;
            return Ok(bytes.into_any());
        };
        let output = Output::of(buffer)?;
        // As OpenSSL's: no length, or one that is too long, means the whole buffer.
        let most = usize::try_from(len).unwrap_or(0);
        let most = if most == 0 {
            output.len()
        } else {
            most.min(output.len())
        };
        if most == 0 {
            return Ok(0_usize.into_pyobject(py)?.into_any());
        }
        let count = self.driver.read_into(
            py,
            most,
            |data| {
                output.put(data)?;
                Ok(data.len())
            },
            || 0_usize,
        )?;
        Ok(count.into_pyobject(py)?.into_any())
    }

    fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        self.driver.write(py, data)
    }

    fn pending(&self, py: Python<'_>) -> PyResult<usize> {
        self.driver.pending(py)
    }

    /// Says that nothing more is written, waits for the peer to say the same, and gives the socket back.
    fn shutdown<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.driver.shutdown(py)?;
        Ok(self
            .socket
            .as_ref()
            .and_then(|weak| weak.bind(py).upgrade()))
    }

    #[pyo3(signature = (binary_form=false))]
    fn getpeercert<'py>(
        &self,
        py: Python<'py>,
        binary_form: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(negotiated) = self.driver.negotiated(py)? else {
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
        let negotiated = self.driver.negotiated(py)?;
        let chain = negotiated
            .as_ref()
            .map_or(&[][..], hubtls::Negotiated::peer_chain);
        Ok(chain.iter().map(|it| PyBytes::new(py, it.der())).collect())
    }

    fn cipher(&self, py: Python<'_>) -> PyResult<Option<(&'static str, &'static str, u16)>> {
        Ok(self.driver.negotiated(py)?.map(|negotiated| {
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
            .driver
            .negotiated(py)?
            .map(|negotiated| negotiated.version().name()))
    }

    fn selected_alpn_protocol(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.driver.negotiated(py)?.and_then(|negotiated| {
            negotiated
                .alpn()
                .map(|protocol| String::from_utf8_lossy(protocol).into_owned())
        }))
    }

    #[getter]
    fn session_reused(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self
            .driver
            .negotiated(py)?
            .is_some_and(|negotiated| negotiated.resumed()))
    }

    /// What was agreed: HANDSHAKE_NOT_COMPLETE before that.
    #[getter(negotiated)]
    fn py_negotiated(&self, py: Python<'_>) -> PyResult<Negotiated> {
        let negotiated = self.driver.negotiated(py)?;
        Ok(negotiated.map(Negotiated).ok_or_else(not_complete)?)
    }

    #[getter]
    fn is_handshaking(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.driver.is_handshaking(py)?)
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
}
