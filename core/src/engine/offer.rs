//! What this build of the engine can do of a policy: cargo features leave parts of it out.

use super::provider;
use crate::error::{Error, ErrorCode, Result};
use crate::lookup::listed;
use crate::policy::Policy;
use crate::suite::CipherSuite;

/// `policy` without the suites that this build lacks, and the sentence that says so if there are any.
pub(crate) fn within_reach(policy: Policy) -> Result<(Policy, Option<String>)> {
    if cfg!(not(feature = "fragment")) && policy.fragment_length().length().is_some() {
        return Err(Error::new(
            ErrorCode::UnsupportedByEngine,
            "this build of hubtls cannot negotiate a maximum fragment length",
            "build it with the cargo feature `fragment`, or switch the fragment length off",
        ));
    }
    let (has, lacks): (Vec<CipherSuite>, Vec<CipherSuite>) = policy
        .suites()
        .iter()
        .partition(|suite| provider::cipher_suite(**suite).is_some());
    if lacks.is_empty() {
        return Ok((policy, None));
    }
    if has.is_empty() {
        return Err(Error::new(
            ErrorCode::UnsupportedByEngine,
            format!(
                "this build of hubtls has no CBC suites, and {} holds no others",
                policy.name()
            ),
            "build it with the cargo feature `cbc`, or narrow the policy less",
        ));
    }
    let warning = format!(
        "this build of hubtls has no CBC suites (cargo feature `cbc`), so these are not offered: {}",
        listed(&lacks)
    );
    Ok((policy.only_suites(&has)?, Some(warning)))
}

#[cfg(all(test, not(all(feature = "cbc", feature = "fragment"))))]
mod tests {
    use super::*;
    use crate::testing::failure;

    #[cfg(not(feature = "cbc"))]
    #[test]
    fn without_cbc_a_configuration_offers_the_rest_of_its_policy_and_says_so() {
        use crate::Config;
        use crate::suite::Mode;
        use crate::trust::Roots;

        let config = Config::builder().build().unwrap();
        let changed = config.with_roots(Roots::embedded()).unwrap();
        for config in [config, changed] {
            assert_eq!(
                config.policy().suites(),
                Policy::named("iothub-aead").unwrap().suites()
            );
            assert!(config.policy().is_narrowed());
            let warnings = config.warnings();
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(warnings[0].contains("has no CBC suites"), "{warnings:?}");
        }
        let policy = Policy::named("iothub-aead").unwrap();
        let config = Config::builder().policy(policy.clone()).build().unwrap();
        assert_eq!(config.policy(), &policy);
        assert!(config.warnings().is_empty());

        let cbc: Vec<CipherSuite> = Policy::default()
            .suites()
            .iter()
            .copied()
            .filter(|suite| suite.mode() == Mode::Cbc)
            .collect();
        assert_eq!(cbc.len(), 4, "the policy itself is whole");
        let policy = Policy::default().only_suites(&cbc).unwrap();
        let error = failure(
            Config::builder().policy(policy).build(),
            ErrorCode::UnsupportedByEngine,
        );
        assert!(error.hint().contains("`cbc`"), "{error}");
    }

    #[cfg(not(feature = "fragment"))]
    #[test]
    fn without_fragment_none_can_be_asked_for() {
        use crate::policy::{FragmentLength, FragmentMode};

        for mode in [
            FragmentMode::Request(FragmentLength::L512),
            FragmentMode::Require(FragmentLength::L4096),
        ] {
            let policy = Policy::default().with_fragment_length(mode);
            let error = failure(within_reach(policy), ErrorCode::UnsupportedByEngine);
            assert!(error.hint().contains("`fragment`"), "{error}");
        }
        assert!(within_reach(Policy::default()).is_ok());
    }
}
