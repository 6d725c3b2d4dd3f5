//! Pins.

use crate::error::Result;

/// The pin of a root's certificate in PEM or DER: SHA-256 of its public key, for `pins`. `PIN_NOT_ROOT` if it is not a self-issued authority's.
#[uniffi::export]
pub fn pin_of_certificate(certificate: Vec<u8>) -> Result<String> {
    let pin = if certificate.starts_with(b"-----") {
        hubtls::Pin::of_certificate_pem(&certificate)?
    } else {
        hubtls::Pin::of_certificate_der(&certificate)?
    };
    Ok(pin.to_string())
}

/// A pin as text: SHA-256, or a root's certificate in PEM.
pub(crate) fn read(text: &str) -> hubtls::Result<hubtls::Pin> {
    if text.contains("-----BEGIN ") {
        hubtls::Pin::of_certificate_pem(text.as_bytes())
    } else {
        hubtls::Pin::from_sha256(text)
    }
}
