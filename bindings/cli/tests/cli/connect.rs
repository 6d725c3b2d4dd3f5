//! `hubtls connect`, with servers of every kind.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::support::{Authority, assert_error, echo, hubtls, hubtls_with_input, listen};

const NEGOTIATED: [&str; 9] = [
    "version",
    "cipher_suite",
    "cipher_suite_openssl",
    "group",
    "fragment_length",
    "alpn",
    "resumed",
    "root",
    "peer_chain",
];

#[test]
fn a_device_certificate_is_accepted_and_its_absence_is_noticed_in_tls_1_3_too() {
    let authority = Authority::new();
    let [cert, key] = authority.device();
    let (address, server) = echo(authority.server(true));
    let run = hubtls(&[
        "connect",
        &address,
        "--ca",
        &authority.root(),
        "--cert",
        &cert,
        "--key",
        &key,
        "--json",
    ]);
    assert_eq!(run.json()["version"], "TLSv1.3");
    assert_eq!(server.join().unwrap(), Ok(0));

    let (address, server) = echo(authority.server(true));
    let run = hubtls(&["connect", &address, "--ca", &authority.root(), "--json"]);
    assert_eq!(run.code, 4);
    assert_error(&run.json(), "CLIENT_CERTIFICATE_REQUIRED");
    assert_eq!(run.json()["error"]["alert"], "certificate_required");
    assert_eq!(run.json()["error"]["alert_received"], true);
    assert!(server.join().unwrap().is_err());
}

#[test]
fn an_untrusted_server_exits_with_4() {
    let (address, server) = echo(Authority::new().server(false));
    let run = hubtls(&["connect", &address, "--json"]);
    assert_eq!(run.code, 4);
    assert_error(&run.json(), "UNKNOWN_ROOT");
    assert!(server.join().unwrap().is_err());
}

#[test]
fn a_server_of_another_name_is_refused_unless_that_name_is_meant() {
    let authority = Authority::new();
    let root = authority.root();
    let (address, server) = echo(authority.server(false));
    let by_number = address.replace("localhost", "127.0.0.1");
    let run = hubtls(&["connect", &by_number, "--ca", &root, "--json"]);
    assert_eq!(run.code, 4);
    assert_error(&run.json(), "HOST_NAME_MISMATCH");
    assert!(server.join().unwrap().is_err());

    let (address, server) = echo(authority.server(false));
    let by_number = address.replace("localhost", "127.0.0.1");
    let run = hubtls(&[
        "connect",
        &by_number,
        "--ca",
        &root,
        "--name",
        "localhost",
        "--json",
    ]);
    assert_eq!(run.json()["server_name"], "localhost");
    assert_eq!(server.join().unwrap(), Ok(0));
}

#[test]
fn a_refused_port_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let run = hubtls(&["connect", &address, "--json"]);
    assert_eq!(run.code, 5);
    assert_error(&run.json(), "UNREACHABLE");
}

#[test]
fn a_server_without_tls_is_recognized() {
    let (address, server) = listen(|mut socket| {
        socket
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        socket.read_to_end(&mut Vec::new()).map(|_| ())
    });
    let run = hubtls(&["connect", &address, "--json"]);
    assert_eq!(run.code, 4);
    assert_error(&run.json(), "NOT_TLS");
    let _ = server.join().unwrap();
}

#[test]
fn a_silent_server_is_given_up() {
    let (address, server) = listen(|mut socket| socket.read_to_end(&mut Vec::new()).map(|_| ()));
    let run = hubtls(&["connect", &address, "--timeout", "1", "--json"]);
    assert_eq!(run.code, 5);
    assert_error(&run.json(), "TIMEOUT");
    let _ = server.join().unwrap();
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let run = hubtls(&["connect", "localhost", "--ca", "no-such-file.pem", "--json"]);
    assert_eq!(run.code, 2);
    assert_error(&run.json(), "INVALID_ARGUMENT");
    assert!(
        run.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("no-such-file.pem")
    );
}

