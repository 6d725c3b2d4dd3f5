use super::*;
use std::collections::HashSet;

/// The facts of IoT Hub's documentation and IANA's registry, copied by hand and not from the table.
const RECOMMENDED: [(&str, u16, &str); 8] = [
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        0xC02B,
        "ECDHE-ECDSA-AES128-GCM-SHA256",
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        0xC02C,
        "ECDHE-ECDSA-AES256-GCM-SHA384",
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        0xC023,
        "ECDHE-ECDSA-AES128-SHA256",
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
        0xC024,
        "ECDHE-ECDSA-AES256-SHA384",
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        0xC02F,
        "ECDHE-RSA-AES128-GCM-SHA256",
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        0xC030,
        "ECDHE-RSA-AES256-GCM-SHA384",
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        0xC027,
        "ECDHE-RSA-AES128-SHA256",
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
        0xC028,
        "ECDHE-RSA-AES256-SHA384",
    ),
];
const RETIRED: [(&str, u16); 10] = [
    ("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", 0x009F),
    ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 0x009E),
    ("TLS_RSA_WITH_AES_256_GCM_SHA384", 0x009D),
    ("TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009C),
    ("TLS_RSA_WITH_AES_256_CBC_SHA256", 0x003D),
    ("TLS_RSA_WITH_AES_128_CBC_SHA256", 0x003C),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xC013),
    ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", 0xC014),
    ("TLS_RSA_WITH_AES_128_CBC_SHA", 0x002F),
    ("TLS_RSA_WITH_AES_256_CBC_SHA", 0x0035),
];

#[test]
fn the_table_agrees_with_every_documented_fact() {
    for (iana, code, openssl) in RECOMMENDED {
        let suite = CipherSuite::from_name(iana).unwrap();
        assert_eq!((suite.code(), suite.openssl_name()), (code, openssl));
        assert_eq!(
            (suite.version(), suite.strength()),
            (Version::Tls12, Strength::Recommended)
        );
    }
    for (iana, code) in RETIRED {
        let suite = CipherSuite::from_name(iana).unwrap();
        assert_eq!((suite.iana_name(), suite.code()), (iana, code));
        assert_eq!(
            (suite.version(), suite.strength()),
            (Version::Tls12, Strength::Retired)
        );
    }
    for (iana, code) in [
        ("TLS_AES_128_GCM_SHA256", 0x1301),
        ("TLS_AES_256_GCM_SHA384", 0x1302),
    ] {
        let suite = CipherSuite::from_name(iana).unwrap();
        assert_eq!((suite.code(), suite.openssl_name()), (code, iana));
        assert_eq!(
            (suite.version(), suite.strength()),
            (Version::Tls13, Strength::Recommended)
        );
    }
    assert_eq!(
        CipherSuite::all().len(),
        RECOMMENDED.len() + RETIRED.len() + 2
    );
}

#[test]
fn properties_and_names_follow_from_the_iana_name() {
    for suite in CipherSuite::all() {
        let iana = suite.iana_name();
        let key_exchange = match iana.split_once("_WITH_").map(|(before, _)| before) {
            None => (KeyExchange::Tls13, Authentication::Any),
            Some("TLS_ECDHE_ECDSA") => (KeyExchange::Ecdhe, Authentication::Ecdsa),
            Some("TLS_ECDHE_RSA") => (KeyExchange::Ecdhe, Authentication::Rsa),
            Some("TLS_DHE_RSA") => (KeyExchange::Dhe, Authentication::Rsa),
            Some("TLS_RSA") => (KeyExchange::Rsa, Authentication::Rsa),
            Some(other) => panic!("{other}"),
        };
        assert_eq!(
            (suite.key_exchange(), suite.authentication()),
            key_exchange,
            "{iana}"
        );
        let mode = if iana.contains("_GCM_") {
            Mode::Gcm
        } else {
            Mode::Cbc
        };
        assert_eq!(suite.mode(), mode, "{iana}");
        let gnutls = iana.replace("_WITH_", "_");
        let gnutls = gnutls
            .strip_suffix("_SHA")
            .map_or(gnutls.clone(), |stem| format!("{stem}_SHA1"));
        assert_eq!(suite.gnutls_name(), gnutls);
        assert_eq!(suite.jsse_name(), iana);
    }
}

