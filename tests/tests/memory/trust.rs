//! Whom a client believes.

use hubtls::{Config, ErrorCode, Pin, Result, RevocationLists, Roots};
use hubtls_tests::authority::{Authority, KeyKind, Request};
use hubtls_tests::client::{builder, roots};
use hubtls_tests::fixture::{self, AZURE_NAME};
use hubtls_tests::memory::{Pair, ServerOptions};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::assert_error;

fn pin(authority: &Authority) -> Pin {
    Pin::of_certificate_pem(authority.root().as_bytes()).unwrap()
}

fn connect_named(config: &Config, certificate: &str, name: &str) -> Result<()> {
    let mut pair = Pair::named(
        config,
        &ServerOptions::certificate(certificate).config(),
        name,
    );
    pair.exchange()
}

fn connect(config: &Config, certificate: &str) -> Result<()> {
    connect_named(config, certificate, "localhost")
}

#[test]
fn a_chain_that_ends_in_the_pinned_root_is_accepted() {
    let config = builder().pin(pin(Authority::rsa())).build().unwrap();
    connect(&config, "rsa").unwrap();
}

#[test]
fn a_chain_that_ends_in_another_trusted_root_does_not_match_the_pin() {
    let config = builder().pin(pin(Authority::rsa())).build().unwrap();
    let error = connect(&config, "ecdsa-p384").unwrap_err();
    assert_error(
        &error,
        ErrorCode::PinMismatch,
        error.alert().map(|alert| alert.name()),
        "pin",
    );
    assert!(
        error.to_string().contains("hubtls test ECDSA root"),
        "{error:?}"
    );
}

#[test]
fn any_of_several_pins_is_enough() {
    let config = builder()
        .pin(pin(Authority::rsa()))
        .pin(pin(Authority::ecdsa()))
        .build()
        .unwrap();
    connect(&config, "rsa").unwrap();
    connect(&config, "ecdsa-p384").unwrap();
}

#[test]
fn a_pin_by_its_hash_is_the_same_pin() {
    let by_certificate = pin(Authority::rsa());
    let hexadecimal: String = by_certificate
        .spki_sha256()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let by_hash = Pin::from_sha256(&hexadecimal).unwrap();
    assert_eq!(by_hash.spki_sha256(), by_certificate.spki_sha256());
    connect(&builder().pin(by_hash).build().unwrap(), "rsa").unwrap();
}

#[test]
fn a_pin_of_a_leaf_or_an_intermediate_is_refused_with_the_reason() {
    for (certificate, word) in [
        (fixture::server("rsa").certificate.clone(), "root"),
        (Authority::rsa().intermediate(), "root"),
    ] {
        let error = Pin::of_certificate_pem(certificate.as_bytes()).unwrap_err();
        assert_error(&error, ErrorCode::PinNotRoot, None, word);
    }
}

#[test]
fn a_pin_that_leaves_no_root_is_refused_when_the_config_is_built() {
    let error = builder()
        .pin(pin(Authority::unrelated()))
        .build()
        .err()
        .unwrap();
    assert_error(&error, ErrorCode::NoRoots, None, "pin");
}

#[test]
fn no_roots_at_all_are_refused_when_the_config_is_built() {
    let error = builder().roots(Roots::empty()).build().err().unwrap();
    assert_error(&error, ErrorCode::NoRoots, None, "root");
}

#[test]
fn a_private_root_does_not_vouch_for_azure() {
    let config = Config::builder().add_roots(roots()).build().unwrap();
    for name in [
        AZURE_NAME,
        "hub1.device.azure-devices.net",
        "global.azure-devices-provisioning.net",
        "HUB1.Azure-Devices.NET",
    ] {
        let credential = Box::leak(Box::new(
            Authority::rsa().issue(&Request::server_named(KeyKind::P256, &[name])),
        ));
        let options = ServerOptions {
            credential,
            ..ServerOptions::default()
        };
        let error = Pair::named(&config, &options.config(), name)
            .exchange()
            .unwrap_err();
        assert_error(
            &error,
            ErrorCode::RootNotForAzure,
            error.alert().map(|alert| alert.name()),
            "azure",
        );
    }
}

