//! Heap per connection of a small device: few bytes read at a time, and a maximum fragment length (RFC 6066, section 4).
//!
//! Each client runs in a process of its own against a server of OpenSSL. c/count.c, preloaded, counts what malloc hands out to
//! any of them, Rust's and C's alike; the client reads the counts from a file.

pub mod client;
mod server;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::measure::Effort;
use crate::peer::Tls;
use crate::pki::Pki;
use crate::table::{Table, Target, cell};
use client::Way;
pub use server::MEGABYTE;

/// The variable that names the file of the counts.
pub const COUNTS: &str = "HUBTLS_BENCH_HEAP";

/// The fragment lengths asked for; 0 is none.
const LENGTHS: [usize; 3] = [0, 512, 4096];
/// That for which there are targets.
const TARGETED: usize = 512;

/// Bytes that one connection holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Heap {
    /// After a handshake and 1 KB each way.
    pub idle: f64,
    /// At most in the handshake.
    pub handshake: f64,
    /// At most while it receives 1 MB.
    pub receiving: f64,
}

/// The table: `program` is hubtls-bench-small, `directory` takes what is built.
///
/// # Panics
/// If there is no C compiler or no libssl to link with.
#[must_use]
pub fn table(effort: Effort, program: &str, directory: &str) -> Table {
    let workshop = Workshop::new(Path::new(directory), effort);
    let mut table = Table::new(&[
        "KB per connection",
        "fragment length",
        "OpenSSL",
        "OpenSSL, RELEASE_BUFFERS",
        "hubtls, whole heap",
        "hubtls, Rust's heap",
        "target for Rust's heap",
    ]);
    for tls in Tls::BOTH {
        let server = &workshop.directory.join(tls.name());
        server::start(&workshop.pki, tls, server);
        for length in LENGTHS {
            let openssl = ["0", "1"].map(|release| workshop.openssl(server, length, release));
            let [[copied, copied_rust], [in_place, in_place_rust]] =
                Way::BOTH.map(|way| workshop.hubtls(program, server, length, way));
            let mut row = |figure: &str, values: [Option<f64>; 4], most: Option<f64>| {
                let kb = values.map(|bytes| bytes.map(|bytes| bytes / 1024.0));
                let mut row = vec![format!("{figure}, {}", tls.name()), written(length)];
                row.extend(kb.map(|kb| cell(kb, 1)));
                let own = kb[3].expect("measured");
                let most = most.filter(|_| length == TARGETED);
                row.push(most.map_or_else(String::new, |most| Target::AtMost(most).judge(own, "")));
                table.push(row);
            };
            let of = |part: fn(Heap) -> f64, own: Heap, rust: Heap| {
                let [plain, released] = openssl.map(|heap| Some(part(heap)));
                [plain, released, Some(part(own)), Some(part(rust))]
            };
            let peak = match tls {
                Tls::V12 | Tls::V12Cbc => 6.0,
                Tls::V13 => 8.0,
            };
            row("idle", of(|heap| heap.idle, copied, copied_rust), Some(5.0));
            let handshake = of(|heap| heap.handshake, copied, copied_rust);
            row("peak of the handshake", handshake, Some(peak));
            let receiving = of(|heap| heap.receiving, copied, copied_rust);
            row("peak receiving 1 MB", receiving, Some(peak));
            let in_place = of(|heap| heap.receiving, in_place, in_place_rust);
            let in_place = [None, None, in_place[2], in_place[3]];
            row("peak receiving 1 MB in place", in_place, Some(peak));
        }
    }
    table
}

fn written(length: usize) -> String {
    match length {
        0 => "off".to_owned(),
        length => length.to_string(),
    }
}

/// What the clients are built and run with.
struct Workshop {
    directory: PathBuf,
    pki: Pki,
    root: PathBuf,
    counts: PathBuf,
    counter: PathBuf,
    openssl: PathBuf,
    connections: String,
}

impl Workshop {
    fn new(directory: &Path, effort: Effort) -> Self {
        let workshop = Self {
            directory: directory.to_owned(),
            pki: Pki::generate(),
            root: directory.join("root.pem"),
            counts: directory.join("heap"),
            counter: directory.join("libcount.so"),
            openssl: directory.join("openssl-client"),
            connections: effort.connections.min(200).to_string(),
        };
        fs::write(&workshop.root, &workshop.pki.root_pem).expect("a writable directory");
        build(&workshop.counter, "count.c", &["-shared", "-fPIC"]);
        build(&workshop.openssl, "client.c", &["-lssl", "-lcrypto"]);
        workshop
    }

    fn openssl(&self, server: &Path, length: usize, release_buffers: &str) -> Heap {
        let [heap] = self.run(&self.openssl, server, length, release_buffers);
        heap
    }

    /// The whole heap, and that of Rust.
    fn hubtls(&self, program: &str, server: &Path, length: usize, way: Way) -> [Heap; 2] {
        self.run(Path::new(program), server, length, way.name())
    }

    fn run<const N: usize>(
        &self,
        program: &Path,
        server: &Path,
        length: usize,
        way: &str,
    ) -> [Heap; N] {
        let counts = File::create(&self.counts).expect("a writable directory");
        counts.set_len(16).expect("a writable file");
        let output = Command::new(program)
            .args([&self.root, server])
            .args([&length.to_string(), &self.connections, way])
            .env(COUNTS, &self.counts)
            .env("LD_PRELOAD", &self.counter)
            .output()
            .expect("the program runs");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("numbers");
        let numbers: Vec<f64> = text
            .split_whitespace()
            .map(|number| number.parse().expect("a number"))
            .collect();
        assert_eq!(numbers.len(), 3 * N, "{text}");
        std::array::from_fn(|index| Heap {
            idle: numbers[3 * index],
            handshake: numbers[3 * index + 1],
            receiving: numbers[3 * index + 2],
        })
    }
}

fn build(target: &Path, source: &str, options: &[&str]) {
    let source = format!("{}/c/{source}", env!("CARGO_MANIFEST_DIR"));
    let compiler = Command::new("cc")
        .args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(target)
        .arg(source)
        .args(options)
        .output()
        .expect("a C compiler");
    assert!(compiler.status.success(), "{compiler:?}");
}
