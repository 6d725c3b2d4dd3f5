use super::*;
use std::collections::HashSet;

#[test]
fn codes_are_ascending_and_names_unique() {
    assert!(
        ErrorCode::ALL
            .windows(2)
            .all(|pair| pair[0].number() < pair[1].number())
    );
    let names: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), ErrorCode::ALL.len());
}

#[test]
fn only_transport_errors_are_transient() {
    for code in ErrorCode::ALL {
        assert_eq!(
            code.is_transient(),
            (400..500).contains(&code.number()),
            "{code}"
        );
    }
}

#[test]
fn an_error_within_a_file_is_the_same_but_for_the_sentence() {
    let error = Error::new(ErrorCode::InvalidKey, "no key", "give one");
    let error = error.with_alert_received(Alert::from_code(40));
    let within = error.clone().within("device.key");
    assert_eq!(within.message(), "device.key: no key");
    assert_eq!(
        (within.code(), within.hint(), within.alert()),
        (error.code(), error.hint(), error.alert())
    );
    assert!(within.alert_received());
}

#[test]
fn an_alert_was_sent_unless_the_peer_sent_it() {
    let error = Error::new(ErrorCode::UnknownRoot, "who is that", "trust it");
    assert!(!error.alert_received());
    let alert = Alert::from_code(48);
    let received = error.clone().with_alert_received(alert);
    let sent = error.with_alert(Some(alert));
    assert_eq!(sent.alert(), received.alert());
    assert!(received.alert_received() && !sent.alert_received());
}

#[test]
fn an_error_displays_what_is_wrong_and_what_to_do() {
    let error = Error::new(ErrorCode::UnknownSuite, "no such suite", "see the list")
        .with_alert(Some(Alert::from_code(40)));
    assert_eq!(error.to_string(), "no such suite (see the list)");
    assert_eq!(error.alert().map(Alert::name), Some("handshake_failure"));
    assert_eq!(Alert::from_code(200).to_string(), "alert 200");
}
