//! Cipher suites whose transcript hash covers the wire's bytes and whose records obey the agreed length.

use rustls::crypto::CipherSuiteCommon;
use rustls::crypto::aws_lc_rs::cipher_suite as stock;
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter,
    MessageEncrypter, Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};
use rustls::{
    ConnectionTrafficSecrets, ContentType, Error, SupportedCipherSuite, Tls12CipherSuite,
    Tls13CipherSuite,
};

use super::scan::{Found, Scan};
use super::{Agreement, BAD_RECORD_MAC, hello, overflow, shim};
#[cfg(feature = "cbc")]
use crate::engine::cbc;
use crate::engine::scope;

/// `suite` in the form that negotiates a fragment length.
pub(crate) fn wrapped(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    *WRAPPED
        .iter()
        .find(|known| known.suite() == suite.suite())
        .unwrap_or(&suite)
}

macro_rules! wrapped_suites {
    (tls13 { $($name13:ident of $stock13:expr,)+ } tls12 { $($(#[$present:meta])* $name12:ident of $stock12:expr,)+ }) => {
        $(static $name13: Tls13CipherSuite = {
            static HASH: WireHash = WireHash(tls13($stock13).common.hash_provider);
            static PROTECTION: Guarded13 = Guarded13(tls13($stock13).aead_alg);
            let stock = tls13($stock13);
            Tls13CipherSuite {
                common: CipherSuiteCommon { hash_provider: &HASH, ..stock.common },
                hkdf_provider: stock.hkdf_provider,
                aead_alg: &PROTECTION,
                quic: None,
            }
        };)+
        $($(#[$present])* static $name12: Tls12CipherSuite = {
            static HASH: WireHash = WireHash(tls12($stock12).common.hash_provider);
            static PROTECTION: Guarded12 = Guarded12(tls12($stock12).aead_alg);
            let stock = tls12($stock12);
            Tls12CipherSuite {
                common: CipherSuiteCommon { hash_provider: &HASH, ..stock.common },
                prf_provider: stock.prf_provider,
                kx: stock.kx,
                sign: stock.sign,
                aead_alg: &PROTECTION,
            }
        };)+
        static WRAPPED: &[SupportedCipherSuite] = &[
            $(SupportedCipherSuite::Tls13(&$name13),)+
            $($(#[$present])* SupportedCipherSuite::Tls12(&$name12),)+
        ];
    };
}

wrapped_suites! {
    tls13 {
    AES_128_GCM of &stock::TLS13_AES_128_GCM_SHA256,
    AES_256_GCM of &stock::TLS13_AES_256_GCM_SHA384,
    }
    tls12 {
    ECDSA_AES_128_GCM of &stock::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ECDSA_AES_256_GCM of &stock::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    RSA_AES_128_GCM of &stock::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    RSA_AES_256_GCM of &stock::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    #[cfg(feature = "cbc")]
    ECDSA_AES_128_CBC of &cbc::ECDSA_AES_128,
    #[cfg(feature = "cbc")]
    ECDSA_AES_256_CBC of &cbc::ECDSA_AES_256,
    #[cfg(feature = "cbc")]
    RSA_AES_128_CBC of &cbc::RSA_AES_128,
    #[cfg(feature = "cbc")]
    RSA_AES_256_CBC of &cbc::RSA_AES_256,
    }
}

const fn tls13(suite: &'static SupportedCipherSuite) -> &'static Tls13CipherSuite {
    match suite {
        SupportedCipherSuite::Tls13(suite) => suite,
        SupportedCipherSuite::Tls12(_) => panic!("a suite of TLS 1.3 is wanted"),
    }
}

const fn tls12(suite: &'static SupportedCipherSuite) -> &'static Tls12CipherSuite {
    match suite {
        SupportedCipherSuite::Tls12(suite) => suite,
        SupportedCipherSuite::Tls13(_) => panic!("a suite of TLS 1.2 is wanted"),
    }
}

fn agreement() -> Option<Agreement> {
    scope::current(|peer| peer.fragment).flatten()
}

/// A transcript hash of what is on the wire.
struct WireHash(&'static dyn Hash);

struct WireContext(Box<dyn Context>);

impl Hash for WireHash {
    fn start(&self) -> Box<dyn Context> {
        Box::new(WireContext(self.0.start()))
    }

    fn hash(&self, data: &[u8]) -> Output {
        self.0.hash(data)
    }

    fn output_len(&self) -> usize {
        self.0.output_len()
    }

    fn algorithm(&self) -> HashAlgorithm {
        self.0.algorithm()
    }
}

impl Context for WireContext {
    fn fork_finish(&self) -> Output {
        self.0.fork_finish()
    }

    fn fork(&self) -> Box<dyn Context> {
        Box::new(Self(self.0.fork()))
    }

    fn finish(self: Box<Self>) -> Output {
        self.0.finish()
    }

    /// rustls hashes whole handshake messages; only a ClientHello under a PSK binder is cut short.
    fn update(&mut self, messages: &[u8]) {
        match agreement() {
            Some(agreement) => hello::to_wire(messages, agreement.requested, &mut |piece| {
                self.0.update(piece)
            }),
            None => self.0.update(messages),
        }
    }
}

struct Guarded13(&'static dyn Tls13AeadAlgorithm);

impl Tls13AeadAlgorithm for Guarded13 {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        self.0.encrypter(key, iv)
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        let scan = agreement().map(|agreement| Scan::encrypted_extensions(agreement.requested));
        Box::new(Guard {
            inner: self.0.decrypter(key, iv),
            scan: scan.map(Box::new),
        })
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv)
    }
}

struct Guarded12(&'static dyn Tls12AeadAlgorithm);

impl Tls12AeadAlgorithm for Guarded12 {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        self.0.encrypter(key, iv, extra)
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        Box::new(Guard {
            inner: self.0.decrypter(key, iv),
            scan: None,
        })
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.0.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv, explicit)
    }
}

/// Refuses fragments that are longer than agreed, and finds the acknowledgement of TLS 1.3.
struct Guard {
    inner: Box<dyn MessageDecrypter>,
    /// Until the first message under the handshake keys, which is EncryptedExtensions, has been read.
    scan: Option<Box<Scan>>,
}

impl MessageDecrypter for Guard {
    fn decrypt<'a>(
        &mut self,
        message: InboundOpaqueMessage<'a>,
        sequence: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let Some(before) = agreement() else {
            return Err(Error::General(
                "a record was opened outside of its connection".into(),
            ));
        };
        if before.overflow {
            return refused_as_too_long();
        }
        let plain = match self.scan.take() {
            None => self.inner.decrypt(message, sequence)?,
            Some(scan) => self.decrypt_and_scan(scan, message, sequence)?,
        };
        // The agreement holds from the record that makes it.
        match agreement().and_then(|now| now.limit()) {
            Some(limit) if plain.payload.len() > limit => refused_as_too_long(),
            _ => Ok(plain),
        }
    }
}

impl Guard {
    fn decrypt_and_scan<'a>(
        &mut self,
        mut scan: Box<Scan>,
        mut message: InboundOpaqueMessage<'a>,
        sequence: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let mut copy = message.payload.to_vec();
        let opened = InboundOpaqueMessage::new(message.typ, message.version, &mut copy);
        let opened = self.inner.decrypt(opened, sequence)?;
        let mut length = opened.payload.len();
        (message.typ, message.version) = (opened.typ, opened.version);
        message.payload[..length].copy_from_slice(opened.payload);
        if message.typ == ContentType::Handshake {
            let began_here = scan.is_between_messages();
            match scan.follow(&mut message.payload[..length]) {
                // In pieces: the rest is still to come, unless the first message is another.
                Ok(None) => self.scan = Some(scan),
                Ok(Some((_, Found::Answer { acknowledged }))) => {
                    scope::current(|peer| {
                        peer.fragment
                            .iter_mut()
                            .for_each(|own| own.acknowledged = acknowledged)
                    });
                }
                Ok(Some((_, Found::Retry))) => {}
                Err(_) => {
                    // rustls refuses this with the right alert, which an error from here would not be.
                    let can_be_replaced = began_here && message.payload.len() >= DUPLICATE.len();
                    let error = match can_be_replaced {
                        true => shim::illegal(),
                        false => shim::illegal().with_alert(Some(BAD_RECORD_MAC)),
                    };
                    scope::current(|peer| peer.failure = Some(error));
                    if !can_be_replaced {
                        return Err(Error::DecryptError);
                    }
                    length = DUPLICATE.len();
                    message.payload[..length].copy_from_slice(&DUPLICATE);
                }
            }
        }
        Ok(message.into_plain_message_range(0..length))
    }
}

/// EncryptedExtensions with `server_name` twice: an `illegal_parameter` (RFC 8446, section 4.2).
const DUPLICATE: [u8; 14] = [8, 0, 0, 10, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];

fn refused_as_too_long<'a>() -> Result<InboundPlainMessage<'a>, Error> {
    scope::current(|peer| peer.failure = Some(overflow()));
    Err(Error::PeerSentOversizedRecord)
}
