//! Measures the heap of one client's connections: `hubtls-bench-heap CLIENT VERSION CONNECTIONS`.
#![allow(
    clippy::print_stdout,
    reason = "the numbers are for the process that started this one"
)]

use hubtls_bench::heap::measure;
use hubtls_bench::hubtls::HubTls;
use hubtls_bench::openssl::OpenSsl;
use hubtls_bench::peer::{Client, Tls};
use hubtls_bench::rustls::{Buffered, Unbuffered};
use peak_alloc::PeakAlloc;

#[global_allocator]
static COUNTING: PeakAlloc = PeakAlloc;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [client, version, connections] = &arguments[..] else {
        panic!("CLIENT VERSION CONNECTIONS");
    };
    let tls = Tls::BOTH.into_iter().find(|tls| tls.name() == version);
    let tls = tls.expect("a version");
    let connections = connections.parse().expect("a number");
    let heap = match client.as_str() {
        OpenSsl::<false>::NAME => measure::<OpenSsl>(tls, connections),
        OpenSsl::<true>::NAME => measure::<OpenSsl<true>>(tls, connections),
        Buffered::NAME => measure::<Buffered>(tls, connections),
        Unbuffered::NAME => measure::<Unbuffered>(tls, connections),
        HubTls::NAME => measure::<HubTls>(tls, connections),
        other => panic!("no client {other}"),
    };
    println!("{} {} {}", heap.rust, heap.all, heap.peak);
}
