//! Signing as a TPM or a secure element would, done by OpenSSL.

use hubtls::SignatureScheme;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer};

/// A private key that only signs.
pub struct OpensslSigner(PKey<Private>);

impl OpensslSigner {
    /// Holds the key of that PEM text.
    pub fn new(key: &str) -> Self {
        Self(PKey::private_key_from_pem(key.as_bytes()).expect("OpenSSL reads the key"))
    }

    fn signature(&self, scheme: u16, message: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let digest = match scheme {
            0x0807 => return Signer::new_without_digest(&self.0)?.sign_oneshot_to_vec(message),
            0x0403 | 0x0804 | 0x0401 => MessageDigest::sha256(),
            0x0503 | 0x0805 | 0x0501 => MessageDigest::sha384(),
            0x0603 | 0x0806 | 0x0601 => MessageDigest::sha512(),
            other => panic!("asked to sign with the unknown scheme {other:#06x}"),
        };
        let mut signer = Signer::new(digest, &self.0)?;
        if self.0.id() == Id::RSA && matches!(scheme, 0x0804..=0x0806) {
            signer.set_rsa_padding(Padding::PKCS1_PSS)?;
            signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        }
        signer.sign_oneshot_to_vec(message)
    }
}

impl hubtls::Signer for OpensslSigner {
    fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.signature(scheme.code(), message)?)
    }
}
