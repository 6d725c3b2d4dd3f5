//! The policy's suites, groups and signature schemes as rustls names them.

use rustls::SignatureScheme;
use rustls::SupportedCipherSuite;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};

use super::{cbc, fragment};
use crate::algorithm::Group;
use crate::policy::Policy;

/// What rustls may offer under `policy`, in the policy's order.
pub(crate) fn provider(policy: &Policy, post_quantum: bool) -> CryptoProvider {
    let negotiates = policy.fragment_length().length().is_some();
    let hybrid = post_quantum.then_some(Group::X25519MlKem768);
    let groups = hybrid.iter().chain(policy.groups());
    let suites = policy
        .suites()
        .iter()
        .filter_map(|suite| cipher_suite(suite.code()));
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
        ..aws_lc_rs::default_provider()
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

fn cipher_suite(code: u16) -> Option<SupportedCipherSuite> {
    let known = aws_lc_rs::ALL_CIPHER_SUITES.iter().chain(cbc::SUITES);
    known
        .copied()
        .find(|suite| u16::from(suite.suite()) == code)
}

fn key_exchange(group: Group) -> Option<&'static dyn SupportedKxGroup> {
    aws_lc_rs::ALL_KX_GROUPS
        .iter()
        .copied()
        .find(|known| u16::from(known.name()) == group.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::SignatureScheme as Scheme;

    #[test]
    fn every_group_and_scheme_of_every_policy_is_in_the_engine() {
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        let supported = algorithms.supported_schemes();
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
            let expected: Vec<u16> = policy.suites().iter().map(|suite| suite.code()).collect();
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
