//! Trusted roots.

use std::path::PathBuf;

use hubtls::{Error, ErrorCode, Origin};
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList};

use crate::error::{Failure, invalid};
use crate::identity::text_or_bytes;
use crate::policy::policy_of;

/// A trusted root.
#[pyclass(frozen, module = "hubtls")]
pub(crate) struct Root(pub(crate) hubtls::Root);

#[pymethods]
impl Root {
    /// The common name of its subject, or the whole subject if that has none.
    #[getter]
    fn subject(&self) -> &str {
        self.0.subject()
    }

    /// SHA-256 of its certificate, `CB:3C:...:5F`; None if only its name and key are known.
    #[getter]
    fn fingerprint(&self) -> Option<String> {
        self.0.fingerprint()
    }

    /// The pin of this root, for `pins=`.
    #[getter]
    fn pin(&self) -> String {
        self.0.pin().to_string()
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

    /// Where it comes from: `embedded`, `added` or `public-web`.
    #[getter]
    fn origin(&self) -> &'static str {
        match self.0.origin() {
            Origin::Embedded => "embedded",
            Origin::Added => "added",
            _ => "public-web",
        }
    }

    /// Whether it may vouch for names of Azure's although it was added to other roots.
    #[getter]
    fn vouches_for_azure(&self) -> bool {
        self.0.vouches_for_azure()
    }

    /// Its certificate as PEM; None if only its name and key are known.
    #[getter]
    fn pem(&self) -> Option<String> {
        self.0.pem()
    }

    fn __repr__(&self) -> String {
        format!("<hubtls.Root {:?}>", self.subject())
    }
}

/// How ready a set of roots is for the loss of one.
#[pyclass(frozen, module = "hubtls")]
pub(crate) struct Readiness(hubtls::Readiness);

#[pymethods]
impl Readiness {
    /// Whether at least two independent roots stay valid.
    #[getter]
    fn ready(&self) -> bool {
        self.0.ready
    }

    /// How many roots of different owners stay valid.
    #[getter]
    fn independent(&self) -> usize {
        self.0.independent
    }

    /// The roots that have expired.
    #[getter]
    fn expired(&self) -> Vec<Root> {
        self.0.expired.iter().cloned().map(Root).collect()
    }

    /// The roots that expire within the time asked for.
    #[getter]
    fn expiring(&self) -> Vec<Root> {
        self.0.expiring.iter().cloned().map(Root).collect()
    }

    fn __repr__(&self) -> String {
        format!(
            "<hubtls.Readiness ready={} independent={}>",
            self.0.ready, self.0.independent
        )
    }
}

/// The roots that are trusted. Immutable.
#[pyclass(frozen, from_py_object, module = "hubtls")]
#[derive(Clone)]
pub(crate) struct Roots(pub(crate) hubtls::Roots);

/// `Roots`, PEM or DER as bytes, PEM as str, or the path of a file with either.
pub(crate) fn roots_of(value: &Bound<'_, PyAny>) -> PyResult<hubtls::Roots> {
    if let Ok(roots) = value.cast::<Roots>() {
        return Ok(roots.get().0.clone());
    }
    if let Ok(text) = value.extract::<&str>()
        && text.contains("-----BEGIN ")
    {
        return Ok(hubtls::Roots::from_pem(text.as_bytes()).map_err(Failure::from)?);
    }
    if let Ok(path) = value.extract::<PathBuf>() {
        return Roots::from_file(path).map(|roots| roots.0);
    }
    let data = text_or_bytes(value)?;
    Ok(hubtls::Roots::from_pem_or_der(&data).map_err(Failure::from)?)
}

#[pymethods]
impl Roots {
    /// The two roots of Azure IoT Hub: DigiCert Global Root G2 and Microsoft RSA Root Certificate Authority 2017.
    #[staticmethod]
    fn azure() -> Self {
        Self(hubtls::Roots::azure())
    }

