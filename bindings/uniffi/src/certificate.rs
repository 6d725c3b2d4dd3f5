//! Certificates.

use crate::error::Result;

/// An X.509 certificate and what people want to know of it. Times are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Certificate {
    /// The certificate in DER.
    pub der: Vec<u8>,
    /// The common name of its subject, or the whole subject if that has none.
    pub subject: String,
    /// The common name of its issuer, or the issuer's whole name if that has none.
    pub issuer: String,
    /// The DNS names and IP addresses that it is for.
    pub names: Vec<String>,
    /// Start of its validity.
    pub not_before: Option<i64>,
    /// Last second of its validity.
    pub not_after: Option<i64>,
    /// SHA-256 of the certificate: `CB:3C:...:5F`.
    pub fingerprint: String,
}

impl Certificate {
    pub(crate) fn of(certificate: &hubtls::Certificate) -> Self {
        Self {
            der: certificate.der().to_vec(),
            subject: certificate.subject().into(),
            issuer: certificate.issuer().into(),
            names: certificate.names().to_vec(),
            not_before: certificate.not_before().and_then(seconds),
            not_after: certificate.not_after().and_then(seconds),
            fingerprint: certificate.fingerprint(),
        }
    }

    pub(crate) fn all(chain: &[hubtls::Certificate]) -> Vec<Self> {
        chain.iter().map(Self::of).collect()
    }
}

/// `None` after some hundred thousand million years.
pub(crate) fn seconds(time: u64) -> Option<i64> {
    i64::try_from(time).ok()
}

/// Reads exactly one certificate in DER: `INVALID_CERTIFICATE` says why it cannot be read.
#[uniffi::export]
pub fn certificate_from_der(der: Vec<u8>) -> Result<Certificate> {
    Ok(Certificate::of(&hubtls::Certificate::from_der(&der)?))
}
