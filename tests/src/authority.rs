//! Throwaway certificate authorities and the certificates they issue.

mod rsa;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use openssl::pkey::PKey;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevocationReason, RevokedCertParams, RsaKeySize, SerialNumber, date_time_ymd,
};

/// A kind of key and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum KeyKind {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    P256,
    P384,
    Ed25519,
}

impl KeyKind {
    fn generate(self) -> KeyPair {
        match self {
            Self::Rsa2048 => rsa::key(RsaKeySize::_2048, "2048"),
            Self::Rsa3072 => rsa::key(RsaKeySize::_3072, "3072"),
            Self::Rsa4096 => rsa::key(RsaKeySize::_4096, "4096"),
            Self::P256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            Self::P384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            // AWS-LC writes Ed25519 keys as PKCS#8 version 2, which OpenSSL 3.0 does not read.
            Self::Ed25519 => {
                let key = PKey::generate_ed25519().expect("OpenSSL makes Ed25519 keys");
                let pem = key
                    .private_key_to_pem_pkcs8()
                    .expect("OpenSSL writes PKCS#8");
                KeyPair::from_pem(&String::from_utf8(pem).expect("PEM is text"))
            }
        }
        .expect("a key is generated")
    }
}

/// When a certificate is valid, relative to any day on which tests run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validity {
    /// 2020 to 2045.
    #[default]
    Now,
    /// During 2020.
    Past,
    /// From 2090 on.
    Future,
}

/// What an authority is asked to certify.
#[derive(Clone, Debug)]
pub struct Request {
    /// The subject's common name.
    pub common_name: String,
    /// DNS names and IP addresses.
    pub names: Vec<String>,
    /// The key to make.
    pub key: KeyKind,
    /// When the certificate is valid.
    pub validity: Validity,
    /// For a client instead of a server.
    pub client: bool,
}

impl Request {
    /// A certificate for a server on loopback: `localhost` and `127.0.0.1`.
    pub fn server(key: KeyKind) -> Self {
        Self::server_named(key, &["localhost", "127.0.0.1", "::1"])
    }

    /// A certificate for a server of these names.
    pub fn server_named(key: KeyKind, names: &[&str]) -> Self {
        Self {
            common_name: names.first().copied().unwrap_or_default().to_owned(),
            names: names.iter().map(|&name| name.to_owned()).collect(),
            key,
            validity: Validity::Now,
            client: false,
        }
    }

    /// A certificate for a device of this name.
    pub fn client(key: KeyKind, name: &str) -> Self {
        Self {
            client: true,
            ..Self::server_named(key, &[name])
        }
    }

    /// The same with another validity.
    #[must_use]
    pub fn valid(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }
}

/// A certificate, its private key and the intermediate certificates above it.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The certificate alone, as PEM.
    pub certificate: String,
    /// The certificate alone, as DER.
    pub certificate_der: Vec<u8>,
    /// The intermediate certificates, lowest first, as PEM; may be empty.
    pub issuers: String,
    /// The private key as unencrypted PKCS#8, as PEM.
    pub key: String,
    serial: SerialNumber,
}

impl Credential {
    /// The certificate followed by the intermediates, as PEM, without the root.
    pub fn chain(&self) -> String {
        format!("{}{}", self.certificate, self.issuers)
    }

    /// The same certificate as a server shows it that was given these intermediates.
    #[must_use]
    pub fn with_issuers(&self, issuers: String) -> Self {
        Self {
            issuers,
            ..self.clone()
        }
    }
}

/// A root, perhaps with an intermediate, that issues certificates.
#[derive(Debug)]
pub struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: Option<CertifiedIssuer<'static, KeyPair>>,
    intermediate_name: String,
}

fn ca_params(name: &str, path_length: u8) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2045, 1, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(path_length));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(next_serial());
    params.use_authority_key_identifier_extension = true;
    params
}

