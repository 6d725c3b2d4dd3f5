use super::super::DIGICERT_GLOBAL_ROOT_G2;
use super::super::tests::{codes, named, refused};
use super::*;
use crate::ErrorCode as Code;
use proptest::prelude::*;

#[test]
fn a_document_may_name_the_policy_alone() {
    let policy = Policy::from_json(r#"{"policy": "iothub-2025-08-aead"}"#).unwrap();
    assert_eq!(policy, named("iothub-aead"));
}

#[test]
fn a_document_narrows_every_list() {
    let json = r#"{
        "policy": "iothub-2025-08",
        "versions": ["TLSv1.2"],
        "suites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],
        "groups": ["secp384r1", "secp256r1"],
        "signature_schemes": ["rsa_pkcs1_sha256"],
        "roots": ["CB:3C:CB:B7:60:31:E5:E0:13:8F:8D:D3:9A:23:F9:DE:47:FF:C3:5E:43:C1:14:4C:EA:27:D4:6A:5A:B1:CB:5F"],
        "fragment_length": {"mode": "request", "bytes": 1024}
    }"#;
    let policy = Policy::from_json(json).unwrap();
    assert_eq!(
        codes(&policy),
        [0xC02F],
        "no scheme is left by which an ECDSA key could sign"
    );
    assert_eq!(policy.groups(), [Group::Secp256r1, Group::Secp384r1]);
    assert_eq!(policy.roots(), [DIGICERT_GLOBAL_ROOT_G2]);
    assert!(policy.warnings()[0].contains("root"));
    assert_eq!(
        policy.fragment_length(),
        FragmentMode::Request(FragmentLength::L1024)
    );
    assert_eq!(Policy::from_json(&policy.to_json()), Ok(policy));
}

#[test]
fn a_document_that_widens_is_refused_and_the_offender_named() {
    let with =
        |field: &str| Policy::from_json(&format!(r#"{{"policy": "iothub-2025-08-ecc", {field}}}"#));
    let other_root = "AB:".repeat(31) + "AB";
    for (field, code, offender) in [
        (r#""versions": ["TLSv1.1"]"#, Code::PolicyWidened, "TLSv1.1"),
        (r#""versions": ["TLSv1.3"]"#, Code::PolicyWidened, "TLSv1.3"),
        (r#""versions": ["QUIC"]"#, Code::UnknownVersion, "QUIC"),
        (r#""versions": []"#, Code::PolicyEmpty, "iothub-2025-08-ecc"),
        (
            r#""suites": ["TLS_RSA_WITH_AES_128_CBC_SHA"]"#,
            Code::PolicyWidened,
            "TLS_RSA_WITH_AES_128_CBC_SHA",
        ),
        (
            r#""suites": ["TLS_AES_128_GCM_SHA256"]"#,
            Code::PolicyWidened,
            "TLS_AES_128_GCM_SHA256",
        ),
        (r#""suites": ["NULL-MD5"]"#, Code::UnknownSuite, "NULL-MD5"),
        (
            r#""groups": ["X25519MLKEM768"]"#,
            Code::PolicyWidened,
            "X25519MLKEM768",
        ),
        (r#""groups": ["X448"]"#, Code::UnknownGroup, "X448"),
        (
            r#""signature_schemes": ["rsa_pkcs1_sha1"]"#,
            Code::UnknownSignatureScheme,
            "rsa_pkcs1_sha1",
        ),
        (
            r#""signature_schemes": ["rsa_pkcs1_sha256"]"#,
            Code::PolicyEmpty,
            "rsa_pkcs1_sha256",
        ),
        (
            &format!(r#""roots": ["{other_root}"]"#),
            Code::PolicyWidened,
            &other_root,
        ),
        (r#""roots": ["AB"]"#, Code::InvalidPolicyDocument, "AB"),
        (r#""roots": []"#, Code::NoRoots, "iothub-2025-08-ecc"),
        (
            r#""fragment_length": {"mode": "require", "bytes": 513}"#,
            Code::InvalidFragmentLength,
            "513",
        ),
    ] {
        refused(with(field), code, offender);
    }
}

#[test]
fn a_malformed_document_is_refused_with_line_and_column() {
    for (json, offender) in [
        ("", "line 1 column 0"),
        (
            "{\n  \"policy\": \"iothub-2025-08\",\n  \"suite\": []\n}",
            "`suite`",
        ),
        (
            "{\n  \"policy\": \"iothub-2025-08\",\n  \"suite\": []\n}",
            "line 3 column",
        ),
        (r#"{"policy": "iothub-2025-08"} {}"#, "line 1 column 30"),
        (
            r#"{"policy": "iothub-2025-08", "policy": "iothub-2025-08"}"#,
            "duplicate",
        ),
        (r#"{"policy": 5}"#, "line 1 column 12"),
        (r#"{"versions": ["TLSv1.2"]}"#, "`policy`"),
        (
            r#"{"policy": "iothub-2025-08", "fragment_length": {"mode": "off", "bytes": 512}}"#,
            "`bytes`",
        ),
        (
            r#"{"policy": "iothub-2025-08", "fragment_length": {"mode": "maybe"}}"#,
            "`maybe`",
        ),
        (
            r#"{"policy": "iothub-2025-08", "fragment_length": {"mode": "require", "bytes": -1}}"#,
            "line 1 column",
        ),
    ] {
        refused(
            Policy::from_json(json),
            ErrorCode::InvalidPolicyDocument,
            offender,
        );
    }
}

#[test]
fn a_document_names_a_dated_policy_not_an_alias() {
    let error = refused(
        Policy::from_json(r#"{"policy": "iothub"}"#),
        ErrorCode::InvalidPolicyDocument,
        "iothub",
    );
    assert!(error.hint().contains("iothub-2025-08"), "{error}");
    refused(
        Policy::from_json(r#"{"policy": "iothub-2019"}"#),
        ErrorCode::UnknownPolicy,
        "iothub-2019",
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_a_document_never_panics(json in ".*") {
        prop_assert!(Policy::from_json(&json).is_err());
    }
}
