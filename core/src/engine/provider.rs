//! The policy's suites, groups and signature schemes as rustls names them.
//!
//! rustls's own lists are not used: a list keeps all that it names in the program, and theirs name ChaCha20, ML-DSA and more that no policy
//! holds.

use std::sync::Arc;

use pki_types::PrivateKeyDer;
use rustls::crypto::aws_lc_rs::{cipher_suite as stock, kx_group, sign};
use rustls::crypto::{
    CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, SupportedKxGroup,
};
use rustls::sign::SigningKey;
use rustls::{SignatureScheme, SupportedCipherSuite};

#[cfg(feature = "cbc")]
use super::cbc;
use super::fragment;
use crate::algorithm::{Group, VERIFICATION};
use crate::policy::Policy;
use crate::suite::CipherSuite;

/// The suites of the policies that every build has.
static GCM: [&SupportedCipherSuite; 6] = [
    &stock::TLS13_AES_128_GCM_SHA256,
    &stock::TLS13_AES_256_GCM_SHA384,
    &stock::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    &stock::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    &stock::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    &stock::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

static GROUPS: [&dyn SupportedKxGroup; 4] = [
    kx_group::X25519MLKEM768,
    kx_group::X25519,
    kx_group::SECP256R1,
    kx_group::SECP384R1,
];

/// What rustls may offer under `policy`, in the policy's order.
pub(crate) fn provider(policy: &Policy, post_quantum: bool) -> CryptoProvider {
    let negotiates = policy.fragment_length().length().is_some();
    let hybrid = post_quantum.then_some(Group::X25519MlKem768);
    let groups = hybrid.iter().chain(policy.groups());
    let suites = policy.suites().iter().copied().filter_map(cipher_suite);
    CryptoProvider {
        cipher_suites: suites
            .map(|suite| {
                if negotiates {
                    fragment::wrapped(suite)
                } else {
                    suite
                }
            })
            .collect(),
        kx_groups: groups.filter_map(|group| key_exchange(*group)).collect(),
        signature_verification_algorithms: VERIFICATION,
        secure_random: &AwsLc,
        key_provider: &AwsLc,
    }
}

/// The signature schemes that the policy accepts, in its order.
pub(crate) fn signature_schemes(policy: &Policy) -> Vec<SignatureScheme> {
    policy
        .signature_schemes()
        .iter()
        .map(|scheme| scheme.code().into())
        .collect()
}

/// The suite, if this build has it.
pub(crate) fn cipher_suite(suite: CipherSuite) -> Option<SupportedCipherSuite> {
    let known = GCM.into_iter();
    #[cfg(feature = "cbc")]
    let known = known.chain(cbc::SUITES);
    known
        .copied()
        .find(|known| u16::from(known.suite()) == suite.code())
}

fn key_exchange(group: Group) -> Option<&'static dyn SupportedKxGroup> {
    GROUPS
        .iter()
        .copied()
        .find(|known| u16::from(known.name()) == group.code())
}

#[derive(Debug)]
struct AwsLc;

impl SecureRandom for AwsLc {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| GetRandomFailed)
    }
}

impl KeyProvider for AwsLc {
    fn load_private_key(
        &self,
        key: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        sign::any_supported_type(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::SignatureScheme as Scheme;

    #[test]
    fn every_group_and_scheme_of_every_policy_is_in_the_engine() {
        let supported = VERIFICATION.supported_schemes();
        for policy in Policy::all() {
            for group in policy.groups() {
                assert!(key_exchange(*group).is_some(), "{group}");
            }
            for scheme in signature_schemes(policy) {
                assert!(supported.contains(&scheme), "{scheme:?}");
            }
        }
        assert!(key_exchange(Group::X25519MlKem768).is_some());
        assert_eq!(
            SignatureScheme::from(Scheme::Ed25519.code()),
            SignatureScheme::ED25519
        );
    }

    #[test]
    fn every_suite_of_every_policy_is_offered_in_its_order() {
        for policy in Policy::all() {
            let offered = provider(policy, false).cipher_suites;
            let offered: Vec<u16> = offered.iter().map(|suite| suite.suite().into()).collect();
            let expected: Vec<u16> = policy
                .suites()
                .iter()
                .filter(|suite| cfg!(feature = "cbc") || suite.mode() != crate::Mode::Cbc)
                .map(|suite| suite.code())
                .collect();
            assert_eq!(offered, expected);
        }
    }

    #[test]
    fn the_post_quantum_group_comes_first_and_only_when_asked_for() {
        let names = |post_quantum| -> Vec<u16> {
            let provider = provider(&Policy::default(), post_quantum);
            provider
                .kx_groups
                .iter()
                .map(|group| group.name().into())
                .collect()
        };
        assert_eq!(names(false), [0x001d, 0x0017, 0x0018]);
        assert_eq!(names(true), [0x11ec, 0x001d, 0x0017, 0x0018]);
    }
}
