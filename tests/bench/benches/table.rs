//! `cargo bench -p hubtls-bench [-- --quick] [--write] [--small]`: prints the tables; `--write` also puts them in README.md, `--small` is for the
//! table of small devices alone.
#![allow(clippy::print_stdout, reason = "printing the tables is its purpose")]

use hubtls_bench::figures::{Speed, config, heap};
use hubtls_bench::measure::Effort;
use hubtls_bench::report::{versions, write};
use hubtls_bench::small;
use hubtls_bench::table::Table;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
/// What stands around a report in README.md.
type Markers = [&'static str; 2];
const MEASURED: Markers = ["<!-- measured -->\n", "<!-- /measured -->\n"];
const SMALL: Markers = ["<!-- small -->\n", "<!-- /small -->\n"];

fn main() {
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    // Only `cargo bench` passes `--bench`: as a test, it shows that each figure can be measured.
    let quick = asked("--quick") || !asked("--bench");
    let effort = if quick { Effort::QUICK } else { Effort::FULL };

    if !asked("--small") {
        let (report, costs) = compare(effort);
        println!("{report}\nMicroseconds on this machine.\n\n{costs}");
        if asked("--write") {
            write(README, &report, MEASURED);
        }
    }
    let program = env!("CARGO_BIN_EXE_hubtls-bench-small");
    let small = small::table(effort, program, env!("CARGO_TARGET_TMPDIR")).to_string();
    println!("Small devices.\n\n{small}");
    if asked("--write") {
        write(README, &small, SMALL);
    }
}

/// hubtls and its peers: the report, and what each thing costs.
fn compare(effort: Effort) -> (String, Table) {
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
    (report, speed.costs)
}
