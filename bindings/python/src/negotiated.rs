//! What a handshake agreed on.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::certificate::Certificate;
use crate::roots::Root;

/// What client and server agreed on, and who the server is.
#[pyclass(frozen, module = "hubtls")]
pub(crate) struct Negotiated(pub(crate) hubtls::Negotiated);

#[pymethods]
impl Negotiated {
    /// The TLS version: `TLSv1.2` or `TLSv1.3`.
    #[getter]
    fn version(&self) -> &'static str {
        self.0.version().name()
    }

    /// The cipher suite by IANA's name.
    #[getter]
    fn cipher_suite(&self) -> &'static str {
        self.0.cipher_suite().iana_name()
    }

    /// The cipher suite by OpenSSL's name.
    #[getter]
    fn cipher_suite_openssl(&self) -> &'static str {
        self.0.cipher_suite().openssl_name()
    }

    /// The key exchange group; None for a TLS 1.2 session that was resumed.
    #[getter]
    fn group(&self) -> Option<&'static str> {
        self.0.group().map(hubtls::Group::name)
    }

    /// The maximum fragment length in bytes that the server agreed to.
    #[getter]
    fn fragment_length(&self) -> Option<usize> {
        self.0.fragment_length().map(hubtls::FragmentLength::bytes)
    }

    /// The protocol that the server chose with ALPN.
    #[getter]
    fn alpn<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.0.alpn().map(|protocol| PyBytes::new(py, protocol))
    }

    /// Whether an earlier session was resumed.
    #[getter]
    fn resumed(&self) -> bool {
        self.0.resumed()
    }

    /// Whether the server asked for a client certificate.
    #[getter]
    fn client_certificate_requested(&self) -> bool {
        self.0.client_certificate_requested()
    }

    /// The certificates that the server sent, its own first.
    #[getter]
    fn peer_chain(&self) -> Vec<Certificate> {
        Certificate::all(self.0.peer_chain())
    }

    /// The trusted root that the chain ends in.
    #[getter]
    fn root(&self) -> Option<Root> {
        self.0.root().cloned().map(Root)
    }

    /// As JSON: `version`, `cipher_suite`, `cipher_suite_openssl`, `group`, `fragment_length`, `alpn`, `resumed`, `root`, `peer_chain`.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    fn __repr__(&self) -> String {
        format!(
            "<hubtls.Negotiated {} {}>",
            self.version(),
            self.cipher_suite()
        )
    }
}
