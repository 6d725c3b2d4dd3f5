//! Who a client is: a certificate chain and the key of its first certificate, or something elsewhere that signs with it.
//!
//! All is checked when the identity is built, so that nothing is left to fail in mid-handshake. Validity alone is not: a configuration
//! knows the time.
//!
//! Keys in memory: what hubtls itself decodes or decrypts is overwritten when it is dropped, and so is AWS-LC's copy, which stays as long as
//! the identity. Not overwritten are the base64 text that rustls-pki-types collects while it decodes PEM, and the copies that p12-keystore
//! and pkcs5 make of a decrypted PKCS#12 file's content and of derived encryption keys. Where that matters, keep the key in a [`Signer`].

mod chain;
mod key;
#[cfg(feature = "pkcs12")]
mod pkcs12;
mod signer;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, SigningKey};

use crate::certificate::{Certificate, date};
use crate::error::{Error, ErrorCode, Result};
use chain::Chain;
pub(crate) use key::KeyKind;
pub use signer::Signer;

/// A client's certificate chain and key. Immutable and cheap to clone; shows no key.
///
/// Keys are RSA of 2048 to 4096 bits, ECDSA on P-256 or P-384, or Ed25519. In the chain, the key's own certificate comes first and each is
/// followed by its issuer's; the self-signed root at the end may be left out.
///
/// Every constructor fails with the code of what is wrong: [`ErrorCode::EmptyChain`], [`ErrorCode::InvalidCertificate`] and
/// [`ErrorCode::ChainOutOfOrder`] name the certificate; [`ErrorCode::InvalidKey`], [`ErrorCode::UnsupportedKeyType`] or
/// [`ErrorCode::KeyMismatch`] if the key is not that of the first certificate.
///
/// Whether the certificates are valid at present is not checked here but by the configuration.
#[derive(Clone)]
pub struct Identity(Arc<Fields>);

struct Fields {
    chain: Vec<Certificate>,
    key_algorithm: String,
    certified_key: Arc<CertifiedKey>,
}

impl Identity {
    /// From PEM: the chain's certificates, and the key as PKCS#8, PKCS#1 or SEC1. Both may be in one file: each argument reads its part.
    ///
    /// A key may be encrypted PKCS#8 (`ENCRYPTED PRIVATE KEY`) under PBES2 with AES or DES, PBKDF2 of at most 10 million rounds or scrypt of
    /// at most 1 GiB. A passphrase that is not needed is not used.
    ///
    /// # Errors
    /// Those of every constructor; [`ErrorCode::PassphraseRequired`] if the key is encrypted and there is no passphrase,
    /// [`ErrorCode::WrongPassphrase`]; [`ErrorCode::UnsupportedByEngine`] if it is encrypted, in a build without the cargo feature
    /// `encrypted-keys`.
    pub fn from_pem(chain: &[u8], key: &[u8], passphrase: Option<&str>) -> Result<Self> {
        Self::new(Chain::from_pem(chain)?, key::from_pem(key, passphrase)?)
    }

