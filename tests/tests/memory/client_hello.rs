//! The bytes that a Connection sends first, compared with the policy's table.

use hubtls::{Config, ConfigBuilder, Connection, Group, Policy, Sni};
use hubtls_tests::client::{builder, config};
use hubtls_tests::client_hello::ClientHello;

const RENEGOTIATION_SCSV: u16 = 0x00ff;
const MLKEM_HYBRID: u16 = 0x11ec;

fn hello(config: &Config, name: &str) -> ClientHello {
    let mut connection = Connection::new(config, name).unwrap();
    let mut wire = vec![0; 8192];
    let length = connection.transmit(&mut wire);
    assert!(length < wire.len(), "one flight");
    ClientHello::parse(&wire[..length])
}

fn hello_of(builder: ConfigBuilder) -> ClientHello {
    hello(&builder.build().unwrap(), "hub.example")
}

fn policies() -> Vec<Policy> {
    let narrowed = Policy::default()
        .only_groups(&[Group::Secp256r1, Group::Secp384r1])
        .unwrap();
    Policy::all().iter().cloned().chain([narrowed]).collect()
}

#[test]
fn the_suites_are_exactly_the_policys_in_its_order_and_the_renegotiation_signal() {
    for policy in policies() {
        let offered = hello_of(builder().policy(policy.clone())).suites;
        let own = policy.suites().iter().map(|suite| suite.code());
        let expected: Vec<_> = own.chain([RENEGOTIATION_SCSV]).collect();
        assert_eq!(offered, expected, "{}", policy.name());
    }
}

#[test]
fn the_versions_are_the_policys() {
    for policy in policies() {
        let hello = hello_of(builder().policy(policy.clone()));
        let mut expected: Vec<_> = policy
            .versions()
            .iter()
            .map(|version| version.code())
            .collect();
        expected.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(hello.versions(), expected, "{}", policy.name());
        assert_eq!(hello.legacy_version, 0x0303);
    }
}

#[test]
fn the_groups_are_the_policys_in_its_order() {
    for policy in policies() {
        let hello = hello_of(builder().policy(policy.clone()));
        let expected: Vec<_> = policy.groups().iter().map(|group| group.code()).collect();
        assert_eq!(hello.groups(), expected, "{}", policy.name());
    }
}

#[test]
fn the_signature_schemes_are_the_policys_in_its_order() {
    for policy in policies() {
        let hello = hello_of(builder().policy(policy.clone()));
        let expected: Vec<_> = policy
            .signature_schemes()
            .iter()
            .map(|scheme| scheme.code())
            .collect();
        assert_eq!(hello.signature_schemes(), expected, "{}", policy.name());
    }
}

#[test]
fn the_ecc_policy_keeps_rsa_signatures_for_the_chain() {
    let schemes = hello(&config("iothub-ecc"), "hub.example").signature_schemes();
    assert!(schemes.contains(&0x0401), "{schemes:04x?}");
}

#[test]
fn the_first_group_has_the_only_key_share() {
    let hello = hello_of(builder());
    assert_eq!(hello.key_shares(), hello.groups()[..1]);
}

#[test]
fn the_name_that_is_verified_is_sent() {
    assert_eq!(
        hello(&config("iothub"), "hub.example")
            .server_name()
            .as_deref(),
        Some("hub.example")
    );
}

#[test]
fn no_address_is_ever_sent_as_a_name() {
    for address in ["127.0.0.1", "::1", "192.0.2.7"] {
        assert_eq!(
            hello(&config("iothub"), address).server_name(),
            None,
            "{address}"
        );
    }
}

#[test]
fn a_complete_name_is_sent_without_its_final_dot() {
    let hello = hello(&config("iothub"), "hub.example.");
    assert_eq!(hello.server_name().as_deref(), Some("hub.example"));
}

#[test]
fn no_name_is_sent_when_that_is_switched_off() {
    assert_eq!(hello_of(builder().sni(Sni::Off)).server_name(), None);
}

#[test]
fn another_name_is_sent_when_one_is_given() {
    let hello = hello_of(builder().sni(Sni::Named("gateway.example".to_owned())));
    assert_eq!(hello.server_name().as_deref(), Some("gateway.example"));
}

#[test]
fn protocols_are_offered_in_the_given_order_and_otherwise_not_at_all() {
    let hello = hello_of(builder().alpn(["x-amzn-mqtt-ca", "mqtt"]));
    assert_eq!(
        hello.protocols(),
        [b"x-amzn-mqtt-ca".to_vec(), b"mqtt".to_vec()]
    );
    assert_eq!(hello_of(builder()).extension(16), None);
}

#[test]
fn a_device_that_does_not_ask_sends_no_post_quantum_share() {
    let hello = hello_of(builder());
    assert!(!hello.groups().contains(&MLKEM_HYBRID));
    assert!(hello.wire_length < 400, "{} bytes", hello.wire_length);
}

#[test]
fn the_post_quantum_share_is_sent_first_when_asked_for() {
    let hello = hello_of(builder().post_quantum(true));
    assert_eq!(hello.groups().first(), Some(&MLKEM_HYBRID));
    assert!(hello.key_shares().contains(&MLKEM_HYBRID));
    assert!(
        (1200..2000).contains(&hello.wire_length),
        "{} bytes",
        hello.wire_length
    );
}

#[test]
fn only_known_extensions_are_sent() {
    // server_name, status_request, supported_groups, ec_point_formats, signature_algorithms, extended_main_secret, session_ticket,
    // supported_versions, psk_key_exchange_modes, key_share.
    let known = [0, 5, 10, 11, 13, 23, 35, 43, 45, 51];
    for policy in policies() {
        for (number, _) in hello_of(builder().policy(policy)).extensions {
            assert!(known.contains(&number), "extension {number}");
        }
    }
}

#[test]
fn two_hellos_differ_in_their_random() {
    let config = config("iothub");
    let wire = || {
        let mut buffer = [0; 4096];
        let length = Connection::new(&config, "hub.example")
            .unwrap()
            .transmit(&mut buffer);
        buffer[..length].to_vec()
    };
    assert_ne!(wire()[11..43], wire()[11..43]);
}
