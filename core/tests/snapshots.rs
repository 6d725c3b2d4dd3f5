//! The committed tables and the schema are what the code says. `HUBTLS_BLESS=1 cargo test -p hubtls` rewrites them.

use std::fmt::Write;
use std::path::Path;

use hubtls::{ErrorCode, FragmentMode, Policy};

#[track_caller]
fn matches_the_code(path: &str, expected: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("HUBTLS_BLESS").is_some() {
        std::fs::write(&file, expected).expect("core/ is writable");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == expected,
        "core/{path} is not what the code says: if the change is meant, run HUBTLS_BLESS=1 cargo test -p hubtls\n\
         --- committed\n{committed}\n--- code\n{expected}"
    );
}

#[test]
fn the_snapshot_of_every_policy_is_current() {
    for policy in Policy::all() {
        matches_the_code(&format!("snapshots/{}.txt", policy.name()), &text(policy));
    }
}

#[test]
fn the_table_of_errors_is_current() {
    let mut table = String::from(
        "# Errors: number and name, append-only. Generated: HUBTLS_BLESS=1 cargo test -p hubtls\n",
    );
    for code in ErrorCode::ALL {
        writeln!(table, "{} {code}", code.number()).unwrap();
    }
    matches_the_code("snapshots/errors.txt", &table);
}

#[cfg(feature = "json-schema")]
#[test]
fn the_json_schema_of_policies_is_current() {
    matches_the_code("policy.schema.json", &Policy::json_schema());
}

fn text(policy: &Policy) -> String {
    let mut lines = vec![
        format!("# {}", policy.name()),
        "# Frozen: once released, this file never changes. A new fact is a new dated policy."
            .into(),
        "# Generated: HUBTLS_BLESS=1 cargo test -p hubtls".into(),
    ];
    let mut section = |title: &str, items: Vec<String>| {
        lines.push(format!("\n{title}"));
        lines.extend(items.into_iter().map(|item| format!("  {item}")));
    };
    let coded = |code: u16, name: &str| format!("0x{code:04X} {name}");
    section(
        "versions",
        policy
            .versions()
            .iter()
            .map(|version| coded(version.code(), version.name()))
            .collect(),
    );
    section(
        "cipher suites",
        policy
            .suites()
            .iter()
            .map(|suite| coded(suite.code(), suite.iana_name()))
            .collect(),
    );
    section(
        "groups",
        policy
            .groups()
            .iter()
            .map(|group| coded(group.code(), group.name()))
            .collect(),
    );
    section(
        "signature schemes",
        policy
            .signature_schemes()
            .iter()
            .map(|scheme| coded(scheme.code(), scheme.name()))
            .collect(),
    );
    let hex = |root: &[u8; 32]| root.map(|byte| format!("{byte:02X}")).join(":");
    section("roots, SHA-256", policy.roots().iter().map(hex).collect());
    section(
        "maximum fragment length",
        vec![match policy.fragment_length() {
            FragmentMode::Off => "off".into(),
            FragmentMode::Request(length) => format!("request {}", length.bytes()),
            FragmentMode::Require(length) => format!("require {}", length.bytes()),
        }],
    );
    lines.join("\n") + "\n"
}
