//! What a resumed session knows of the agreement.

use super::*;
use hubtls_tests::forger::{Forger, Forgery};
use hubtls_tests::memory::{Resumption, ServerOptions};
use hubtls_tests::wire;

const PRE_SHARED_KEY: u16 = 41;

fn options(version: Version) -> ServerOptions {
    match version {
        Version::Tls12 => ServerOptions::tls12(),
        Version::Tls13 => ServerOptions::tls13(),
    }
}

/// Shakes hands; returns whether the session was resumed, and the agreement.
fn agreement<S: Server>(duo: &mut Duo<S>) -> (bool, Option<FragmentLength>) {
    duo.handshake().unwrap();
    duo.converse(b"a line");
    let negotiated = duo.client.negotiated().unwrap();
    (negotiated.resumed(), negotiated.fragment_length())
}

#[test]
fn a_resumed_session_keeps_its_value_with_openssl() {
    for version in BOTH {
        for &length in FragmentLength::ALL {
            let config = requesting(version, length);
            let context = openssl(version);
            for resumed in [false, true, true] {
                let mut duo = pair(&config, &context);
                assert_eq!(agreement(&mut duo), (resumed, Some(length)));
                let hello = wire::records(&duo.sent)[0].payload.clone();
                let extensions = handshake::extensions(&hello);
                assert!(extensions.contains(&(1, vec![length.code()])));
                let last = extensions.last().unwrap().0;
                assert_eq!(last == PRE_SHARED_KEY, resumed && version == Version::Tls13);
            }
        }
    }
}

#[test]
fn a_resumed_session_keeps_its_value_if_the_server_does_not_repeat_it() {
    for version in BOTH {
        let acknowledgement = extension(&[L512.code()]);
        let (forgery, silent) = match version {
            Version::Tls12 => (
                Forgery::server_hello(acknowledgement),
                Forgery::server_hello(Vec::new()),
            ),
            Version::Tls13 => (
                Forgery::encrypted_extensions(acknowledgement),
                Forgery::encrypted_extensions(Vec::new()),
            ),
        };
        let options = || ServerOptions {
            resumption: Resumption::Tickets,
            fragment_bytes: Some(HONEST),
            ..options(version)
        };
        let speaking = forgery.config(options());
        let ticketer = speaking.ticketer.clone();
        let mut quiet = silent.config(options());
        std::sync::Arc::get_mut(&mut quiet).unwrap().ticketer = ticketer;
        let config = requesting(version, L512);
        let mut first = Duo::new(&config, Forger::new(&forgery, &speaking));
        assert_eq!(agreement(&mut first), (false, Some(L512)));
        let mut second = Duo::new(&config, Forger::new(&silent, &quiet));
        assert_eq!(agreement(&mut second), (true, Some(L512)));
        // And the session that began in the resumed one.
        let mut third = Duo::new(&config, Forger::new(&silent, &quiet));
        assert_eq!(agreement(&mut third), (true, Some(L512)));
    }
}

#[test]
fn a_session_without_an_agreement_is_resumed_without_one() {
    for version in BOTH {
        let server = options(version).config();
        let config = requesting(version, L512);
        for resumed in [false, true] {
            let mut duo = Duo::new(&config, hubtls_tests::duo::Rustls::new(&server));
            assert_eq!(agreement(&mut duo), (resumed, None));
        }
    }
}

#[test]
fn a_session_without_an_agreement_gains_one_if_the_server_gives_it_later() {
    // Two machines behind one name that share their tickets' keys: the one resumed at acknowledges.
    let forgery = Forgery::encrypted_extensions(extension(&[L512.code()]));
    let silent = Forgery::encrypted_extensions(Vec::new());
    let options = || ServerOptions {
        resumption: Resumption::Tickets,
        fragment_bytes: Some(HONEST),
        ..ServerOptions::tls13()
    };
    let quiet = silent.config(options());
    let mut speaking = forgery.config(options());
    std::sync::Arc::get_mut(&mut speaking).unwrap().ticketer = quiet.ticketer.clone();
    let config = requesting(Version::Tls13, L512);
    let mut first = Duo::new(&config, Forger::new(&silent, &quiet));
    assert_eq!(agreement(&mut first), (false, None));
    let mut second = Duo::new(&config, Forger::new(&forgery, &speaking));
    assert_eq!(agreement(&mut second), (true, Some(L512)));
}

#[test]
fn configurations_of_different_values_never_resume_each_others_sessions() {
    for version in BOTH {
        let context = openssl(version);
        let mut configs = vec![not_asking(version)];
        configs.extend(
            FragmentLength::ALL
                .iter()
                .map(|&length| requesting(version, length)),
        );
        for round in [false, true] {
            for config in &configs {
                let mut duo = pair(config, &context);
                let length = config.policy().fragment_length().length();
                assert_eq!(agreement(&mut duo), (round, length));
                if !round {
                    let hello = wire::records(&duo.sent)[0].payload.clone();
                    let offers = |number| {
                        let extensions = handshake::extensions(&hello);
                        extensions
                            .iter()
                            .any(|(other, content)| *other == number && !content.is_empty())
                    };
                    assert!(
                        !offers(PRE_SHARED_KEY) && !offers(35),
                        "no session is offered"
                    );
                }
            }
        }
    }
}

#[test]
fn a_configuration_with_other_roots_begins_anew() {
    for version in BOTH {
        let context = openssl(version);
        let config = requesting(version, L512);
        assert_eq!(agreement(&mut pair(&config, &context)), (false, Some(L512)));
        let other = config.with_roots(hubtls_tests::client::roots()).unwrap();
        assert_eq!(agreement(&mut pair(&other, &context)), (false, Some(L512)));
        assert_eq!(agreement(&mut pair(&other, &context)), (true, Some(L512)));
    }
}