fn common_name(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

fn next_serial() -> SerialNumber {
    static NEXT: AtomicU64 = AtomicU64::new(0x1001);
    SerialNumber::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Authority {
    /// A root of that name which issues directly.
    pub fn new(name: &str, key: KeyKind) -> Self {
        Self {
            root: CertifiedIssuer::self_signed(
                ca_params(&format!("{name} root"), 1),
                key.generate(),
            )
            .expect("a root"),
            intermediate: None,
            intermediate_name: format!("{name} intermediate"),
        }
    }

    /// A root of that name which issues through an intermediate.
    pub fn with_intermediate(name: &str, key: KeyKind) -> Self {
        let plain = Self::new(name, key);
        let params = ca_params(&plain.intermediate_name, 0);
        let intermediate = CertifiedIssuer::signed_by(params, key.generate(), &plain.root)
            .expect("an intermediate");
        Self {
            intermediate: Some(intermediate),
            ..plain
        }
    }

    /// RSA root and RSA intermediate, as above the certificates of IoT Hub.
    pub fn rsa() -> &'static Self {
        static RSA: OnceLock<Authority> = OnceLock::new();
        RSA.get_or_init(|| Self::with_intermediate("hubtls test RSA", KeyKind::Rsa2048))
    }

    /// An ECDSA P-384 root that issues directly.
    pub fn ecdsa() -> &'static Self {
        static ECDSA: OnceLock<Authority> = OnceLock::new();
        ECDSA.get_or_init(|| Self::new("hubtls test ECDSA", KeyKind::P384))
    }

    /// The authority of the device certificates.
    pub fn devices() -> &'static Self {
        static DEVICES: OnceLock<Authority> = OnceLock::new();
        DEVICES.get_or_init(|| Self::new("hubtls test device", KeyKind::P256))
    }

    /// An authority that nobody is told to trust.
    pub fn unrelated() -> &'static Self {
        static UNRELATED: OnceLock<Authority> = OnceLock::new();
        UNRELATED.get_or_init(|| Self::new("hubtls test unrelated", KeyKind::P256))
    }

    /// The root certificate as PEM.
    pub fn root(&self) -> String {
        self.root.pem()
    }

    /// The root certificate as DER.
    pub fn root_der(&self) -> &[u8] {
        self.root.der()
    }

    /// The intermediate certificate as PEM; empty if there is none.
    pub fn intermediate(&self) -> String {
        self.intermediate
            .as_ref()
            .map(CertifiedIssuer::pem)
            .unwrap_or_default()
    }

    /// A certificate for the intermediate, for the same name and key, by another authority's root, as PEM.
    ///
    /// # Panics
    /// If there is no intermediate.
    pub fn cross_signed_by(&self, other: &Self) -> String {
        let intermediate = self.intermediate.as_ref().expect("an intermediate");
        let params = ca_params(&self.intermediate_name, 0);
        let certificate = params.signed_by(intermediate.key(), &other.root);
        certificate.expect("a certificate").pem()
    }

    fn issuer(&self) -> &CertifiedIssuer<'static, KeyPair> {
        self.intermediate.as_ref().unwrap_or(&self.root)
    }

    /// Makes a key and certifies it.
    pub fn issue(&self, request: &Request) -> Credential {
        let key = request.key.generate();
        let mut params = CertificateParams::new(request.names.clone()).expect("valid names");
        params.distinguished_name = common_name(&request.common_name);
        let (from, to) = match request.validity {
            Validity::Now => (2020, 2045),
            Validity::Past => (2020, 2021),
            Validity::Future => (2090, 2095),
        };
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![if request.client {
            ExtendedKeyUsagePurpose::ClientAuth
        } else {
            ExtendedKeyUsagePurpose::ServerAuth
        }];
        let serial = next_serial();
        params.serial_number = Some(serial.clone());
        params.use_authority_key_identifier_extension = true;
        let certificate = params
            .signed_by(&key, self.issuer())
            .expect("a certificate");
        Credential {
            certificate: certificate.pem(),
            certificate_der: certificate.der().to_vec(),
            issuers: self.intermediate(),
            key: key.serialize_pem(),
            serial,
        }
    }

    /// The revocation lists of the root and of the intermediate, as one PEM text; the issuing one lists `revoked`.
    pub fn revocation_lists(&self, revoked: &[&Credential]) -> String {
        self.revocation_lists_until(2045, revoked)
    }

    /// The same, to be renewed before the first day of that year.
    pub fn revocation_lists_until(&self, year: i32, revoked: &[&Credential]) -> String {
        let issuing = list(self.issuer(), year, revoked);
        match self.intermediate {
            Some(_) => issuing + &list(&self.root, year, &[]),
            None => issuing,
        }
    }
}

fn list(issuer: &CertifiedIssuer<'static, KeyPair>, year: i32, revoked: &[&Credential]) -> String {
    CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        next_update: date_time_ymd(year, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: revoked
            .iter()
            .map(|credential| RevokedCertParams {
                serial_number: credential.serial.clone(),
                revocation_time: date_time_ymd(2024, 1, 1),
                reason_code: Some(RevocationReason::KeyCompromise),
                invalidity_date: None,
            })
            .collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    }
    .signed_by(issuer)
    .and_then(|list| list.pem())
    .expect("a revocation list")
}
