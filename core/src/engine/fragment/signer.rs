//! The client's signature of TLS 1.2, which covers the transcript itself and not its hash.

use std::sync::Arc;

use pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

use super::hello;
use crate::engine::scope;

/// A key that signs the transcript as it is on the wire.
#[derive(Debug)]
struct WireKey(Arc<dyn SigningKey>);

/// `certified` with a key that signs what is on the wire.
pub(crate) fn wire_key(certified: &CertifiedKey) -> Arc<CertifiedKey> {
    let key = WireKey(certified.key.clone());
    Arc::new(CertifiedKey::new(certified.cert.clone(), Arc::new(key)))
}

impl SigningKey for WireKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(WireSigner(self.0.choose_scheme(offered)?)))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.0.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

#[derive(Debug)]
struct WireSigner(Box<dyn Signer>);

impl Signer for WireSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        const CLIENT_HELLO: u8 = 1;
        let requested =
            scope::current(|peer| peer.fragment.map(|agreement| agreement.requested)).flatten();
        match (requested, message.first()) {
            // What TLS 1.3 signs begins with 64 spaces and holds a hash (RFC 8446, section 4.4.3).
            (Some(requested), Some(&CLIENT_HELLO)) => {
                let mut transcript = Vec::with_capacity(message.len() + 16);
                hello::to_wire(message, requested, &mut |piece| {
                    transcript.extend_from_slice(piece)
                });
                self.0.sign(&transcript)
            }
            _ => self.0.sign(message),
        }
    }

    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }
}
