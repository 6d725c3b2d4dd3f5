//! OpenSSL's server for the CBC suites of TLS 1.2, which rustls has not, and records that it would never send.

use std::mem;

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions, SslStream, SslVersion,
};
use openssl::symm::{Cipher, Crypter, Mode};
use openssl::x509::X509;

use crate::openssl::Transport;
use crate::peer::RECORD;
use crate::pki::Pki;

/// `SSL_OP_NO_ENCRYPT_THEN_MAC`, which the openssl crate does not name.
const NO_ENCRYPT_THEN_MAC: SslOptions = SslOptions::from_bits_retain(1 << 19);
const BLOCK: usize = 16;
const TYPE_AND_VERSION: [u8; 3] = [23, 3, 3];

/// AES-CBC with an HMAC inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// `ECDHE-ECDSA-AES128-SHA256`
    Aes128Sha256,
    /// `ECDHE-ECDSA-AES256-SHA384`
    Aes256Sha384,
}

impl Protection {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Aes128Sha256, Self::Aes256Sha384];

    /// OpenSSL's name of the suite.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128Sha256 => "ECDHE-ECDSA-AES128-SHA256",
            Self::Aes256Sha384 => "ECDHE-ECDSA-AES256-SHA384",
        }
    }

    /// The MAC's length in bytes.
    #[must_use]
    pub const fn mac_len(self) -> usize {
        match self {
            Self::Aes128Sha256 => 32,
            Self::Aes256Sha384 => 48,
        }
    }

    const fn key_len(self) -> usize {
        match self {
            Self::Aes128Sha256 => 16,
            Self::Aes256Sha384 => 32,
        }
    }

    fn cipher(self) -> Cipher {
        match self {
            Self::Aes128Sha256 => Cipher::aes_128_cbc(),
            Self::Aes256Sha384 => Cipher::aes_256_cbc(),
        }
    }

    fn hmac(self, key: &[u8], data: &[&[u8]]) -> Result<Vec<u8>, ErrorStack> {
        let digest = match self {
            Self::Aes128Sha256 => MessageDigest::sha256(),
            Self::Aes256Sha384 => MessageDigest::sha384(),
        };
        let key = PKey::hmac(key)?;
        let mut signer = Signer::new(digest, &key)?;
        for part in data {
            signer.update(part)?;
        }
        signer.sign_to_vec()
    }

    /// The pseudorandom function (RFC 5246, section 5).
    fn prf(self, secret: &[u8], seed: &[u8], len: usize) -> Result<Vec<u8>, ErrorStack> {
        let mut output = Vec::new();
        let mut a = self.hmac(secret, &[seed])?;
        while output.len() < len {
            output.extend(self.hmac(secret, &[&a, seed])?);
            a = self.hmac(secret, &[&a])?;
        }
        Ok(output)
    }
}

/// One connection of the server. It never uses encrypt-then-MAC, as the servers that still need CBC do not.
#[derive(Debug)]
pub struct CbcServer(SslStream<Transport>);

impl CbcServer {
    /// Speaks TLS 1.2 with one suite and X25519.
    ///
    /// # Panics
    /// If OpenSSL refuses.
    #[must_use]
    pub fn config(pki: &Pki, protection: Protection) -> SslContext {
        let context = || -> Result<SslContextBuilder, ErrorStack> {
            let mut builder = SslContext::builder(SslMethod::tls_server())?;
            builder.set_max_proto_version(Some(SslVersion::TLS1_2))?;
            builder.set_cipher_list(protection.name())?;
            builder.set_groups_list("X25519:P-256")?;
            builder.set_options(NO_ENCRYPT_THEN_MAC | SslOptions::NO_TICKET);
            let mut chain = pki.chain.iter();
            let leaf = chain.next().expect("a server certificate");
            builder.set_certificate(X509::from_der(leaf)?.as_ref())?;
            for issuer in chain {
                builder.add_extra_chain_cert(X509::from_der(issuer)?)?;
            }
            builder
                .set_private_key(PKey::private_key_from_der(pki.key().secret_der())?.as_ref())?;
            Ok(builder)
        };
        context().expect("a sound context").build()
    }

