//! Heap per connection: that of Rust and, where the crypto library allocates by itself, that of C.

use std::process::Command;

use malloc_info::info::{SystemType, TotalType};
use peak_alloc::PeakAlloc;

use crate::handshake::Pair;
use crate::measure::Stopwatch;
use crate::peer::{Client, RECORD, Tls};
use crate::pki::Pki;

/// What one connection holds in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Heap {
    /// On the Rust heap, idle.
    pub rust: f64,
    /// On the whole heap with malloc's own overhead, idle.
    pub all: f64,
    /// At most on the whole heap, while it receives 1 MB.
    pub peak: f64,
}

/// Measures in a process whose global allocator is [`PeakAlloc`]. Idle is after a handshake and 1 KB in each direction.
#[must_use]
pub fn measure<C: Client>(tls: Tls, connections: usize) -> Heap {
    let pair = Pair::<C>::new(&Pki::generate(), tls, false);
    let (mut wire, mut ciphertext) = (Vec::new(), Vec::new());
    let mut output = [0; RECORD];
    let mut idle = || {
        let (mut client, mut server) = pair.connect(false, &mut Stopwatch::default());
        client.send(&[0x5a; 1024], &mut wire);
        server.receive(&mut wire, &mut ciphertext);
        server.send(&[0x5a; 1024], &mut ciphertext);
        client.receive(&mut ciphertext, &mut wire, &mut output);
        (client, server)
    };
    let (mut first, mut server) = idle();

    let mut clients = Vec::with_capacity(connections);
    let (rust, all) = (PeakAlloc.current_usage(), in_use());
    clients.extend((0..connections).map(|_| idle().0));
    let per_connection = |now: usize, before| difference(now, before) / number(connections);
    let rust = per_connection(PeakAlloc.current_usage(), rust);
    let all = per_connection(in_use(), all);

    let mut reads = vec![Vec::new(); 64];
    for read in &mut reads {
        server.send(&[0x5a; RECORD], read);
    }
    let (before, mut peak) = (in_use(), 0.0_f64);
    for read in &mut reads {
        let rust_before = PeakAlloc.current_usage();
        PeakAlloc.reset_peak_usage();
        first.receive(read, &mut wire, &mut output);
        let kept = difference(in_use(), before);
        let transient = difference(PeakAlloc.peak_usage(), rust_before);
        peak = peak.max(kept).max(transient);
    }
    Heap {
        rust,
        all,
        peak: all + peak,
    }
}

/// Measures the client called `name` in a new process of the program `measuring` (hubtls-bench-heap).
#[must_use]
pub fn measure_apart(measuring: &str, name: &str, tls: Tls, connections: usize) -> Heap {
    let output = Command::new(measuring)
        .args([name, tls.name(), &connections.to_string()])
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("numbers");
    let numbers: Vec<f64> = text
        .split_whitespace()
        .map(|number| number.parse().expect("a number"))
        .collect();
    let [rust, all, peak] = numbers[..] else {
        panic!("three numbers, not {text:?}");
    };
    Heap { rust, all, peak }
}

/// Bytes that malloc has handed out, to Rust and to C, with its headers.
fn in_use() -> usize {
    let heap = malloc_info::malloc_info().expect("glibc's malloc");
    let from_system = heap.system.iter();
    let held: usize = from_system
        .filter(|system| system.r#type == SystemType::Current)
        .map(|system| system.size)
        .sum();
    let total = |wanted: TotalType| -> usize {
        let totals = heap.total.iter();
        totals
            .filter(|total| total.r#type == wanted)
            .map(|total| total.size)
            .sum()
    };
    held + total(TotalType::Mmap) - total(TotalType::Fast) - total(TotalType::Rest)
}

fn difference(now: usize, before: usize) -> f64 {
    number(now.saturating_sub(before))
}

fn number(n: usize) -> f64 {
    f64::from(u32::try_from(n).expect("less than 4 GB"))
}
