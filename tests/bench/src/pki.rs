//! A throwaway chain as a hub presents one: root, intermediate, ECDSA P-256 server certificate.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The name every client verifies.
pub const SERVER_NAME: &str = "hub.example";

/// What server and clients are set up from.
#[derive(Debug)]
pub struct Pki {
    /// The trusted root.
    pub root_pem: String,
    /// The same root.
    pub root_der: CertificateDer<'static>,
    /// Server certificate, then intermediate.
    pub chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Pki {
    /// Makes a new chain, valid now.
    #[must_use]
    pub fn generate() -> Self {
        let (root, root_key) = authority("Bench Root", BasicConstraints::Unconstrained);
        let root_certificate = root.self_signed(&root_key).expect("a valid root");
        let root = Issuer::new(root, root_key);

        let (intermediate, intermediate_key) =
            authority("Bench Issuing CA", BasicConstraints::Constrained(0));
        let intermediate_certificate = intermediate
            .signed_by(&intermediate_key, &root)
            .expect("a valid intermediate");
        let intermediate = Issuer::new(intermediate, intermediate_key);

        let key = key();
        let server = CertificateParams::new([SERVER_NAME.to_owned()])
            .expect("a DNS name")
            .signed_by(&key, &intermediate)
            .expect("a valid certificate");
        Self {
            root_pem: root_certificate.pem(),
            root_der: root_certificate.der().clone(),
            chain: vec![server.der().clone(), intermediate_certificate.der().clone()],
            key: key.serialize_der(),
        }
    }

    /// The server's key.
    #[must_use]
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.clone()).into()
    }
}

fn authority(name: &str, constraints: BasicConstraints) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params, key())
}

fn key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a P-256 key")
}
