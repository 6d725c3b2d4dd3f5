use super::*;
use pki_types::{CertificateDer, pem::PemObject};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

pub(super) fn named(name: &str) -> Policy {
    Policy::named(name).unwrap()
}

fn suite(name: &str) -> CipherSuite {
    CipherSuite::from_name(name).unwrap()
}

pub(super) fn codes(policy: &Policy) -> Vec<u16> {
    policy.suites().iter().map(|suite| suite.code()).collect()
}

#[track_caller]
pub(super) fn refused(result: Result<Policy>, code: ErrorCode, offender: &str) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.message().contains(offender), "{error}");
    error
}

#[test]
fn an_alias_stands_for_the_newest_dated_policy() {
    for &(alias, dated) in Policy::aliases() {
        assert_eq!(named(alias), named(dated));
        assert_eq!(named(&alias.to_uppercase()).name(), dated);
        assert!(!named(alias).is_narrowed());
    }
    assert_eq!(Policy::default(), named("iothub"));
    assert_eq!(Policy::all().len(), Policy::aliases().len());
}

#[test]
fn an_unknown_policy_is_named_with_what_was_meant_or_what_there_is() {
    let error = refused(
        Policy::named("iohtub-ecc"),
        ErrorCode::UnknownPolicy,
        "iohtub-ecc",
    );
    assert_eq!(error.hint(), "did you mean iothub-ecc?");
    let error = refused(
        Policy::named("mozilla-modern"),
        ErrorCode::UnknownPolicy,
        "mozilla",
    );
    assert!(error.hint().contains("iothub-2025-08-tls12"), "{error}");
}

#[test]
fn the_policies_hold_what_their_names_say() {
    let iothub = named("iothub-2025-08");
    assert_eq!(iothub.versions(), [Version::Tls13, Version::Tls12]);
    assert_eq!(
        codes(&iothub),
        [
            0x1301, 0x1302, 0xC02B, 0xC02C, 0xC02F, 0xC030, 0xC023, 0xC024, 0xC027, 0xC028
        ]
    );
    assert_eq!(
        iothub.groups(),
        [Group::X25519, Group::Secp256r1, Group::Secp384r1]
    );

    let ecc = named("iothub-2025-08-ecc");
    assert_eq!(ecc.versions(), [Version::Tls12]);
    assert_eq!(codes(&ecc), [0xC02B, 0xC02C, 0xC023, 0xC024]);
    assert!(
        ecc.signature_schemes()
            .contains(&SignatureScheme::RsaPkcs1Sha256)
    );

    let aead = named("iothub-2025-08-aead");
    assert_eq!(codes(&aead), codes(&iothub)[..6]);
    let tls12 = named("iothub-2025-08-tls12");
    assert_eq!(codes(&tls12), codes(&iothub)[2..]);
}

#[test]
fn every_policy_is_sound() {
    for policy in Policy::all() {
        assert_eq!(policy.clone().settled::<Version>(&[]), Ok(policy.clone()));
        assert_eq!(policy.warnings(), [""; 0]);
        assert_eq!(policy.fragment_length(), FragmentMode::Off);
        assert!(
            policy
                .suites()
                .iter()
                .all(|suite| suite.strength() == Strength::Recommended)
        );
    }
}

#[test]
fn the_roots_are_those_in_the_roots_folder() {
    let shipped = ["digicert-global-root-g2", "microsoft-rsa-root-2017"].map(|name| {
        let path = format!("{}/roots/{name}.pem", env!("CARGO_MANIFEST_DIR"));
        <[u8; 32]>::from(Sha256::digest(CertificateDer::from_pem_file(path).unwrap()))
    });
    for policy in Policy::all() {
        assert_eq!(policy.roots(), shipped);
    }
}

#[test]
fn dropping_a_version_drops_its_suites_and_the_other_way_round() {
    let tls12 = Policy::default().only_versions(&[Version::Tls12]).unwrap();
    assert_eq!(codes(&tls12), codes(&named("iothub-tls12")));
    assert!(tls12.is_narrowed());
    let ecdsa = Policy::default()
        .only_suites(&[suite("0xC02C"), suite("0xC02B")])
        .unwrap();
    assert_eq!(ecdsa.versions(), [Version::Tls12]);
    assert_eq!(codes(&ecdsa), [0xC02B, 0xC02C]);
}

#[test]
fn narrowing_on_a_kind_of_key_leaves_its_suites_of_tls_1_2() {
    let ecdsa = Policy::default()
        .only_authentication(Authentication::Ecdsa)
        .unwrap();
    assert_eq!(ecdsa.versions(), [Version::Tls12]);
    assert_eq!(codes(&ecdsa), codes(&named("iothub-ecc")));
    let rsa = Policy::default()
        .only_authentication(Authentication::Rsa)
        .unwrap();
    assert_eq!(codes(&rsa), [0xC02F, 0xC030, 0xC027, 0xC028]);
    let any = Policy::default()
        .only_authentication(Authentication::Any)
        .unwrap();
    assert!(!any.is_narrowed());
    refused(
        named("iothub-ecc").only_authentication(Authentication::Rsa),
        ErrorCode::PolicyEmpty,
        "iothub-2025-08-ecc",
    );
}

