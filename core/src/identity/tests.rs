use data_encoding::BASE64;
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512};
use rcgen::{PKCS_ED25519, PKCS_RSA_SHA256, date_time_ymd};
use x509_parser::asn1_rs::{Integer, OctetString, Sequence};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::AlgorithmIdentifier;

use super::*;
use crate::testing::{Party, ders, failure, params};

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = BASE64.encode(der);
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
}

/// A key in the form that came before PKCS#8: what PKCS#8 wraps.
fn unwrapped(party: &Party) -> Vec<u8> {
    let (_, sequence) = Sequence::from_der(party.key.serialized_der()).unwrap();
    let (rest, _) = Integer::from_der(&sequence.content).unwrap();
    let (rest, _) = AlgorithmIdentifier::from_der(rest).unwrap();
    let (_, key) = OctetString::from_der(rest).unwrap();
    key.as_ref().to_vec()
}

#[test]
fn every_supported_key_is_read_in_every_form() {
    for (algorithm, name, label) in [
        (&PKCS_ECDSA_P256_SHA256, "P-256", Some("EC PRIVATE KEY")),
        (&PKCS_ECDSA_P384_SHA384, "P-384", Some("EC PRIVATE KEY")),
        (&PKCS_RSA_SHA256, "RSA-2048", Some("RSA PRIVATE KEY")),
        (&PKCS_ED25519, "Ed25519", None),
    ] {
        let party = Party::self_signed(params("device", false), algorithm);
        let chain = party.pem();
        let pkcs8 = party.key.serialized_der();
        let mut identities = vec![
            Identity::from_pem(chain.as_bytes(), pem("PRIVATE KEY", pkcs8).as_bytes(), None),
            Identity::from_der(&[party.der()], pkcs8, None),
            Identity::from_pem(
                chain.as_bytes(),
                party.key.serialize_pem().as_bytes(),
                Some("not needed"),
            ),
        ];
        if let Some(label) = label {
            let old = unwrapped(&party);
            identities.push(Identity::from_der(&[party.der()], &old, None));
            let old = pem(label, &old);
            identities.push(Identity::from_pem(chain.as_bytes(), old.as_bytes(), None));
        }
        for identity in identities {
            let identity = identity.unwrap();
            assert_eq!(identity.key_algorithm(), name);
            assert_eq!(identity.subject(), "device");
            assert_eq!(ders(&identity), [party.der()]);
            assert_eq!(identity.certified_key().cert.len(), 1);
        }
    }
}

#[cfg(not(feature = "encrypted-keys"))]
#[test]
fn without_encrypted_keys_one_is_refused_and_told_apart_from_damage() {
    let party = Party::root("device");
    // Some algorithm, and octets.
    let der = b"\x30\x0A\x30\x05\x06\x03\x2A\x03\x04\x04\x01\x00";
    let text = pem("ENCRYPTED PRIVATE KEY", der);
    for result in [
        Identity::from_der(&[party.der()], der, Some("right")),
        Identity::from_pem(party.pem().as_bytes(), text.as_bytes(), None),
    ] {
        let error = failure(result, ErrorCode::UnsupportedByEngine);
        assert!(error.hint().contains("`encrypted-keys`"), "{error}");
        assert!(error.hint().contains("openssl pkey"), "{error}");
    }
}

#[cfg(not(feature = "pkcs12"))]
#[test]
fn without_pkcs12_files_of_it_are_refused() {
    let result = Identity::from_pkcs12(b"", None);
    let error = failure(result, ErrorCode::UnsupportedByEngine);
    assert!(error.hint().contains("openssl pkcs12"), "{error}");
}

