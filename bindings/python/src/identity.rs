//! Client certificates and their keys.

use std::sync::Arc;

use hubtls::{SignatureScheme, Signer};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::buffer::Input;
use crate::certificate::Certificate;
use crate::detached::detach;
use crate::error::Failure;

/// A client's certificate chain and its key, or a callable that signs with a key held elsewhere. Immutable; shows no key.
#[pyclass(frozen, from_py_object, module = "hubtls")]
#[derive(Clone)]
pub(crate) struct Identity(pub(crate) hubtls::Identity);

/// PEM text or DER as bytes, or PEM as str.
pub(crate) fn text_or_bytes(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.to_str()?.as_bytes().to_vec()),
        Err(_) => Ok(Input::of(value)?.to_vec()?),
    }
}

/// A passphrase as str or as bytes of UTF-8.
fn passphrase_of(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<String>> {
    let Some(value) = value else { return Ok(None) };
    let bytes = text_or_bytes(value)?;
    String::from_utf8(bytes).map(Some).map_err(|_| {
        crate::error::invalid("the passphrase is not UTF-8".into(), "give it as str").into()
    })
}

fn is_pem(data: &[u8]) -> bool {
    data.windows(11).any(|window| window == b"-----BEGIN ")
}

#[pymethods]
impl Identity {
    /// From PEM: the chain's certificates, the client's own first, and the key as PKCS#8, PKCS#1 or SEC1, encrypted or not.
    #[staticmethod]
    #[pyo3(signature = (chain, key, passphrase=None))]
    fn from_pem(
        py: Python<'_>,
        chain: &Bound<'_, PyAny>,
        key: &Bound<'_, PyAny>,
        passphrase: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let (chain, key) = (text_or_bytes(chain)?, text_or_bytes(key)?);
        let passphrase = passphrase_of(passphrase)?;
        let identity = detach(py, || {
            hubtls::Identity::from_pem(&chain, &key, passphrase.as_deref())
        });
        Ok(Self(identity.map_err(Failure::from)?))
    }

    /// From DER: a list of certificates, the client's own first, and the key.
    #[staticmethod]
    #[pyo3(signature = (chain, key, passphrase=None))]
    fn from_der(
        py: Python<'_>,
        chain: Vec<Bound<'_, PyAny>>,
        key: &Bound<'_, PyAny>,
        passphrase: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let chain = chain
            .iter()
            .map(|der| Input::of(der)?.to_vec())
            .collect::<PyResult<Vec<_>>>()?;
        let key = Input::of(key)?.to_vec()?;
        let passphrase = passphrase_of(passphrase)?;
        let identity = detach(py, || {
            hubtls::Identity::from_der(&chain, &key, passphrase.as_deref())
        });
        Ok(Self(identity.map_err(Failure::from)?))
    }

    /// From a PKCS#12 file's content (`.pfx`, `.p12`) with one private key.
    #[staticmethod]
    #[pyo3(signature = (data, passphrase=None))]
    fn from_pkcs12(
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        passphrase: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let data = Input::of(data)?.to_vec()?;
        let passphrase = passphrase_of(passphrase)?;
        let identity = detach(py, || {
            hubtls::Identity::from_pkcs12(&data, passphrase.as_deref())
        });
        Ok(Self(identity.map_err(Failure::from)?))
    }

    /// From a chain in PEM and a callable that signs with the key of its first certificate: a TPM, an HSM, PKCS#11.
    ///
    /// `sign(scheme, message)` gets the scheme's name (`ecdsa_secp256r1_sha256`) and the message, not hashed yet, and returns the signature as
    /// bytes, ECDSA as ASN.1 DER. It is called from whatever thread shakes hands. Signs once at once, to see that it works: SIGNER_FAILED if not.
    #[staticmethod]
    #[pyo3(signature = (chain, sign, schemes=None))]
    fn from_signer(
        py: Python<'_>,
        chain: &Bound<'_, PyAny>,
        sign: Py<PyAny>,
        schemes: Option<Vec<String>>,
    ) -> PyResult<Self> {
        if !sign.bind(py).is_callable() {
            return Err(crate::error::invalid(
                "the signer cannot be called".into(),
                "give a function of the scheme and the message that returns the signature",
            )
            .into());
        }
        let chain = text_or_bytes(chain)?;
        let schemes = schemes
            .map(|names| {
                names
                    .iter()
                    .map(|name| SignatureScheme::from_name(name))
                    .collect::<Result<Vec<_>, _>>()
            })
            .transpose()
            .map_err(Failure::from)?;
        let signer: Arc<dyn Signer> = Arc::new(Callable { sign, schemes });
        let identity = detach(py, || {
            if is_pem(&chain) {
                hubtls::Identity::from_signer(&chain, signer)
            } else {
                hubtls::Identity::from_signer_der(&[&chain], signer)
            }
        });
        Ok(Self(identity.map_err(Failure::from)?))
    }

    /// The chain, the client's own certificate first.
    #[getter]
    fn chain(&self) -> Vec<Certificate> {
        Certificate::all(self.0.chain())
    }

    /// The common name of the client's certificate, or its whole subject if that has none.
    #[getter]
    fn subject(&self) -> &str {
        self.0.subject()
    }

    /// The kind of key: `RSA-2048` and the like, `P-256`, `P-384` or `Ed25519`.
    #[getter]
    fn key_algorithm(&self) -> &str {
        self.0.key_algorithm()
    }

    fn __repr__(&self) -> String {
        format!(
            "<hubtls.Identity {:?}, {}>",
            self.subject(),
            self.key_algorithm()
        )
    }
}

/// A Python callable as a signer.
struct Callable {
    sign: Py<PyAny>,
    schemes: Option<Vec<SignatureScheme>>,
}

impl Signer for Callable {
    fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let outcome = Python::try_attach(|py| {
            let message = PyBytes::new(py, message);
            let signature = self.sign.call1(py, (scheme.name(), message))?;
            let signature = signature.bind(py);
            match Input::of(signature) {
                Ok(bytes) => bytes.to_vec(),
                Err(_) => Err(pyo3::exceptions::PyTypeError::new_err(format!(
                    "it returned {}, not bytes",
                    signature.get_type().name()?
                ))),
            }
        });
        match outcome {
            Some(signature) => signature.map_err(|error| error.to_string().into()),
            None => Err("the interpreter is shutting down".into()),
        }
    }

    fn schemes(&self) -> Option<Vec<SignatureScheme>> {
        self.schemes.clone()
    }
}
