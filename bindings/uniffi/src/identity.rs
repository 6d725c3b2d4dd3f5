//! Client certificates, with their keys or with a signer.

use std::sync::Arc;

use crate::certificate::Certificate;
use crate::error::{Result, read_file};
use crate::signer::{Foreign, Signer};

/// A client's certificate chain and its key, or a signer with a key held elsewhere. Immutable; shows no key.
#[derive(Debug, uniffi::Object)]
pub struct Identity(pub(crate) hubtls::Identity);

fn shared(identity: hubtls::Result<hubtls::Identity>) -> Result<Arc<Identity>> {
    Ok(Arc::new(Identity(identity?)))
}

fn is_pem(data: &[u8]) -> bool {
    data.windows(11).any(|window| window == b"-----BEGIN ")
}

#[uniffi::export]
impl Identity {
    /// From PEM: the chain's certificates, the client's own first, and the key as PKCS#8, PKCS#1 or SEC1, encrypted or not.
    #[uniffi::constructor(default(passphrase = None))]
    pub fn from_pem(chain: Vec<u8>, key: Vec<u8>, passphrase: Option<String>) -> Result<Arc<Self>> {
        shared(hubtls::Identity::from_pem(
            &chain,
            &key,
            passphrase.as_deref(),
        ))
    }

    /// From DER: certificates, the client's own first, and the key.
    #[uniffi::constructor(default(passphrase = None))]
    pub fn from_der(
        chain: Vec<Vec<u8>>,
        key: Vec<u8>,
        passphrase: Option<String>,
    ) -> Result<Arc<Self>> {
        shared(hubtls::Identity::from_der(
            &chain,
            &key,
            passphrase.as_deref(),
        ))
    }

    /// From the content of a PKCS#12 file (`.pfx`, `.p12`) with one private key.
    #[uniffi::constructor(default(passphrase = None))]
    pub fn from_pkcs12(content: Vec<u8>, passphrase: Option<String>) -> Result<Arc<Self>> {
        shared(hubtls::Identity::from_pkcs12(
            &content,
            passphrase.as_deref(),
        ))
    }

    /// From two files in PEM, or twice the same with both.
    #[uniffi::constructor(default(passphrase = None))]
    pub fn from_files(chain: String, key: String, passphrase: Option<String>) -> Result<Arc<Self>> {
        let (chain_pem, key_pem) = (read_file(&chain)?, read_file(&key)?);
        let identity = hubtls::Identity::from_pem(&chain_pem, &key_pem, passphrase.as_deref());
        shared(identity.map_err(|error| error.within(format!("{chain}, {key}"))))
    }

    /// From a PKCS#12 file.
    #[uniffi::constructor(default(passphrase = None))]
    pub fn from_pkcs12_file(path: String, passphrase: Option<String>) -> Result<Arc<Self>> {
        let identity = hubtls::Identity::from_pkcs12(&read_file(&path)?, passphrase.as_deref());
        shared(identity.map_err(|error| error.within(path)))
    }

    /// From a chain in PEM, or one certificate in DER, and a signer with the key of its first certificate.
    ///
    /// Signs once at once, to see that it works: `SIGNER_FAILED` if not.
    #[uniffi::constructor]
    pub fn from_signer(chain: Vec<u8>, signer: Arc<dyn Signer>) -> Result<Arc<Self>> {
        let signer = Arc::new(Foreign::new(signer)?);
        shared(if is_pem(&chain) {
            hubtls::Identity::from_signer(&chain, signer)
        } else {
            hubtls::Identity::from_signer_der(&[chain], signer)
        })
    }

    /// From a chain in DER, the client's own first, and a signer with the key of that.
    #[uniffi::constructor]
    pub fn from_signer_der(chain: Vec<Vec<u8>>, signer: Arc<dyn Signer>) -> Result<Arc<Self>> {
        let signer = Arc::new(Foreign::new(signer)?);
        shared(hubtls::Identity::from_signer_der(&chain, signer))
    }

    /// The chain, the client's own certificate first.
    pub fn chain(&self) -> Vec<Certificate> {
        Certificate::all(self.0.chain())
    }

    /// The common name of the client's certificate, or its whole subject if that has none.
    pub fn subject(&self) -> String {
        self.0.subject().into()
    }

    /// The kind of key: `RSA-2048` and the like, `P-256`, `P-384` or `Ed25519`.
    pub fn key_algorithm(&self) -> String {
        self.0.key_algorithm().into()
    }
}
