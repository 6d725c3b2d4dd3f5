use rcgen::{IsCa, KeyUsagePurpose};

use super::*;
use crate::certificate;
use crate::testing::{Party, failure, hex, params};

const DAY: u64 = 86_400;

#[test]
fn azures_roots_are_the_two_that_the_requirements_name() {
    let roots = Roots::azure();
    let facts: Vec<_> = roots
        .iter()
        .map(|root| {
            (
                root.subject(),
                hex(&root.sha256().unwrap()),
                root.not_after().unwrap() / DAY,
            )
        })
        .collect();
    assert_eq!(
        facts,
        [
            (
                "DigiCert Global Root G2",
                "CB:3C:CB:B7:60:31:E5:E0:13:8F:8D:D3:9A:23:F9:DE:47:FF:C3:5E:43:C1:14:4C:EA:27:D4:6A:5A:B1:CB:5F".to_owned(),
                24_851, // 2038-01-15
            ),
            (
                "Microsoft RSA Root Certificate Authority 2017",
                "C7:41:F7:0F:4B:2A:8D:88:BF:2E:71:C1:41:22:EF:53:EF:10:EB:A0:CF:A5:E6:4C:FA:20:F4:18:85:30:73:E0".to_owned(),
                26_496, // 2042-07-18
            ),
        ]
    );
}

#[test]
fn the_shipped_roots_are_those_of_webpki_roots() {
    for root in &Roots::embedded() {
        assert!(
            webpki_roots::TLS_SERVER_ROOTS.contains(root.anchor()),
            "{} is not, or not the same, in webpki-roots",
            root.subject()
        );
    }
}

#[test]
fn the_table_of_shipped_roots_says_what_their_certificates_say() {
    let embedded = Roots::embedded();
    assert_eq!(embedded.len(), 4);
    for root in &embedded {
        let pem = root.pem().unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
        let parsed = Roots::from_pem(pem.as_bytes()).unwrap();
        let parsed = &parsed.0[0];
        assert_eq!(root.subject, parsed.subject);
        assert_eq!(root.organization, parsed.organization);
        assert_eq!(root.sha256, parsed.sha256);
        assert_eq!(root.spki_sha256, parsed.spki_sha256);
        assert_eq!(root.validity, parsed.validity);
        assert_eq!(root.anchor, parsed.anchor);
        assert_eq!(parsed.pem().unwrap(), pem);
    }
}

#[test]
fn every_root_of_every_policy_is_shipped() {
    for policy in Policy::all() {
        let roots = Roots::of_policy(policy);
        assert_eq!(roots.len(), policy.roots().len(), "{}", policy.name());
    }
}

#[test]
fn a_bundle_is_read_with_comments_and_duplicates_are_merged() {
    let (one, two) = (Party::root("one"), Party::root("two"));
    let bundle = format!(
        "# one\n{}subject=two\r\n{}\n# again\n{}",
        one.pem(),
        two.pem(),
        one.pem()
    );
    let roots = Roots::from_pem(bundle.as_bytes()).unwrap();
    let subjects: Vec<_> = roots.iter().map(Root::subject).collect();
    assert_eq!(subjects, ["one", "two"]);
    let ders = Roots::from_der(&[one.der(), two.der()]).unwrap();
    assert_eq!(ders.len(), 2);
    assert!(roots.iter().all(|root| root.origin() == Origin::Added));
    assert!(!roots.iter().any(Root::vouches_for_azure));
}

#[test]
fn the_bad_certificate_of_a_bundle_is_named() {
    let (root, leaf) = (Party::root("the root"), Party::root("x").leaf("the leaf"));
    let bundle = root.pem() + &leaf.pem();
    let error = failure(
        Roots::from_pem(bundle.as_bytes()),
        ErrorCode::NotACertificateAuthority,
    );
    assert!(error.message().contains("certificate 2 of 2"), "{error}");
    assert!(error.message().contains("the leaf"), "{error}");

    let cut = &root.der()[..root.der().len() - 1];
    let stray = [root.der(), &[0]].concat();
    for bad in [cut, &stray, &[], root.pem().as_bytes()] {
        let error = failure(
            Roots::from_der(&[root.der(), bad]),
            ErrorCode::InvalidCertificate,
        );
        assert!(error.message().contains("certificate 2 of 2"), "{error}");
    }
}

