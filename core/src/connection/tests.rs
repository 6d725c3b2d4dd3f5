//! The connection against a stock rustls server, in memory.

use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};

use pki_types::PrivateKeyDer;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, ServerConnection};

use super::*;
use crate::policy::Policy;
use crate::suite::Version;
use crate::trust::Roots;

mod alerts;
mod trust;

const NAME: &str = "hub.example";

struct Authority {
    root: Vec<u8>,
    /// Another certificate of the same name and key.
    reissued_root: Vec<u8>,
    chain: Vec<pki_types::CertificateDer<'static>>,
    key: Vec<u8>,
}

fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca =
            CertifiedIssuer::self_signed(params.clone(), KeyPair::generate().unwrap()).unwrap();
        let reissued = params.self_signed(ca.key()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new([NAME, "hub.azure-devices.net"].map(String::from))
            .unwrap()
            .signed_by(&key, &ca)
            .unwrap();
        Authority {
            root: ca.der().to_vec(),
            reissued_root: reissued.der().to_vec(),
            chain: vec![leaf.der().clone()],
            key: key.serialize_der(),
        }
    })
}

fn config(policy: &str) -> Config {
    let roots = Roots::from_der(&[&authority().root]).unwrap();
    Config::builder()
        .policy(Policy::named(policy).unwrap())
        .add_roots(roots)
        .build()
        .unwrap()
}

fn server() -> ServerConnection {
    ServerConnection::new(server_config()).unwrap()
}

fn server_config() -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(authority().key.clone()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(authority().chain.clone(), key)
    .unwrap();
    Arc::new(config)
}

/// What the server has to say, after it was told what the client has to say.
fn exchange(client: &mut Connection, server: &mut ServerConnection) -> Vec<u8> {
    let mut pending = client.pending();
    while !pending.is_empty() {
        server.read_tls(&mut pending).unwrap();
        // What the server thinks of it shows in its answer.
        let _ = server.process_new_packets();
    }
    client.transmitted(usize::MAX);
    let mut answer = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut answer).unwrap();
    }
    answer
}

fn connect(config: &Config) -> (Connection, ServerConnection) {
    let (mut client, mut server) = (Connection::new(config, NAME).unwrap(), server());
    while client.is_handshaking() {
        let answer = exchange(&mut client, &mut server);
        assert!(!answer.is_empty(), "the server is silent");
        assert_eq!(client.receive(&answer).unwrap(), answer.len());
    }
    let tickets = exchange(&mut client, &mut server);
    assert_eq!(
        client
            .receive_in_place(&mut tickets.clone(), |_| ())
            .unwrap(),
        tickets.len()
    );
    (client, server)
}

fn say(server: &mut ServerConnection, data: &[u8]) -> Vec<u8> {
    server.writer().write_all(data).unwrap();
    let mut records = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut records).unwrap();
    }
    records
}

fn code<T: fmt::Debug>(result: Result<T>) -> ErrorCode {
    result.unwrap_err().code()
}

#[test]
fn both_versions_connect_and_carry_data_both_ways() {
    for (policy, version) in [("iothub", Version::Tls13), ("iothub-tls12", Version::Tls12)] {
        let (mut client, mut server) = connect(&config(policy));
        let negotiated = client.negotiated().unwrap();
        assert_eq!(negotiated.version(), version);
        assert!(!negotiated.resumed());
        assert_eq!(negotiated.peer_chain().len(), 1);
        assert_eq!(client.write(b"ping").unwrap(), 4);
        exchange(&mut client, &mut server);
        let mut heard = [0; 8];
        assert_eq!(server.reader().read(&mut heard).unwrap(), 4);
        let records = say(&mut server, b"pong");
        client.receive(&records).unwrap();
        assert_eq!(client.readable_bytes().unwrap(), 4);
        assert_eq!(client.read(&mut heard).unwrap(), 4);
        assert_eq!(&heard[..4], b"pong");
        assert_eq!(client.read(&mut heard).unwrap(), 0);
        assert!(!client.is_ended());
    }
}

#[test]
fn in_place_and_copying_give_the_same_plaintext() {
    let (mut client, mut server) = connect(&config("iothub"));
    let data: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let mut heard = Vec::new();
    for chunk in data.chunks(30_000) {
        let mut records = say(&mut server, chunk);
        let done = client
            .receive_in_place(&mut records, |plaintext| heard.extend_from_slice(plaintext))
            .unwrap();
        assert_eq!(done, records.len());
    }
    assert_eq!(heard, data);
    let records = say(&mut server, &data[..20_000]);
    let (mut taken, mut copied) = (0, vec![0; 20_000]);
    let mut got = 0;
    while got < copied.len() {
        taken += client.receive(&records[taken..]).unwrap();
        got += client.read(&mut copied[got..]).unwrap();
    }
    assert_eq!(copied, data[..20_000]);
}