#[test]
fn a_written_policy_is_read_again() {
    let authority = Authority::new();
    let written = hubtls(&["policy", "json", "iothub-tls12"]);
    let policy = authority.file("narrow.json", &written.stdout);
    let (address, server) = echo(authority.server(false));
    let run = hubtls(&[
        "connect",
        &address,
        "--ca",
        &authority.root(),
        "--policy",
        &policy,
        "--json",
    ]);
    assert_eq!(run.json()["version"], "TLSv1.2", "{}", run.stderr);
    assert_eq!(hubtls(&["policy", "json", &policy]).stdout, written.stdout);
    assert_eq!(server.join().unwrap(), Ok(0));
}

#[test]
fn a_connection_in_json_has_the_keys_of_what_was_negotiated_and_of_the_table() {
    let authority = Authority::new();
    let (address, server) = echo(authority.server(false));
    let run = hubtls(&[
        "connect",
        &address,
        "--ca",
        &authority.root(),
        "--alpn",
        "mqtt",
        "--json",
    ]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let report = run.json();
    let keys = [
        "host",
        "port",
        "address",
        "server_name",
        "policy",
        "narrowed",
        "root_sha256",
        "certificates",
        "handshake_ms",
        "warnings",
    ];
    for key in NEGOTIATED.iter().chain(&keys) {
        assert!(report.get(key).is_some(), "{key}: {report}");
    }
    assert_eq!(report["version"], "TLSv1.3");
    assert_eq!(report["alpn"], "mqtt");
    assert_eq!(report["root"], "test root");
    assert_eq!(report["certificates"][0]["sha256"], report["peer_chain"][0]);
    assert_eq!(server.join().unwrap(), Ok(0));
}

#[test]
fn a_connection_is_shown_with_chain_and_root() {
    let authority = Authority::new();
    let (address, server) = echo(authority.server(false));
    let run = hubtls(&[
        "connect",
        &address,
        "--ca",
        &authority.root(),
        "--policy",
        "iothub-ecc",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for text in [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 (0xC02B)",
        "certificate 0",
        "issuer",
        "test root",
    ] {
        assert!(run.stdout.contains(text), "{text}: {}", run.stdout);
    }
    assert!(!run.stdout.contains('\u{1b}'));
    assert_eq!(server.join().unwrap(), Ok(0));
}

#[test]
fn an_encrypted_key_needs_the_right_passphrase() {
    let authority = Authority::new();
    let [cert, key] = authority.device_with_encrypted_key("correct horse");
    let [right, wrong] = [
        authority.file("right", "correct horse\n"),
        authority.file("wrong", "battery staple\n"),
    ];
    let (address, server) = echo(authority.server(false));
    let arguments = [
        "connect",
        &address,
        "--ca",
        &authority.root(),
        "--json",
        "--cert",
        &cert,
        "--key",
        &key,
    ];
    let run = hubtls(&arguments);
    assert_eq!(run.code, 3);
    assert_error(&run.json(), "PASSPHRASE_REQUIRED");
    let run = hubtls(&[&arguments[..], &["--passphrase-file", &wrong]].concat());
    assert_error(&run.json(), "WRONG_PASSPHRASE");
    let run = hubtls(&[&arguments[..], &["--passphrase-file", &right]].concat());
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert_eq!(server.join().unwrap(), Ok(0));
}

#[test]
fn an_interactive_connection_carries_stdin_there_and_the_answer_back() {
    let authority = Authority::new();
    let (address, server) = echo(authority.server(false));
    let run = hubtls_with_input(
        &[
            "connect",
            &address,
            "--ca",
            &authority.root(),
            "--interactive",
        ],
        "ping\npong\n",
    );
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "ping\npong\n"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("TLSv1.3"), "{}", run.stderr);
    assert_eq!(server.join().unwrap(), Ok(10));
}

#[test]
fn a_fragment_length_that_tls_does_not_know_is_a_configuration_error_that_lists_the_four() {
    for number in ["300", "513:require"] {
        let run = hubtls(&[
            "connect",
            "localhost:1",
            "--fragment-length",
            number,
            "--json",
        ]);
        assert_eq!(run.code, 3, "{}", run.stdout);
        let error = &run.json()["error"];
        assert_eq!(error["name"], "INVALID_FRAGMENT_LENGTH");
        assert!(
            error["hint"]
                .as_str()
                .unwrap()
                .contains("512, 1024, 2048 and 4096")
        );
    }
    for text in ["many", "512:demand", ""] {
        let run = hubtls(&["connect", "localhost:1", "--fragment-length", text]);
        assert_eq!(run.code, 2, "{}", run.stderr);
    }
}
