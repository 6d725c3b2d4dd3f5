//! Keys that are held elsewhere.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::SigningKey;
use rustls::{OtherError, SignatureAlgorithm};

use super::key::KeyKind;
use crate::algorithm::{SignatureScheme, VERIFICATION};
use crate::error::{Error, ErrorCode, Result};

/// Signed once to see that the signer works. Not the beginning of anything that TLS signs.
const TRIAL: &[u8] = b"hubtls asks: does this signer hold the key of the certificate?";

/// Signs with a private key that is held elsewhere: in a TPM, an HSM, a secure element, behind PKCS#11.
///
/// Called from whatever thread drives a handshake, perhaps from several at once, and may block it.
pub trait Signer: Send + Sync {
    /// The signature of `message` (not hashed yet) by `scheme`: an ECDSA signature as ASN.1 DER (RFC 3279, section 2.2.3), any other as
    /// the bytes that its standard defines.
    ///
    /// # Errors
    /// Whatever went wrong: its text becomes part of an [`ErrorCode::SignerFailed`], so it must hold no secret. A panic is taken as an
    /// error too.
    fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;

    /// The schemes it can sign with, preferred first; [`None`] for all that the certificate's key allows: RSA-PSS before PKCS#1 for RSA, and
    /// for the others the one of their curve.
    ///
    /// Asked once, when the identity is built.
    fn schemes(&self) -> Option<Vec<SignatureScheme>> {
        None
    }
}

/// A signer that was seen to sign, as the engine's key.
pub(super) struct ExternalKey {
    signer: Arc<dyn Signer>,
    schemes: Vec<SignatureScheme>,
    algorithm: SignatureAlgorithm,
}

impl ExternalKey {
    /// Tries the signer with the key of `kind` whose SubjectPublicKeyInfo is `spki`.
    pub(super) fn new(signer: Arc<dyn Signer>, kind: KeyKind, spki: &[u8]) -> Result<Self> {
        let offered = catch_unwind(AssertUnwindSafe(|| signer.schemes()))
            .map_err(|_| failed("the external signer panicked", "look for its own report"))?;
        let schemes = match offered {
            None => kind.schemes().to_vec(),
            Some(mut schemes) => {
                schemes.retain(|scheme| kind.schemes().contains(scheme));
                schemes
            }
        };
        let Some(first) = schemes.first().copied() else {
            return Err(failed(
                format!("the external signer has no scheme for the certificate's key ({kind})"),
                "let it offer one of that key, or give the certificate that belongs to it",
            ));
        };
        let signature = sign(&*signer, first, TRIAL)?;
        check(&signature, first, kind, spki)?;
        Ok(Self {
            signer,
            schemes,
            algorithm: kind.algorithm(),
        })
    }
}