#[test]
fn only_an_authoritys_certificate_becomes_a_root() {
    let alone = Party::self_signed(params("alone", false), &rcgen::PKCS_ECDSA_P256_SHA256);
    let error = failure(
        Roots::from_der(&[alone.der()]),
        ErrorCode::NotACertificateAuthority,
    );
    assert!(error.hint().contains("CA:TRUE"), "{error}");

    let mut explicit = params("explicit", false);
    explicit.is_ca = IsCa::ExplicitNoCa;
    let mut no_signing = params("no signing", true);
    no_signing.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    for params in [explicit, no_signing] {
        let party = Party::self_signed(params, &rcgen::PKCS_ECDSA_P256_SHA256);
        failure(
            Roots::from_der(&[party.der()]),
            ErrorCode::NotACertificateAuthority,
        );
    }
    let intermediate = Party::root("root").authority("intermediate");
    assert_eq!(Roots::from_der(&[intermediate.der()]).unwrap().len(), 1);
}

#[test]
fn a_self_issued_certificate_of_version_1_becomes_a_root() {
    // A version 3 certificate without the version and the extensions is one of version 1: nothing here checks its signature.
    let root = Party::root("old");
    let parsed = certificate::parse(root.der()).unwrap();
    let tbs = &parsed.tbs_certificate;
    let body = tbs.as_ref();
    let spki = tbs.subject_pki.raw;
    let end = spki.as_ptr() as usize - body.as_ptr() as usize + spki.len();
    let start = header_len(body) + 5; // [0] { INTEGER 2 }
    let tbs = wrap(&body[start..end]);
    let signature = &root.der()[header_len(root.der()) + body.len()..];
    let version_1 = wrap(&[tbs.as_slice(), signature].concat());

    let roots = Roots::from_der(&[&version_1]).unwrap();
    assert_eq!(roots.0[0].subject(), "old");
    assert!(Pin::of_certificate_der(&version_1).is_ok());
}

fn header_len(der: &[u8]) -> usize {
    2 + usize::from(der[1] & 0x7F)
}

/// A SEQUENCE of 128 to 65,535 bytes.
fn wrap(content: &[u8]) -> Vec<u8> {
    let header = match u8::try_from(content.len()) {
        Ok(length) => vec![0x30, 0x81, length],
        Err(_) => {
            let length = u16::try_from(content.len()).unwrap().to_be_bytes();
            vec![0x30, 0x82, length[0], length[1]]
        }
    };
    [&header, content].concat()
}

#[test]
fn a_bundle_with_a_key_or_without_certificates_gets_help() {
    let root = Party::root("root");
    let with_key = root.pem() + &root.key.serialize_pem();
    let error = failure(
        Roots::from_pem(with_key.as_bytes()),
        ErrorCode::InvalidCertificate,
    );
    assert!(error.message().contains("private key"), "{error}");
    failure(Roots::from_pem(b""), ErrorCode::NoCertificate);
    let error = failure(Roots::from_pem(root.der()), ErrorCode::NoCertificate);
    assert!(error.hint().contains("DER"), "{error}");
    failure(Roots::from_der(&[] as &[&[u8]]), ErrorCode::NoCertificate);
    for none in [&b""[..], b"hello"] {
        failure(Roots::from_pem_or_der(none), ErrorCode::NoCertificate);
    }
}

#[test]
fn a_bundle_is_bounded() {
    let root = Party::root("root").pem();
    failure(
        Roots::from_pem(&vec![b'\n'; MAX_BUNDLE_BYTES + 1]),
        ErrorCode::InvalidArgument,
    );
    failure(
        Roots::from_pem(root.repeat(MAX_CERTIFICATES + 1).as_bytes()),
        ErrorCode::InvalidArgument,
    );
    let most = Roots::from_pem(root.repeat(MAX_CERTIFICATES).as_bytes()).unwrap();
    assert_eq!(most.len(), 1);
}

