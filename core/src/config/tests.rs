use super::*;
use crate::clock::Clock;
use crate::error::ErrorCode;
use crate::testing::{Party, failure};
use crate::trust::Pin;

fn private(party: &Party) -> Roots {
    Roots::from_der(&[party.der()]).unwrap()
}

/// Starts with a policy that every build has whole, so that nothing is warned about.
fn whole() -> ConfigBuilder {
    Config::builder().policy(Policy::named("iothub-aead").unwrap())
}

#[cfg(feature = "cbc")]
#[test]
fn the_default_is_the_policy_with_its_roots() {
    let config = Config::builder().build().unwrap();
    assert_eq!(config.policy(), &Policy::default());
    assert_eq!(config.roots().len(), 2);
    assert!(config.identity().is_none());
    assert!(config.warnings().is_empty());
}

#[test]
fn added_roots_add_up_and_replaced_ones_replace() {
    let (one, two) = (Party::root("one"), Party::root("two"));
    let added = Config::builder()
        .add_roots(private(&one))
        .add_roots(private(&two))
        .build()
        .unwrap();
    assert_eq!(added.roots().len(), 4);
    let replaced = Config::builder()
        .roots(private(&one))
        .add_roots(private(&two))
        .build()
        .unwrap();
    assert_eq!(replaced.roots().len(), 2);
}

#[test]
fn a_configuration_that_could_trust_nobody_is_refused() {
    failure(
        Config::builder().roots(Roots::empty()).build(),
        ErrorCode::NoRoots,
    );
    let stranger = Pin::of_certificate_der(Party::root("stranger").der()).unwrap();
    failure(Config::builder().pin(stranger).build(), ErrorCode::NoRoots);
}

#[test]
fn a_new_set_of_roots_must_satisfy_the_pins_as_well() {
    let (one, two) = (Party::root("one"), Party::root("two"));
    let pin = Pin::of_certificate_der(one.der()).unwrap();
    let handle = ConfigHandle::new(
        Config::builder()
            .add_roots(private(&one))
            .pin(pin)
            .build()
            .unwrap(),
    );
    failure(handle.replace_roots(private(&two)), ErrorCode::NoRoots);
    assert_eq!(
        handle.current().roots().len(),
        3,
        "the current configuration stays"
    );
    handle.replace_roots(private(&one)).unwrap();
    assert_eq!(handle.current().roots().len(), 1);
}

#[test]
fn malformed_options_are_refused() {
    for protocols in [
        vec![Vec::new()],
        vec![vec![b'x'; 256]],
        vec![vec![b'x'; 255]; 300],
    ] {
        failure(
            Config::builder().alpn(protocols).build(),
            ErrorCode::InvalidAlpn,
        );
    }
    for name in ["127.0.0.1", "", "a b"] {
        failure(
            Config::builder().sni(Sni::Named(name.into())).build(),
            ErrorCode::InvalidServerName,
        );
    }
    failure(
        Config::builder().require_revocation_status(true).build(),
        ErrorCode::InvalidArgument,
    );
}

#[test]
fn a_policy_that_will_be_regretted_is_warned_about() {
    let policy = Policy::default()
        .only_versions(&[crate::suite::Version::Tls13])
        .unwrap();
    let config = Config::builder().policy(policy).build().unwrap();
    assert!(
        config.warnings()[0].contains("classic hubs"),
        "{:?}",
        config.warnings()
    );
}

#[test]
fn an_expired_client_certificate_is_a_warning_or_an_error_as_wanted() {
    let device = Party::root("authority").leaf("device");
    let pem = (device.pem(), device.key.serialize_pem());
    let identity = Identity::from_pem(pem.0.as_bytes(), pem.1.as_bytes(), None).unwrap();
    for (now, code) in [
        (0, ErrorCode::IdentityNotYetValid),
        (100_000_000_000, ErrorCode::IdentityExpired),
    ] {
        let builder = whole().identity(identity.clone()).clock(Clock::fixed(now));
        let config = builder.clone().build().unwrap();
        assert_eq!(config.warnings().len(), 1);
        failure(builder.refuse_invalid_identity(true).build(), code);
    }
}

#[test]
fn an_expired_client_certificate_does_not_stop_a_change_of_roots() {
    let device = Party::root("authority").leaf("device");
    let pem = (device.pem(), device.key.serialize_pem());
    let identity = Identity::from_pem(pem.0.as_bytes(), pem.1.as_bytes(), None).unwrap();
    let time = Arc::new(std::sync::atomic::AtomicU64::new(
        identity.chain()[0].not_before().unwrap(),
    ));
    let source = time.clone();
    let clock = Clock::from_fn(Arc::new(move || {
        Some(source.load(std::sync::atomic::Ordering::Relaxed))
    }));
    let builder = whole().identity(identity).clock(clock);
    let config = builder.refuse_invalid_identity(true).build().unwrap();
    time.store(100_000_000_000, std::sync::atomic::Ordering::Relaxed);
    let changed = config.with_roots(Roots::embedded()).unwrap();
    assert_eq!(changed.warnings().len(), 1);
}