fn sign(signer: &dyn Signer, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>> {
    let name = scheme.name();
    match catch_unwind(AssertUnwindSafe(|| signer.sign(scheme, message))) {
        Ok(Ok(signature)) => Ok(signature),
        Ok(Err(error)) => Err(failed(
            format!("the external signer failed at {name}: {error}"),
            "make its key available; if it cannot sign that way, let `schemes` say what it can",
        )),
        Err(_) => Err(failed(
            format!("the external signer panicked at {name}"),
            "look for its own report",
        )),
    }
}

fn check(signature: &[u8], scheme: SignatureScheme, kind: KeyKind, spki: &[u8]) -> Result<()> {
    let spki = SubjectPublicKeyInfoDer::from(spki);
    let is_good = webpki::RawPublicKeyEntity::try_from(&spki).is_ok_and(|key| {
        VERIFICATION
            .mapping
            .iter()
            .filter(|(known, _)| u16::from(*known) == scheme.code())
            .flat_map(|(_, algorithms)| *algorithms)
            .any(|algorithm| key.verify_signature(*algorithm, TRIAL, signature).is_ok())
    });
    if is_good {
        return Ok(());
    }
    let name = scheme.name();
    Err(failed(
        format!(
            "what the external signer returned is not a {name} signature by the certificate's key"
        ),
        match (kind, signature.len()) {
            (KeyKind::P256, 64) | (KeyKind::P384, 96) => {
                "this looks like r and s side by side: return them as an ASN.1 DER sequence"
            }
            _ => "give the certificate of the signer's key, and let it hash the message itself",
        },
    ))
}

fn failed(message: impl Into<std::borrow::Cow<'static, str>>, hint: &'static str) -> Error {
    Error::new(ErrorCode::SignerFailed, message, hint)
}

impl SigningKey for ExternalKey {
    fn choose_scheme(
        &self,
        offered: &[rustls::SignatureScheme],
    ) -> Option<Box<dyn rustls::sign::Signer>> {
        let is_offered = |scheme: &&SignatureScheme| offered.contains(&scheme.code().into());
        let scheme = *self.schemes.iter().find(is_offered)?;
        Some(Box::new(ExternalSigner {
            signer: Arc::clone(&self.signer),
            scheme,
        }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

impl fmt::Debug for ExternalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalKey")
            .field("schemes", &self.schemes)
            .finish_non_exhaustive()
    }
}

struct ExternalSigner {
    signer: Arc<dyn Signer>,
    scheme: SignatureScheme,
}

impl rustls::sign::Signer for ExternalSigner {
    /// Fails with a [`rustls::Error::Other`] that carries our [`Error`].
    fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, rustls::Error> {
        sign(&*self.signer, self.scheme, message)
            .map_err(|error| OtherError(Arc::new(error)).into())
    }

    fn scheme(&self) -> rustls::SignatureScheme {
        self.scheme.code().into()
    }
}

impl fmt::Debug for ExternalSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalSigner")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};

    use super::*;
    use crate::Identity;
    use crate::testing::{Party, failure, params};

    type Signature = std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;

    /// A signer made of a function and what it says it can.
    struct Made<F>(F, Option<Vec<SignatureScheme>>);

    impl<F: Fn(SignatureScheme, &[u8]) -> Signature + Send + Sync> Signer for Made<F> {
        fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Signature {
            self.0(scheme, message)
        }

        fn schemes(&self) -> Option<Vec<SignatureScheme>> {
            self.1.clone()
        }
    }

    /// Signs as an HSM that holds the party's key would.
    fn faithful(party: &Party) -> impl Fn(SignatureScheme, &[u8]) -> Signature + use<> {
        let key = Identity::from_der(&[party.der()], party.key.serialized_der(), None).unwrap();
        move |scheme, message| {
            let key = key.certified_key();
            let signer = key.key.choose_scheme(&[scheme.code().into()]);
            Ok(signer.ok_or("no such scheme")?.sign(message)?)
        }
    }

    fn identity<F>(
        party: &Party,
        sign: F,
        schemes: Option<Vec<SignatureScheme>>,
    ) -> Result<Identity>
    where
        F: Fn(SignatureScheme, &[u8]) -> Signature + Send + Sync + 'static,
    {
        Identity::from_signer(party.pem().as_bytes(), Arc::new(Made(sign, schemes)))
    }

    #[test]
    fn a_signer_signs_with_the_schemes_of_its_certificates_key() {
        for (algorithm, schemes) in [
            (&PKCS_ECDSA_P256_SHA256, &[0x0403][..]),
            (&PKCS_ECDSA_P384_SHA384, &[0x0503]),
            (&PKCS_ED25519, &[0x0807]),
            (
                &PKCS_RSA_SHA256,
                &[0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601],
            ),
        ] {
            let party = Party::self_signed(params("device", false), algorithm);
            let identity = identity(&party, faithful(&party), None).unwrap();
            let key = identity.certified_key();
            let all: Vec<rustls::SignatureScheme> = SignatureScheme::ALL
                .iter()
                .map(|scheme| scheme.code().into())
                .collect();
            let first = key.key.choose_scheme(&all).unwrap();
            assert_eq!(u16::from(first.scheme()), schemes[0]);
            for scheme in SignatureScheme::ALL {
                let signer = key.key.choose_scheme(&[scheme.code().into()]);
                assert_eq!(signer.is_some(), schemes.contains(&scheme.code()));
                assert!(signer.is_none_or(|signer| signer.sign(b"message").is_ok()));
            }
        }
    }

    #[test]
    fn a_signer_may_narrow_the_schemes() {
        let party = Party::self_signed(params("device", false), &PKCS_RSA_SHA256);
        let can = vec![
            SignatureScheme::EcdsaSecp256r1Sha256,
            SignatureScheme::RsaPkcs1Sha384,
        ];
        let identity =
            Identity::from_signer_der(&[party.der()], Arc::new(Made(faithful(&party), Some(can))));
        let key = identity.unwrap().certified_key();
        let choose = |code: u16| key.key.choose_scheme(&[code.into()]);
        assert!(choose(0x0501).is_some());
        assert!(choose(0x0804).is_none());
        assert!(choose(0x0403).is_none());
    }

    #[test]
    fn a_signer_that_does_not_work_is_found_out_at_once() {
        let party = Party::root("device");
        let other = faithful(&Party::root("other"));
        let raw = |_: SignatureScheme, _: &[u8]| -> Signature { Ok(vec![1; 64]) };
        for (result, words) in [
            (
                identity(&party, |_, _| Err("token removed".into()), None),
                "token removed",
            ),
            (
                identity(&party, |_, _| panic!("in C code"), None),
                "panicked",
            ),
            (identity(&party, |_, _| Ok(Vec::new()), None), "not a ecdsa"),
            (identity(&party, other, None), "not a ecdsa"),
            (identity(&party, raw, None), "ASN.1 DER"),
            (
                identity(&party, raw, Some(vec![SignatureScheme::Ed25519])),
                "no scheme for the certificate's key (P-256)",
            ),
        ] {
            let error = failure(result, ErrorCode::SignerFailed);
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn a_failure_in_mid_handshake_carries_our_error() {
        let party = Party::root("device");
        let good = faithful(&party);
        let identity = identity(
            &party,
            move |scheme, message| match message {
                TRIAL => good(scheme, message),
                _ => Err("token removed".into()),
            },
            None,
        );
        let key = identity.unwrap().certified_key();
        let signer = key.key.choose_scheme(&[0x0403.into()]).unwrap();
        let Err(rustls::Error::Other(OtherError(error))) = signer.sign(b"handshake") else {
            panic!("no error of ours");
        };
        let error = error.downcast_ref::<Error>().unwrap();
        assert_eq!(error.code(), ErrorCode::SignerFailed);
        assert!(error.message().contains("token removed"), "{error}");
    }

    #[test]
    fn a_signers_chain_is_checked_like_any_other() {
        let party = Party::root("device");
        let signer = Arc::new(Made(faithful(&party), None));
        failure(
            Identity::from_signer(b"", signer.clone()),
            ErrorCode::EmptyChain,
        );
        let chain = party.pem().repeat(2) + &Party::root("x").pem();
        failure(
            Identity::from_signer(chain.as_bytes(), signer),
            ErrorCode::ChainOutOfOrder,
        );
    }
}
