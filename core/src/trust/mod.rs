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
use crate::policy::Policy;

pub use pin::Pin;
pub use readiness::Readiness;
pub use revocation::RevocationLists;
use root::Source;
pub use root::{Origin, Root};

include!(concat!(env!("OUT_DIR"), "/embedded_roots.rs"));

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
        Self::of_policy(&Policy::default())
    }

    /// The roots that `policy` trusts.
    pub fn of_policy(policy: &Policy) -> Self {
        let named = |root: &&Root| {
            root.sha256
                .is_some_and(|sha256| policy.roots().contains(&sha256))
        };
        Self(EMBEDDED.iter().filter(named).cloned().collect())
    }

    /// All four roots that are shipped: those of [`azure`](Self::azure), DigiCert Global Root G3 and Microsoft ECC Root Certificate
    /// Authority 2017.
    pub fn embedded() -> Self {
        Self(Arc::from(EMBEDDED.as_slice()))
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

    /// Private roots from a file's content: PEM as [`from_pem`](Self::from_pem) takes it, or one certificate in DER.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pem_or_der(data: &[u8]) -> Result<Self> {
        match pem::is_der(data) {
            true => Self::from_der(&[data]),
            false => Self::from_pem(data),
        }
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
    ///
    /// Needs the cargo feature `public-web`.
    #[cfg(feature = "public-web")]
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

    /// Those that are believed about the server called `name`, a DNS name or an IP address: for a TLS library that has one list of roots
    /// for all servers.
    #[must_use]
    pub fn believed_about(&self, name: &str) -> Self {
        let azure = is_azure_name(name);
        let believed = |root: &&Root| root.vouches_for_azure || !azure;
        Self(self.0.iter().filter(believed).cloned().collect())
    }

    /// The certificates as PEM text, one after the other, of those roots whose certificates are known.
    pub fn pem(&self) -> String {
        self.0.iter().filter_map(Root::pem).collect()
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
pub(crate) fn is_azure_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    ["azure-devices.net", "azure-devices-provisioning.net"]
        .into_iter()
        .filter_map(|domain| name.strip_suffix(domain))
        .any(|host| host.is_empty() || host.ends_with('.'))
}

#[cfg(test)]
mod tests;
