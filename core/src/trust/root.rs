//! One trusted root.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use pki_types::{CertificateDer, TrustAnchor};

use super::Pin;
use crate::certificate;
use crate::error::{Error, ErrorCode, Result};
use crate::fingerprint;

/// Where a [`Root`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// Shipped with hubtls.
    Embedded,
    /// Given at run time as a certificate.
    Added,
    /// One of the public web's, as Mozilla trusts them.
    PublicWeb,
}

/// A trusted root: the end of the chains that are accepted.
#[derive(Clone)]
pub struct Root {
    pub(super) subject: Cow<'static, str>,
    pub(super) organization: Option<Cow<'static, str>>,
    pub(super) sha256: Option<[u8; 32]>,
    pub(super) spki_sha256: [u8; 32],
    pub(super) validity: Option<(u64, u64)>,
    pub(super) origin: Origin,
    pub(super) vouches_for_azure: bool,
    pub(super) anchor: TrustAnchor<'static>,
    pub(super) certificate: Source,
}

/// The root's certificate, as far as it is known.
#[derive(Clone)]
pub(super) enum Source {
    /// With the comments of its file.
    Pem(&'static str),
    Der(Arc<[u8]>),
    #[cfg_attr(not(feature = "public-web"), allow(dead_code))]
    Unknown,
}

impl Root {
    /// The common name of its subject, or the whole subject if that has none.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// SHA-256 of its certificate. [`None`] for [`Origin::PublicWeb`], which are known without their certificates.
    pub fn sha256(&self) -> Option<[u8; 32]> {
        self.sha256
    }

    /// SHA-256 of its certificate as people write it, `CB:3C:...:5F`, where [`sha256`](Self::sha256) is known.
    pub fn fingerprint(&self) -> Option<String> {
        self.sha256.as_ref().map(fingerprint::written)
    }

    /// SHA-256 of its SubjectPublicKeyInfo: what a [`Pin`] names.
    pub fn spki_sha256(&self) -> [u8; 32] {
        self.spki_sha256
    }

    /// The pin that names it.
    pub fn pin(&self) -> Pin {
        Pin::of_root(self)
    }

    /// Start of its certificate's validity in seconds since 1970, where the certificate is known.
    pub fn not_before(&self) -> Option<u64> {
        self.validity.map(|(not_before, _)| not_before)
    }

    /// Last second of its certificate's validity in seconds since 1970, where the certificate is known.
    pub fn not_after(&self) -> Option<u64> {
        self.validity.map(|(_, not_after)| not_after)
    }

    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Whether it is believed about names under `azure-devices.net` and `azure-devices-provisioning.net`.
    pub fn vouches_for_azure(&self) -> bool {
        self.vouches_for_azure
    }

    /// Its certificate as one PEM section, where it is known.
    pub fn pem(&self) -> Option<String> {
        match &self.certificate {
            Source::Pem(text) => {
                let start = text.find("-----BEGIN").unwrap_or(0);
                Some(text[start..].to_owned())
            }
            Source::Der(der) => Some(to_pem(der)),
            Source::Unknown => None,
        }
    }

    /// What webpki needs of it.
    #[cfg_attr(not(feature = "engine"), allow(dead_code))]
    pub(crate) fn anchor(&self) -> &TrustAnchor<'static> {
        &self.anchor
    }

    pub(super) fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }

    /// Whether both are the same root. One known without its certificate is the same as one of equal name and key.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self.sha256, other.sha256) {
            (Some(one), Some(other)) => one == other,
            _ => {
                self.spki_sha256 == other.spki_sha256 && self.anchor.subject == other.anchor.subject
            }
        }
    }

    /// A root from its certificate; `place` names it in errors.
    pub(super) fn from_certificate(der: &CertificateDer<'_>, place: &str) -> Result<Self> {
        let unreadable = |reason: &str| {
            Error::new(
                ErrorCode::InvalidCertificate,
                format!("{place} cannot be used as a root: {reason}"),
                "replace it or leave it out",
            )
        };
        let parsed = certificate::parse(der).map_err(|reason| unreadable(&reason))?;
        let subject = certificate::name(parsed.subject());
        if let Some(reason) = certificate::why_not_authority(&parsed) {
            let hint = if certificate::is_self_issued(&parsed) {
                "make a certificate authority (`openssl req -x509 -addext basicConstraints=critical,CA:TRUE`), let it sign the server's certificate and trust the authority"
            } else {
                "give the certificate of the authority at the end of the chain, not the server's own"
            };
            return Err(Error::new(
                ErrorCode::NotACertificateAuthority,
                format!("{place} (`{subject}`) is not a certificate authority's: {reason}"),
                hint,
            ));
        }
        let anchor = webpki::anchor_from_trusted_cert(der)
            .map_err(|error| unreadable(&format!("`{subject}`: {error}")))?
            .to_owned();
        let validity = parsed.validity();
        Ok(Self {
            organization: certificate::organization(parsed.subject()).map(Cow::Owned),
            subject: Cow::Owned(subject),
            sha256: Some(fingerprint::of(der)),
            spki_sha256: fingerprint::of(parsed.public_key().raw),
            validity: Some((
                certificate::unix(validity.not_before),
                certificate::unix(validity.not_after),
            )),
            origin: Origin::Added,
            vouches_for_azure: false,
            anchor,
            certificate: Source::Der(der.as_ref().into()),
        })
    }

    /// A root of the public web. Mozilla's programme checked it, so it is taken as it is.
    #[cfg(feature = "public-web")]
    pub(super) fn from_public_web(anchor: &TrustAnchor<'static>) -> Self {
        use x509_parser::prelude::{FromDer as _, X509Name};

        // An anchor's subject is kept without its outer SEQUENCE, as its key is: webpki puts that back.
        let wrapped = webpki::spki_for_anchor(&TrustAnchor {
            subject: anchor.subject.clone(),
            subject_public_key_info: anchor.subject.clone(),
            name_constraints: None,
        });
        let (subject, organization) = match X509Name::from_der(&wrapped) {
            Ok((_, name)) => (certificate::name(&name), certificate::organization(&name)),
            Err(_) => ("(no name)".to_owned(), None),
        };
        Self {
            subject: Cow::Owned(subject),
            organization: organization.map(Cow::Owned),
            sha256: None,
            spki_sha256: fingerprint::of(&webpki::spki_for_anchor(anchor)),
            validity: None,
            origin: Origin::PublicWeb,
            vouches_for_azure: true,
            anchor: anchor.clone(),
            certificate: Source::Unknown,
        }
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root")
            .field("subject", &self.subject)
            .field("origin", &self.origin)
            .field("vouches_for_azure", &self.vouches_for_azure)
            .finish_non_exhaustive()
    }
}

fn to_pem(der: &[u8]) -> String {
    let base64 = data_encoding::BASE64.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = next;
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}
