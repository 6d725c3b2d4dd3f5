//! A thousand connections at once.

use std::net::TcpStream;
use std::thread;

use hubtls::Stream;
use hubtls_tests::client::{config, connect, converse};
use hubtls_tests::hub::{Hub, echo};
use hubtls_tests::memory::ServerOptions;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const CONNECTIONS: usize = 1_000;
const THREADS: usize = 8;

/// Allows this process as many open files as the machine permits; both ends of every connection are in it.
fn allow_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("the hard limit can be reached");
    let enough = u64::try_from(3 * CONNECTIONS).unwrap();
    assert!(
        limit.maximum.is_none_or(|maximum| maximum >= enough),
        "{:?} open files are too few for this test",
        limit.maximum
    );
}

#[test]
fn a_thousand_connections_are_open_at_once_and_all_of_them_work() {
    allow_open_files();
    let hub = Hub::start(ServerOptions::tls13().config(), echo);
    let config = config("iothub");
    let open = || -> Vec<Stream<TcpStream>> {
        let mut streams: Vec<_> = (0..CONNECTIONS / THREADS)
            .map(|_| connect(&config, hub.address()))
            .collect();
        for stream in &mut streams {
            assert_eq!(converse(stream, "hello\n").unwrap(), "hello\n");
        }
        streams
    };
    let mut streams: Vec<_> = thread::scope(|scope| {
        let opening: Vec<_> = (0..THREADS).map(|_| scope.spawn(open)).collect();
        opening
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(streams.len(), CONNECTIONS);
    for stream in streams.iter_mut().rev() {
        assert_eq!(converse(stream, "still here\n").unwrap(), "still here\n");
    }
}
