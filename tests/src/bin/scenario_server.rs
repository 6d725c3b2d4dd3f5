//! Serves one row of scenarios.json to the driver of any language (tests/README.md).
//!
//! `scenario-server --list` prints the names, one a line. `scenario-server NAME` starts the server of that row, prints one line of JSON and
//! serves until its standard input ends.

use std::io::{self, Write};
use std::process::ExitCode;

use hubtls_tests::scenario::{self, Conversation};
use hubtls_tests::server::Server;
use serde_json::json;

fn main() -> io::Result<ExitCode> {
    let mut stdout = io::stdout();
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if wanted == "--list" {
        for scenario in scenario::all() {
            writeln!(stdout, "{}", scenario.name)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let Some(scenario) = scenario::all()
        .into_iter()
        .find(|scenario| scenario.name == wanted)
    else {
        writeln!(
            io::stderr(),
            "usage: scenario-server --list | NAME (no scenario {wanted:?})"
        )?;
        return Ok(ExitCode::from(2));
    };
    let server = Server::start(&scenario.server);
    scenario::write_client_files(server.directory(), &scenario.client);
    let conversation = Conversation::with(scenario.server.kind);
    let line = json!({
        "host": server.address().ip().to_string(),
        "port": server.address().port(),
        "directory": server.directory(),
        "send": conversation.send,
        "receive": conversation.receive,
    });
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(ExitCode::SUCCESS)
}
