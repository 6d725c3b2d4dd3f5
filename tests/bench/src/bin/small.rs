//! Measures the heap of hubtls on a small device: `hubtls-bench-small ROOT.PEM SOCKET FRAGMENT_LENGTH CONNECTIONS WAY`.
#![allow(
    clippy::print_stdout,
    reason = "the numbers are for the process that started this one"
)]

use std::fs;

use hubtls_bench::small::client::{Way, measure};
use peak_alloc::PeakAlloc;

#[global_allocator]
static COUNTING: PeakAlloc = PeakAlloc;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [root, server, length, connections, way] = &arguments[..] else {
        panic!("ROOT.PEM SOCKET FRAGMENT_LENGTH CONNECTIONS WAY");
    };
    let root = fs::read_to_string(root).expect("a root");
    let number = |text: &str| text.parse().expect("a number");
    let way = Way::BOTH.into_iter().find(|known| known.name() == way);
    let way = way.expect("a way to receive");
    for heap in measure(&root, server, number(length), number(connections), way) {
        println!("{} {} {}", heap.idle, heap.handshake, heap.receiving);
    }
}
