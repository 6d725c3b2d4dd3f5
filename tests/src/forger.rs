//! A rustls server that puts extensions of the test's choice into its answers and still holds the keys.
//!
//! Both what it sends and what it hashes are changed, so its Finished is valid: the client cannot blame the network. In TLS 1.3 the
//! EncryptedExtensions are changed before they are encrypted; in TLS 1.2 the ServerHello is not encrypted, and [`Forger`] changes it on the way out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::crypto::cipher::{
    AeadKey, Iv, KeyBlockShape, MessageDecrypter, MessageEncrypter, OutboundChunks,
    OutboundOpaqueMessage, OutboundPlainMessage, Tls12AeadAlgorithm, Tls13AeadAlgorithm,
    UnsupportedOperationError,
};
use rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};
use rustls::crypto::{CipherSuiteCommon, aws_lc_rs};
use rustls::{
    ConnectionTrafficSecrets, ContentType, Error, ServerConfig, SupportedCipherSuite,
    Tls12CipherSuite, Tls13CipherSuite,
};

use crate::duo::{Rustls, Server};
use crate::memory::ServerOptions;
use crate::wire::{self, handshake};

/// What is put in front of the extensions of which message.
#[derive(Clone, Debug)]
pub struct Forgery {
    /// The type of the message.
    pub message: u8,
    /// The extensions, each with number and length.
    pub extensions: Vec<u8>,
    /// Whether a HelloRetryRequest, which is of the type of a ServerHello, gets them instead.
    pub retry: bool,
    /// Whether they stand behind the other extensions, perhaps in a later record, instead of in front of them.
    last: bool,
    /// So many bytes are added to each record of application data.
    longer: Arc<AtomicUsize>,
}

impl Forgery {
    /// `extensions` in the ServerHello.
    pub fn server_hello(extensions: Vec<u8>) -> Self {
        Self {
            message: handshake::SERVER_HELLO,
            extensions,
            retry: false,
            last: false,
            longer: Arc::default(),
        }
    }

    /// `extensions` in the HelloRetryRequest.
    pub fn retry_request(extensions: Vec<u8>) -> Self {
        Self {
            retry: true,
            ..Self::server_hello(extensions)
        }
    }

    /// `extensions` in the EncryptedExtensions.
    pub fn encrypted_extensions(extensions: Vec<u8>) -> Self {
        Self {
            message: handshake::ENCRYPTED_EXTENSIONS,
            extensions,
            retry: false,
            last: false,
            longer: Arc::default(),
        }
    }

    /// The same behind the other extensions.
    #[must_use]
    pub fn behind_the_others(mut self) -> Self {
        self.last = true;
        self
    }

    /// `bytes` begin with a whole handshake message; the rest stays as it is.
    fn applied(&self, bytes: &[u8]) -> Vec<u8> {
        let Some(message) = handshake::messages(bytes).into_iter().next() else {
            return bytes.to_vec();
        };
        if message[0] != self.message || handshake::is_retry(&message) != self.retry {
            return bytes.to_vec();
        }
        let mut forged = handshake::with_extensions(&message, |list| {
            let at = if self.last { list.len() } else { 0 };
            list.insert(at, self.extensions.clone());
        });
        forged.extend_from_slice(&bytes[message.len()..]);
        forged
    }

    /// The configuration of a server that does this.
    pub fn config(&self, options: ServerOptions) -> Arc<ServerConfig> {
        let this: &'static Self = Box::leak(Box::new(self.clone()));
        ServerOptions {
            suites: aws_lc_rs::ALL_CIPHER_SUITES
                .iter()
                .map(|suite| this.suite(*suite))
                .collect(),
            ..options
        }
        .config()
    }

    fn suite(&'static self, suite: SupportedCipherSuite) -> SupportedCipherSuite {
        let hash = |stock| Box::leak(Box::new(ForgedHash(self, stock)));
        match suite {
            SupportedCipherSuite::Tls13(stock) => {
                let suite = Tls13CipherSuite {
                    common: CipherSuiteCommon {
                        hash_provider: hash(stock.common.hash_provider),
                        ..stock.common
                    },
                    hkdf_provider: stock.hkdf_provider,
                    aead_alg: Box::leak(Box::new(Forged13(self, stock.aead_alg))),
                    quic: None,
                };
                SupportedCipherSuite::Tls13(Box::leak(Box::new(suite)))
            }
            SupportedCipherSuite::Tls12(stock) => {
                let suite = Tls12CipherSuite {
                    common: CipherSuiteCommon {
                        hash_provider: hash(stock.common.hash_provider),
                        ..stock.common
                    },
                    prf_provider: stock.prf_provider,
                    kx: stock.kx,
                    sign: stock.sign,
                    aead_alg: Box::leak(Box::new(Forged12(self, stock.aead_alg))),
                };
                SupportedCipherSuite::Tls12(Box::leak(Box::new(suite)))
            }
        }
    }
}

struct ForgedHash(&'static Forgery, &'static dyn Hash);

impl Hash for ForgedHash {
    fn start(&self) -> Box<dyn Context> {
        Box::new(ForgedContext(self.0, self.1.start()))
    }

    fn hash(&self, data: &[u8]) -> Output {
        self.1.hash(data)
    }

    fn output_len(&self) -> usize {
        self.1.output_len()
    }