    /// Waits for a client.
    ///
    /// # Panics
    /// If OpenSSL refuses.
    #[must_use]
    pub fn accept(context: &SslContext) -> Self {
        let mut ssl = Ssl::new(context).expect("a sound context");
        ssl.set_accept_state();
        Self(SslStream::new(ssl, Transport::default()).expect("a new connection"))
    }

    /// Takes all of `wire` and returns how many bytes of plaintext it held; the answer is appended to `ciphertext`.
    ///
    /// # Panics
    /// If the client breaks the protocol.
    pub fn receive(&mut self, wire: &mut Vec<u8>, ciphertext: &mut Vec<u8>) -> usize {
        mem::swap(&mut self.0.get_mut().incoming, wire);
        let mut received = 0;
        let mut output = [0; RECORD];
        loop {
            match self.0.ssl_read(&mut output) {
                Ok(n) => received += n,
                Err(error) => break assert_eq!(error.code(), ErrorCode::WANT_READ, "{error}"),
            }
        }
        let transport = self.0.get_mut();
        transport.taken = 0;
        mem::swap(&mut transport.incoming, wire);
        wire.clear();
        ciphertext.append(&mut transport.outgoing);
        received
    }

    /// Encrypts `data` into one record per [`RECORD`] bytes.
    ///
    /// # Panics
    /// If the connection is not open.
    pub fn send(&mut self, data: &[u8], ciphertext: &mut Vec<u8>) {
        let sent = self.0.ssl_write(data).expect("a vector takes all");
        assert_eq!(sent, data.len());
        ciphertext.append(&mut self.0.get_mut().outgoing);
    }

    /// Whether the server still waits for the client's part of the handshake.
    #[must_use]
    pub fn is_handshaking(&self) -> bool {
        !self.0.ssl().is_init_finished()
    }

    /// Seals in the server's name the first record after its Finished.
    ///
    /// # Panics
    /// Before the handshake is over.
    #[must_use]
    pub fn forger(&self, protection: Protection) -> Forger {
        let ssl = self.0.ssl();
        let mut master = [0; 48];
        ssl.session().expect("a session").master_key(&mut master);
        let (mut client, mut server) = ([0; 32], [0; 32]);
        ssl.client_random(&mut client);
        ssl.server_random(&mut server);
        let seed = [&b"key expansion"[..], &server, &client].concat();
        let (mac, key) = (protection.mac_len(), protection.key_len());
        let block = protection
            .prf(&master, &seed, 2 * (mac + key))
            .expect("OpenSSL has HMAC");
        Forger {
            protection,
            mac_key: block[mac..2 * mac].to_vec(),
            key: block[2 * mac + key..2 * (mac + key)].to_vec(),
        }
    }
}

/// Makes records with the server's keys, right ones and wrong ones.
#[derive(Debug)]
pub struct Forger {
    protection: Protection,
    mac_key: Vec<u8>,
    key: Vec<u8>,
}

impl Forger {
    /// The MAC of `plain` as the server's second record (RFC 5246, section 6.2.3.1).
    ///
    /// # Panics
    /// If `plain` is longer than a record.
    #[must_use]
    pub fn mac(&self, plain: &[u8]) -> Vec<u8> {
        let length = u16::try_from(plain.len()).expect("a record").to_be_bytes();
        let sequence = 1_u64.to_be_bytes();
        self.protection
            .hmac(
                &self.mac_key,
                &[&sequence, &TYPE_AND_VERSION, &length, plain],
            )
            .expect("OpenSSL has HMAC")
    }

    /// The record that decrypts to `text`, whole blocks.
    ///
    /// # Panics
    /// If `text` is not whole blocks.
    #[must_use]
    pub fn record(&self, text: &[u8]) -> Vec<u8> {
        let iv = [0xa7; BLOCK];
        let mut body = vec![0; text.len() + BLOCK];
        let mut encrypt = Crypter::new(
            self.protection.cipher(),
            Mode::Encrypt,
            &self.key,
            Some(&iv),
        )
        .expect("OpenSSL has AES");
        encrypt.pad(false);
        let length = encrypt.update(text, &mut body).expect("enough room");
        assert_eq!(length, text.len());
        body.truncate(length);
        let length = u16::try_from(BLOCK + length).expect("a record");
        [&TYPE_AND_VERSION[..], &length.to_be_bytes(), &iv, &body].concat()
    }
}