#[test]
fn a_record_that_waits_holds_back_the_next() {
    let (mut client, mut server) = connect(&config("iothub"));
    let records = [say(&mut server, b"first"), say(&mut server, b"second")].concat();
    let taken = client.receive(&records).unwrap();
    assert!(taken < records.len());
    assert!(!client.wants_receive());
    assert_eq!(client.receive(&records[taken..]).unwrap(), 0);
    let mut output = [0; 3];
    assert_eq!(client.read(&mut output).unwrap(), 3);
    assert!(client.wants_receive());
    assert_eq!(
        client.receive(&records[taken..]).unwrap(),
        records.len() - taken
    );
    let mut rest = [0; 20];
    assert_eq!(client.read(&mut rest).unwrap(), 2);
    assert_eq!(client.read(&mut rest).unwrap(), 6);
    assert_eq!(&rest[..6], b"second");
}

/// Reads as a program would that waits for its transport before each call: at most `asked` bytes, of as many records as that takes.
fn read_within_limit(client: &mut Connection, wire: &mut &[u8], asked: usize) -> usize {
    let (mut output, mut got) = (vec![0; asked], client.read(&mut vec![0; asked]).unwrap());
    if got > 0 {
        return got;
    }
    let (mut now, later) = wire.split_at(client.receive_limit(asked).min(wire.len()));
    *wire = later;
    while !now.is_empty() {
        let taken = client.receive(now).unwrap();
        now = &now[taken..];
        let count = client.read(&mut output[got..]).unwrap();
        assert!(taken + count > 0, "a whole record waits behind another");
        got += count;
    }
    got
}

#[test]
fn what_is_received_within_the_limit_leaves_no_whole_record_behind() {
    let sizes = [1, 100, 1, 16_384, 5000, 1, 1, 300];
    for policy in ["iothub", "iothub-tls12"] {
        for asked in [1, 23, 128, 20_000] {
            let (mut client, mut server) = connect(&config(policy));
            let wire: Vec<u8> = sizes
                .iter()
                .flat_map(|size| say(&mut server, &vec![7; *size]))
                .collect();
            let (mut wire, mut got) = (wire.as_slice(), 0);
            while got < sizes.iter().sum() {
                got += read_within_limit(&mut client, &mut wire, asked);
            }
            assert!(wire.is_empty());
            assert_eq!(client.receive_limit(0), 22, "a header at least");
        }
    }
}

#[test]
fn writing_stops_while_too_much_waits_for_the_transport() {
    let (mut client, _server) = connect(&config("iothub"));
    let data = [0; 10_000];
    let mut writes = 0;
    while client.write(&data).unwrap() > 0 {
        writes += 1;
    }
    assert_eq!(writes, 3);
    assert!(client.pending().len() <= MAX_OUTPUT);
    client.transmitted(usize::MAX);
    assert_eq!(client.write(&data).unwrap(), data.len());
}

#[test]
fn a_clean_end_and_a_truncated_one_are_told_apart() {
    let (mut client, mut server) = connect(&config("iothub"));
    server.send_close_notify();
    let records = say(&mut server, b"");
    client.receive(&records).unwrap();
    client.receive_end().unwrap();
    assert!(client.is_ended());
    assert_eq!(client.receive(b"ignored").unwrap(), 7);
    assert_eq!(client.write(b"half-closed").unwrap(), 11);

    let (mut client, mut server) = connect(&config("iothub"));
    let records = say(&mut server, b"last words");
    client.receive(&records).unwrap();
    assert_eq!(code(client.receive_end()), ErrorCode::Truncated);
    let mut heard = [0; 10];
    assert_eq!(
        client.read(&mut heard).unwrap(),
        10,
        "what came before can be read"
    );
    assert_eq!(code(client.read(&mut heard)), ErrorCode::Truncated);
}

#[test]
fn nothing_is_written_after_finish() {
    let (mut client, mut server) = connect(&config("iothub"));
    client.finish().unwrap();
    client.finish().unwrap();
    assert_eq!(code(client.write(b"late")), ErrorCode::WriteAfterFinish);
    exchange(&mut client, &mut server);
    assert_eq!(
        server.reader().read(&mut [0; 1]).unwrap(),
        0,
        "close_notify arrived"
    );
    let records = say(&mut server, b"still heard");
    client.receive(&records).unwrap();
    assert_eq!(client.readable_bytes().unwrap(), 11);
}

#[test]
fn a_connection_cannot_finish_in_mid_handshake() {
    let mut client = Connection::new(&config("iothub"), NAME).unwrap();
    assert_eq!(code(client.finish()), ErrorCode::HandshakeNotComplete);
    assert_eq!(client.write(b"early").unwrap(), 0);
    assert!(client.negotiated().is_none());
}

