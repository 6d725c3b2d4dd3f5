//! The four ECDHE CBC suites of TLS 1.2 (RFC 5289), which rustls does not have.
//!
//! Records are protected by AWS-LC's `EVP_aead_aes_*_cbc_sha*_tls`, whose check of padding and MAC takes the same time whatever is wrong with
//! a record (the Lucky Thirteen attack); everything else comes from the GCM sibling of each suite. rustls's key block has no MAC keys
//! (RFC 5246, section 6.3, puts them first): [`Suite`]'s `Prf` rotates the block so that the "key" is the AES key and the "IV" the MAC key.
//!
//! There is no encrypt-then-MAC (RFC 7366): rustls cannot offer it, so no server chooses it.

#![expect(
    unsafe_code,
    reason = "AWS-LC's record protection has no safe interface"
)]

use std::mem::MaybeUninit;
use std::ptr;

use aws_lc_sys as ffi;
use rustls::crypto::ActiveKeyExchange;
use rustls::crypto::CipherSuiteCommon;
use rustls::crypto::aws_lc_rs::cipher_suite as sibling;
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, KeyBlockShape, MessageDecrypter,
    MessageEncrypter, OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload,
    Tls12AeadAlgorithm, UnsupportedOperationError, make_tls12_aad,
};
use rustls::crypto::tls12::Prf;
use rustls::{
    CipherSuite, ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion,
    SupportedCipherSuite, Tls12CipherSuite,
};
use zeroize::Zeroizing;

/// AES's block and the IV in front of each record.
const BLOCK: usize = 16;
const MAX_MAC: usize = 48;
const MAX_KEY: usize = 32;
const MAX_FRAGMENT: usize = 16_384;
/// How many IVs are drawn at a time: one draw costs as much as the MAC of a short record.
const IVS: usize = 8;

const SEAL: ffi::evp_aead_direction_t = ffi::evp_aead_direction_t_evp_aead_seal;
const OPEN: ffi::evp_aead_direction_t = ffi::evp_aead_direction_t_evp_aead_open;

/// Every CBC suite of the policies.
pub(super) static SUITES: [&SupportedCipherSuite; 4] =
    [&ECDSA_AES_128, &ECDSA_AES_256, &RSA_AES_128, &RSA_AES_256];

pub(super) static ECDSA_AES_128: SupportedCipherSuite =
    SupportedCipherSuite::Tls12(&ECDSA_AES_128_SUITE);
static ECDSA_AES_128_SUITE: Tls12CipherSuite = suite(
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
    &sibling::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    &AES_128_SHA_256,
);
pub(super) static ECDSA_AES_256: SupportedCipherSuite =
    SupportedCipherSuite::Tls12(&ECDSA_AES_256_SUITE);
static ECDSA_AES_256_SUITE: Tls12CipherSuite = suite(
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
    &sibling::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    &AES_256_SHA_384,
);
pub(super) static RSA_AES_128: SupportedCipherSuite =
    SupportedCipherSuite::Tls12(&RSA_AES_128_SUITE);
static RSA_AES_128_SUITE: Tls12CipherSuite = suite(
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    &sibling::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    &AES_128_SHA_256,
);
pub(super) static RSA_AES_256: SupportedCipherSuite =
    SupportedCipherSuite::Tls12(&RSA_AES_256_SUITE);
static RSA_AES_256_SUITE: Tls12CipherSuite = suite(
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
    &sibling::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    &AES_256_SHA_384,
);

static AES_128_SHA_256: Suite = Suite {
    algorithm: ffi::EVP_aead_aes_128_cbc_sha256_tls,
    mac_len: 32,
    key_len: 16,
    prf: tls12(&sibling::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256).prf_provider,
};
static AES_256_SHA_384: Suite = Suite {
    algorithm: ffi::EVP_aead_aes_256_cbc_sha384_tls,
    mac_len: 48,
    key_len: 32,
    prf: tls12(&sibling::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384).prf_provider,
};

