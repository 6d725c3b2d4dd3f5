//! wolfSSL's lists.

use super::joined;
use crate::SignatureScheme;
use crate::policy::Policy;

impl Policy {
    /// All suites for `wolfSSL_CTX_set_cipher_list`, which takes both versions in one list.
    pub fn wolfssl_cipher_list(&self) -> String {
        joined(self.suites().iter().map(|suite| match suite.code() {
            0x1301 => "TLS13-AES128-GCM-SHA256",
            0x1302 => "TLS13-AES256-GCM-SHA384",
            _ => suite.openssl_name(),
        }))
    }

    /// The signature schemes for `wolfSSL_CTX_set1_sigalgs_list`.
    pub fn wolfssl_signature_algorithms(&self) -> String {
        joined(self.signature_schemes().iter().map(|scheme| match scheme {
            SignatureScheme::EcdsaSecp256r1Sha256 => "ECDSA+SHA256",
            SignatureScheme::EcdsaSecp384r1Sha384 => "ECDSA+SHA384",
            SignatureScheme::EcdsaSecp521r1Sha512 => "ECDSA+SHA512",
            SignatureScheme::Ed25519 => "ED25519",
            SignatureScheme::RsaPssRsaeSha256 => "RSA-PSS+SHA256",
            SignatureScheme::RsaPssRsaeSha384 => "RSA-PSS+SHA384",
            SignatureScheme::RsaPssRsaeSha512 => "RSA-PSS+SHA512",
            SignatureScheme::RsaPkcs1Sha256 => "RSA+SHA256",
            SignatureScheme::RsaPkcs1Sha384 => "RSA+SHA384",
            SignatureScheme::RsaPkcs1Sha512 => "RSA+SHA512",
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_stand_in_one_list() {
        let list = Policy::default().wolfssl_cipher_list();
        assert!(list.starts_with("TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:ECDHE-ECDSA-"));
        assert_eq!(list.split(':').count(), 10);
    }
}
