//! Whom a client believes: the roots, pins on them, and what has been revoked.
//!
//! The roots that are shipped are read when this crate is built (`build.rs`), so that using them parses nothing. A private root that is added
//! at run time is not believed about Azure's own names unless the caller says so: a test authority or a gateway's must not be able to
//! stand in for a hub.

mod pin;
mod readiness;
mod revocation;
mod root;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use pki_types::{CertificateDer, Der, TrustAnchor};

use crate::error::{Error, ErrorCode, Result};
use crate::pem;

pub use pin::Pin;
pub use readiness::Readiness;
pub use revocation::RevocationLists;
use root::Certificate;
pub use root::{Origin, Root};

include!(concat!(env!("OUT_DIR"), "/embedded_roots.rs"));

/// The two that IoT Hub's chains end in: DigiCert Global Root G2 and Microsoft RSA Root Certificate Authority 2017.
const AZURE: [[u8; 32]; 2] = [
    [
        0xCB, 0x3C, 0xCB, 0xB7, 0x60, 0x31, 0xE5, 0xE0, 0x13, 0x8F, 0x8D, 0xD3, 0x9A, 0x23, 0xF9,
        0xDE, 0x47, 0xFF, 0xC3, 0x5E, 0x43, 0xC1, 0x14, 0x4C, 0xEA, 0x27, 0xD4, 0x6A, 0x5A, 0xB1,
        0xCB, 0x5F,
    ],
    [
        0xC7, 0x41, 0xF7, 0x0F, 0x4B, 0x2A, 0x8D, 0x88, 0xBF, 0x2E, 0x71, 0xC1, 0x41, 0x22, 0xEF,
        0x53, 0xEF, 0x10, 0xEB, 0xA0, 0xCF, 0xA5, 0xE6, 0x4C, 0xFA, 0x20, 0xF4, 0x18, 0x85, 0x30,
        0x73, 0xE0,
    ],
];

const MAX_CERTIFICATES: usize = 1_000;
const MAX_BUNDLE_BYTES: usize = 4 << 20;

/// The trusted roots. Immutable and cheap to clone.
#[derive(Clone)]
pub struct Roots(Arc<[Root]>);

impl Roots {
    /// No root.
    pub fn empty() -> Self {
        Self(Arc::new([]))
    }

    /// The two roots that Azure IoT Hub's chains end in: DigiCert Global Root G2 and Microsoft RSA Root Certificate Authority 2017.
    pub fn azure() -> Self {
        let azure = |root: &&Root| root.sha256.is_some_and(|sha256| AZURE.contains(&sha256));
        Self(EMBEDDED.iter().filter(azure).cloned().collect())
    }

    /// All four roots that are shipped: those of [`azure`](Self::azure), DigiCert Global Root G3 and Microsoft ECC Root Certificate
    /// Authority 2017.
    pub fn embedded() -> Self {
        Self(Arc::from(EMBEDDED.as_slice()))
    }

    /// The shipped roots whose certificates have these SHA-256 fingerprints, in their order.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] names a fingerprint that no shipped root has.
    pub fn with_fingerprints(sha256: &[[u8; 32]]) -> Result<Self> {
        let find = |wanted: &[u8; 32]| {
            let root = EMBEDDED.iter().find(|root| root.sha256 == Some(*wanted));
            root.cloned().ok_or_else(|| {
                let hex = data_encoding::HEXLOWER.encode(wanted);
                Error::new(
                    ErrorCode::InvalidArgument,
                    format!("no shipped root has the SHA-256 fingerprint {hex}"),
                    "list the shipped roots, or give the certificate itself as a root",
                )
            })
        };
        let roots: Vec<Root> = sha256.iter().map(find).collect::<Result<_>>()?;
        Ok(Self::merged(roots))
    }