#[test]
fn a_key_that_cannot_be_read_gets_help() {
    let party = Party::root("device");
    let chain = party.pem();
    let plain = party.key.serialize_pem();
    let old = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAA==\n-----END EC PRIVATE KEY-----\n";
    for (key, code, help) in [
        (old, ErrorCode::InvalidKey, "openssl pkcs8 -topk8"),
        (&chain, ErrorCode::InvalidKey, "swapped"),
        ("", ErrorCode::InvalidKey, "empty"),
        (&plain.repeat(2), ErrorCode::InvalidKey, "only the one"),
        (
            &plain.replace("-----END", "END"),
            ErrorCode::InvalidKey,
            "intact",
        ),
        (
            &pem("PRIVATE KEY", &[0x30, 0]),
            ErrorCode::InvalidKey,
            "use RSA",
        ),
        (
            &pem("OPENSSH PRIVATE KEY", &[0]),
            ErrorCode::InvalidKey,
            "ssh-keygen",
        ),
        (
            &pem("DSA PRIVATE KEY", &[0]),
            ErrorCode::UnsupportedKeyType,
            "use RSA",
        ),
    ] {
        let error = failure(
            Identity::from_pem(chain.as_bytes(), key.as_bytes(), None),
            code,
        );
        assert!(error.hint().contains(help), "{error}");
    }
    for der in [&[][..], &[0x30, 0x80], plain.as_bytes(), party.der()] {
        failure(
            Identity::from_der(&[party.der()], der, None),
            ErrorCode::InvalidKey,
        );
    }
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519] {
        let other = Party::self_signed(params("other", false), algorithm);
        let result = Identity::from_der(
            &[Party::root("device").der()],
            other.key.serialized_der(),
            None,
        );
        let error = failure(result, ErrorCode::KeyMismatch);
        assert!(error.message().contains("device"), "{error}");
    }
}

#[test]
fn an_unsupported_kind_of_key_is_named() {
    let party = Party::self_signed(params("device", false), &PKCS_ECDSA_P521_SHA512);
    let result = Identity::from_der(&[party.der()], party.key.serialized_der(), None);
    let error = failure(result, ErrorCode::UnsupportedKeyType);
    assert!(error.message().contains("P-521"), "{error}");
    assert!(error.hint().contains("2048 to 4096"), "{error}");

    let p256 = Party::root("device");
    let mut other = p256.key.serialized_der().to_vec();
    let ec = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
    let at = other.windows(7).position(|bytes| bytes == ec).unwrap();
    other[at + 6] = 0x63;
    let result = Identity::from_der(&[p256.der()], &other, None);
    failure(result, ErrorCode::UnsupportedKeyType);
}

#[test]
fn rsa_keys_are_of_2048_to_4096_bits() {
    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82, length[0], length[1]], content].concat()
    }
    let kind = |bits: usize| {
        let mut modulus = vec![0xFF; bits.div_ceil(8)];
        modulus[0] >>= bits.div_ceil(8) * 8 - bits;
        if modulus[0] >= 0x80 {
            modulus.insert(0, 0);
        }
        let key = tlv(
            0x30,
            &[tlv(0x02, &modulus), vec![0x02, 3, 1, 0, 1]].concat(),
        );
        let algorithm = b"\x30\x0D\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01\x05\x00";
        let key = tlv(0x03, &[&[0], key.as_slice()].concat());
        let spki = tlv(0x30, &[algorithm.as_slice(), &key].concat());
        let (_, spki) = x509_parser::x509::SubjectPublicKeyInfo::from_der(&spki).unwrap();
        KeyKind::of(&spki)
    };
    for bits in [2048, 2049, 3072, 4096] {
        assert_eq!(kind(bits).unwrap(), KeyKind::Rsa { bits });
    }
    for bits in [1024, 2047, 4097, 8192] {
        let error = failure(kind(bits), ErrorCode::UnsupportedKeyType);
        assert!(error.message().contains(&bits.to_string()), "{error}");
    }
}

#[test]
fn an_empty_chain_is_refused() {
    let party = Party::root("device");
    let key = party.key.serialize_pem();
    let result = Identity::from_pem(b"", key.as_bytes(), None);
    failure(result, ErrorCode::EmptyChain);
    let result = Identity::from_pem(key.as_bytes(), party.pem().as_bytes(), None);
    let error = failure(result, ErrorCode::EmptyChain);
    assert!(error.hint().contains("swapped"), "{error}");
    let none: &[&[u8]] = &[];
    let result = Identity::from_der(none, party.key.serialized_der(), None);
    failure(result, ErrorCode::EmptyChain);
}

#[test]
fn a_certificate_of_the_chain_that_cannot_be_read_is_named() {
    let party = Party::root("device");
    let result = Identity::from_der(&[party.der(), b"?"], party.key.serialized_der(), None);
    let error = failure(result, ErrorCode::InvalidCertificate);
    assert!(error.message().contains("certificate 2 of 2"), "{error}");
}

