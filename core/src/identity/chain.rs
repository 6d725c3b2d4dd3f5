//! The client's certificate chain.

use pki_types::CertificateDer;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::X509Certificate;

use super::key::KeyKind;
use super::owned;
use crate::certificate::{self, Certificate};
use crate::error::{Error, ErrorCode, Result};
use crate::pem;

/// Certificates in order, the client's own first; never empty.
pub(super) struct Chain {
    pub(super) ders: Vec<CertificateDer<'static>>,
    pub(super) certificates: Vec<Certificate>,
    /// The key of each certificate: its SubjectPublicKeyInfo.
    spkis: Vec<Vec<u8>>,
    key_kind: KeyKind,
}

impl Chain {
    pub(super) fn from_pem(text: &[u8]) -> Result<Self> {
        let ders = pem::certificates(text)?;
        if ders.is_empty() {
            let sections = pem::sections(text);
            let hint = match sections.iter().any(pem::Section::is_private_key) {
                true => "this is a private key: are chain and key swapped?",
                false => pem::hint_for_none(text),
            };
            return Err(empty(hint));
        }
        Self::new(ders)
    }

    pub(super) fn from_der(ders: &[impl AsRef<[u8]>]) -> Result<Self> {
        Self::new(ders.iter().map(|der| owned(der.as_ref())).collect())
    }

    pub(super) fn new(ders: Vec<CertificateDer<'static>>) -> Result<Self> {
        let count = ders.len();
        let mut parsed = Vec::new();
        for (index, der) in ders.iter().enumerate() {
            let certificate = certificate::parse(der).map_err(|reason| {
                let position = index + 1;
                Error::new(
                    ErrorCode::InvalidCertificate,
                    format!(
                        "certificate {position} of {count} of the client's chain cannot be read: {reason}"
                    ),
                    "replace it with an intact copy",
                )
            })?;
            parsed.push(certificate);
        }
        let leaf = parsed
            .first()
            .ok_or_else(|| empty("give the client's own certificate, and those of its issuers"))?;
        let key_kind = KeyKind::of(leaf.public_key())?;
        check_order(&parsed)?;
        let spki = |certificate: &X509Certificate<'_>| certificate.public_key().raw.to_vec();
        let spkis = parsed.iter().map(spki).collect();
        Ok(Self {
            certificates: ders.iter().map(|der| Certificate::accepted(der)).collect(),
            spkis,
            ders,
            key_kind,
        })
    }

    pub(super) fn key_kind(&self) -> KeyKind {
        self.key_kind
    }

    pub(super) fn leaf_spki(&self) -> &[u8] {
        &self.spkis[0]
    }

    /// Whether the first certificate is of the key whose SubjectPublicKeyInfo is `spki`.
    pub(super) fn check_key(&self, spki: Option<&[u8]>) -> Result<()> {
        let mut spkis = self.spkis.iter();
        let owner = spkis.position(|own| Some(own.as_slice()) == spki);
        let first = self.certificates[0].subject();
        match owner {
            Some(0) => Ok(()),
            Some(index) => Err(Error::new(
                ErrorCode::ChainOutOfOrder,
                format!(
                    "the key is that of certificate {} (`{}`), but the chain begins with `{first}`",
                    index + 1,
                    self.certificates[index].subject()
                ),
                "put the key's own certificate first",
            )),
            None => Err(mismatch(first)),
        }
    }
}

pub(super) fn mismatch(subject: &str) -> Error {
    Error::new(
        ErrorCode::KeyMismatch,
        format!("the private key does not belong to the certificate `{subject}`"),
        "give the key that the certificate was requested with, or request a new certificate",
    )
}

pub(super) fn empty(hint: &'static str) -> Error {
    let message = "the client's chain holds no certificate";
    Error::new(ErrorCode::EmptyChain, message, hint)
}

fn check_order(chain: &[X509Certificate<'_>]) -> Result<()> {
    let Some(at) = chain
        .windows(2)
        .position(|pair| why_not_issuer(&pair[0], &pair[1]).is_some())
    else {
        return Ok(());
    };
    let (one, next) = (&chain[at], &chain[at + 1]);
    let (subject, other) = (
        certificate::name(one.subject()),
        certificate::name(next.subject()),
    );
    let is_reverse = chain
        .windows(2)
        .all(|pair| why_not_issuer(&pair[1], &pair[0]).is_none());
    let message = if is_reverse {
        format!("the chain is in reverse order: it begins with the authority `{subject}`")
    } else {
        let reason = why_not_issuer(one, next).unwrap_or_default();
        format!(
            "certificate {} (`{other}`) cannot follow certificate {} (`{subject}`): {reason}",
            at + 2,
            at + 1
        )
    };
    Err(Error::new(
        ErrorCode::ChainOutOfOrder,
        message,
        "put the client's own certificate first, and after each that of its issuer",
    ))
}

/// Why `issuer` did not issue `certificate`, as far as their names and key identifiers tell.
pub(super) fn why_not_issuer(
    certificate: &X509Certificate<'_>,
    issuer: &X509Certificate<'_>,
) -> Option<String> {
    if certificate.issuer().as_raw() != issuer.subject().as_raw() {
        let name = certificate::name(certificate.issuer());
        return Some(format!("the issuer is `{name}`"));
    }
    match (authority_key_id(certificate), subject_key_id(issuer)) {
        (Some(one), Some(other)) if one != other => {
            Some("the issuer has that name but another key".to_owned())
        }
        _ => None,
    }
}

fn authority_key_id<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    let mut extensions = certificate.iter_extensions();
    extensions.find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0),
        _ => None,
    })
}

fn subject_key_id<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    let mut extensions = certificate.iter_extensions();
    extensions.find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    })
}
