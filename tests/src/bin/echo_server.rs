//! Sends back whatever comes, over any number of connections at once: for drivers with threads (tests/README.md).
//!
//! `echo-server` prints one line of JSON, as scenario-server does, and serves until its standard input ends. Its certificate's root is
//! `roots.pem` in the directory; `unrelated.pem` there vouches for no server.

use std::io::{self, Write};

use hubtls_tests::hub::{Hub, echo};
use hubtls_tests::memory::ServerOptions;
use hubtls_tests::scenario::{self, Client};
use serde_json::json;

fn main() -> io::Result<()> {
    let hub = Hub::start(ServerOptions::default().config(), echo);
    let directory = tempfile::tempdir()?;
    scenario::write_client_files(directory.path(), &Client::default());
    let line = json!({
        "host": hub.address().ip().to_string(),
        "port": hub.address().port(),
        "directory": directory.path(),
    });
    let mut stdout = io::stdout();
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