#[test]
fn a_chain_may_end_with_its_root_and_share_a_file_with_the_key() {
    let root = Party::root("root");
    let between = root.authority("between");
    let leaf = between.leaf("device");
    let all = leaf.key.serialize_pem() + &leaf.pem() + &between.pem() + &root.pem();
    let identity = Identity::from_pem(all.as_bytes(), all.as_bytes(), None).unwrap();
    assert_eq!(ders(&identity), [leaf.der(), between.der(), root.der()]);
    let shorter = Identity::from_der(
        &[leaf.der(), between.der()],
        leaf.key.serialized_der(),
        None,
    );
    assert_eq!(shorter.unwrap().chain().len(), 2);
}

#[test]
fn a_chain_out_of_order_is_refused_and_the_certificate_named() {
    let root = Party::root("root");
    let between = root.authority("between");
    let leaf = between.leaf("device");
    let namesake = Party::root("root").authority("between");
    for (chain, words) in [
        (
            &[&root, &between, &leaf][..],
            &["reverse", "authority `root`"][..],
        ),
        (
            &[&leaf, &root, &between],
            &["certificate 2 (`root`)", "issuer is `between`"],
        ),
        (
            &[&leaf, &between, &leaf],
            &["certificate 3 (`device`)", "issuer is `root`"],
        ),
        (&[&leaf, &namesake], &["another key"]),
        (&[&between, &root], &["begins with `between`"]),
    ] {
        let ders: Vec<_> = chain.iter().map(|party| party.der()).collect();
        let key = match words {
            ["begins with `between`"] => &root.key,
            _ => &leaf.key,
        };
        let result = Identity::from_der(&ders, key.serialized_der(), None);
        let error = failure(result, ErrorCode::ChainOutOfOrder);
        for word in words {
            assert!(error.message().contains(word), "{error}");
        }
    }
}

#[test]
fn validity_is_told_of_the_whole_chain() {
    let mut ca = params("ca", true);
    ca.not_before = date_time_ymd(2020, 1, 1);
    ca.not_after = date_time_ymd(2030, 1, 1);
    let ca = Party::self_signed(ca, &PKCS_ECDSA_P256_SHA256);
    let mut leaf = params("device", false);
    leaf.not_before = date_time_ymd(2025, 1, 1);
    leaf.not_after = date_time_ymd(2040, 1, 1);
    let leaf = ca.issue(leaf, &PKCS_ECDSA_P256_SHA256);
    let identity =
        Identity::from_der(&[leaf.der(), ca.der()], leaf.key.serialized_der(), None).unwrap();
    let (start, end) = (1_735_689_600, 1_893_456_000);
    assert_eq!(identity.chain()[0].not_before(), Some(start));
    assert!(identity.chain()[0].not_after() > Some(end));

    let error = failure(
        identity.check_validity(start - 1),
        ErrorCode::IdentityNotYetValid,
    );
    assert!(error.message().contains("2025"), "{error}");
    assert!(error.hint().contains("clock"), "{error}");
    assert!(identity.check_validity(start).is_ok());
    assert!(identity.check_validity(end).is_ok());
    let error = failure(identity.check_validity(end + 1), ErrorCode::IdentityExpired);
    assert!(error.message().contains("certificate 2"), "{error}");
    assert!(error.message().contains("2030"), "{error}");
    let error = failure(
        identity.check_validity(u64::MAX),
        ErrorCode::IdentityExpired,
    );
    assert!(error.message().contains("2040"), "{error}");
}

#[test]
fn an_identity_shows_no_key() {
    let party = Party::root("device");
    let identity = Identity::from_der(&[party.der()], party.key.serialized_der(), None).unwrap();
    assert_eq!(
        format!("{identity:?}"),
        r#"Identity { subject: "device", key_algorithm: "P-256", certificates: 1, .. }"#
    );
    let key = format!("{:?}", identity.certified_key().key);
    assert_eq!(key, "EcdsaSigningKey { algorithm: ECDSA }");
}

#[test]
fn an_identity_is_shared_by_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Identity>();
}
