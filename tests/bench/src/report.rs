//! What stands around the tables: versions, and the place in a README.

use std::fs;

/// The libraries that are measured.
#[must_use]
pub fn versions() -> String {
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

/// Puts `report` into the file `readme`, between these two lines.
///
/// # Panics
/// If the file cannot be changed or lacks the lines.
pub fn write(readme: &str, report: &str, [begin, end]: [&str; 2]) {
    let text = fs::read_to_string(readme).expect("the README");
    let (head, rest) = text.split_once(begin).expect("the first marker");
    let (_, tail) = rest.split_once(end).expect("the second marker");
    let text = format!("{head}{begin}\n{report}\n{end}{tail}");
    fs::write(readme, text).expect("the README can be written");
}
