//! Certificates.

use napi::Env;
use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi_derive::napi;

use crate::error::OrRaise;

/// An X.509 certificate and what people want to know of it. Times are in seconds since 1970.
#[napi]
pub struct Certificate(pub(crate) hubtls::Certificate);

impl Certificate {
    pub(crate) fn all(chain: &[hubtls::Certificate]) -> Vec<Self> {
        chain.iter().cloned().map(Self).collect()
    }
}

#[napi]
impl Certificate {
    /// From DER: exactly one certificate. `INVALID_CERTIFICATE` says why it cannot be read.
    #[napi(factory, catch_unwind)]
    pub fn from_der(env: Env, der: Uint8Array) -> napi::Result<Self> {
        Ok(Self(hubtls::Certificate::from_der(&der).or_raise(&env)?))
    }

    /// The certificate in DER.
    #[napi(getter, catch_unwind)]
    pub fn der(&self) -> Buffer {
        self.0.der().into()
    }

    /// The common name of its subject, or the whole subject if that has none.
    #[napi(getter, catch_unwind)]
    pub fn subject(&self) -> String {
        self.0.subject().into()
    }

    /// The common name of its issuer, or the issuer's whole name if that has none.
    #[napi(getter, catch_unwind)]
    pub fn issuer(&self) -> String {
        self.0.issuer().into()
    }

    /// The DNS names and IP addresses that it is for.
    #[napi(getter, catch_unwind)]
    pub fn names(&self) -> Vec<String> {
        self.0.names().to_vec()
    }

    /// Start of its validity.
    #[napi(getter, catch_unwind)]
    pub fn not_before(&self) -> Option<f64> {
        self.0.not_before().map(seconds)
    }

    /// Last second of its validity.
    #[napi(getter, catch_unwind)]
    pub fn not_after(&self) -> Option<f64> {
        self.0.not_after().map(seconds)
    }

    /// SHA-256 of the certificate: `CB:3C:...:5F`.
    #[napi(getter, catch_unwind)]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }
}

/// Exact for some hundred million years.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(crate) fn seconds(time: u64) -> f64 {
    time as f64
}