    /// From DER, one certificate each; otherwise as [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn from_der(
        chain: &[impl AsRef<[u8]>],
        key: &[u8],
        passphrase: Option<&str>,
    ) -> Result<Self> {
        Self::new(Chain::from_der(chain)?, key::from_der(key, passphrase)?)
    }

    /// From a PKCS#12 file (`.pfx`, `.p12`; RFC 7292) with one private key. The chain is made of those of its certificates that belong to the
    /// key, in whatever order they stand; others are left out.
    ///
    /// Without a passphrase, files are read that have none or an empty one: most tools that write them know no difference.
    ///
    /// # Errors
    /// Those of every constructor; [`ErrorCode::PassphraseRequired`] if the file is protected by a passphrase and there is none,
    /// [`ErrorCode::WrongPassphrase`], and [`ErrorCode::InvalidPkcs12`] if the file is damaged or does not hold exactly one key;
    /// [`ErrorCode::UnsupportedByEngine`] in a build without the cargo feature `pkcs12`.
    pub fn from_pkcs12(file: &[u8], passphrase: Option<&str>) -> Result<Self> {
        #[cfg(feature = "pkcs12")]
        {
            let (chain, key) = pkcs12::read(file, passphrase)?;
            Self::new(chain, key)
        }
        #[cfg(not(feature = "pkcs12"))]
        {
            let _ = (file, passphrase);
            Err(Error::new(
                ErrorCode::UnsupportedByEngine,
                "this build of hubtls does not read PKCS#12 files",
                "build it with the cargo feature `pkcs12`, or convert the file with `openssl pkcs12 -in device.pfx -nodes -out device.pem` and give chain and key as PEM",
            ))
        }
    }

    /// From a chain in PEM and something that signs with the key of its first certificate: a TPM, an HSM, a secure element.
    ///
    /// Lets the signer sign once, a constant text, and checks the signature.
    ///
    /// # Errors
    /// Those of every constructor; [`ErrorCode::SignerFailed`] if the signer fails or what it returns is not a signature by that key.
    pub fn from_signer(chain: &[u8], signer: Arc<dyn Signer>) -> Result<Self> {
        Self::with_signer(Chain::from_pem(chain)?, signer)
    }

    /// From a chain in DER; otherwise as [`from_signer`](Self::from_signer).
    ///
    /// # Errors
    /// As [`from_signer`](Self::from_signer).
    pub fn from_signer_der(chain: &[impl AsRef<[u8]>], signer: Arc<dyn Signer>) -> Result<Self> {
        Self::with_signer(Chain::from_der(chain)?, signer)
    }

    fn new(chain: Chain, key: Arc<dyn SigningKey>) -> Result<Self> {
        chain.check_key(key.public_key().as_deref())?;
        Ok(Self::of_checked(chain, key))
    }

    fn with_signer(chain: Chain, signer: Arc<dyn Signer>) -> Result<Self> {
        let key = signer::ExternalKey::new(signer, chain.key_kind(), chain.leaf_spki())?;
        Ok(Self::of_checked(chain, Arc::new(key)))
    }

    fn of_checked(chain: Chain, key: Arc<dyn SigningKey>) -> Self {
        let key_algorithm = chain.key_kind().to_string();
        Self(Arc::new(Fields {
            chain: chain.certificates,
            key_algorithm,
            certified_key: Arc::new(CertifiedKey::new(chain.ders, key)),
        }))
    }

    /// The chain, the client's own certificate first; never empty.
    pub fn chain(&self) -> &[Certificate] {
        &self.0.chain
    }

    /// The common name of the client's certificate, or its whole subject if that has none.
    pub fn subject(&self) -> &str {
        self.0.chain[0].subject()
    }

    /// The kind of key: `RSA-2048` and the like, `P-256`, `P-384` or `Ed25519`.
    pub fn key_algorithm(&self) -> &str {
        &self.0.key_algorithm
    }

    /// Whether every certificate of the chain is valid at `now` (seconds since 1970); if not, [`ErrorCode::IdentityExpired`] or
    /// [`ErrorCode::IdentityNotYetValid`] names the first that is not.
    pub(crate) fn check_validity(&self, now: u64) -> Result<()> {
        for (index, certificate) in self.chain().iter().enumerate() {
            let what = match index {
                0 => "the client's certificate".to_owned(),
                _ => format!("certificate {} of the client's chain", index + 1),
            };
            let subject = certificate.subject();
            if let Some(not_after) = certificate.not_after()
                && not_after < now
            {
                return Err(Error::new(
                    ErrorCode::IdentityExpired,
                    format!("{what} (`{subject}`) expired on {}", date(not_after)),
                    "renew it; if it should be valid still, set this machine's clock",
                ));
            }
            if let Some(not_before) = certificate.not_before()
                && now < not_before
            {
                return Err(Error::new(
                    ErrorCode::IdentityNotYetValid,
                    format!(
                        "{what} (`{subject}`) is not valid before {}",
                        date(not_before)
                    ),
                    "is this machine's clock set? if it is, wait until then",
                ));
            }
        }
        Ok(())
    }

    /// The form that the engine takes.
    pub(crate) fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.certified_key)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("subject", &self.subject())
            .field("key_algorithm", &self.key_algorithm())
            .field("certificates", &self.chain().len())
            .finish_non_exhaustive()
    }
}

fn owned(der: &[u8]) -> CertificateDer<'static> {
    CertificateDer::from(der.to_vec())
}