#[test]
fn a_failed_connection_stays_failed_and_has_an_alert_to_send() {
    let untrusting = Config::builder().build().unwrap();
    let (mut client, mut server) = (Connection::new(&untrusting, NAME).unwrap(), server());
    let answer = exchange(&mut client, &mut server);
    let error = client.receive(&answer).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnknownRoot);
    assert_eq!(error.alert().map(|alert| alert.name()), Some("unknown_ca"));
    assert_eq!(client.receive(&answer), Err(error.clone()));
    assert_eq!(client.write(b"x"), Err(error.clone()));
    assert_eq!(client.receive_end(), Err(error));
    assert!(client.wants_transmit());
    assert!(!client.wants_receive());
}

#[test]
fn a_changed_record_is_refused_in_either_form() {
    for in_place in [false, true] {
        let (mut client, mut server) = connect(&config("iothub"));
        let mut records = say(&mut server, b"authentic");
        *records.last_mut().unwrap() ^= 1;
        let result = if in_place {
            client.receive_in_place(&mut records, |_| panic!("nothing is handed out"))
        } else {
            client
                .receive(&records)
                .and_then(|_| client.readable_bytes())
        };
        assert_eq!(code(result), ErrorCode::BadRecord);
    }
}

#[test]
fn a_peer_that_does_not_speak_tls_is_recognised() {
    for (answer, word) in [
        (b"HTTP/1.1 400 Bad Request\r\n".as_slice(), "HTTP"),
        (b"\x20\x02\x00\x05", "MQTT"),
        (b"SSH-2.0-x", "SSH"),
        (b"\xff\xff\xff\xff", "TLS"),
    ] {
        let mut client = Connection::new(&config("iothub"), NAME).unwrap();
        let error = client.receive(answer).unwrap_err();
        assert_eq!(error.code(), ErrorCode::NotTls);
        assert!(error.message().contains(word), "{error}");
    }
    let mut client = Connection::new(&config("iothub"), NAME).unwrap();
    client.receive(b"?").unwrap();
    assert_eq!(code(client.receive_end()), ErrorCode::NotTls);
}

#[test]
fn a_silent_end_in_mid_handshake_is_reported() {
    let mut client = Connection::new(&config("iothub"), NAME).unwrap();
    assert_eq!(code(client.receive_end()), ErrorCode::ClosedInHandshake);
}

#[test]
fn a_handshake_message_cannot_grow_without_bound() {
    let mut client = Connection::new(&config("iothub"), NAME).unwrap();
    let mut fed = 0;
    // A ServerHello that says it has 65,535 bytes, in records of one byte each.
    let start = [
        [22, 3, 3, 0, 1, 2],
        [22, 3, 3, 0, 1, 0],
        [22, 3, 3, 0, 1, 0xff],
        [22, 3, 3, 0, 1, 0xff],
    ]
    .concat();
    let mut result = client.receive(&start);
    while result.is_ok() && fed < 4 * MAX_INCOMING {
        fed += 6;
        result = client.receive(&[22, 3, 3, 0, 1, 0]);
    }
    assert_eq!(code(result), ErrorCode::PeerMisbehaved);
    assert!(fed <= 2 * MAX_INCOMING, "{fed}");
}

#[test]
fn names_that_cannot_be_verified_are_refused_with_advice() {
    let config = config("iothub");
    for (name, advice) in [
        ("hub.example:8883", "without a port"),
        ("https://hub.example/", "without scheme"),
        ("", "for example"),
        ("a b", "for example"),
        ("hub.example]", "for example"),
        ("[hub.example]", "for example"),
        ("[127.0.0.1]", "for example"),
        ("[[::1", "for example"),
        ("::1.", "for example"),
    ] {
        let error = Connection::new(&config, name).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidServerName);
        assert!(error.hint().contains(advice), "{name}: {error}");
    }
    for name in ["hub.example.", "127.0.0.1", "::1", "[::1]"] {
        assert!(Connection::new(&config, name).is_ok(), "{name}");
    }
}

#[test]
fn used_up_keys_ask_for_a_new_connection() {
    let config = config("iothub-tls12").with_record_limit(4);
    let (mut client, mut server) = connect(&config);
    let error = loop {
        match client.write(b"x") {
            Ok(1) => {}
            Ok(_) => panic!("nothing waits"),
            Err(error) => break error,
        }
        exchange(&mut client, &mut server);
    };
    assert_eq!(error.code(), ErrorCode::RecordLimit);
    assert!(error.code().is_transient());
    assert!(error.hint().contains("reconnect"));
    assert!(client.wants_transmit(), "close_notify tells the server");
    exchange(&mut client, &mut server);
    let records = say(&mut server, b"still heard");
    client.receive(&records).unwrap();
    assert_eq!(client.readable_bytes().unwrap(), 11);
    assert_eq!(client.write(b"x"), Err(error));
}

#[test]
fn connections_move_between_threads() {
    fn is_send<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    is_send::<Connection>();
    is_shared::<Config>();
    is_shared::<crate::config::ConfigHandle>();
    is_shared::<Negotiated>();
}