const fn tls12(suite: &'static SupportedCipherSuite) -> &'static Tls12CipherSuite {
    match suite {
        SupportedCipherSuite::Tls12(suite) => suite,
        SupportedCipherSuite::Tls13(_) => panic!("a suite of TLS 1.2 is wanted"),
    }
}

/// The suite `name`, which has hash, key exchange and signatures in common with `sibling`.
const fn suite(
    name: CipherSuite,
    sibling: &'static SupportedCipherSuite,
    protection: &'static Suite,
) -> Tls12CipherSuite {
    let sibling = tls12(sibling);
    Tls12CipherSuite {
        common: CipherSuiteCommon {
            suite: name,
            hash_provider: sibling.common.hash_provider,
            // Records of full size under one key that keep the birthday bound of a 128-bit block far away, as for GCM.
            confidentiality_limit: 1 << 24,
        },
        prf_provider: protection,
        kx: sibling.kx,
        sign: sibling.sign,
        aead_alg: protection,
    }
}

/// AES-CBC with an HMAC inside: MAC, then pad, then encrypt.
struct Suite {
    algorithm: unsafe extern "C" fn() -> *const ffi::EVP_AEAD,
    mac_len: usize,
    key_len: usize,
    prf: &'static dyn Prf,
}

impl Suite {
    fn record(&self, key: &[u8], mac_key: &[u8], direction: ffi::evp_aead_direction_t) -> Record {
        let mut keys = Zeroizing::new([0; MAX_MAC + MAX_KEY]);
        let keys = &mut keys[..self.mac_len + self.key_len];
        keys[..self.mac_len].copy_from_slice(mac_key);
        keys[self.mac_len..].copy_from_slice(key);
        Record {
            context: Context::new(self.algorithm, keys, direction),
            mac_len: self.mac_len,
            ivs: [0; IVS * BLOCK],
            ivs_left: 0,
        }
    }
}

impl Prf for Suite {
    fn for_key_exchange(
        &self,
        output: &mut [u8; 48],
        exchange: Box<dyn ActiveKeyExchange>,
        peer_key: &[u8],
        label: &[u8],
        seed: &[u8],
    ) -> Result<(), Error> {
        self.prf
            .for_key_exchange(output, exchange, peer_key, label, seed)
    }

    fn for_secret(&self, output: &mut [u8], secret: &[u8], label: &[u8], seed: &[u8]) {
        self.prf.for_secret(output, secret, label, seed);
        // MAC, MAC, key, key (RFC 5246, section 6.3) becomes key, key, MAC, MAC: what rustls cuts off as keys and IVs.
        if label == b"key expansion" {
            output.rotate_left(2 * self.mac_len);
        }
    }
}

impl Tls12AeadAlgorithm for Suite {
    fn encrypter(&self, key: AeadKey, mac_key: &[u8], _: &[u8]) -> Box<dyn MessageEncrypter> {
        Box::new(self.record(key.as_ref(), mac_key, SEAL))
    }

    fn decrypter(&self, key: AeadKey, mac_key: &[u8]) -> Box<dyn MessageDecrypter> {
        Box::new(self.record(key.as_ref(), mac_key, OPEN))
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        KeyBlockShape {
            enc_key_len: self.key_len,
            fixed_iv_len: self.mac_len,
            explicit_nonce_len: 0,
        }
    }

    fn extract_keys(
        &self,
        _: AeadKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

/// Protects the records of one direction.
struct Record {
    /// `None` if AWS-LC had no memory for it.
    context: Option<Context>,
    mac_len: usize,
    ivs: [u8; IVS * BLOCK],
    ivs_left: usize,
}

impl Record {
    /// What a plaintext of `len` bytes becomes: IV, plaintext, MAC and 1 to 16 bytes of padding.
    const fn sealed_len(&self, len: usize) -> usize {
        BLOCK + (len + self.mac_len) / BLOCK * BLOCK + BLOCK
    }

    /// An IV that nobody could foresee and that is not used again (RFC 5246, section 6.2.3.2).
    fn next_iv(&mut self) -> Result<[u8; BLOCK], Error> {
        if self.ivs_left == 0 {
            aws_lc_rs::rand::fill(&mut self.ivs).map_err(|_| Error::FailedToGetRandomBytes)?;
            self.ivs_left = IVS;
        }
        self.ivs_left -= 1;
        let mut iv = [0; BLOCK];
        iv.copy_from_slice(&self.ivs[self.ivs_left * BLOCK..][..BLOCK]);
        Ok(iv)
    }
}

impl MessageEncrypter for Record {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let plain_len = message.payload.len();
        let total = self.sealed_len(plain_len);
        let iv = self.next_iv()?;
        let mut payload = PrefixedPayload::with_capacity(total);
        payload.extend_from_slice(&iv);
        payload.extend_from_chunks(&message.payload);
        payload.extend_from_slice(&[0; MAX_MAC + BLOCK][..total - BLOCK - plain_len]);
        let (body, tag) = payload.as_mut()[BLOCK..].split_at_mut(plain_len);
        let data = additional_data(sequence, message.typ, message.version);
        let sealed = self
            .context
            .as_mut()
            .is_some_and(|context| context.seal(&iv, &data, body, tag));
        if !sealed {
            return Err(Error::EncryptError);
        }
        Ok(OutboundOpaqueMessage::new(
            message.typ,
            message.version,
            payload,
        ))
    }

    fn encrypted_payload_len(&self, len: usize) -> usize {
        self.sealed_len(len)
    }
}

impl MessageDecrypter for Record {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        sequence: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        // Lengths are public: an IV, then whole blocks for at least the MAC and one byte of padding.
        if message.payload.len() < self.sealed_len(0)
            || !message.payload.len().is_multiple_of(BLOCK)
        {
            return Err(Error::DecryptError);
        }
        let data = additional_data(sequence, message.typ, message.version);
        let (iv, body) = message.payload.split_at_mut(BLOCK);
        // One error, whatever is wrong: padding or MAC.
        let opened = self
            .context
            .as_mut()
            .and_then(|context| context.open(iv, &data, body));
        match opened {
            None => Err(Error::DecryptError),
            Some(len) if len > MAX_FRAGMENT => Err(Error::PeerSentOversizedRecord),
            Some(len) => Ok(message.into_plain_message_range(BLOCK..BLOCK + len)),
        }
    }
}

/// What the MAC covers before the plaintext (RFC 5246, section 6.2.3.1), without its length, which AWS-LC appends.
fn additional_data(sequence: u64, content_type: ContentType, version: ProtocolVersion) -> [u8; 11] {
    let mut data = [0; 11];
    data.copy_from_slice(&make_tls12_aad(sequence, content_type, version, 0)[..11]);
    data
}

/// AWS-LC's keys for one direction. Boxed: AWS-LC was given its address.
struct Context(Box<ffi::EVP_AEAD_CTX>);

impl Context {
    fn new(
        algorithm: unsafe extern "C" fn() -> *const ffi::EVP_AEAD,
        keys: &[u8],
        direction: ffi::evp_aead_direction_t,
    ) -> Option<Self> {
        // SAFETY: the structure is plain C data, for which AWS-LC documents all zeros as the state before initialization.
        let mut context =
            Box::new(unsafe { MaybeUninit::<ffi::EVP_AEAD_CTX>::zeroed().assume_init() });
        // SAFETY: the context is valid and not yet initialized, `algorithm` returns a static, and `keys` holds `keys.len()` bytes, which
        // are copied. A tag length of 0 means the algorithm's own.
        let done = unsafe {
            ffi::EVP_AEAD_CTX_init_with_direction(
                &raw mut *context,
                algorithm(),
                keys.as_ptr(),
                keys.len(),
                0,
                direction,
            )
        };
        // On failure AWS-LC has freed whatever it had allocated: there is nothing to clean up.
        succeeded(done).then_some(Self(context))
    }

    /// Encrypts `body` in place; MAC and padding fill `tag` exactly. Returns whether that worked.
    fn seal(&mut self, iv: &[u8; BLOCK], data: &[u8], body: &mut [u8], tag: &mut [u8]) -> bool {
        let mut tag_len = 0;
        let text = body.as_mut_ptr();
        // SAFETY: every pointer comes from a slice with the length beside it; input and output are the same `text`, which AWS-LC
        // allows; `tag` is apart from it and AWS-LC writes at most `tag.len()` bytes there; the context is borrowed mutably, since
        // AWS-LC changes it behind a const pointer.
        let done = unsafe {
            ffi::EVP_AEAD_CTX_seal_scatter(
                &raw mut *self.0,
                text,
                tag.as_mut_ptr(),
                &raw mut tag_len,
                tag.len(),
                iv.as_ptr(),
                iv.len(),
                text,
                body.len(),
                ptr::null(),
                0,
                data.as_ptr(),
                data.len(),
            )
        };
        succeeded(done) && tag_len == tag.len()
    }

    /// Decrypts `body` in place and checks it; returns how many bytes at its front are plaintext.
    fn open(&mut self, iv: &[u8], data: &[u8], body: &mut [u8]) -> Option<usize> {
        let mut len = 0;
        let text = body.as_mut_ptr();
        // SAFETY: every pointer comes from a slice with the length beside it; input and output are the same `text`, which AWS-LC
        // allows, and it writes at most `body.len()` bytes there; the context is borrowed mutably, as for `seal`.
        let done = unsafe {
            ffi::EVP_AEAD_CTX_open(
                &raw mut *self.0,
                text,
                &raw mut len,
                body.len(),
                iv.as_ptr(),
                iv.len(),
                text,
                body.len(),
                data.as_ptr(),
                data.len(),
            )
        };
        (succeeded(done) && len <= body.len()).then_some(len)
    }
}

/// Whether AWS-LC reports success. If not, its queue of errors is emptied: it belongs to the thread, and the next to look would take
/// the error for its own.
fn succeeded(result: i32) -> bool {
    if result != 1 {
        // SAFETY: touches the calling thread's queue alone.
        unsafe { ffi::ERR_clear_error() };
    }
    result == 1
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: `new` initialized the context, and this is its only end. Overwrites the keys.
        unsafe { ffi::EVP_AEAD_CTX_cleanup(&raw mut *self.0) };
    }
}

// SAFETY: the context is owned, holds nothing of the thread that made it, and is only used through `&mut self`.
unsafe impl Send for Context {}
// SAFETY: no method takes `&self`: there is nothing that two threads could do with a shared reference.
unsafe impl Sync for Context {}

#[cfg(test)]
mod tests;
