//! A client's certificate chain and key.

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::Arc;

use hubtls::{Identity, Result};

use crate::callback::{ForeignSigner, hubtls_signer};
use crate::error::{guard, hubtls_error, hubtls_status};
use crate::file;
use crate::memory::{
    borrow, byte_list, check_size, free, give, hubtls_bytes, optional_text, output, owned_text,
    slice, text,
};

/// A client's certificate chain and key. Immutable; any number of threads may use one. Free it with `hubtls_identity_free`; what was made
/// from it lives on. Key memory that hubtls fills is overwritten when it is freed; the caller's buffers are the caller's to overwrite.
pub struct hubtls_identity {
    pub(crate) identity: Identity,
    subject: CString,
    key_algorithm: CString,
}

impl From<Identity> for hubtls_identity {
    fn from(identity: Identity) -> Self {
        Self {
            subject: owned_text(identity.subject()),
            key_algorithm: owned_text(identity.key_algorithm()),
            identity,
        }
    }
}

unsafe fn made(
    identity: *mut *mut hubtls_identity,
    make: impl FnOnce() -> Result<Identity>,
) -> Result<()> {
    // SAFETY: forwarded from the caller.
    let identity = unsafe { output(identity, "identity") }?;
    *identity = give(make()?.into());
    Ok(())
}

/// An identity from PEM in memory: the chain, the client's own certificate first, and its key as PKCS#8, PKCS#1 or SEC1. Both may be in one
/// text: each argument reads its part. `passphrase` is NULL unless the key is encrypted. The data is copied.
///
/// Errors: `EMPTY_CHAIN`, `INVALID_CERTIFICATE`, `CHAIN_OUT_OF_ORDER`, `INVALID_KEY`, `UNSUPPORTED_KEY_TYPE`, `KEY_MISMATCH`,
/// `PASSPHRASE_REQUIRED`, `WRONG_PASSPHRASE`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_identity_from_pem(
    chain: *const u8,
    chain_len: usize,
    key: *const u8,
    key_len: usize,
    passphrase: *const c_char,
    identity: *mut *mut hubtls_identity,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (chain, key, passphrase) = unsafe {
            (
                slice(chain, chain_len, "chain")?,
                slice(key, key_len, "key")?,
                optional_text(passphrase, "passphrase")?,
            )
        };
        // SAFETY: forwarded from the caller.
        unsafe { made(identity, || Identity::from_pem(chain, key, passphrase)) }
    })
}

/// An identity from PEM in files; otherwise as `hubtls_identity_from_pem`. Both may be the same file.
///
/// Errors: as `hubtls_identity_from_pem`; `INVALID_ARGUMENT` if a file cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_identity_from_pem_files(
    chain_path: *const c_char,
    key_path: *const c_char,
    passphrase: *const c_char,
    identity: *mut *mut hubtls_identity,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (chain_path, key_path, passphrase) = unsafe {
            (
                text(chain_path, "chain_path")?,
                text(key_path, "key_path")?,
                optional_text(passphrase, "passphrase")?,
            )
        };
        let (chain, key) = (file::read(chain_path)?, file::read(key_path)?);
        // SAFETY: forwarded from the caller.
        unsafe { made(identity, || Identity::from_pem(&chain, &key, passphrase)) }
    })
}

/// An identity from DER in memory: `count` certificates, the client's own first, and its key. Otherwise as `hubtls_identity_from_pem`.
///
/// Errors: as `hubtls_identity_from_pem`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_identity_from_der(
    chain: *const hubtls_bytes,
    count: usize,
    key: *const u8,
    key_len: usize,
    passphrase: *const c_char,
    identity: *mut *mut hubtls_identity,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (chain, key, passphrase) = unsafe {
            (
                byte_list(chain, count, "chain")?,
                slice(key, key_len, "key")?,
                optional_text(passphrase, "passphrase")?,
            )
        };
        // SAFETY: forwarded from the caller.
        unsafe { made(identity, || Identity::from_der(&chain, key, passphrase)) }
    })
}

/// An identity from a PKCS#12 file's content (`.pfx`, `.p12`) with one private key. `passphrase` is NULL if it has none.
///
/// Errors: those of `hubtls_identity_from_pem`, and `INVALID_PKCS12`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_identity_from_pkcs12(
    file: *const u8,
    len: usize,
    passphrase: *const c_char,
    identity: *mut *mut hubtls_identity,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (file, passphrase) = unsafe {
            (
                slice(file, len, "file")?,
                optional_text(passphrase, "passphrase")?,
            )
        };
        // SAFETY: forwarded from the caller.
        unsafe { made(identity, || Identity::from_pkcs12(file, passphrase)) }
    })
}

/// An identity from a chain in PEM and something that signs with the key of its first certificate. Lets it sign once, to see that it works.
///
/// From here on `signer->context` belongs to hubtls: `release` is called once when nothing uses it any more, also if this call fails, unless
/// `signer` is NULL or its size is wrong.
///
/// Errors: those of `hubtls_identity_from_pem` for the chain, `SIGNER_FAILED`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_identity_from_signer(
    chain: *const u8,
    chain_len: usize,
    signer: *const hubtls_signer,
    identity: *mut *mut hubtls_identity,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let size = unsafe { borrow(signer.cast::<usize>(), "signer") }?;
        check_size::<hubtls_signer>(*size, "hubtls_signer")?;
        // SAFETY: its size says that all of it is there.
        let signer = unsafe { ForeignSigner::new(borrow(signer, "signer")?) }?;
        // SAFETY: forwarded from the caller.
        let chain = unsafe { slice(chain, chain_len, "chain") }?;
        // SAFETY: forwarded from the caller.
        unsafe { made(identity, || Identity::from_signer(chain, Arc::new(signer))) }
    })
}

/// The common name of the client's certificate, or its whole subject. Lives as long as the identity; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_identity_subject(
    identity: *const hubtls_identity,
) -> *const c_char {
    // SAFETY: forwarded from the caller.
    let identity = unsafe { borrow(identity, "identity") };
    identity.map_or(ptr::null(), |identity| identity.subject.as_ptr())
}

/// The kind of key: `RSA-2048` and the like, `P-256`, `P-384` or `Ed25519`. Lives as long as the identity; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_identity_key_algorithm(
    identity: *const hubtls_identity,
) -> *const c_char {
    // SAFETY: forwarded from the caller.
    let identity = unsafe { borrow(identity, "identity") };
    identity.map_or(ptr::null(), |identity| identity.key_algorithm.as_ptr())
}

/// Last second of the validity of the client's certificate, in seconds since 1970; 0 for NULL or if it is not known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_identity_not_after(identity: *const hubtls_identity) -> u64 {
    // SAFETY: forwarded from the caller.
    let identity = unsafe { borrow(identity, "identity") };
    let chain = identity.map_or(&[][..], |identity| identity.identity.chain());
    chain.first().and_then(|leaf| leaf.not_after()).unwrap_or(0)
}

/// Frees an identity. NULL is a no-op.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_identity_free(identity: *mut hubtls_identity) {
    // SAFETY: forwarded from the caller.
    unsafe { free(identity) };
}
