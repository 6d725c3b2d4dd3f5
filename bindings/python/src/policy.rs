//! Policies.

use std::hash::{DefaultHasher, Hash, Hasher};

use data_encoding::HEXUPPER;
use hubtls::{Authentication, CipherSuite, Group, SignatureScheme, Version};
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::error::{Failure, invalid};
use crate::fragment::{FragmentLength, mode_of};

/// What may be offered and accepted: versions, cipher suites, groups, roots, fragment length. Immutable; can be narrowed, never widened.
#[pyclass(frozen, from_py_object, module = "hubtls")]
#[derive(Clone)]
pub(crate) struct Policy(pub(crate) hubtls::Policy);

/// A `Policy`, or the name of one.
pub(crate) fn policy_of(value: &Bound<'_, PyAny>) -> PyResult<hubtls::Policy> {
    if let Ok(policy) = value.cast::<Policy>() {
        return Ok(policy.get().0.clone());
    }
    let name: &str = value.extract()?;
    Ok(hubtls::Policy::named(name).map_err(Failure::from)?)
}

fn each<T>(names: &[String], read: impl Fn(&str) -> hubtls::Result<T>) -> Result<Vec<T>, Failure> {
    Ok(names
        .iter()
        .map(|name| read(name))
        .collect::<hubtls::Result<_>>()?)
}

#[pymethods]
impl Policy {
    /// The policy of that name: `iothub`, `iothub-ecc`, `iothub-aead`, `iothub-tls12`, or a dated one. UNKNOWN_POLICY suggests another.
    #[staticmethod]
    #[pyo3(signature = (name="iothub"))]
    fn named(name: &str) -> Result<Self, Failure> {
        Ok(Self(hubtls::Policy::named(name)?))
    }

    /// Every dated policy.
    #[staticmethod]
    fn all() -> Vec<Self> {
        hubtls::Policy::all().iter().cloned().map(Self).collect()
    }

    /// Each alias with the dated policy that it stands for.
    #[staticmethod]
    fn aliases() -> Vec<(&'static str, &'static str)> {
        hubtls::Policy::aliases().to_vec()
    }

    /// From a policy document in JSON: INVALID_POLICY_DOCUMENT, POLICY_WIDENED.
    #[classmethod]
    fn from_json(_class: &Bound<'_, PyType>, text: &str) -> Result<Self, Failure> {
        Ok(Self(hubtls::Policy::from_json(text)?))
    }

    /// As a policy document in JSON.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The name of the dated policy that it is or was narrowed from.
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name()
    }

    /// Whether it is narrower than the dated policy of its name.
    #[getter]
    fn is_narrowed(&self) -> bool {
        self.0.is_narrowed()
    }

    /// TLS versions, newest first.
    #[getter]
    fn versions(&self) -> Vec<&'static str> {
        self.0.versions().iter().map(|it| it.name()).collect()
    }

    /// Cipher suites by IANA's names, most wanted first.
    #[getter]
    fn suites(&self) -> Vec<&'static str> {
        self.0.suites().iter().map(|it| it.iana_name()).collect()
    }

    /// Key exchange groups, most wanted first.
    #[getter]
    fn groups(&self) -> Vec<&'static str> {
        self.0.groups().iter().map(|it| it.name()).collect()
    }

    /// Signature schemes, most wanted first.
    #[getter]
    fn signature_schemes(&self) -> Vec<&'static str> {
        let schemes = self.0.signature_schemes().iter();
        schemes.copied().map(SignatureScheme::name).collect()
    }

    /// SHA-256 of its roots, in upper-case hex.
    #[getter]
    fn roots(&self) -> Vec<String> {
        self.0
            .roots()
            .iter()
            .map(|it| HEXUPPER.encode(it))
            .collect()
    }

    /// The fragment length to negotiate.
    #[getter]
    fn fragment_length(&self) -> FragmentLength {
        FragmentLength(self.0.fragment_length())
    }

    /// What is allowed but unwise, a sentence each.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.0.warnings()
    }

    /// Only these versions of it: UNKNOWN_VERSION, POLICY_WIDENED, POLICY_EMPTY.
    fn only_versions(&self, names: Vec<String>) -> Result<Self, Failure> {
        let versions = each(&names, Version::from_name)?;
        Ok(Self(self.0.clone().only_versions(&versions)?))
    }

    /// Only these suites of it, by IANA's or OpenSSL's names: UNKNOWN_SUITE, POLICY_WIDENED, POLICY_EMPTY.
    fn only_suites(&self, names: Vec<String>) -> Result<Self, Failure> {
        let suites = each(&names, CipherSuite::from_name)?;
        Ok(Self(self.0.clone().only_suites(&suites)?))
    }

    /// Only these groups of it: UNKNOWN_GROUP, POLICY_WIDENED, POLICY_EMPTY.
    fn only_groups(&self, names: Vec<String>) -> Result<Self, Failure> {
        let groups = each(&names, Group::from_name)?;
        Ok(Self(self.0.clone().only_groups(&groups)?))
    }

    /// Only suites whose server authenticates with `ECDSA` or `RSA`.
    fn only_authentication(&self, name: &str) -> Result<Self, Failure> {
        let authentication = match name.to_ascii_uppercase().as_str() {
            "ECDSA" => Authentication::Ecdsa,
            "RSA" => Authentication::Rsa,
            _ => {
                return Err(invalid(
                    format!("`{name}` is no way to authenticate"),
                    "it is ECDSA or RSA",
                ));
            }
        };
        Ok(Self(self.0.clone().only_authentication(authentication)?))
    }

    /// The same with this fragment length: a `FragmentLength`, or a number of bytes to request.
    fn with_fragment_length(&self, mode: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(self.0.clone().with_fragment_length(mode_of(mode)?)))
    }

    /// The suites of TLS 1.2 as OpenSSL's cipher list.
    #[getter]
    fn openssl_cipher_list(&self) -> String {
        self.0.openssl_cipher_list()
    }

    /// The suites of TLS 1.3 as OpenSSL's list.
    #[getter]
    fn openssl_ciphersuites(&self) -> String {
        self.0.openssl_ciphersuites()
    }

    /// The groups as OpenSSL's list.
    #[getter]
    fn openssl_groups(&self) -> String {
        self.0.openssl_groups()
    }

    /// The signature schemes as OpenSSL's list.
    #[getter]
    fn openssl_signature_algorithms(&self) -> String {
        self.0.openssl_signature_algorithms()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other
            .cast::<Self>()
            .is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.to_json().hash(&mut hasher);
        hasher.finish()
    }

    /// Pickles as its document, so that multiprocessing can pass it on.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let from_json = slf.get_type().getattr("from_json")?;
        Ok((from_json, (slf.get().0.to_json(),)))
    }

    fn __repr__(&self) -> String {
        let narrowed = if self.is_narrowed() { ", narrowed" } else { "" };
        format!("<hubtls.Policy {}{narrowed}>", self.name())
    }
}
