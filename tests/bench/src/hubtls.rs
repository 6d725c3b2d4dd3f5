//! hubtls, with its default policy and a throwaway root.

use hubtls::{Config, Connection, Mode, Policy, Roots, Version};

use crate::peer::{Client, InPlace, Tls};
use crate::pki::{Pki, SERVER_NAME};

/// A [`Connection`].
#[derive(Debug)]
pub struct HubTls(Connection);

impl Client for HubTls {
    const NAME: &'static str = "hubtls";
    type Config = Config;

    fn config(pki: &Pki, resumption: bool) -> Config {
        let roots = Roots::from_pem(pki.root_pem.as_bytes()).expect("a sound root");
        Config::builder()
            .roots(roots)
            .resumption(resumption)
            .build()
            .expect("a sound config")
    }

    fn connect(config: &Config, wire: &mut Vec<u8>) -> Self {
        let mut client = Self(Connection::new(config, SERVER_NAME).expect("a DNS name"));
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
            let taken = self.0.receive(rest).expect("sound records");
            rest = &rest[taken..];
            let before = received;
            while let n @ 1.. = self.0.read(output).expect("sound records") {
                received += n;
            }
            assert!(taken > 0 || received > before, "no progress");
        }
        ciphertext.clear();
        self.flush(wire);
        received
    }

    fn send(&mut self, mut data: &[u8], wire: &mut Vec<u8>) {
        while !data.is_empty() {
            let taken = self.0.write(data).expect("an open connection");
            assert!(taken > 0, "all before was sent");
            data = &data[taken..];
            self.flush(wire);
        }
    }

    fn agreed(&self) -> Option<(Tls, bool)> {
        let negotiated = self.0.negotiated()?;
        let tls = match negotiated.version() {
            Version::Tls12 if negotiated.cipher_suite().mode() == Mode::Cbc => Tls::V12Cbc,
            Version::Tls12 => Tls::V12,
            Version::Tls13 => Tls::V13,
        };
        Some((tls, negotiated.resumed()))
    }
}

impl InPlace for HubTls {
    fn receive_in_place(&mut self, ciphertext: &mut [u8]) -> usize {
        let whole = ciphertext.len();
        let mut received = 0;
        let taken = self
            .0
            .receive_in_place(ciphertext, |plaintext| received += plaintext.len())
            .expect("sound records");
        assert_eq!(taken, whole, "whole records leave nothing");
        received
    }
}

impl HubTls {
    fn flush(&mut self, wire: &mut Vec<u8>) {
        let pending = self.0.pending();
        wire.extend_from_slice(pending);
        let sent = pending.len();
        self.0.transmitted(sent);
    }
}

/// A Config as most users make it: the newest policy, its embedded roots, no identity.
///
/// # Panics
/// If it is not sound.
#[must_use]
pub fn embedded_config() -> Config {
    let policy = Policy::named("iothub").expect("the newest policy");
    Config::builder()
        .policy(policy)
        .build()
        .expect("a sound config")
}
