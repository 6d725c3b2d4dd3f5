//! The maximum fragment length.

use hubtls::FragmentMode;
use pyo3::prelude::*;

use crate::error::Failure;

/// Whether to negotiate a maximum fragment length (RFC 6066, section 4): 512, 1024, 2048 or 4096 bytes instead of 16,384.
#[pyclass(frozen, eq, hash, from_py_object, module = "hubtls")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FragmentLength(pub(crate) FragmentMode);

#[pymethods]
impl FragmentLength {
    /// Do not ask.
    #[staticmethod]
    fn off() -> Self {
        Self(FragmentMode::Off)
    }

    /// Ask for this many bytes, and go on with fragments of usual length if the server does not agree.
    #[staticmethod]
    fn request(bytes: usize) -> Result<Self, Failure> {
        let length = hubtls::FragmentLength::from_bytes(bytes)?;
        Ok(Self(FragmentMode::Request(length)))
    }

    /// Ask for this many bytes, and fail the handshake if the server does not agree.
    #[staticmethod]
    fn require(bytes: usize) -> Result<Self, Failure> {
        let length = hubtls::FragmentLength::from_bytes(bytes)?;
        Ok(Self(FragmentMode::Require(length)))
    }

    /// The length in bytes, None if it is off.
    #[getter]
    pub(crate) fn bytes(&self) -> Option<usize> {
        self.0.length().map(hubtls::FragmentLength::bytes)
    }

    /// Whether the handshake fails if the server does not agree.
    #[getter]
    fn required(&self) -> bool {
        matches!(self.0, FragmentMode::Require(_))
    }

    fn __repr__(&self) -> String {
        match self.0 {
            FragmentMode::Off => "FragmentLength.off()".into(),
            FragmentMode::Request(length) => format!("FragmentLength.request({})", length.bytes()),
            FragmentMode::Require(length) => format!("FragmentLength.require({})", length.bytes()),
        }
    }
}

/// A `FragmentLength`, or a number of bytes to request.
pub(crate) fn mode_of(value: &Bound<'_, PyAny>) -> PyResult<FragmentMode> {
    if let Ok(mode) = value.extract::<FragmentLength>() {
        return Ok(mode.0);
    }
    let bytes: usize = value.extract()?;
    Ok(FragmentLength::request(bytes)?.0)
}