#[test]
fn a_retired_suite_is_refused_with_the_date_and_the_recommended_ones() {
    for retired in CipherSuite::all()
        .iter()
        .filter(|suite| suite.strength() == Strength::Retired)
    {
        let result = Policy::default().only_suites(&[suite("0xC02B"), *retired]);
        let error = refused(result, ErrorCode::PolicyWidened, retired.iana_name());
        assert!(error.message().contains("2025-08-31"), "{error}");
        assert!(
            error
                .hint()
                .contains("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            "{error}"
        );
    }
}

#[test]
fn what_the_named_policy_lacks_is_refused_by_name() {
    let ecc = named("iothub-ecc");
    let widened = ErrorCode::PolicyWidened;
    refused(
        ecc.clone().only_versions(&[Version::Tls13]),
        widened,
        "TLSv1.3",
    );
    refused(
        ecc.clone().only_suites(&[suite("0xC02F")]),
        widened,
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    );
    let error = refused(
        ecc.only_groups(&[Group::X25519MlKem768]),
        widened,
        "X25519MLKEM768",
    );
    assert!(error.hint().contains("configuration"), "{error}");
}

#[test]
fn a_policy_with_nothing_left_is_refused() {
    let empty = ErrorCode::PolicyEmpty;
    let of_tls12 = Policy::default().only_suites(&[suite("0xC02B")]).unwrap();
    refused(
        of_tls12.clone().only_versions(&[Version::Tls13]),
        empty,
        "TLSv1.3",
    );
    refused(
        of_tls12.only_suites(&[suite("0xC02F")]),
        empty,
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    );
    refused(Policy::default().only_groups(&[]), empty, "nothing");
    refused(Policy::default().only_suites(&[]), empty, "nothing");
    refused(Policy::default().only_versions(&[]), empty, "nothing");
}

#[test]
fn tls_1_3_alone_and_a_missing_p256_are_allowed_with_a_warning() {
    let alone = Policy::default().only_versions(&[Version::Tls13]).unwrap();
    let [warning] = &alone.warnings()[..] else {
        panic!("one warning")
    };
    assert!(warning.contains("azure-devices.net"), "{warning}");
    let x25519 = Policy::default().only_groups(&[Group::X25519]).unwrap();
    assert!(x25519.warnings()[0].contains("P-256"));
}

#[test]
fn a_fragment_length_is_no_narrowing() {
    let mode = FragmentMode::Require(FragmentLength::L512);
    let policy = Policy::default().with_fragment_length(mode);
    assert_eq!(policy.fragment_length(), mode);
    assert!(!policy.is_narrowed());
}

#[derive(Clone, Debug)]
enum Narrowing {
    Versions(Vec<Version>),
    Suites(Vec<CipherSuite>),
    Groups(Vec<Group>),
    Schemes(Vec<SignatureScheme>),
    Authentication(Authentication),
}

impl Narrowing {
    fn of(&self, policy: Policy) -> Result<Policy> {
        match self {
            Self::Versions(versions) => policy.only_versions(versions),
            Self::Suites(suites) => policy.only_suites(suites),
            Self::Groups(groups) => policy.only_groups(groups),
            Self::Schemes(schemes) => policy.only_signature_schemes(schemes),
            Self::Authentication(authentication) => policy.only_authentication(*authentication),
        }
    }
}

fn some_of<T: Copy + std::fmt::Debug + 'static>(
    all: &'static [T],
) -> impl Strategy<Value = Vec<T>> {
    proptest::sample::subsequence(all, 0..=all.len()).prop_shuffle()
}

fn narrowing() -> impl Strategy<Value = Narrowing> {
    prop_oneof![
        some_of(Version::ALL).prop_map(Narrowing::Versions),
        some_of(CipherSuite::all()).prop_map(Narrowing::Suites),
        some_of(&CipherSuite::all()[..10]).prop_map(Narrowing::Suites),
        some_of(Group::ALL).prop_map(Narrowing::Groups),
        some_of(&Group::ALL[..3]).prop_map(Narrowing::Groups),
        some_of(SignatureScheme::ALL).prop_map(Narrowing::Schemes),
        proptest::sample::select(vec![
            Authentication::Ecdsa,
            Authentication::Rsa,
            Authentication::Any
        ])
        .prop_map(Narrowing::Authentication),
    ]
}

fn is_part_in_order<T: PartialEq>(part: &[T], whole: &[T]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|item| rest.any(|other| other == item))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn narrowing_never_widens_keeps_the_order_and_is_idempotent(
        base in proptest::sample::select(Policy::all()),
        narrowings in proptest::collection::vec(narrowing(), 1..4),
    ) {
        let mut policy = base.clone();
        for narrowing in &narrowings {
            let Ok(narrowed) = narrowing.of(policy.clone()) else { continue };
            prop_assert!(is_part_in_order(narrowed.versions(), policy.versions()));
            prop_assert!(is_part_in_order(narrowed.suites(), policy.suites()));
            prop_assert!(is_part_in_order(narrowed.groups(), policy.groups()));
            prop_assert!(is_part_in_order(narrowed.signature_schemes(), policy.signature_schemes()));
            prop_assert_eq!(narrowing.of(narrowed.clone()), Ok(narrowed.clone()));
            policy = narrowed;
        }
        for version in policy.versions() {
            prop_assert!(policy.suites().iter().any(|suite| suite.version() == *version));
        }
        prop_assert_eq!(policy.is_narrowed(), policy != base);
        prop_assert_eq!(Policy::from_json(&policy.to_json()), Ok(policy));
    }

    #[test]
    fn the_order_of_narrowing_does_not_matter(
        base in proptest::sample::select(Policy::all()), first in narrowing(), second in narrowing(),
    ) {
        let one_way = first.of(base.clone()).and_then(|policy| second.of(policy));
        let other_way = second.of(base.clone()).and_then(|policy| first.of(policy));
        prop_assert_eq!(one_way.ok(), other_way.ok());
    }
}
