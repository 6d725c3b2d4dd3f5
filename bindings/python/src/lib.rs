//! The native half of the Python package `hubtls`: newtypes around core, and the engine beneath `ssl.SSLSocket` and `ssl.SSLObject`.
//!
//! What Python code can say in Python stands in `python/hubtls`; the public documentation is in `python/hubtls/_hubtls.pyi` and the docstrings here.

mod buffer;
mod certificate;
mod config;
mod connection;
mod decoded;
mod detached;
mod engine;
mod error;
mod exclusive;
mod flow;
mod fragment;
mod identity;
mod negotiated;
mod policy;
mod roots;

use pyo3::prelude::*;

/// TLS as Azure IoT Hub demands it.
#[pymodule(gil_used = true)]
mod _hubtls {
    #[pymodule_export]
    use super::certificate::Certificate;
    #[pymodule_export]
    use super::config::Config;
    #[pymodule_export]
    use super::connection::Connection;
    #[pymodule_export]
    use super::detached::interpreter_ends;
    #[pymodule_export]
    use super::engine::Engine;
    #[pymodule_export]
    use super::error::error_codes;
    #[pymodule_export]
    use super::fragment::FragmentLength;
    #[pymodule_export]
    use super::identity::Identity;
    #[pymodule_export]
    use super::negotiated::Negotiated;
    #[pymodule_export]
    use super::policy::Policy;
    #[pymodule_export]
    use super::roots::{Readiness, Root, Roots};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", hubtls::VERSION)
    }
}
