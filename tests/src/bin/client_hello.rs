//! Says what a captured ClientHello offers: `client-hello FILE` prints one line of JSON.

use std::io::{self, Write};
use std::process::ExitCode;

use hubtls_tests::client_hello::ClientHello;
use serde_json::json;

/// `max_fragment_length` in IANA's registry.
const MAX_FRAGMENT_LENGTH: u16 = 1;
/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746), a signal and no suite.
const RENEGOTIATION_SCSV: u16 = 0x00FF;

fn main() -> io::Result<ExitCode> {
    let Some(path) = std::env::args_os().nth(1) else {
        writeln!(io::stderr(), "usage: client-hello FILE")?;
        return Ok(ExitCode::from(2));
    };
    let hello = ClientHello::parse(&std::fs::read(path)?);
    // Without supported_versions, the version is where TLS 1.2 has it.
    let versions = match hello.versions() {
        none if none.is_empty() => vec![hello.legacy_version],
        some => some,
    };
    let protocols = hello.protocols();
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let line = json!({
        "versions": versions,
        "suites": hello.suites.iter().filter(|suite| **suite != RENEGOTIATION_SCSV).collect::<Vec<_>>(),
        "groups": hello.groups(),
        "signature_schemes": hello.signature_schemes(),
        "fragment_length": hello.extension(MAX_FRAGMENT_LENGTH).map_or(0, |code| 256_u32 << code[0]),
        "protocols": protocols.iter().map(text).collect::<Vec<_>>(),
        "server_name": hello.server_name(),
    });
    writeln!(io::stdout(), "{line}")?;
    Ok(ExitCode::SUCCESS)
}