#[test]
fn a_private_root_vouches_for_a_name_that_only_looks_like_azures() {
    let config = Config::builder().add_roots(roots()).build().unwrap();
    for name in ["azure-devices.net.example", "notazure-devices.net"] {
        let credential = Box::leak(Box::new(
            Authority::rsa().issue(&Request::server_named(KeyKind::P256, &[name])),
        ));
        let options = ServerOptions {
            credential,
            ..ServerOptions::default()
        };
        Pair::named(&config, &options.config(), name)
            .exchange()
            .unwrap();
    }
}

#[test]
fn a_private_root_vouches_for_azure_when_it_is_allowed_to() {
    let config = Config::builder()
        .add_roots(roots().vouching_for_azure(true))
        .build()
        .unwrap();
    connect_named(&config, "azure-name", AZURE_NAME).unwrap();
}

#[test]
fn a_session_does_not_carry_a_private_root_over_to_azure() {
    let server = ServerOptions::certificate("azure-name").config();
    let config = Config::builder()
        .add_roots(roots().vouching_for_azure(true))
        .build()
        .unwrap();
    Pair::named(&config, &server, AZURE_NAME)
        .handshake()
        .unwrap();
    let forbidden = config
        .with_roots(Roots::azure().with_added(roots()))
        .unwrap();
    let error = Pair::named(&forbidden, &server, AZURE_NAME)
        .exchange()
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::RootNotForAzure, "{error:?}");
}

#[test]
fn a_revoked_certificate_is_refused_only_by_those_who_have_the_list() {
    let lists = RevocationLists::from_pem(fixture::revocation_lists().as_bytes()).unwrap();
    assert_eq!(lists.len(), 2);
    let informed = builder().revocation_lists(lists).build().unwrap();
    let error = connect(&informed, "revoked").unwrap_err();
    assert_error(
        &error,
        ErrorCode::CertificateRevoked,
        Some("certificate_revoked"),
        "revoked",
    );
    connect(&informed, "ecdsa").unwrap();
    connect(&builder().build().unwrap(), "revoked").unwrap();
}

#[test]
fn a_certificate_that_no_list_speaks_of_is_refused_only_when_its_status_is_required() {
    let lists = RevocationLists::from_pem(fixture::revocation_lists().as_bytes()).unwrap();
    let relaxed = builder().revocation_lists(lists.clone()).build().unwrap();
    connect(&relaxed, "ecdsa-p384").unwrap();
    let strict = builder()
        .revocation_lists(lists)
        .require_revocation_status(true)
        .build()
        .unwrap();
    connect(&strict, "ecdsa").unwrap();
    let error = connect(&strict, "ecdsa-p384").unwrap_err();
    assert_error(
        &error,
        ErrorCode::RevocationUnknown,
        error.alert().map(|alert| alert.name()),
        "list",
    );
}

#[test]
fn an_outdated_list_still_revokes_but_vouches_for_nobody_when_the_status_is_required() {
    let revoked = fixture::server("revoked");
    let outdated = Authority::rsa().revocation_lists_until(2025, &[revoked]);
    let lists = RevocationLists::from_pem(outdated.as_bytes()).unwrap();
    let relaxed = builder().revocation_lists(lists.clone()).build().unwrap();
    connect(&relaxed, "ecdsa").unwrap();
    assert_eq!(
        connect(&relaxed, "revoked").unwrap_err().code(),
        ErrorCode::CertificateRevoked
    );
    let strict = builder()
        .revocation_lists(lists)
        .require_revocation_status(true)
        .build()
        .unwrap();
    let error = connect(&strict, "ecdsa").unwrap_err();
    assert_error(
        &error,
        ErrorCode::RevocationUnknown,
        error.alert().map(|alert| alert.name()),
        "2025",
    );
}

#[test]
fn a_client_certificate_is_no_server_certificate() {
    let credential = Box::leak(Box::new(
        Authority::rsa().issue(&Request::client(KeyKind::P256, "localhost")),
    ));
    let options = ServerOptions {
        credential,
        ..ServerOptions::default()
    };
    let error = Pair::new(&builder().build().unwrap(), &options.config())
        .exchange()
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::CertificateRejected, "{error:?}");
}