    fn algorithm(&self) -> HashAlgorithm {
        self.1.algorithm()
    }
}

struct ForgedContext(&'static Forgery, Box<dyn Context>);

impl Context for ForgedContext {
    fn fork_finish(&self) -> Output {
        self.1.fork_finish()
    }

    fn fork(&self) -> Box<dyn Context> {
        Box::new(Self(self.0, self.1.fork()))
    }

    fn finish(self: Box<Self>) -> Output {
        self.1.finish()
    }

    /// rustls hashes message by message.
    fn update(&mut self, data: &[u8]) {
        self.1.update(&self.0.applied(data));
    }
}

struct Forged13(&'static Forgery, &'static dyn Tls13AeadAlgorithm);

impl Tls13AeadAlgorithm for Forged13 {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        ForgedEncrypter::of(self.0, self.1.encrypter(key, iv))
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.1.decrypter(key, iv)
    }

    fn key_len(&self) -> usize {
        self.1.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.1.extract_keys(key, iv)
    }
}

struct ForgedEncrypter {
    forgery: &'static Forgery,
    inner: Box<dyn MessageEncrypter>,
    /// How far into the coming records the forged extensions belong.
    due_in: Option<usize>,
}

impl ForgedEncrypter {
    fn of(
        forgery: &'static Forgery,
        inner: Box<dyn MessageEncrypter>,
    ) -> Box<dyn MessageEncrypter> {
        Box::new(Self {
            forgery,
            inner,
            due_in: None,
        })
    }

    /// The first record under the keys of the handshake begins with EncryptedExtensions, whose end may come in a later one.
    fn forge(&mut self, payload: &mut Vec<u8>, sequence: u64) {
        const LENGTHS: std::ops::Range<usize> = 1..6;
        let begins = sequence == 0
            && self.forgery.message == handshake::ENCRYPTED_EXTENSIONS
            && payload.starts_with(&[handshake::ENCRYPTED_EXTENSIONS]);
        if begins && let &[a, b, c, d, e] = &payload[LENGTHS] {
            let message = u32::from_be_bytes([0, a, b, c]) as usize;
            let list = usize::from(u16::from_be_bytes([d, e]));
            let added = self.forgery.extensions.len();
            let longer = |length: usize, bytes: usize| {
                let all = (length + added).to_be_bytes();
                all[all.len() - bytes..].to_vec()
            };
            payload.splice(LENGTHS, [longer(message, 3), longer(list, 2)].concat());
            self.due_in = Some(if self.forgery.last {
                4 + message
            } else {
                LENGTHS.end
            });
        }
        match self.due_in {
            Some(at) if at <= payload.len() => {
                payload.splice(at..at, self.forgery.extensions.iter().copied());
                self.due_in = None;
            }
            Some(at) => self.due_in = Some(at - payload.len()),
            None => {}
        }
    }
}

impl MessageEncrypter for ForgedEncrypter {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let mut payload = message.payload.to_vec();
        match message.typ {
            ContentType::Handshake => self.forge(&mut payload, sequence),
            ContentType::ApplicationData => {
                let longer = self.forgery.longer.load(Ordering::Relaxed);
                payload.resize(payload.len() + longer, 7);
            }
            _ => {}
        }
        let message = OutboundPlainMessage {
            payload: OutboundChunks::Single(&payload),
            ..message
        };
        self.inner.encrypt(message, sequence)
    }

    fn encrypted_payload_len(&self, length: usize) -> usize {
        self.inner.encrypted_payload_len(length)
    }
}

struct Forged12(&'static Forgery, &'static dyn Tls12AeadAlgorithm);

impl Tls12AeadAlgorithm for Forged12 {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        ForgedEncrypter::of(self.0, self.1.encrypter(key, iv, extra))
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        self.1.decrypter(key, iv)
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.1.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.1.extract_keys(key, iv, explicit)
    }
}

/// A server that forges.
pub struct Forger {
    forgery: Forgery,
    inner: Rustls,
    answered: bool,
}

impl Forger {
    /// A server of a configuration that [`Forgery::config`] made.
    pub fn new(forgery: &Forgery, config: &Arc<ServerConfig>) -> Self {
        Self {
            forgery: forgery.clone(),
            inner: Rustls::new(config),
            answered: false,
        }
    }

    /// Adds so many bytes to each record of application data from now on: in all connections of the configuration.
    pub fn lengthen(&self, bytes: usize) {
        self.forgery.longer.store(bytes, Ordering::Relaxed);
    }
}

impl Server for Forger {
    fn receive(&mut self, bytes: &[u8]) {
        self.inner.receive(bytes);
    }

    fn take(&mut self) -> Vec<u8> {
        let flight = self.inner.take();
        if self.answered || flight.is_empty() {
            return flight;
        }
        let mut records = wire::records(&flight);
        for record in &mut records {
            if record.kind == wire::content::HANDSHAKE && !self.answered {
                self.answered = !handshake::is_retry(&record.payload);
                record.payload = self.forgery.applied(&record.payload);
            }
        }
        wire::bytes(&records)
    }

    fn write(&mut self, data: &[u8]) {
        self.inner.write(data);
    }

    fn received(&self) -> &[u8] {
        self.inner.received()
    }

    fn is_connected(&self) -> bool {
        self.inner.is_connected()
    }

    fn failure(&self) -> Option<&str> {
        self.inner.failure()
    }
}
