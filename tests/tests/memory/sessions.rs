//! Resumption, and what must not survive in a session.

use std::sync::Arc;

use hubtls::{Config, ErrorCode, Roots};
use hubtls_tests::authority::Authority;
use hubtls_tests::client::{builder, config, identity, roots};
use hubtls_tests::client_hello::ClientHello;
use hubtls_tests::memory::{Pair, Resumption, ServerOptions};
use rustls::{HandshakeKind, ServerConfig};

const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;

/// Shakes hands and takes the tickets; returns whether the client says that it resumed.
#[track_caller]
fn connect(config: &Config, server: &Arc<ServerConfig>) -> bool {
    let mut pair = Pair::new(config, server);
    pair.handshake().unwrap();
    let resumed = pair.client.negotiated().unwrap().resumed();
    let kind = pair.server.handshake_kind().unwrap();
    assert_eq!(
        resumed,
        kind == HandshakeKind::Resumed,
        "both sides agree: {kind:?}"
    );
    resumed
}

fn servers() -> Vec<ServerOptions> {
    [Resumption::Store, Resumption::Tickets]
        .into_iter()
        .flat_map(|resumption| {
            [ServerOptions::tls12(), ServerOptions::tls13()].map(|options| (options, resumption))
        })
        .map(|(options, resumption)| ServerOptions {
            resumption,
            ..options
        })
        .collect()
}

#[test]
fn the_second_connection_resumes() {
    for options in servers() {
        let server = options.config();
        let config = config("iothub");
        assert!(!connect(&config, &server));
        assert!(connect(&config, &server));
        assert!(connect(&config, &server));
    }
}

#[test]
fn a_resumed_connection_still_tells_the_chain_and_the_root() {
    for options in servers() {
        let server = options.config();
        let config = config("iothub");
        connect(&config, &server);
        let mut pair = Pair::new(&config, &server);
        pair.handshake().unwrap();
        let negotiated = pair.client.negotiated().unwrap();
        assert!(negotiated.resumed());
        assert_eq!(negotiated.peer_chain().len(), 2);
        assert!(
            negotiated
                .root()
                .unwrap()
                .subject()
                .contains("hubtls test RSA root")
        );
    }
}

#[test]
fn clones_of_a_config_share_its_sessions() {
    let server = ServerOptions::tls13().config();
    let config = config("iothub");
    assert!(!connect(&config, &server));
    assert!(connect(&config.clone(), &server));
}

#[test]
fn two_configs_share_no_session() {
    let server = ServerOptions::tls13().config();
    assert!(!connect(&config("iothub"), &server));
    assert!(!connect(&config("iothub"), &server));
}

#[test]
fn resumption_can_be_switched_off() {
    for options in servers() {
        let server = options.config();
        let config = builder().resumption(false).build().unwrap();
        assert!(!connect(&config, &server));
        assert!(!connect(&config, &server));
    }
}

#[test]
fn a_session_of_one_name_is_not_used_for_another() {
    let server = ServerOptions::tls13().config();
    let config = config("iothub");
    connect(&config, &server);
    let mut pair = Pair::named(&config, &server, "127.0.0.1");
    pair.handshake().unwrap();
    assert!(!pair.client.negotiated().unwrap().resumed());
}

#[test]
fn a_server_that_forgot_the_session_shakes_hands_in_full() {
    for options in [ServerOptions::tls12, ServerOptions::tls13] {
        let config = config("iothub");
        assert!(!connect(&config, &options().config()));
        assert!(!connect(&config, &options().config()));
    }
}

#[test]
fn a_client_certificate_and_resumption_go_together() {
    for options in servers() {
        let server = ServerOptions {
            client_certificates: true,
            ..options
        }
        .config();
        let config = builder().identity(identity("p256")).build().unwrap();
        assert!(!connect(&config, &server));
        assert!(connect(&config, &server));
    }
}

#[test]
fn other_roots_start_with_no_session() {
    for options in servers() {
        let server = options.config();
        let config = config("iothub");
        assert!(!connect(&config, &server));
        assert!(connect(&config, &server), "there is a session");
        let same_roots = config.with_roots(roots()).unwrap();
        assert!(!connect(&same_roots, &server));
        assert!(
            connect(&config, &server),
            "the old configuration keeps its own"
        );
    }
}

#[test]
fn a_removed_root_and_a_cached_ticket_make_a_full_handshake_and_an_unknown_root() {
    for options in servers() {
        let server = options.config();
        let config = config("iothub");
        connect(&config, &server);
        assert!(connect(&config, &server), "there is a session");

        let others = Roots::from_pem(Authority::unrelated().root().as_bytes()).unwrap();
        let mut pair = Pair::new(&config.with_roots(others).unwrap(), &server);
        let first = pair.take_from_client();
        let hello = ClientHello::parse(&first);
        assert_eq!(hello.extension(PRE_SHARED_KEY), None);
        assert!(
            hello
                .extension(SESSION_TICKET)
                .unwrap_or_default()
                .is_empty()
        );
        pair.give_to_server(&first);
        let error = pair.exchange().unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnknownRoot, "{error:?}");
        assert_ne!(pair.server.handshake_kind(), Some(HandshakeKind::Resumed));
    }
}

#[test]
fn a_tls12_session_that_failed_is_not_offered_again() {
    let server = ServerOptions::tls12().config();
    let config = config("iothub");
    connect(&config, &server);
    let mut pair = Pair::new(&config, &server);
    pair.client_to_server();
    let mut flight = pair.take_from_server();
    // The server's Finished, encrypted: the last byte of its tag.
    *flight.last_mut().unwrap() ^= 1;
    let error = pair.give_to_client(&flight).unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRecord, "{error:?}");
    assert!(!connect(&config, &server), "the session is gone");
    assert!(connect(&config, &server), "there is a new one");
}
