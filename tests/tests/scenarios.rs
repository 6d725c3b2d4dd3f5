//! Runs every row of scenarios.json (tests/README.md) as a test of its own.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use hubtls::{
    CipherSuite, Clock, Config, Error, Group, Identity, Pin, Policy, RevocationLists, Roots,
    Version,
};
use hubtls_tests::client::{PATIENCE, connect_named, error};
use hubtls_tests::scenario::{
    self, Client, Conversation, Expectation, Failure, Pinned, Scenario, Trust,
};
use hubtls_tests::server::Server;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Map, Value};

fn main() {
    let trials = scenario::all()
        .into_iter()
        .map(|row| Trial::test(row.name.clone(), move || run(&row)))
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn run(row: &Scenario) -> Result<(), Failed> {
    let server = Server::start(&row.server);
    scenario::write_client_files(server.directory(), &row.client);
    let outcome = outcome(row, &server);
    compare(&row.expect, outcome).map_err(|difference| {
        format!("{difference}\nthe server printed:\n{}", server.output()).into()
    })
}

fn outcome(row: &Scenario, server: &Server) -> Result<Value, Error> {
    let config = config(&row.client, server.directory())?;
    if row.client.resume {
        converse(row, &config, server)?;
    }
    converse(row, &config, server)
}

fn config(client: &Client, directory: &Path) -> Result<Config, Error> {
    let file = |name: &str| std::fs::read(directory.join(name)).expect("a file of the scenario");
    let mut policy = Policy::named(client.policy.as_deref().unwrap_or("iothub"))?;
    if !client.versions.is_empty() {
        policy = policy.only_versions(&all(&client.versions, Version::from_name)?)?;
    }
    if !client.suites.is_empty() {
        policy = policy.only_suites(&all(&client.suites, CipherSuite::from_name)?)?;
    }
    if !client.groups.is_empty() {
        policy = policy.only_groups(&all(&client.groups, Group::from_name)?)?;
    }
    let mut builder = Config::builder().policy(policy);
    let given = |name: &str| {
        Ok::<_, Error>(Roots::from_pem(&file(name))?.vouching_for_azure(client.vouching_for_azure))
    };
    builder = match client.trust {
        Trust::Replaced => builder.roots(given("roots.pem")?),
        Trust::Added => builder.add_roots(given("roots.pem")?),
        Trust::Unrelated => builder.roots(given("unrelated.pem")?),
        Trust::Embedded => builder,
    };
    if let Some(pinned) = client.pin {
        let name = match pinned {
            Pinned::Rsa => "rsa-root.pem",
            Pinned::Ecdsa => "ecdsa-root.pem",
        };
        builder = builder.pin(Pin::of_certificate_pem(&file(name))?);
    }
    if client.revocation_lists {
        builder = builder.revocation_lists(RevocationLists::from_pem(&file("revocation.pem"))?);
    }
    if client.identity.is_some() {
        builder = builder.identity(Identity::from_pem(
            &file("identity.chain"),
            &file("identity.key"),
            None,
        )?);
    }
    if !client.alpn.is_empty() {
        builder = builder.alpn(&client.alpn);
    }
    if let Some(time) = client.time {
        builder = builder.clock(Clock::fixed(time));
    }
    builder.build()
}

fn all<T>(names: &[String], from_name: impl Fn(&str) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    names.iter().map(|name| from_name(name)).collect()
}

fn converse(row: &Scenario, config: &Config, server: &Server) -> Result<Value, Error> {
    let name = row.client.server_name.as_deref().unwrap_or("localhost");
    let mut stream = connect_named(config, server.address(), name);
    let limit = row
        .client
        .handshake_timeout_ms
        .map_or(PATIENCE, Duration::from_millis);
    stream.set_handshake_timeout(Some(limit))?;
    let negotiated = serde_json::to_value(stream.handshake()?).expect("Negotiated is data");
    let conversation = Conversation::with(row.server.kind);
    stream.write_all(&bytes(conversation.send)).map_err(error)?;
    let expected = bytes(conversation.receive);
    let mut answer = vec![0; expected.len()];
    stream.read_exact(&mut answer).map_err(error)?;
    assert_eq!(answer, expected, "the server's answer");
    stream.finish()?;
    Ok(negotiated)
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<_> = hexadecimal
        .chars()
        .map(|digit| digit.to_digit(16).expect("a digit"))
        .collect();
    let byte = |pair: &[u32]| u8::try_from(pair[0] << 4 | pair[1]).expect("two digits");
    digits.chunks(2).map(byte).collect()
}

fn compare(expected: &Expectation, outcome: Result<Value, Error>) -> Result<(), String> {
    match (expected, outcome) {
        (Expectation::Agreement(expected), Ok(negotiated)) => {
            compare_agreement(expected, &negotiated)
        }
        (Expectation::Failure(expected), Err(error)) => compare_failure(expected, &error),
        (Expectation::Agreement(_), Err(error)) => {
            Err(format!("failed: {error:?} (alert {:?})", error.alert()))
        }
        (Expectation::Failure(expected), Ok(negotiated)) => Err(format!(
            "{} did not happen, but {negotiated}",
            expected.error
        )),
    }
}

fn compare_agreement(expected: &Map<String, Value>, negotiated: &Value) -> Result<(), String> {
    for (key, value) in expected {
        if negotiated.get(key) != Some(value) {
            return Err(format!("{key} is not {value} in {negotiated}"));
        }
    }
    Ok(())
}

fn compare_failure(expected: &Failure, error: &Error) -> Result<(), String> {
    let alert = error.alert().map(|alert| alert.name().to_owned());
    let complaint = if error.code().name() != expected.error {
        format!("the code is not {}", expected.error)
    } else if expected
        .alert
        .as_ref()
        .is_some_and(|expected| *expected != alert)
    {
        format!("the alert is not {:?}", expected.alert)
    } else if error.hint().is_empty() {
        "the hint is empty".to_owned()
    } else if !error
        .to_string()
        .to_lowercase()
        .contains(&expected.says.to_lowercase())
    {
        format!("{:?} is not said", expected.says)
    } else {
        return Ok(());
    };
    Err(format!("{complaint}: {error:?} (alert {alert:?})"))
}