    /// Private roots from PEM text: at most 1,000 certificates and 4 MiB. Comments between them are skipped, duplicates merged.
    ///
    /// Takes certificates of authorities: X.509 version 3 that say so, or self-issued ones of version 1. An expired one is taken, and
    /// reported by [`readiness`](Self::readiness). An authority need not be self-issued, but mind that intermediate ones change often.
    ///
    /// # Errors
    /// Says which certificate is bad and why: [`ErrorCode::InvalidCertificate`] (also if there is a private key among them),
    /// [`ErrorCode::NotACertificateAuthority`], [`ErrorCode::NoCertificate`], or [`ErrorCode::InvalidArgument`] if it is too much.
    pub fn from_pem(text: &[u8]) -> Result<Self> {
        check_bytes(text.len())?;
        if pem::sections(text).iter().any(pem::Section::is_private_key) {
            return Err(Error::new(
                ErrorCode::InvalidCertificate,
                "there is a private key among the trusted certificates",
                "give certificates alone, and keep the key where only its owner can read it",
            ));
        }
        let certificates = pem::certificates(text)?;
        if certificates.is_empty() {
            return Err(Error::new(
                ErrorCode::NoCertificate,
                "there is no certificate to trust",
                pem::hint_for_none(text),
            ));
        }
        Self::from_certificates(&certificates)
    }

    /// Private roots from DER, one certificate each; otherwise as [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn from_der(certificates: &[impl AsRef<[u8]>]) -> Result<Self> {
        if certificates.is_empty() {
            return Err(Error::new(
                ErrorCode::NoCertificate,
                "there is no certificate to trust",
                "give at least one, or use `Roots::empty`",
            ));
        }
        check_bytes(certificates.iter().map(|der| der.as_ref().len()).sum())?;
        let certificates: Vec<_> = certificates
            .iter()
            .map(|der| CertificateDer::from(der.as_ref()))
            .collect();
        Self::from_certificates(&certificates)
    }

    fn from_certificates(certificates: &[CertificateDer<'_>]) -> Result<Self> {
        let count = certificates.len();
        if count > MAX_CERTIFICATES {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!("{count} certificates are too many: at most {MAX_CERTIFICATES} are read"),
                "trust only the authorities that your servers use",
            ));
        }
        let roots: Vec<Root> = certificates
            .iter()
            .enumerate()
            .map(|(index, der)| {
                Root::from_certificate(der, &format!("certificate {} of {count}", index + 1))
            })
            .collect::<Result<_>>()?;
        Ok(Self::merged(roots))
    }

    /// The roots of the public web, as Mozilla trusts them for servers. They vouch for Azure's names too: these chain to some of them.
    #[cfg(feature = "engine")]
    pub fn public_web() -> Self {
        let roots = webpki_roots::TLS_SERVER_ROOTS.iter();
        Self(roots.map(Root::from_public_web).collect())
    }

    /// These and those of `added`. Of a root that is in both, the one that vouches for more stays.
    #[must_use]
    pub fn with_added(self, added: Self) -> Self {
        Self::merged(self.0.iter().chain(added.0.iter()).cloned())
    }

    /// Says whether the *added* ones among these are believed about names under `azure-devices.net` and
    /// `azure-devices-provisioning.net`; initially they are not. Shipped and public ones always are.
    #[must_use]
    pub fn vouching_for_azure(self, vouching: bool) -> Self {
        let set = |root: &Root| {
            let mut root = root.clone();
            if root.origin == Origin::Added {
                root.vouches_for_azure = vouching;
            }
            root
        };
        Self(self.0.iter().map(set).collect())
    }

    /// The roots, in the order given.
    pub fn iter(&self) -> std::slice::Iter<'_, Root> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn merged(roots: impl IntoIterator<Item = Root>) -> Self {
        let mut merged: Vec<Root> = Vec::new();
        for root in roots {
            match merged.iter_mut().find(|known| known.is_same(&root)) {
                Some(known) if root.vouches_for_azure && !known.vouches_for_azure => *known = root,
                Some(_) => {}
                None => merged.push(root),
            }
        }
        Self(merged.into())
    }
}

impl<'a> IntoIterator for &'a Roots {
    type Item = &'a Root;
    type IntoIter = std::slice::Iter<'a, Root>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

fn check_bytes(bytes: usize) -> Result<()> {
    if bytes <= MAX_BUNDLE_BYTES {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::InvalidArgument,
        format!("{bytes} bytes of certificates are too many: at most {MAX_BUNDLE_BYTES} are read"),
        "trust only the authorities that your servers use",
    ))
}

/// Whether `name` is one of Azure IoT Hub's or its Device Provisioning Service's, for which an added private root does not vouch.
#[allow(dead_code)] // asked by the engine
pub(crate) fn is_azure_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    ["azure-devices.net", "azure-devices-provisioning.net"]
        .into_iter()
        .filter_map(|domain| name.strip_suffix(domain))
        .any(|host| host.is_empty() || host.ends_with('.'))
}

#[cfg(test)]
mod tests;
