//! Raw rustls, buffered and unbuffered, set up as hubtls sets it up.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::client::{ClientConnectionData, Resumption, UnbufferedClientConnection};
use rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, UnbufferedStatus, WriteTraffic,
};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, RootCertStore};

use crate::peer::{Client, InPlace, RECORD, Tls};
use crate::pki::{Pki, SERVER_NAME};

/// How much longer than its plaintext a record is at most in bytes, with the suites measured.
const OVERHEAD: usize = 5 + 8 + 16 + 1;

/// `rustls::ClientConnection`.
#[derive(Debug)]
pub struct Buffered(ClientConnection);

impl Client for Buffered {
    const NAME: &'static str = "rustls";
    type Config = Arc<ClientConfig>;

    fn config(pki: &Pki, resumption: bool) -> Self::Config {
        config(pki, resumption)
    }

    fn connect(config: &Self::Config, wire: &mut Vec<u8>) -> Self {
        let connection =
            ClientConnection::new(Arc::clone(config), server_name()).expect("a sound config");
        let mut client = Self(connection);
        client.flush(wire);
        client
    }

    fn receive(
        &mut self,
        ciphertext: &mut Vec<u8>,
        wire: &mut Vec<u8>,
        output: &mut [u8],
    ) -> usize {
        let mut received = 0;
        let mut rest = ciphertext.as_slice();
        while !rest.is_empty() {
            self.0.read_tls(&mut rest).expect("room for input");
            self.0.process_new_packets().expect("sound records");
            while let Ok(n @ 1..) = self.0.reader().read(output) {
                received += n;
            }
        }
        ciphertext.clear();
        self.flush(wire);
        received
    }

    fn send(&mut self, data: &[u8], wire: &mut Vec<u8>) {
        self.0.writer().write_all(data).expect("room for output");
        self.flush(wire);
    }

    fn agreed(&self) -> Option<(Tls, bool)> {
        agreed(self.0.protocol_version(), self.0.handshake_kind())
    }
}

impl Buffered {
    fn flush(&mut self, wire: &mut Vec<u8>) {
        while self.0.wants_write() {
            self.0.write_tls(wire).expect("a vector takes all");
        }
    }
}

/// `rustls::client::UnbufferedClientConnection`, always working in the caller's buffer.
pub struct Unbuffered(UnbufferedClientConnection);

impl Client for Unbuffered {
    const NAME: &'static str = "rustls unbuffered";
    type Config = Arc<ClientConfig>;

    fn config(pki: &Pki, resumption: bool) -> Self::Config {
        config(pki, resumption)
    }

    fn connect(config: &Self::Config, wire: &mut Vec<u8>) -> Self {
        let connection = UnbufferedClientConnection::new(Arc::clone(config), server_name())
            .expect("a sound config");
        let mut client = Self(connection);
        client.process(&mut [], wire, |_| {}, |_, _| {});
        client
    }

    fn receive(
        &mut self,
        ciphertext: &mut Vec<u8>,
        wire: &mut Vec<u8>,
        output: &mut [u8],
    ) -> usize {
        let mut received = 0;
        let copy = |plaintext: &[u8]| {
            output[..plaintext.len()].copy_from_slice(plaintext);
            received += plaintext.len();
        };
        self.process(ciphertext, wire, copy, |_, _| {});
        ciphertext.clear();
        received
    }

    fn send(&mut self, data: &[u8], wire: &mut Vec<u8>) {
        self.process(
            &mut [],
            wire,
            |_| {},
            |mut traffic, wire| {
                for part in data.chunks(RECORD) {
                    let at = wire.len();
                    wire.resize(at + part.len() + OVERHEAD, 0);
                    let n = traffic
                        .encrypt(part, &mut wire[at..])
                        .expect("room for a record");
                    wire.truncate(at + n);
                }
            },
        );
    }

    fn agreed(&self) -> Option<(Tls, bool)> {
        agreed(self.0.protocol_version(), self.0.handshake_kind())
    }
}

impl InPlace for Unbuffered {
    fn receive_in_place(&mut self, ciphertext: &mut [u8]) -> usize {
        let mut received = 0;
        let count = |plaintext: &[u8]| received += plaintext.len();
        self.process(ciphertext, &mut Vec::new(), count, |_, _| {});
        received
    }
}

impl Unbuffered {
    /// Works through `input`, which holds whole records, until rustls wants nothing more of it.
    fn process(
        &mut self,
        mut input: &mut [u8],
        wire: &mut Vec<u8>,
        mut each: impl FnMut(&[u8]),
        established: impl FnOnce(WriteTraffic<'_, ClientConnectionData>, &mut Vec<u8>),
    ) {
        loop {
            let whole = input.len();
            let UnbufferedStatus { discard, state } = self.0.process_tls_records(input);
            match state.expect("sound records") {
                ConnectionState::EncodeTlsData(data) => encode(data, wire),
                ConnectionState::TransmitTlsData(transmit) => transmit.done(),
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        each(record.expect("a sound record").payload);
                    }
                }
                ConnectionState::WriteTraffic(traffic) => {
                    assert_eq!(discard, whole, "whole records leave nothing");
                    return established(traffic, wire);
                }
                _ => return assert_eq!(discard, whole, "whole records leave nothing"),
            }
            input = &mut input[discard..];
        }
    }
}

fn encode(mut data: EncodeTlsData<'_, ClientConnectionData>, wire: &mut Vec<u8>) {
    let at = wire.len();
    if let Err(EncodeError::InsufficientSize(size)) = data.encode(&mut []) {
        wire.resize(at + size.required_size, 0);
        data.encode(&mut wire[at..]).expect("the size asked for");
    }
}

fn config(pki: &Pki, resumption: bool) -> Arc<ClientConfig> {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    provider.cipher_suites = vec![
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS13_AES_256_GCM_SHA384,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ];
    let mut roots = RootCertStore::empty();
    roots.add(pki.root_der.clone()).expect("a sound root");
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("suites for both versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    if !resumption {
        config.resumption = Resumption::disabled();
    }
    Arc::new(config)
}

fn server_name() -> ServerName<'static> {
    ServerName::try_from(SERVER_NAME).expect("a DNS name")
}

fn agreed(version: Option<ProtocolVersion>, kind: Option<HandshakeKind>) -> Option<(Tls, bool)> {
    let tls = match version? {
        ProtocolVersion::TLSv1_2 => Tls::V12,
        ProtocolVersion::TLSv1_3 => Tls::V13,
        _ => return None,
    };
    Some((tls, kind? == HandshakeKind::Resumed))
}
