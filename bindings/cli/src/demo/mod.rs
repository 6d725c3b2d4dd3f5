//! `hubtls demo`: what a hardened hub accepts and refuses, with a stand-in for one in this process.

mod acknowledging;
mod authority;
mod client;
mod hub;
mod legacy;
mod tap;

use std::time::Duration;

use serde_json::json;

use crate::exit::Exit;
use crate::output::{self, BOLD, Failure, styled};
use authority::Authority;
use hub::{Hub, Kind};

/// The stand-in's name. No name of Azure's: an added private root does not vouch for those.
const NAME: &str = "hub.example";
const DEVICE: &str = "device-01";
/// Longer than anything on the loopback network takes.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn run(json: bool) -> Result<Exit, Failure> {
    let authority = Authority::new("hubtls demo root")?;
    let hub = Hub::start(&authority, Kind::Hardened)?;
    let cbc_only = Hub::start(&authority, Kind::CbcOnly)?;
    let small_fragments = Hub::start(&authority, Kind::SmallFragments)?;
    let clients = client::all(&authority)?;
    if !json {
        output::print(&format!(
            "A stand-in for a hardened IoT Hub listens on {} as {NAME}. It accepts TLS 1.2 and 1.3 with\n\
             recommended cipher suites, and asks for a client certificate without demanding one.\n",
            hub.address()
        ))?;
    }
    let mut all_as_expected = true;
    let mut values = Vec::new();
    for client in clients {
        let outcome = client.connect(match client.server {
            Kind::Hardened => hub.address(),
            Kind::CbcOnly => cbc_only.address(),
            Kind::SmallFragments => small_fragments.address(),
        });
        all_as_expected &= client.expects(&outcome);
        match json {
            true => values.push(client.value(&outcome)),
            false => output::print(&format!(
                "\n{}\n{}",
                styled(BOLD, client.who),
                client.text(&outcome)
            ))?,
        }
    }
    if json {
        output::print_json(
            &json!({ "hub": { "name": NAME, "address": hub.address().to_string() }, "clients": values }),
        )?;
    }
    Ok(if all_as_expected {
        Exit::Done
    } else {
        Exit::No
    })
}
