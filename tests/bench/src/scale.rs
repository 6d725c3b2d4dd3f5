//! Whether many connections, or several threads, of one Config get in each other's way.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::bulk::Bulk;
use crate::handshake::Pair;
use crate::measure::{Comparison, Contestant, Stopwatch};
use crate::peer::{Client, Tls};
use crate::pki::Pki;

/// How many times the cost of a handshake with no other connection open is that of one beside `connections` open ones
/// of the same Config.
#[must_use]
pub fn cost_beside_others<C: Client>(pki: &Pki, rounds: usize, connections: usize) -> f64 {
    let crowded = Pair::<C>::new(pki, Tls::V12, false);
    let open = |_| crowded.connect(false, &mut Stopwatch::default()).0;
    let open: Vec<C> = (0..connections).map(open).collect();
    let alone = Pair::<C>::new(pki, Tls::V12, false);
    let contestants = vec![
        Contestant::new("alone", || alone.cost(false, 4)),
        Contestant::new("crowded", || crowded.cost(false, 4)),
    ];
    let comparison = Comparison::run(rounds, contestants);
    drop(open);
    comparison.speed("alone", "crowded").expect("measured")
}

/// How much 128-byte data two threads send and receive per second where one thread does 1: with one Config, and with
/// one Config each.
#[must_use]
pub fn two_threads<C: Client + Send>(pki: &Pki, rounds: usize) -> [f64; 2] {
    let pair = || Pair::<C>::new(pki, Tls::V12, false);
    let shared = pair();
    let mut alone = [Bulk::new(&shared, 128)];
    let mut sharing = [Bulk::new(&shared, 128), Bulk::new(&shared, 128)];
    let mut apart = [Bulk::new(&pair(), 128), Bulk::new(&pair(), 128)];
    let contestants = vec![
        Contestant::new("alone", || together(&mut alone)),
        Contestant::new("sharing", || together(&mut sharing)),
        Contestant::new("apart", || together(&mut apart)),
    ];
    let comparison = Comparison::run(rounds, contestants);
    ["sharing", "apart"].map(|two| 2.0 * comparison.speed(two, "alone").expect("measured"))
}

/// Gives each connection a thread and the same work; returns the seconds that the slowest took.
fn together<C: Client + Send>(connections: &mut [Bulk<C>]) -> f64 {
    let start_line = Barrier::new(connections.len());
    let work = |connection: &mut Bulk<C>| {
        connection.fill();
        start_line.wait();
        let start = Instant::now();
        connection.receive();
        for _ in 0..8 {
            connection.send_into_the_void();
        }
        start.elapsed().as_secs_f64()
    };
    thread::scope(|scope| {
        let threads = connections
            .iter_mut()
            .map(|connection| scope.spawn(|| work(connection)));
        let threads: Vec<_> = threads.collect();
        let times = threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"));
        times.fold(0.0, f64::max)
    })
}
