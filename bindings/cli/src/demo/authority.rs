//! Throwaway authorities and what they sign, for one run of the demo.

use hubtls::{Error, ErrorCode, Identity, Result, Roots};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// An authority that lives as long as the demo.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new(name: &str) -> Result<Self> {
        let mut params = params(name, &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        CertifiedIssuer::self_signed(params, ecdsa_key()?)
            .map(Self)
            .map_err(fault)
    }

    pub(super) fn certificate(&self) -> &CertificateDer<'static> {
        self.0.der()
    }

    /// The authority as a private root.
    pub(super) fn roots(&self) -> Result<Roots> {
        Roots::from_der(&[self.certificate()])
    }

    /// A server's certificate for `name`.
    pub(super) fn server(&self, name: &str, key: &KeyPair) -> Result<CertifiedKey> {
        let mut params = params(name, &[name])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(key, &self.0).map_err(fault)?;
        let der = PrivateKeyDer::try_from(key.serialize_der()).map_err(fault)?;
        let key = any_supported_type(&der).map_err(fault)?;
        Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
    }

    /// A device's certificate and key.
    pub(super) fn device(&self, name: &str) -> Result<Identity> {
        let mut params = params(name, &[])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = ecdsa_key()?;
        let certificate = params.signed_by(&key, &self.0).map_err(fault)?;
        Identity::from_pem(
            certificate.pem().as_bytes(),
            key.serialize_pem().as_bytes(),
            None,
        )
    }
}

pub(super) fn ecdsa_key() -> Result<KeyPair> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(fault)
}

pub(super) fn rsa_key() -> Result<KeyPair> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(fault)
}

fn params(name: &str, dns_names: &[&str]) -> Result<CertificateParams> {
    let names: Vec<_> = dns_names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).map_err(fault)?;
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

/// Nothing that a user or the network gives enters the stand-in: what fails there is our fault or the machine's.
pub(super) fn fault(error: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorCode::Internal,
        format!("the hub stand-in cannot be set up: {error}"),
        "please report this; the demo needs memory, random numbers and the loopback network",
    )
}