    /// The roots of a policy, given itself or by name.
    #[staticmethod]
    fn of_policy(policy: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(hubtls::Roots::of_policy(&policy_of(policy)?)))
    }

    /// Every root that hubtls ships, the two ECC roots included that no policy trusts yet.
    #[staticmethod]
    fn embedded() -> Self {
        Self(hubtls::Roots::embedded())
    }

    /// The roots of the public web, as Mozilla trusts them.
    #[staticmethod]
    fn public_web() -> Self {
        Self(hubtls::Roots::public_web())
    }

    /// Private roots from PEM as bytes or str: NO_CERTIFICATE, INVALID_CERTIFICATE, NOT_A_CERTIFICATE_AUTHORITY.
    #[staticmethod]
    fn from_pem(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let data = text_or_bytes(data)?;
        Ok(Self(hubtls::Roots::from_pem(&data).map_err(Failure::from)?))
    }

    /// Private roots from a file with PEM, or with one certificate in DER. An `OSError` if it cannot be read.
    #[staticmethod]
    fn from_file(path: PathBuf) -> PyResult<Self> {
        let data = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        let roots = hubtls::Roots::from_pem_or_der(&data);
        let roots = roots.map_err(|error| Failure::from(error.within(path.display())))?;
        Ok(Self(roots))
    }

    /// These and the others.
    fn with_added(&self, added: &Self) -> Self {
        Self(self.0.clone().with_added(added.0.clone()))
    }

    /// The same roots, which may (or may not) vouch for names of Azure's when they are added to others.
    #[pyo3(signature = (vouching=true))]
    fn vouching_for_azure(&self, vouching: bool) -> Self {
        Self(self.0.clone().vouching_for_azure(vouching))
    }

    /// Those of them that are believed about a server of that name.
    fn believed_about(&self, name: &str) -> Self {
        Self(self.0.believed_about(name))
    }

    /// The certificates as PEM.
    fn pem(&self) -> String {
        self.0.pem()
    }

    /// Whether enough of them stay valid for `within_days` from `now` (seconds since 1970; the machine's clock).
    #[pyo3(signature = (within_days=0, now=None))]
    fn readiness(&self, within_days: u32, now: Option<u64>) -> Result<Readiness, Failure> {
        let now = match now {
            Some(now) => now,
            None => hubtls::Clock::system().now()?,
        };
        Ok(Readiness(self.0.readiness(now, within_days)))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.listed(index.py())?.as_any().get_item(index)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.listed(py)?.try_iter()
    }

    fn __repr__(&self) -> String {
        let subjects: Vec<_> = self.0.iter().take(4).map(hubtls::Root::subject).collect();
        let more = if self.0.len() > 4 { ", ..." } else { "" };
        format!("<hubtls.Roots {}{more}>", subjects.join(", "))
    }
}

impl Roots {
    fn listed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.iter().cloned().map(Root))
    }
}

/// A file that cannot be read, as `open` would say it.
pub(crate) fn unreadable(path: &std::path::Path, error: &std::io::Error) -> PyErr {
    match error.raw_os_error() {
        Some(number) => pyo3::exceptions::PyOSError::new_err((
            number,
            error
                .to_string()
                .split(" (os error")
                .next()
                .unwrap_or_default()
                .to_owned(),
            path.to_string_lossy().into_owned(),
        )),
        None => Failure::from(Error::new(
            ErrorCode::Io,
            format!("{}: {error}", path.display()),
            "give a file that can be read",
        ))
        .into(),
    }
}

/// A pin: SHA-256 as text, or the root's certificate as PEM or DER.
pub(crate) fn pin_of(value: &Bound<'_, PyAny>) -> PyResult<hubtls::Pin> {
    let pin = match value.extract::<&str>() {
        Ok(text) if text.contains("-----BEGIN ") => {
            hubtls::Pin::of_certificate_pem(text.as_bytes())
        }
        Ok(text) => hubtls::Pin::from_sha256(text),
        Err(_) => {
            let data = text_or_bytes(value).map_err(|_| {
                PyErr::from(invalid(
                    "a pin is neither str nor bytes".into(),
                    "give SHA-256 of the root's public key as text, or the root's certificate as PEM or DER",
                ))
            })?;
            if data.starts_with(b"-----") {
                hubtls::Pin::of_certificate_pem(&data)
            } else {
                hubtls::Pin::of_certificate_der(&data)
            }
        }
    };
    Ok(pin.map_err(Failure::from)?)
}
