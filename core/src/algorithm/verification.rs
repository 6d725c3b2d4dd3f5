//! The algorithms that verify signatures: those of rustls's provider but ML-DSA, which no policy holds.

use rustls::SignatureScheme;
use rustls::crypto::WebPkiSupportedAlgorithms;
use webpki::aws_lc_rs as webpki;

/// What verifies each signature scheme of the policies, and the chain's certificates.
pub(crate) static VERIFICATION: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        webpki::ECDSA_P256_SHA256,
        webpki::ECDSA_P256_SHA384,
        webpki::ECDSA_P256_SHA512,
        webpki::ECDSA_P384_SHA256,
        webpki::ECDSA_P384_SHA384,
        webpki::ECDSA_P384_SHA512,
        webpki::ECDSA_P521_SHA256,
        webpki::ECDSA_P521_SHA384,
        webpki::ECDSA_P521_SHA512,
        webpki::ED25519,
        webpki::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        webpki::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        webpki::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        webpki::RSA_PKCS1_2048_8192_SHA256,
        webpki::RSA_PKCS1_2048_8192_SHA384,
        webpki::RSA_PKCS1_2048_8192_SHA512,
        webpki::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
        webpki::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
        webpki::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    ],
    // In TLS 1.2 an ECDSA scheme says nothing of the curve; TLS 1.3 takes the first of each.
    mapping: &[
        (
            SignatureScheme::ECDSA_NISTP384_SHA384,
            &[
                webpki::ECDSA_P384_SHA384,
                webpki::ECDSA_P256_SHA384,
                webpki::ECDSA_P521_SHA384,
            ],
        ),
        (
            SignatureScheme::ECDSA_NISTP256_SHA256,
            &[
                webpki::ECDSA_P256_SHA256,
                webpki::ECDSA_P384_SHA256,
                webpki::ECDSA_P521_SHA256,
            ],
        ),
        (
            SignatureScheme::ECDSA_NISTP521_SHA512,
            &[
                webpki::ECDSA_P521_SHA512,
                webpki::ECDSA_P384_SHA512,
                webpki::ECDSA_P256_SHA512,
            ],
        ),
        (SignatureScheme::ED25519, &[webpki::ED25519]),
        (
            SignatureScheme::RSA_PSS_SHA512,
            &[webpki::RSA_PSS_2048_8192_SHA512_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PSS_SHA384,
            &[webpki::RSA_PSS_2048_8192_SHA384_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PSS_SHA256,
            &[webpki::RSA_PSS_2048_8192_SHA256_LEGACY_KEY],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA512,
            &[webpki::RSA_PKCS1_2048_8192_SHA512],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA384,
            &[webpki::RSA_PKCS1_2048_8192_SHA384],
        ),
        (
            SignatureScheme::RSA_PKCS1_SHA256,
            &[webpki::RSA_PKCS1_2048_8192_SHA256],
        ),
    ],
};

#[cfg(test)]
mod tests {
    use pki_types::SignatureVerificationAlgorithm;
    use rustls::crypto::aws_lc_rs::default_provider;

    use super::*;

    type Ids = Vec<[pki_types::AlgorithmIdentifier; 2]>;

    fn ids(algorithms: &[&'static dyn SignatureVerificationAlgorithm]) -> Ids {
        let ids = |algorithm: &&'static dyn SignatureVerificationAlgorithm| {
            [algorithm.public_key_alg_id(), algorithm.signature_alg_id()]
        };
        algorithms.iter().map(ids).collect()
    }

    #[test]
    fn rustls_has_the_same_and_the_post_quantum_ones() {
        let theirs = default_provider().signature_verification_algorithms;
        let pairs = |algorithms: &WebPkiSupportedAlgorithms| -> Vec<(SignatureScheme, Ids)> {
            let mapping = algorithms.mapping.iter();
            mapping
                .map(|(scheme, each)| (*scheme, ids(each)))
                .filter(|(scheme, _)| !format!("{scheme:?}").starts_with("ML_DSA"))
                .collect()
        };
        assert_eq!(pairs(&VERIFICATION), pairs(&theirs));
        let (ours, theirs) = (ids(VERIFICATION.all), ids(theirs.all));
        assert_eq!(ours, theirs[..ours.len()]);
        assert_eq!(theirs.len() - ours.len(), 3, "ML-DSA-44, -65 and -87");
    }
}
