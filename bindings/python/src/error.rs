//! The one funnel from core's errors to Python's exceptions.

use hubtls::{Alert, ErrorCode};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Where an error of core came from: it decides which of Python's exceptions it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Configuration,
    Connection,
}

/// An error of core on its way to Python.
pub(crate) struct Failure {
    error: hubtls::Error,
    place: Place,
}

impl Failure {
    /// An error of a connection, which is an `ssl.SSLError` in Python.
    pub(crate) fn of_connection(error: hubtls::Error) -> Self {
        Self {
            error,
            place: Place::Connection,
        }
    }
}

/// An error of the configuration, which is a `ValueError` in Python.
impl From<hubtls::Error> for Failure {
    fn from(error: hubtls::Error) -> Self {
        Self {
            error,
            place: Place::Configuration,
        }
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        Python::attach(|py| failure.raise(py).unwrap_or_else(|error| error))
    }
}

impl Failure {
    fn raise(&self, py: Python<'_>) -> PyResult<PyErr> {
        static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let make = MAKE.import(py, "hubtls._errors", "make")?;
        let error = &self.error;
        let arguments = (
            error.code().name(),
            error.code().number(),
            error.message(),
            error.hint(),
            error.alert().map(Alert::name),
            error.alert_received(),
            self.place == Place::Connection,
        );
        Ok(PyErr::from_value(make.call1(arguments)?))
    }
}

/// An argument that cannot be right.
pub(crate) fn invalid(message: String, hint: &'static str) -> Failure {
    hubtls::Error::new(ErrorCode::InvalidArgument, message, hint).into()
}

/// Name and number of each error code.
#[pyfunction]
pub(crate) fn error_codes() -> Vec<(&'static str, u16)> {
    ErrorCode::ALL
        .iter()
        .map(|code| (code.name(), code.number()))
        .collect()
}
