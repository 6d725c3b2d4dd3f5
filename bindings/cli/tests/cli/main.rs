//! The command as its users run it.

mod connect;
mod support;

use std::io::Read;
use std::time::{Duration, Instant};

use serde_json::Value;

use support::{assert_error, command, hubtls};

#[test]
fn the_demo_shows_what_is_agreed_and_what_is_refused_and_why() {
    let started = Instant::now();
    let run = hubtls(&["demo"]);
    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let clients: Vec<&str> = run.stdout.split("\n\n").skip(1).collect();
    assert_eq!(clients.len(), 11, "{}", run.stdout);
    for agreed in clients[..4].iter().chain([&clients[8], &clients[10]]) {
        assert!(
            agreed.contains("agreed: TLSv1.") && agreed.contains("hubtls demo root"),
            "{agreed}"
        );
    }
    for refused in clients[4..8].iter().chain([&clients[9]]) {
        assert!(
            refused.contains("refused") && refused.contains("hint: "),
            "{refused}"
        );
    }
    assert!(clients[3].contains("device-01"), "{}", clients[3]);
    assert!(
        clients[6].contains("alert protocol_version"),
        "{}",
        clients[6]
    );
    assert!(
        clients[7].contains("alert handshake_failure"),
        "{}",
        clients[7]
    );
    assert!(clients[8].contains("_CBC_SHA"), "{}", clients[8]);
    assert!(clients[10].contains("at most 512 bytes"), "{}", clients[10]);
}

#[test]
fn the_demo_in_json_holds_every_client() {
    let run = hubtls(&["demo", "--json"]);
    let clients = run.json()["clients"].as_array().unwrap().clone();
    let agreed: Vec<_> = clients
        .iter()
        .filter(|client| client["outcome"] == "agreed")
        .collect();
    assert_eq!((agreed.len(), clients.len()), (6, 11));
    assert!(clients.iter().all(|client| client["as_expected"] == true));
    assert_eq!(
        agreed[2]["negotiated"]["cipher_suite"],
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    );
    let largest = |client: &Value, direction: &str| {
        client["largest_record"][direction].as_u64().expect("bytes")
    };
    let (whole, small) = (agreed[4], agreed[5]);
    assert_eq!(small["negotiated"]["fragment_length"], 512);
    assert_eq!(whole["negotiated"]["fragment_length"], Value::Null);
    for direction in ["received", "sent"] {
        // Header, IV, MAC and padding of a CBC suite take at most 85 bytes.
        assert!((513..=597).contains(&largest(small, direction)));
        assert!(largest(whole, direction) > 5_000);
    }
    for client in clients
        .iter()
        .filter(|client| client["outcome"] == "refused")
    {
        assert_error(client, client["error"]["name"].as_str().unwrap());
    }
}

#[test]
fn policies_are_listed_shown_and_written() {
    let list = hubtls(&["policy", "list"]);
    assert!(
        list.stdout.contains("iothub-2025-08-ecc"),
        "{}",
        list.stdout
    );
    assert_eq!(
        hubtls(&["policy", "list", "--json"])
            .json()
            .as_array()
            .unwrap()
            .len(),
        4
    );
    let shown = hubtls(&["policy", "show", "iothub-ecc"]);
    assert!(
        shown.stdout.contains("ECDHE-ECDSA-AES128-GCM-SHA256"),
        "{}",
        shown.stdout
    );
    assert_eq!(
        hubtls(&["policy", "show", "iothub", "--json"]).json()["policy"],
        "iothub-2025-08"
    );
    assert_eq!(
        hubtls(&["policy", "schema"]).json()["title"],
        "hubtls policy"
    );
}

#[test]
fn an_unknown_policy_is_refused_with_the_one_that_was_meant() {
    let run = hubtls(&["policy", "show", "iohub"]);
    assert_eq!((run.code, run.stdout.as_str()), (3, ""));
    assert!(
        run.stderr.starts_with("error[UNKNOWN_POLICY 201]: "),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("hint: did you mean iothub?"),
        "{}",
        run.stderr
    );
    let run = hubtls(&["policy", "show", "iohub", "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (3, ""));
    assert_error(&run.json(), "UNKNOWN_POLICY");
}

#[test]
fn a_wrong_command_line_exits_with_2_and_in_json_says_so_there() {
    for arguments in [
        &["bogus", "--json"][..],
        &["connect", "hub.example:0", "--json"],
        &["connect", "--json"],
    ] {
        let run = hubtls(arguments);
        assert_eq!(run.code, 2);
        assert_error(&run.json(), "INVALID_ARGUMENT");
    }
    assert_eq!(hubtls(&["connect"]).code, 2);
    assert_eq!(hubtls(&["--help"]).code, 0);
}

#[test]
fn roots_are_shown_with_their_readiness() {
    let run = hubtls(&["roots", "--within", "0"]);
    assert_eq!(run.code, 0);
    assert!(
        run.stdout.contains("DigiCert Global Root G2") && run.stdout.contains("\nready: "),
        "{}",
        run.stdout
    );
    let run = hubtls(&["roots", "--within", "36500", "--json"]);
    assert_eq!(run.code, 1);
    assert_eq!(run.json()["readiness"]["ready"], false);
    assert_eq!(run.json()["roots"].as_array().unwrap().len(), 4);
    assert_eq!(
        hubtls(&["roots", "--pem"])
            .stdout
            .matches("-----BEGIN CERTIFICATE-----")
            .count(),
        2
    );
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            hubtls(&["completions", shell]).stdout.contains("policy"),
            "{shell}"
        );
    }
}

#[test]
fn a_closed_pipe_ends_the_command_quietly() {
    let mut child = command(&["completions", "zsh"]).spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(
        (child.wait().unwrap().code(), stderr.as_str()),
        (Some(0), "")
    );
}
