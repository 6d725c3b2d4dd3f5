//! Who vouches for a server: sessions, roots and the time.

use super::*;
use crate::clock::Clock;

#[test]
fn a_session_is_resumed_with_its_root() {
    for policy in ["iothub", "iothub-tls12"] {
        let config = config(policy);
        // The store of sessions is the server configuration's: all connections need the same.
        let server_config = server_config();
        for resumed in [false, true, true] {
            let mut client = Connection::new(&config, NAME).unwrap();
            let mut server = ServerConnection::new(server_config.clone()).unwrap();
            for _ in 0..4 {
                let answer = exchange(&mut client, &mut server);
                client
                    .receive_in_place(&mut answer.clone(), |_| ())
                    .unwrap();
            }
            let negotiated = client.negotiated().unwrap();
            assert_eq!(negotiated.resumed(), resumed, "{policy}");
            assert!(negotiated.root().is_some(), "{policy}");
        }
    }
}

#[test]
fn a_session_that_makes_the_server_hang_up_is_not_offered_again() {
    let config = config("iothub-tls12");
    let server_config = server_config();
    for (resumed, hang_up) in [(false, false), (true, true), (false, false)] {
        let mut client = Connection::new(&config, NAME).unwrap();
        if hang_up {
            assert_eq!(code(client.receive_end()), ErrorCode::ClosedInHandshake);
            continue;
        }
        let mut server = ServerConnection::new(server_config.clone()).unwrap();
        for _ in 0..4 {
            let answer = exchange(&mut client, &mut server);
            client.receive(&answer).unwrap();
        }
        assert_eq!(client.negotiated().unwrap().resumed(), resumed);
    }
}

#[test]
fn a_root_that_vouches_is_found_beside_its_twin_that_does_not() {
    let authority = authority();
    let azure = "hub.azure-devices.net";
    let twin = || Roots::from_der(&[&authority.root]).unwrap();
    let reissued = Roots::from_der(&[&authority.reissued_root]).unwrap();
    for roots in [
        twin().with_added(reissued.clone().vouching_for_azure(true)),
        reissued.vouching_for_azure(true).with_added(twin()),
    ] {
        assert_eq!(roots.len(), 2);
        let config = Config::builder().roots(roots).build().unwrap();
        let (mut client, mut server) = (Connection::new(&config, azure).unwrap(), server());
        while client.is_handshaking() {
            let answer = exchange(&mut client, &mut server);
            client.receive(&answer).unwrap();
        }
        let negotiated = client.negotiated().unwrap();
        assert!(negotiated.root().unwrap().vouches_for_azure());
    }
}

#[test]
fn a_clock_that_stops_ends_no_connection() {
    let ticking = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let source = ticking.clone();
    let now = Clock::system().now().unwrap();
    let clock = Clock::from_fn(Arc::new(move || {
        source
            .load(std::sync::atomic::Ordering::Relaxed)
            .then_some(now)
    }));
    let roots = Roots::from_der(&[&authority().root]).unwrap();
    let config = Config::builder()
        .add_roots(roots)
        .clock(clock)
        .build()
        .unwrap();
    let (mut client, mut server) = (Connection::new(&config, NAME).unwrap(), server());
    while client.is_handshaking() {
        let answer = exchange(&mut client, &mut server);
        client.receive(&answer).unwrap();
    }
    ticking.store(false, std::sync::atomic::Ordering::Relaxed);
    let tickets = exchange(&mut client, &mut server);
    assert!(!tickets.is_empty());
    client
        .receive_in_place(&mut tickets.clone(), |_| ())
        .unwrap();

    let mut client = Connection::new(&config, NAME).unwrap();
    let answer = exchange(&mut client, &mut self::server());
    assert_eq!(
        code(client.receive(&answer)),
        ErrorCode::NoTime,
        "but no new server is believed"
    );
}
