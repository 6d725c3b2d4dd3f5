//! Private keys under a passphrase: PKCS#8 with PBES2 (RFC 8018).

use std::sync::Arc;

use data_encoding::BASE64;
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::{EncryptedPrivateKeyInfoRef, pkcs5};
use pki_types::PrivatePkcs8KeyDer;
use rustls::sign::SigningKey;
use zeroize::Zeroizing;

use super::{CONVERT, algorithm_of_pkcs8, invalid, load, wrong_passphrase};
use crate::error::{Error, ErrorCode, Result};
use crate::pem;

const MAX_PBKDF2_ROUNDS: u32 = 10_000_000;
const MAX_SCRYPT_BYTES: u64 = 1 << 30;

/// A section `ENCRYPTED PRIVATE KEY`.
pub(super) fn from_pem(
    section: &pem::Section<'_>,
    passphrase: Option<&str>,
) -> Result<Arc<dyn SigningKey>> {
    from_der(&base64_of(section)?, passphrase)
}

/// An EncryptedPrivateKeyInfo.
pub(super) fn from_der(der: &[u8], passphrase: Option<&str>) -> Result<Arc<dyn SigningKey>> {
    let unsupported = || {
        invalid(
            "the private key is encrypted in a way that is not supported",
            CONVERT,
        )
    };
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| unsupported())?;
    let Some(passphrase) = passphrase else {
        return Err(Error::new(
            ErrorCode::PassphraseRequired,
            "the private key is encrypted",
            "give its passphrase",
        ));
    };
    let scheme = info.encryption_algorithm.pbes2().ok_or_else(unsupported)?;
    if !is_affordable(&scheme.kdf) {
        return Err(invalid(
            "the private key's encryption asks for too much work or memory",
            CONVERT,
        ));
    }
    let mut buffer = Zeroizing::new(info.encrypted_data.as_bytes().to_vec());
    let plain = match scheme.decrypt_in_place(passphrase, &mut buffer) {
        Ok(plain) => plain,
        Err(pkcs5::Error::DecryptFailed) => return Err(wrong_passphrase("private key")),
        Err(_) => return Err(unsupported()),
    };
    // The padding of one in 256 wrong decryptions looks right; what it gives is no key.
    if algorithm_of_pkcs8(plain).is_none() {
        return Err(wrong_passphrase("private key"));
    }
    load(&PrivatePkcs8KeyDer::from(plain).into())
}

fn is_affordable(kdf: &Kdf) -> bool {
    match kdf {
        Kdf::Pbkdf2(kdf) => kdf.iteration_count <= MAX_PBKDF2_ROUNDS,
        Kdf::Scrypt(kdf) => 128_u64
            .checked_mul(kdf.cost_parameter)
            .and_then(|bytes| bytes.checked_mul(kdf.block_size.into()))
            .and_then(|bytes| bytes.checked_mul(kdf.parallelization.into()))
            .is_some_and(|bytes| bytes <= MAX_SCRYPT_BYTES),
        _ => false,
    }
}

/// What stands between the first and the last line of a section that is no secret.
fn base64_of(section: &pem::Section<'_>) -> Result<Vec<u8>> {
    let lines = section.text.split(|byte| matches!(byte, b'\n' | b'\r'));
    let base64: Vec<u8> = lines
        .filter(|line| !line.starts_with(b"-----"))
        .flatten()
        .filter(|byte| !byte.is_ascii_whitespace())
        .copied()
        .collect();
    BASE64.decode(&base64).map_err(|_| {
        invalid(
            "the private key cannot be read: its base64 is damaged",
            "replace it with an intact copy",
        )
    })
}

#[cfg(test)]
mod tests;