#[test]
fn a_chain_without_its_intermediate_is_an_unknown_root_whose_hint_speaks_of_it() {
    let full = fixture::server("rsa");
    let credential = Box::leak(Box::new(full.with_issuers(String::new())));
    let options = ServerOptions {
        credential,
        ..ServerOptions::default()
    };
    let error = Pair::new(&builder().build().unwrap(), &options.config())
        .exchange()
        .unwrap_err();
    assert_error(
        &error,
        ErrorCode::UnknownRoot,
        Some("unknown_ca"),
        "intermediate",
    );
}

/// A server whose intermediate two roots have signed, in either order: there are two paths.
fn cross_signed(certificate: &str) -> [ServerOptions; 2] {
    let first = Authority::rsa().intermediate();
    let second = Authority::rsa().cross_signed_by(Authority::ecdsa());
    [first.clone() + &second, second + &first].map(|issuers| ServerOptions {
        credential: Box::leak(Box::new(fixture::server(certificate).with_issuers(issuers))),
        ..ServerOptions::default()
    })
}

#[test]
fn a_second_path_is_tried_when_the_first_ends_in_a_root_that_is_not_pinned() {
    for pinned in [Authority::rsa(), Authority::ecdsa()] {
        let config = builder().pin(pin(pinned)).build().unwrap();
        for options in cross_signed("rsa") {
            let mut pair = Pair::new(&config, &options.config());
            pair.handshake().unwrap();
            let agreed = pair.client.negotiated().unwrap();
            let root = agreed.root().unwrap();
            assert_eq!(root.spki_sha256(), pin(pinned).spki_sha256());
        }
    }
}

#[test]
fn a_second_path_is_tried_when_the_first_root_may_not_vouch_for_azure() {
    let allowed = Roots::from_pem(Authority::ecdsa().root().as_bytes()).unwrap();
    let roots = Roots::from_pem(Authority::rsa().root().as_bytes()).unwrap();
    let roots = roots.with_added(allowed.vouching_for_azure(true));
    let config = Config::builder().add_roots(roots).build().unwrap();
    for options in cross_signed("azure-name") {
        let mut pair = Pair::named(&config, &options.config(), AZURE_NAME);
        pair.handshake().unwrap();
    }
}

#[test]
fn another_tls_stack_is_told_of_a_server_what_a_handshake_says() {
    let lists = RevocationLists::from_pem(fixture::revocation_lists().as_bytes()).unwrap();
    let config = Config::builder()
        .add_roots(roots())
        .revocation_lists(lists)
        .build()
        .unwrap();
    for (certificate, name) in [
        ("rsa", "localhost"),
        ("ecdsa-p384", "127.0.0.1"),
        ("wrong-name", "localhost"),
        ("expired", "localhost"),
        ("not-yet-valid", "localhost"),
        ("revoked", "localhost"),
        ("azure-name", AZURE_NAME),
    ] {
        let chain = certificates(certificate);
        let verified = config.verify_server(&chain, Some(name));
        let shaken = connect_named(&config, certificate, name);
        assert_eq!(verified.err(), shaken.err(), "{certificate}");
    }
    let error = config.verify_server(&certificates("rsa"), Some("no name"));
    assert_eq!(error.unwrap_err().code(), ErrorCode::InvalidServerName);
    let error = config.verify_server(&[] as &[Vec<u8>], Some("localhost"));
    assert_eq!(error.unwrap_err().code(), ErrorCode::InvalidArgument);
}

#[test]
fn without_a_name_only_a_root_that_vouches_for_any_is_enough() {
    let chain = certificates("rsa");
    let config = builder().build().unwrap();
    let error = config.verify_server(&chain, None).unwrap_err();
    assert_error(
        &error,
        ErrorCode::RootNotForAzure,
        error.alert().map(|alert| alert.name()),
        "any name",
    );
    let config = Config::builder().roots(roots().vouching_for_azure(true));
    let config = config.build().unwrap();
    config.verify_server(&chain, None).unwrap();
}

/// What the server shows, as DER.
fn certificates(certificate: &str) -> Vec<Vec<u8>> {
    let chain = fixture::server(certificate).chain();
    CertificateDer::pem_slice_iter(chain.as_bytes())
        .map(|der| der.unwrap().to_vec())
        .collect()
}
