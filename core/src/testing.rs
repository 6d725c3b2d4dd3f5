//! Throwaway certificates for the unit tests.

use std::fmt;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair,
    SignatureAlgorithm,
};

use crate::error::{Error, ErrorCode, Result};

/// What a name stands for: a certificate with its key and, if it is an authority, the power to issue others.
pub(crate) struct Party {
    pub(crate) params: CertificateParams,
    pub(crate) key: KeyPair,
    pub(crate) certificate: Certificate,
}

impl Party {
    pub(crate) fn root(name: &str) -> Self {
        Self::self_signed(params(name, true), &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    pub(crate) fn self_signed(
        params: CertificateParams,
        algorithm: &'static SignatureAlgorithm,
    ) -> Self {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            params,
            key,
            certificate,
        }
    }

    pub(crate) fn authority(&self, name: &str) -> Self {
        self.issue(params(name, true), &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    pub(crate) fn leaf(&self, name: &str) -> Self {
        self.issue(params(name, false), &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    pub(crate) fn issue(
        &self,
        params: CertificateParams,
        algorithm: &'static SignatureAlgorithm,
    ) -> Self {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Self {
            params,
            key,
            certificate,
        }
    }

    pub(crate) fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }
}

pub(crate) fn params(name: &str, authority: bool) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    if authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params
}

/// The error, which must be of `code` and say what to do.
pub(crate) fn failure<T: fmt::Debug>(result: Result<T>, code: ErrorCode) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(!error.hint().is_empty());
    error
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let pairs = bytes.iter().map(|byte| format!("{byte:02X}"));
    pairs.collect::<Vec<_>>().join(":")
}

#[cfg(feature = "engine")]
pub(crate) fn ders(identity: &crate::Identity) -> Vec<&[u8]> {
    let chain = identity.chain().iter();
    chain.map(crate::Certificate::der).collect()
}
