//! What C is asked while hubtls works: to sign, to tell the time, to log secrets.

use std::error::Error;
use std::ffi::{CString, c_char, c_int, c_void};

use hubtls::{KeyLog, SignatureScheme, Signer};

use crate::memory::{owned_text, slice};

/// Most bytes of a signature that a `hubtls_signer` can return: RSA-4096 needs 512.
pub const HUBTLS_MAX_SIGNATURE: usize = 1024;

/// A private key that is held elsewhere: in a TPM, an HSM, a secure element, behind PKCS#11.
///
/// hubtls copies the struct. It calls `sign` on the thread that drives a handshake, perhaps on several at once, and once when the identity is
/// made. A callback must return: no longjmp, no C++ exception. It may call hubtls, but not with the connection that it is called for: that
/// fails with `HUBTLS_ERROR_IN_USE`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hubtls_signer {
    /// `sizeof(hubtls_signer)`, as `HUBTLS_SIGNER_INIT` sets it.
    pub size: usize,
    /// Whatever the functions need; hubtls only passes it on.
    pub context: *mut c_void,
    /// Signs `message` (not hashed yet) by the scheme of that number in IANA's registry. Writes the signature, an ECDSA one as ASN.1 DER, to
    /// `signature`, which has room for `*signature_len` bytes (`HUBTLS_MAX_SIGNATURE`), and its length to `*signature_len`. Returns 0, or any
    /// other number if it failed: the handshake then fails with `HUBTLS_ERROR_SIGNER_FAILED`, and the number stands in the sentence.
    pub sign: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            scheme: u16,
            message: *const u8,
            message_len: usize,
            signature: *mut u8,
            signature_len: *mut usize,
        ) -> c_int,
    >,
    /// Called once when nothing uses `context` any more, on whichever thread ends that; may be NULL.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void)>,
    /// The schemes it can sign with, preferred first, or NULL with `schemes_len` 0 for all that the certificate's key allows. Read at once.
    pub schemes: *const u16,
    /// How many there are.
    pub schemes_len: usize,
}

/// A pointer of the caller's, and what to call when nothing uses it any more.
struct Context {
    pointer: *mut c_void,
    release: Option<unsafe extern "C" fn(*mut c_void)>,
}

// SAFETY: the header says that callbacks come from any thread, and their context has to bear it.
unsafe impl Send for Context {}
// SAFETY: as above, from several at once.
unsafe impl Sync for Context {}

impl Drop for Context {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: the caller gave both together; this is the last use.
            unsafe { release(self.pointer) };
        }
    }
}

type SignFunction =
    unsafe extern "C" fn(*mut c_void, u16, *const u8, usize, *mut u8, *mut usize) -> c_int;

pub(crate) struct ForeignSigner {
    context: Context,
    sign: Option<SignFunction>,
    schemes: Option<Vec<SignatureScheme>>,
}

impl ForeignSigner {
    /// Takes over the context: it is released when this is dropped.
    ///
    /// # Safety
    /// `signer` fulfils its documentation.
    pub(crate) unsafe fn new(signer: &hubtls_signer) -> hubtls::Result<Self> {
        let context = Context {
            pointer: signer.context,
            release: signer.release,
        };
        // SAFETY: forwarded from the caller.
        let codes = unsafe { slice(signer.schemes, signer.schemes_len, "schemes") }?;
        // A number that is not known is of a scheme that no policy has.
        let known = codes.iter().copied().filter_map(SignatureScheme::from_code);
        Ok(Self {
            context,
            sign: signer.sign,
            schemes: (!codes.is_empty()).then(|| known.collect()),
        })
    }
}

impl Signer for ForeignSigner {
    fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        let sign = self.sign.ok_or("its function `sign` is NULL")?;
        let mut signature = vec![0; HUBTLS_MAX_SIGNATURE];
        let mut len = signature.len();
        // SAFETY: the caller's function gets what its documentation promises.
        let code = unsafe {
            sign(
                self.context.pointer,
                scheme.code(),
                message.as_ptr(),
                message.len(),
                signature.as_mut_ptr(),
                &raw mut len,
            )
        };
        if code != 0 {
            return Err(format!("it returned {code}").into());
        }
        if len > signature.len() {
            return Err(format!("it says that the signature has {len} bytes").into());
        }
        signature.truncate(len);
        Ok(signature)
    }

    fn schemes(&self) -> Option<Vec<SignatureScheme>> {
        self.schemes.clone()
    }
}

/// Tells the time in seconds since 1970, or 0 if it is not known. Called during handshakes, from whichever thread runs them; must not block.
pub type hubtls_clock_function = Option<unsafe extern "C" fn(context: *mut c_void) -> u64>;

pub(crate) struct ForeignClock {
    context: Context,
    now: unsafe extern "C" fn(*mut c_void) -> u64,
}

impl ForeignClock {
    pub(crate) fn new(context: *mut c_void, now: unsafe extern "C" fn(*mut c_void) -> u64) -> Self {
        let context = Context {
            pointer: context,
            release: None,
        };
        Self { context, now }
    }

    pub(crate) fn now(&self) -> Option<u64> {
        // SAFETY: the caller gave the function for this.
        let seconds = unsafe { (self.now)(self.context.pointer) };
        (seconds != 0).then_some(seconds)
    }
}

/// Takes one line of NSS's key log format, without the end of the line. Called during handshakes, from whichever thread runs them.
pub type hubtls_key_log_function =
    Option<unsafe extern "C" fn(context: *mut c_void, line: *const c_char)>;

pub(crate) struct ForeignKeyLog {
    context: Context,
    log: unsafe extern "C" fn(*mut c_void, *const c_char),
}

impl ForeignKeyLog {
    pub(crate) fn new(
        context: *mut c_void,
        log: unsafe extern "C" fn(*mut c_void, *const c_char),
    ) -> Self {
        let context = Context {
            pointer: context,
            release: None,
        };
        Self { context, log }
    }
}

impl KeyLog for ForeignKeyLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let hex = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        let line: CString = owned_text(&format!("{label} {} {}", hex(client_random), hex(secret)));
        // SAFETY: the caller gave the function for this.
        unsafe { (self.log)(self.context.pointer, line.as_ptr()) };
    }
}
