//! A conversation of OpenSSL with itself, recorded: from the master secret to the last record.

use data_encoding::HEXLOWER;

use super::*;

/// One recorded connection.
struct Session {
    suite: &'static Suite,
    master: Vec<u8>,
    client_random: Vec<u8>,
    server_random: Vec<u8>,
    client: Vec<Captured>,
    server: Vec<Captured>,
}

struct Captured {
    wire: Vec<u8>,
    plain: Vec<u8>,
}

impl Captured {
    fn header(&self) -> (ContentType, ProtocolVersion) {
        let version = u16::from_be_bytes([self.wire[1], self.wire[2]]);
        (self.wire[0].into(), version.into())
    }

    fn body(&self) -> &[u8] {
        &self.wire[5..]
    }
}

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn sessions() -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    for line in include_str!("captured.txt").lines() {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["" | "#", ..] => {}
            ["suite", name] => sessions.push(Session {
                suite: match name {
                    "ECDHE-ECDSA-AES128-SHA256" => &AES_128_SHA_256,
                    "ECDHE-ECDSA-AES256-SHA384" => &AES_256_SHA_384,
                    other => panic!("{other}"),
                },
                master: Vec::new(),
                client_random: Vec::new(),
                server_random: Vec::new(),
                client: Vec::new(),
                server: Vec::new(),
            }),
            [key, ref values @ ..] => {
                let session = sessions.last_mut().unwrap();
                let mut values = values.iter().map(|value| hex(value));
                let mut value = || values.next().unwrap();
                match key {
                    "master" => session.master = value(),
                    "client_random" => session.client_random = value(),
                    "server_random" => session.server_random = value(),
                    "client" | "server" => {
                        let (wire, plain) = (value(), value());
                        let records = if key == "client" {
                            &mut session.client
                        } else {
                            &mut session.server
                        };
                        records.push(Captured { wire, plain });
                    }
                    other => panic!("{other}"),
                }
            }
            [] => unreachable!("split yields at least one word"),
        }
    }
    assert_eq!(sessions.len(), 2);
    sessions
}

impl Session {
    /// Key and MAC key of the client and of the server, derived and cut as rustls does it.
    fn keys(&self) -> [(Vec<u8>, Vec<u8>); 2] {
        let shape = self.suite.key_block_shape();
        let mut block = vec![0; 2 * (shape.enc_key_len + shape.fixed_iv_len)];
        let seed = [&self.server_random[..], &self.client_random].concat();
        self.suite
            .for_secret(&mut block, &self.master, b"key expansion", &seed);
        let (keys, mac_keys) = block.split_at(2 * shape.enc_key_len);
        let (client, server) = keys.split_at(shape.enc_key_len);
        let (client_mac, server_mac) = mac_keys.split_at(shape.fixed_iv_len);
        [(client, client_mac), (server, server_mac)]
            .map(|(key, mac_key)| (key.to_vec(), mac_key.to_vec()))
    }

    /// The records of each side with its keys.
    fn sides(&self) -> impl Iterator<Item = (&[Captured], (Vec<u8>, Vec<u8>))> {
        [&self.client[..], &self.server]
            .into_iter()
            .zip(self.keys())
    }
}

#[test]
fn what_openssl_sealed_is_opened() {
    for session in sessions() {
        for (records, (key, mac_key)) in session.sides() {
            assert_eq!(records.len(), 5);
            let mut opener = session.suite.record(&key, &mac_key, OPEN);
            for (captured, sequence) in records.iter().zip(0..) {
                let (content_type, version) = captured.header();
                let mut body = captured.body().to_vec();
                let message = InboundOpaqueMessage::new(content_type, version, &mut body);
                let plain = opener.decrypt(message, sequence).unwrap();
                assert_eq!(plain.payload, captured.plain, "record {sequence}");
            }
        }
    }
}

#[test]
fn with_the_same_iv_each_record_is_sealed_as_openssl_did() {
    for session in sessions() {
        for (records, (key, mac_key)) in session.sides() {
            let mut sealer = session.suite.record(&key, &mac_key, SEAL);
            for (captured, sequence) in records.iter().zip(0..) {
                let (content_type, version) = captured.header();
                let body = captured.body();
                sealer.ivs[..BLOCK].copy_from_slice(&body[..BLOCK]);
                sealer.ivs_left = 1;
                let message = OutboundPlainMessage {
                    typ: content_type,
                    version,
                    payload: OutboundChunks::Single(&captured.plain),
                };
                let sealed = sealer.encrypt(message, sequence).unwrap();
                assert_eq!(sealed.payload.as_ref(), body, "record {sequence}");
            }
        }
    }
}
