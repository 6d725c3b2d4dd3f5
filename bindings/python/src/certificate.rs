//! Certificates.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::buffer::Input;
use crate::decoded;
use crate::error::Failure;

/// An X.509 certificate and what people want to know of it.
#[pyclass(frozen, module = "hubtls")]
pub(crate) struct Certificate(pub(crate) hubtls::Certificate);

impl Certificate {
    pub(crate) fn all(chain: &[hubtls::Certificate]) -> Vec<Self> {
        chain.iter().cloned().map(Self).collect()
    }
}

#[pymethods]
impl Certificate {
    /// From DER: exactly one certificate. INVALID_CERTIFICATE says why it cannot be read.
    #[staticmethod]
    fn from_der(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let der = Input::of(data)?.to_vec()?;
        Ok(Self(
            hubtls::Certificate::from_der(&der).map_err(Failure::from)?,
        ))
    }

    /// The certificate in DER.
    #[getter]
    fn der<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.der())
    }

    /// The common name of its subject, or the whole subject if that has none.
    #[getter]
    fn subject(&self) -> &str {
        self.0.subject()
    }

    /// The common name of its issuer, or the issuer's whole name if that has none.
    #[getter]
    fn issuer(&self) -> &str {
        self.0.issuer()
    }

    /// The DNS names and IP addresses that it is for.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.0.names().to_vec()
    }

    /// Start of its validity in seconds since 1970.
    #[getter]
    fn not_before(&self) -> Option<u64> {
        self.0.not_before()
    }

    /// Last second of its validity in seconds since 1970.
    #[getter]
    fn not_after(&self) -> Option<u64> {
        self.0.not_after()
    }

    /// SHA-256 of the certificate: `CB:3C:...:5F`.
    #[getter]
    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }

    /// The dictionary that `ssl.SSLSocket.getpeercert()` gives.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        decoded::certificate(py, self.0.der())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other
            .cast::<Self>()
            .is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self) -> u64 {
        let sha256 = self.0.sha256();
        sha256
            .iter()
            .take(8)
            .fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }

    fn __repr__(&self) -> String {
        format!("<hubtls.Certificate {:?}>", self.subject())
    }
}
