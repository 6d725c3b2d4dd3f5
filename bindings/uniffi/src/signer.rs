//! Keys that are held elsewhere.

use std::fmt;
use std::sync::Arc;

use hubtls::SignatureScheme;

use crate::error::HubTlsError;

/// Signs with a private key that is held elsewhere: in a key store, a secure element, a TPM.
///
/// Called from whatever thread drives a handshake, perhaps from several at once, and may block it. It must leave the connection alone that it signs
/// for.
#[uniffi::export(with_foreign)]
pub trait Signer: Send + Sync {
    /// The signature of `content` (not hashed yet) by `scheme`, as in `ecdsa_secp256r1_sha256`; an ECDSA signature as ASN.1 DER.
    ///
    /// Whatever it throws ends the handshake as `SIGNER_FAILED`; the text becomes part of that, so it must hold no secret.
    fn sign(&self, scheme: String, content: Vec<u8>) -> Result<Vec<u8>, SignerError>;

    /// The schemes that it can sign with, preferred first; nothing for all that the certificate's key allows. Asked once, when the identity is built.
    fn schemes(&self) -> Result<Option<Vec<String>>, SignerError>;
}

/// Why a signer did not sign.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Error)]
pub enum SignerError {
    /// It failed.
    Failed {
        /// Why, in words that hold no secret.
        reason: String,
    },
}

impl fmt::Display for SignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Failed { reason } = self;
        f.write_str(reason)
    }
}

impl std::error::Error for SignerError {}

impl From<uniffi::UnexpectedUniFFICallbackError> for SignerError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        // Kotlin sends the whole stack trace.
        let reason = error.reason.lines().next().unwrap_or_default().to_owned();
        Self::Failed { reason }
    }
}

/// A signer of Kotlin or Swift as one of core's.
pub(crate) struct Foreign {
    signer: Arc<dyn Signer>,
    schemes: Option<Vec<SignatureScheme>>,
}

impl Foreign {
    /// Asks it for its schemes.
    pub(crate) fn new(signer: Arc<dyn Signer>) -> Result<Self, HubTlsError> {
        let offered = signer.schemes().map_err(|error| {
            hubtls::Error::new(
                hubtls::ErrorCode::SignerFailed,
                format!("the external signer failed at its schemes: {error}"),
                "look for its own report",
            )
        })?;
        let schemes = offered
            .map(|names| {
                let schemes = names.iter().map(|name| SignatureScheme::from_name(name));
                schemes.collect::<hubtls::Result<Vec<_>>>()
            })
            .transpose()?;
        Ok(Self { signer, schemes })
    }
}

impl hubtls::Signer for Foreign {
    fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.signer.sign(scheme.name().into(), message.to_vec())?)
    }

    fn schemes(&self) -> Option<Vec<SignatureScheme>> {
        self.schemes.clone()
    }
}

#[cfg(test)]
mod tests {
    use hubtls::Signer as _;
    use hubtls_tests::fixture;
    use hubtls_tests::signer::OpensslSigner;

    use super::*;
    use crate::identity::Identity;

    /// Stands for a signer of Kotlin or Swift.
    struct Token {
        key: OpensslSigner,
        schemes: Result<Option<Vec<String>>, SignerError>,
        works: bool,
    }

    impl Token {
        fn new(schemes: Result<Option<Vec<String>>, SignerError>, works: bool) -> Arc<Self> {
            let key = OpensslSigner::new(&fixture::client("p256").key);
            Arc::new(Self {
                key,
                schemes,
                works,
            })
        }
    }

    fn gone() -> SignerError {
        uniffi::UnexpectedUniFFICallbackError::new("token removed\n\tat Token.sign").into()
    }

    impl Signer for Token {
        fn sign(&self, scheme: String, content: Vec<u8>) -> Result<Vec<u8>, SignerError> {
            if !self.works {
                return Err(gone());
            }
            let scheme = SignatureScheme::from_name(&scheme).unwrap();
            Ok(self.key.sign(scheme, &content).unwrap())
        }

        fn schemes(&self) -> Result<Option<Vec<String>>, SignerError> {
            self.schemes.clone()
        }
    }

    fn identity(token: Arc<Token>) -> Result<Arc<Identity>, HubTlsError> {
        Identity::from_signer(fixture::client("p256").chain().into(), token)
    }

    #[test]
    fn a_signer_makes_an_identity() {
        let made = identity(Token::new(Ok(None), true)).unwrap();
        assert_eq!(made.key_algorithm(), "P-256");
        let schemes = vec!["ecdsa_secp256r1_sha256".into()];
        identity(Token::new(Ok(Some(schemes)), true)).unwrap();
    }

    #[test]
    fn whatever_a_signer_throws_is_an_error_with_its_words() {
        for (token, expected, words) in [
            (
                Token::new(Ok(None), false),
                "SIGNER_FAILED",
                "token removed",
            ),
            (
                Token::new(Err(gone()), true),
                "SIGNER_FAILED",
                "token removed",
            ),
            (
                Token::new(Ok(Some(vec!["md5".into()])), true),
                "UNKNOWN_SIGNATURE_SCHEME",
                "md5",
            ),
        ] {
            let HubTlsError::Failed { code, sentence, .. } = identity(token).unwrap_err();
            assert_eq!(code, expected);
            assert!(sentence.contains(words), "{sentence}");
            assert!(!sentence.contains("Token.sign"), "{sentence}");
        }
    }
}
