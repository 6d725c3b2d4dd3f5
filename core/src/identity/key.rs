//! Private keys, plain or encrypted.

#[cfg(feature = "encrypted-keys")]
mod encrypted;
#[cfg(not(feature = "encrypted-keys"))]
#[path = "key/never_encrypted.rs"]
mod encrypted;

use std::fmt;
use std::sync::Arc;

use pki_types::PrivateKeyDer;
use pki_types::pem::PemObject as _;
use rustls::SignatureAlgorithm;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::SigningKey;
use x509_parser::asn1_rs::{Integer, OctetString, Sequence};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};
use zeroize::Zeroizing;

use crate::algorithm::SignatureScheme;
use crate::error::{Error, ErrorCode, Result};
use crate::pem;

const SUPPORTED: &str =
    "use RSA of 2048 to 4096 bits, ECDSA on P-256 or P-384, or Ed25519, and have it certified";
const CONVERT: &str =
    "convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.pem -out new.pem`";

const RSA: &str = "1.2.840.113549.1.1.1";
const ECDSA: &str = "1.2.840.10045.2.1";
const ED25519: &str = "1.3.101.112";

/// The kinds of key that are certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa { bits: usize },
    P256,
    P384,
    Ed25519,
}

impl KeyKind {
    /// The kind of a client certificate's key, if it can be used.
    pub(super) fn of(spki: &SubjectPublicKeyInfo<'_>) -> Result<Self> {
        Self::within(spki, 4096)
            .map_err(|what| unsupported(format!("the certificate's key is {what}")))
    }

    /// The kind of a key whose signatures can be verified, RSA of at most `most_bits`; else what it is.
    pub(crate) fn within(
        spki: &SubjectPublicKeyInfo<'_>,
        most_bits: usize,
    ) -> std::result::Result<Self, String> {
        let algorithm = &spki.algorithm;
        let what = match algorithm.algorithm.to_id_string().as_str() {
            RSA => match spki.parsed() {
                Ok(PublicKey::RSA(key)) => match bits(key.modulus) {
                    bits if (2048..=most_bits).contains(&bits) => return Ok(Self::Rsa { bits }),
                    bits => format!("RSA of {bits} bits"),
                },
                _ => "RSA, but malformed".to_owned(),
            },
            ECDSA => {
                let curve = algorithm.parameters.as_ref();
                match curve.and_then(|curve| curve.as_oid().ok()) {
                    Some(curve) => match curve.to_id_string().as_str() {
                        "1.2.840.10045.3.1.7" => return Ok(Self::P256),
                        "1.3.132.0.34" => return Ok(Self::P384),
                        "1.3.132.0.35" => "ECDSA on P-521".to_owned(),
                        other => format!("ECDSA on the curve {other}"),
                    },
                    None => "ECDSA on a curve without name".to_owned(),
                }
            }
            ED25519 => return Ok(Self::Ed25519),
            other => algorithm_name(other),
        };
        Err(what)
    }