#[test]
fn every_suite_is_found_by_each_of_its_names_and_by_its_code_in_any_case() {
    for &suite in CipherSuite::all() {
        let [high, low] = suite.code().to_be_bytes();
        for name in [
            suite.iana_name().into(),
            suite.openssl_name().to_owned(),
            suite.gnutls_name().into(),
            suite.jsse_name().into(),
            format!("0x{:04x}", suite.code()),
            format!("0x{high:02X},0x{low:02X}"),
            format!("0x{high:02x}, 0x{low:02x}"),
        ] {
            for spelling in [
                name.to_lowercase(),
                name.to_uppercase().replace("0X", "0x"),
                name.replace('-', "_"),
            ] {
                assert_eq!(CipherSuite::from_name(&spelling), Ok(suite), "{spelling}");
            }
        }
        assert_eq!(CipherSuite::from_code(suite.code()), Some(suite));
    }
}

#[test]
fn no_two_suites_share_a_code_or_a_name() {
    let codes: HashSet<_> = CipherSuite::all()
        .iter()
        .map(|suite| suite.code())
        .collect();
    assert_eq!(codes.len(), 20);
    for name in [
        CipherSuite::iana_name,
        CipherSuite::openssl_name,
        CipherSuite::gnutls_name,
    ] {
        let names: HashSet<_> = CipherSuite::all()
            .iter()
            .map(|&suite| name(suite))
            .collect();
        assert_eq!(names.len(), 20);
    }
}

#[test]
fn a_near_miss_is_answered_with_the_name_that_was_meant() {
    for (wrong, meant) in [
        (
            "TLS_ECDHE_ECDSA_WITH_AES128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        ),
        ("ECDHE-RSA-AES256-GCM-SHA348", "ECDHE-RSA-AES256-GCM-SHA384"),
        (
            "tls_ecdhe_rsa_aes_128_gmc_sha256",
            "TLS_ECDHE_RSA_AES_128_GCM_SHA256",
        ),
        (
            "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
            "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        ),
    ] {
        let error = CipherSuite::from_name(wrong).unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnknownSuite);
        assert!(error.message().contains(wrong), "{error}");
        assert_eq!(error.hint(), format!("did you mean {meant}?"));
    }
}

#[test]
fn a_near_miss_of_a_retired_suite_says_that_it_is_retired() {
    let error = CipherSuite::from_name("AES128-SHA1").unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnknownSuite);
    assert_eq!(
        error.hint(),
        "did you mean AES128-SHA? IoT Hub retired that one on 2025-08-31"
    );
}

#[test]
fn a_suite_that_is_neither_recommended_nor_retired_is_unknown() {
    for name in [
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256",
        "RC4-MD5",
        "0x1303",
        "0x",
        "0x+02B",
        "0xC0,2B",
        "",
    ] {
        let error = CipherSuite::from_name(name).unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnknownSuite, "{name}");
        assert!(error.message().contains(name), "{error}");
        assert!(
            error
                .hint()
                .contains("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
            "{error}"
        );
    }
    assert_eq!(CipherSuite::from_code(0x1303), None);
}

#[test]
fn versions_are_read_in_every_usual_spelling() {
    for name in [
        "TLSv1.2", "tls1.2", "1.2", "TLS 1.2", "TLS-1.2", "TLSv1_2", "Tls12",
    ] {
        assert_eq!(Version::from_name(name), Ok(Version::Tls12), "{name}");
    }
    for &version in Version::ALL {
        assert_eq!(Version::from_name(version.name()), Ok(version));
        assert_eq!(Version::from_code(version.code()), Some(version));
    }
    assert_eq!(Version::from_code(0x0302), None);
}

#[test]
fn an_old_version_widens_and_any_other_name_is_unknown() {
    for name in ["TLSv1.1", "1.0", "TLSv1", "tls10", "SSLv3", "ssl"] {
        let error = Version::from_name(name).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PolicyWidened, "{name}");
        assert!(error.message().contains(name), "{error}");
    }
    for name in ["", "TLSv1.4", "DTLSv1.2", "2"] {
        let error = Version::from_name(name).unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnknownVersion, "{name}");
    }
}
