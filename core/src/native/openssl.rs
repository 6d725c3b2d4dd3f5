//! OpenSSL's lists, for its functions and for those who pass strings on to it: Python, Node.js, curl, the Azure SDKs.

use super::joined;
use crate::policy::Policy;
use crate::suite::{CipherSuite, Version};
use crate::{Group, SignatureScheme};

impl Policy {
    /// The suites of TLS 1.2 for `SSL_CTX_set_cipher_list`; empty if there is none.
    pub fn openssl_cipher_list(&self) -> String {
        self.openssl_names(Version::Tls12)
    }

    /// The suites of TLS 1.3 for `SSL_CTX_set_ciphersuites`; empty if there is none.
    pub fn openssl_ciphersuites(&self) -> String {
        self.openssl_names(Version::Tls13)
    }

    /// The key exchange groups for `SSL_CTX_set1_groups_list`.
    pub fn openssl_groups(&self) -> String {
        joined(self.groups().iter().map(|group| match group {
            Group::Secp256r1 => "P-256",
            Group::Secp384r1 => "P-384",
            other => other.name(),
        }))
    }

    /// The signature schemes for `SSL_CTX_set1_sigalgs_list`, by the names of TLS 1.3 that OpenSSL 1.1.1 and later know.
    pub fn openssl_signature_algorithms(&self) -> String {
        let schemes = self.signature_schemes().iter();
        joined(schemes.map(|scheme| SignatureScheme::name(*scheme)))
    }

    fn openssl_names(&self, version: Version) -> String {
        let suites = self.suites().iter();
        let wanted = suites.filter(|suite| suite.version() == version);
        joined(wanted.map(|suite| CipherSuite::openssl_name(*suite)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_hold_the_policy_in_its_order() {
        let policy = Policy::default();
        assert!(
            policy
                .openssl_cipher_list()
                .starts_with("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:")
        );
        assert_eq!(policy.openssl_cipher_list().split(':').count(), 8);
        assert_eq!(
            policy.openssl_ciphersuites(),
            "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"
        );
        assert_eq!(policy.openssl_groups(), "X25519:P-256:P-384");
        assert!(
            policy
                .openssl_signature_algorithms()
                .starts_with("ecdsa_secp256r1_sha256:")
        );
    }

    #[test]
    fn a_version_that_is_not_offered_has_an_empty_list() {
        let policy = Policy::named("iothub-ecc").unwrap();
        assert_eq!(policy.openssl_ciphersuites(), "");
        assert_eq!(policy.openssl_cipher_list().split(':').count(), 4);
    }
}
