//! One Config, many threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use hubtls::{ConfigHandle, ErrorCode, Roots};
use hubtls_tests::authority::Authority;
use hubtls_tests::client::{config, roots};
use hubtls_tests::memory::{Pair, ServerOptions};

const THREADS: usize = 8;

#[test]
fn eight_threads_share_a_config() {
    let config = config("iothub");
    let servers = [
        ServerOptions::tls12().config(),
        ServerOptions::tls13().config(),
    ];
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for server in servers.iter().cycle().take(20) {
                    let mut pair = Pair::new(&config, server);
                    pair.handshake().unwrap();
                    assert_eq!(pair.send(b"ping").unwrap(), b"ping");
                    assert_eq!(pair.answer(b"pong").unwrap(), b"pong");
                }
            });
        }
    });
}

#[test]
fn roots_change_under_load_and_no_connection_is_dropped() {
    let handle = ConfigHandle::new(config("iothub"));
    let server = ServerOptions::tls13().config();
    let unrelated = Roots::from_pem(Authority::unrelated().root().as_bytes()).unwrap();
    let done = AtomicBool::new(false);
    let (accepted, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));

    let mut long_lived = Pair::new(&handle.current(), &server);
    long_lived.handshake().unwrap();

    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    let mut pair = Pair::new(&handle.current(), &server);
                    match pair.exchange() {
                        Ok(()) => {
                            assert_eq!(pair.send(b"ping").unwrap(), b"ping");
                            accepted.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => {
                            assert_eq!(error.code(), ErrorCode::UnknownRoot, "{error:?}");
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        let reaches = |count: &AtomicUsize, least: usize| {
            let least = count.load(Ordering::Relaxed) + least;
            while count.load(Ordering::Relaxed) < least {
                assert_eq!(long_lived.send(b"still here").unwrap(), b"still here");
                assert_eq!(long_lived.answer(b"me too").unwrap(), b"me too");
            }
        };
        let mut reaches = reaches;
        for _ in 0..10 {
            reaches(&accepted, 5);
            handle.replace_roots(unrelated.clone()).unwrap();
            reaches(&refused, 5);
            handle.replace_roots(roots()).unwrap();
        }
        done.store(true, Ordering::Release);
    });
    assert_eq!(long_lived.send(b"to the end").unwrap(), b"to the end");
}

#[test]
fn a_connection_keeps_the_config_it_was_made_with() {
    let handle = ConfigHandle::new(config("iothub"));
    let mut begun = Pair::new(&handle.current(), &ServerOptions::tls13().config());
    let unrelated = Roots::from_pem(Authority::unrelated().root().as_bytes()).unwrap();
    handle.replace_roots(unrelated).unwrap();
    begun.handshake().unwrap();
}

#[test]
fn a_config_replaced_as_a_whole_is_the_current_one() {
    let handle = Arc::new(ConfigHandle::new(config("iothub")));
    handle.replace(config("iothub-tls12"));
    let mut pair = Pair::new(&handle.current(), &ServerOptions::default().config());
    pair.handshake().unwrap();
    assert_eq!(
        pair.client.negotiated().unwrap().version(),
        hubtls::Version::Tls12
    );
}
