//! `cargo bench -p hubtls-bench [-- --quick | --write]`: prints the tables; `--write` also puts them in README.md.
#![allow(clippy::print_stdout, reason = "printing the tables is its purpose")]

use std::fs;

use hubtls_bench::figures::{Speed, config, heap};
use hubtls_bench::measure::Effort;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const MARKERS: [&str; 2] = ["<!-- measured -->\n", "<!-- /measured -->\n"];

fn main() {
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    // Only `cargo bench` passes `--bench`: as a test, it shows that each figure can be measured.
    let quick = asked("--quick") || !asked("--bench");
    let effort = if quick { Effort::QUICK } else { Effort::FULL };

    let speed = Speed::measure(effort);
    let heap = heap(effort, env!("CARGO_BIN_EXE_hubtls-bench-heap"));
    let report = format!(
        "{}.\n\n\
         Speed, client's CPU time only: OpenSSL is 1, more is better.\n\n{}\n\
         Heap per connection in KB.\n\n{heap}\n\
         One Config for many.\n\n{}",
        versions(),
        speed.ratios,
        config(effort),
    );
    println!("{report}\nMicroseconds on this machine.\n\n{}", speed.costs);
    if asked("--write") {
        write(&report);
    }
}

fn versions() -> String {
    format!(
        "{}, rustls {} on AWS-LC (aws-lc-sys {})",
        openssl::version::version(),
        locked("rustls"),
        locked("aws-lc-sys"),
    )
}

/// The version of a crate in use.
fn locked(name: &str) -> &'static str {
    let lock = include_str!("../../../Cargo.lock");
    let entry = format!("name = \"{name}\"\nversion = \"");
    let (_, rest) = lock.split_once(&entry).expect("a dependency");
    rest.split('"').next().expect("a version")
}

fn write(report: &str) {
    let readme = fs::read_to_string(README).expect("the README");
    let [begin, end] = MARKERS;
    let (head, rest) = readme.split_once(begin).expect("the first marker");
    let (_, tail) = rest.split_once(end).expect("the second marker");
    let readme = format!("{head}{begin}\n{report}\n{end}{tail}");
    fs::write(README, readme).expect("the README can be written");
}