#[test]
fn roots_are_added_without_losing_what_they_vouch_for() {
    let private = Roots::from_der(&[Party::root("private").der()]).unwrap();
    let again = Roots::from_pem(Roots::azure().0[0].pem().unwrap().as_bytes()).unwrap();
    for roots in [
        Roots::azure().with_added(again.clone()),
        again.with_added(Roots::azure()),
    ] {
        assert_eq!(roots.len(), 2);
        assert!(roots.iter().all(Root::vouches_for_azure));
    }
    let mixed = Roots::azure().with_added(private.clone());
    assert_eq!(mixed.len(), 3);
    let vouching: Vec<_> = mixed.iter().map(Root::vouches_for_azure).collect();
    assert_eq!(vouching, [true, true, false]);
    let all = mixed.clone().vouching_for_azure(true);
    assert!(all.iter().all(Root::vouches_for_azure));
    let vouching = all.vouching_for_azure(false);
    assert_eq!(
        vouching
            .iter()
            .filter(|root| root.vouches_for_azure())
            .count(),
        2
    );
    assert!(Roots::empty().with_added(Roots::empty()).is_empty());
}

#[cfg(feature = "public-web")]
#[test]
fn public_roots_are_merged_with_the_shipped_ones() {
    let public = Roots::public_web();
    assert_eq!(public.len(), webpki_roots::TLS_SERVER_ROOTS.len());
    assert!(public.iter().all(|root| root.subject() != "(no name)"));
    let both = Roots::embedded().with_added(public.clone());
    assert_eq!(both.len(), public.len());
    let known = Roots::azure().0[0].sha256();
    let g2 = both.iter().find(|root| root.sha256() == known);
    assert_eq!(g2.unwrap().origin(), Origin::Embedded);
    assert_eq!(public.readiness(0, 1).independent, 0);
}

#[test]
fn azures_names_are_known_and_look_alikes_are_not() {
    for name in [
        "hub.azure-devices.net",
        "HUB.Azure-Devices.NET",
        "hub.azure-devices.net.",
        "azure-devices.net",
        "a.b.azure-devices.net",
        "global.azure-devices-provisioning.net",
    ] {
        assert!(is_azure_name(name), "{name}");
    }
    for name in [
        "evilazure-devices.net",
        "azure-devices.net.evil.example",
        "hub.azure-devices.net.evil",
        "hub.azure-devices.example",
        "azure-devices-provisioning.example",
        "192.0.2.1",
        "",
        ".",
    ] {
        assert!(!is_azure_name(name), "{name}");
    }
}

#[test]
fn names_in_certificates_cannot_steer_a_terminal() {
    let root = Party::root("evil\u{1b}[2J");
    let roots = Roots::from_der(&[root.der()]).unwrap();
    assert_eq!(roots.0[0].subject(), "evil\u{FFFD}[2J");
}

#[test]
fn roots_are_read_from_pem_or_der_whichever_it_is() {
    let root = Party::root("root");
    for data in [root.pem().as_bytes(), root.der()] {
        let roots = Roots::from_pem_or_der(data).unwrap();
        let certificate = crate::Certificate::from_der(root.der()).unwrap();
        assert_eq!(roots.0[0].fingerprint(), Some(certificate.fingerprint()));
        assert_eq!(Roots::from_der(&[certificate]).unwrap().len(), 1);
    }
    let cut = Roots::from_pem_or_der(&root.der()[..100]);
    failure(cut, ErrorCode::InvalidCertificate);
}

#[test]
fn the_pin_of_a_root_is_that_of_its_certificate() {
    let root = Party::root("root");
    let roots = Roots::from_der(&[root.der()]).unwrap();
    let pin = Pin::of_certificate_der(root.der()).unwrap();
    assert_eq!(roots.0[0].pin(), pin);
}