    /// What such a key can sign with, preferred first.
    pub(crate) fn schemes(self) -> &'static [SignatureScheme] {
        match self {
            Self::Rsa { .. } => &[
                SignatureScheme::RsaPssRsaeSha256,
                SignatureScheme::RsaPssRsaeSha384,
                SignatureScheme::RsaPssRsaeSha512,
                SignatureScheme::RsaPkcs1Sha256,
                SignatureScheme::RsaPkcs1Sha384,
                SignatureScheme::RsaPkcs1Sha512,
            ],
            Self::P256 => &[SignatureScheme::EcdsaSecp256r1Sha256],
            Self::P384 => &[SignatureScheme::EcdsaSecp384r1Sha384],
            Self::Ed25519 => &[SignatureScheme::Ed25519],
        }
    }

    pub(super) fn algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::Rsa { .. } => SignatureAlgorithm::RSA,
            Self::P256 | Self::P384 => SignatureAlgorithm::ECDSA,
            Self::Ed25519 => SignatureAlgorithm::ED25519,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA-{bits}"),
            Self::P256 => f.write_str("P-256"),
            Self::P384 => f.write_str("P-384"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

fn bits(modulus: &[u8]) -> usize {
    let start = modulus.iter().position(|byte| *byte != 0);
    let modulus = start.map_or(&[][..], |start| &modulus[start..]);
    let unused = modulus.first().map_or(0, |byte| byte.leading_zeros());
    modulus.len() * 8 - unused as usize
}

fn algorithm_name(oid: &str) -> String {
    match oid {
        "1.2.840.113549.1.1.10" => "RSASSA-PSS".to_owned(),
        "1.2.840.10040.4.1" => "DSA".to_owned(),
        "1.3.101.113" => "Ed448".to_owned(),
        other => format!("of the algorithm {other}"),
    }
}

/// The one private key in `text`.
pub(super) fn from_pem(text: &[u8], passphrase: Option<&str>) -> Result<Arc<dyn SigningKey>> {
    let mut sections = pem::sections(text);
    let count = sections.len();
    sections.retain(pem::Section::is_private_key);
    let section = match sections.as_slice() {
        [section] => section,
        [] => {
            let hint = match count {
                0 => pem::hint_for_none(text),
                _ => "the input holds something else: are chain and key swapped?",
            };
            return Err(invalid("there is no private key", hint));
        }
        _ => {
            return Err(invalid(
                "there is more than one private key",
                "give only the one that belongs to the certificate",
            ));
        }
    };
    match section.label {
        "ENCRYPTED PRIVATE KEY" => encrypted::from_pem(section, passphrase),
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => {
            if has_header(section, b"Proc-Type: 4,ENCRYPTED") {
                return Err(invalid(
                    "the private key is encrypted in OpenSSL's old form (`Proc-Type: 4,ENCRYPTED`)",
                    CONVERT,
                ));
            }
            let key = PrivateKeyDer::from_pem_slice(section.text).map_err(|error| {
                let message = format!("the private key cannot be read: {}", pem::reason(&error));
                invalid(message, "replace it with an intact copy")
            })?;
            load(&Zeroizing::new(key))
        }
        "OPENSSH PRIVATE KEY" => Err(invalid(
            "the private key is in OpenSSH's form",
            "convert it with `ssh-keygen -p -m PKCS8 -f key`, which overwrites the file",
        )),
        label => Err(unsupported(format!("the private key is a `{label}`"))),
    }
}

/// A private key in any of the three forms, or encrypted PKCS#8.
pub(super) fn from_der(der: &[u8], passphrase: Option<&str>) -> Result<Arc<dyn SigningKey>> {
    if let Ok(key) = PrivateKeyDer::try_from(der) {
        return load(&key);
    }
    if is_encrypted(der) {
        return encrypted::from_der(der, passphrase);
    }
    let hint = match der.starts_with(b"-----BEGIN") {
        true => "this is PEM text: use the call that reads PEM",
        false => "give PKCS#8, PKCS#1 or SEC1; encrypted keys as PKCS#8 with PBES2",
    };
    Err(invalid("the private key cannot be read", hint))
}

/// Whether this is an EncryptedPrivateKeyInfo (RFC 5958, section 3): an algorithm and octets.
fn is_encrypted(der: &[u8]) -> bool {
    let Ok(([], sequence)) = Sequence::from_der(der) else {
        return false;
    };
    AlgorithmIdentifier::from_der(&sequence.content)
        .is_ok_and(|(rest, _)| matches!(OctetString::from_der(rest), Ok(([], _))))
}

/// The algorithm of a PKCS#8 key (RFC 5958, section 2), which stands after the version.
fn algorithm_of_pkcs8(der: &[u8]) -> Option<String> {
    let (_, sequence) = Sequence::from_der(der).ok()?;
    let (rest, _) = Integer::from_der(&sequence.content).ok()?;
    let (_, algorithm) = AlgorithmIdentifier::from_der(rest).ok()?;
    Some(algorithm.algorithm.to_id_string())
}

pub(super) fn load(key: &PrivateKeyDer<'_>) -> Result<Arc<dyn SigningKey>> {
    any_supported_type(key).map_err(|_| match algorithm_of_pkcs8(key.secret_der()) {
        Some(oid) if ![RSA, ECDSA, ED25519].contains(&oid.as_str()) => {
            unsupported(format!("the private key is {}", algorithm_name(&oid)))
        }
        _ => invalid(
            "the private key is damaged, or of a size or curve that is not supported",
            SUPPORTED,
        ),
    })
}

fn has_header(section: &pem::Section<'_>, header: &[u8]) -> bool {
    let mut lines = section.text.split(|byte| matches!(byte, b'\n' | b'\r'));
    lines.any(|line| line.starts_with(header))
}

#[cfg(feature = "encrypted-keys")]
pub(super) fn wrong_passphrase(what: &str) -> Error {
    Error::new(
        ErrorCode::WrongPassphrase,
        format!("the passphrase is not that of the {what}, or the {what} is damaged"),
        "give the passphrase that it was exported with",
    )
}

fn unsupported(message: String) -> Error {
    Error::new(ErrorCode::UnsupportedKeyType, message, SUPPORTED)
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>, hint: &'static str) -> Error {
    Error::new(ErrorCode::InvalidKey, message, hint)
}
