//! `cargo bench -p hubtls-c-bench [-- --quick] [--write]`: prints the table; `--write` also puts it in README.md.
#![allow(clippy::print_stdout, reason = "printing the table is its purpose")]

use hubtls_bench::measure::Effort;
use hubtls_bench::report::{versions, write};
use hubtls_c_bench::figures::speed;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const MEASURED: [&str; 2] = ["<!-- measured -->\n", "<!-- /measured -->\n"];
/// The difference looked for is smaller than those that hubtls-bench shows.
const FULL: Effort = Effort {
    rounds: 201,
    ..Effort::FULL
};

fn main() {
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    // Only `cargo bench` passes `--bench`: as a test, it shows that each figure can be measured.
    let quick = asked("--quick") || !asked("--bench");
    let table = speed(if quick { Effort::QUICK } else { FULL });
    let report = format!("{}. OpenSSL is 1, more is better.\n\n{table}", versions());
    println!("{report}");
    if asked("--write") {
        write(README, &report, MEASURED);
    }
}
