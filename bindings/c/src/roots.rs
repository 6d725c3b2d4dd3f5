//! Trusted roots.

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::OnceLock;

use hubtls::{Root, Roots};

use crate::error::{answer, guard, hubtls_error, hubtls_status};
use crate::file;
use crate::memory::{borrow, byte_list, free, give, hubtls_bytes, output, owned_text, slice, text};
use crate::policy::hubtls_policy;

/// Trusted roots. Immutable; any number of threads may use one. Free it with `hubtls_roots_free`; what was made from it lives on.
pub struct hubtls_roots {
    pub(crate) roots: Roots,
    described: OnceLock<Vec<Described>>,
    pem: OnceLock<CString>,
}

struct Described {
    subject: CString,
    fingerprint: Option<CString>,
}

impl From<Roots> for hubtls_roots {
    fn from(roots: Roots) -> Self {
        Self {
            roots,
            described: OnceLock::new(),
            pem: OnceLock::new(),
        }
    }
}

/// How well a set of roots is prepared for the loss of one.
#[repr(C)]
pub struct hubtls_readiness {
    /// `sizeof(hubtls_readiness)`, set by the caller.
    pub size: usize,
    /// How many have expired.
    pub expired: usize,
    /// How many expire before the horizon.
    pub expiring: usize,
    /// How many independent ones, of different organizations and keys, are valid now and still at the horizon.
    pub independent: usize,
    /// Whether at least two independent ones remain.
    pub ready: bool,
}

/// The two roots that Azure IoT Hub's chains end in.
///
/// Errors: `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_azure(
    roots: *mut *mut hubtls_roots,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    guard(error, || unsafe { made(roots, || Ok(Roots::azure())) })
}

/// All four roots that are shipped: those of `hubtls_roots_azure`, DigiCert Global Root G3 and Microsoft ECC Root CA 2017.
///
/// Errors: `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_embedded(
    roots: *mut *mut hubtls_roots,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    guard(error, || unsafe { made(roots, || Ok(Roots::embedded())) })
}

/// The roots that a policy trusts.
///
/// Errors: `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_of_policy(
    policy: *const hubtls_policy,
    roots: *mut *mut hubtls_roots,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let policy = unsafe { borrow(policy, "policy") }?;
        // SAFETY: forwarded from the caller.
        unsafe { made(roots, || Ok(Roots::of_policy(&policy.policy))) }
    })
}

/// Private roots from `len` bytes: PEM text with any number of certificates, or one certificate in DER. At most 1,000 and 4 MiB.
///
/// Errors: `INVALID_CERTIFICATE`, `NOT_A_CERTIFICATE_AUTHORITY`, `NO_CERTIFICATE`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_from_pem(
    data: *const u8,
    len: usize,
    roots: *mut *mut hubtls_roots,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let data = unsafe { slice(data, len, "data") }?;
        // SAFETY: forwarded from the caller.
        unsafe { made(roots, || Roots::from_pem_or_der(data)) }
    })
}

/// Private roots from a file; otherwise as `hubtls_roots_from_pem`.
///
/// Errors: as `hubtls_roots_from_pem`; `INVALID_ARGUMENT` if the file cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_from_pem_file(
    path: *const c_char,
    roots: *mut *mut hubtls_roots,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let path = unsafe { text(path, "path") }?;
        let data = file::read(path)?;
        // SAFETY: forwarded from the caller.
        unsafe { made(roots, || Roots::from_pem_or_der(&data)) }.map_err(|error| error.within(path))
    })
}

/// Private roots from `count` certificates in DER.
///
/// Errors: as `hubtls_roots_from_pem`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_from_der(
    certificates: *const hubtls_bytes,
    count: usize,
    roots: *mut *mut hubtls_roots,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let ders = unsafe { byte_list(certificates, count, "certificates") }?;
        // SAFETY: forwarded from the caller.
        unsafe { made(roots, || Roots::from_der(&ders)) }
    })
}

/// Makes roots of these and those of `added`.
///
/// Errors: `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_with_added(
    roots: *const hubtls_roots,
    added: *const hubtls_roots,
    both: *mut *mut hubtls_roots,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (roots, added) = unsafe { (borrow(roots, "roots")?, borrow(added, "added")?) };
        // SAFETY: forwarded from the caller.
        unsafe {
            made(both, || {
                Ok(roots.roots.clone().with_added(added.roots.clone()))
            })
        }
    })
}

/// Makes roots of which the private ones are believed about names under `azure-devices.net` and `azure-devices-provisioning.net`, or are not.
/// Initially they are not; shipped ones always are.
///
/// Errors: `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_vouching_for_azure(
    roots: *const hubtls_roots,
    vouching: bool,
    changed: *mut *mut hubtls_roots,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let roots = unsafe { borrow(roots, "roots") }?;
        // SAFETY: forwarded from the caller.
        unsafe {
            made(changed, || {
                Ok(roots.roots.clone().vouching_for_azure(vouching))
            })
        }
    })
}

/// Makes roots of those that are believed about the server called `name`: for a TLS library that has one list of roots for all servers.
///
/// Errors: `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_believed_about(
    roots: *const hubtls_roots,
    name: *const c_char,
    believed: *mut *mut hubtls_roots,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (roots, name) = unsafe { (borrow(roots, "roots")?, text(name, "name")?) };
        // SAFETY: forwarded from the caller.
        unsafe { made(believed, || Ok(roots.roots.believed_about(name))) }
    })
}

unsafe fn made(
    roots: *mut *mut hubtls_roots,
    make: impl FnOnce() -> hubtls::Result<Roots>,
) -> hubtls::Result<()> {
    // SAFETY: forwarded from the caller.
    let roots = unsafe { output(roots, "roots") }?;
    *roots = give(make()?.into());
    Ok(())
}

/// How many roots there are; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_count(roots: *const hubtls_roots) -> usize {
    // SAFETY: forwarded from the caller.
    let roots = unsafe { borrow(roots, "roots") };
    roots.map_or(0, |roots| roots.roots.len())
}

/// All certificates as PEM text, for other TLS libraries. Lives as long as the roots; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_pem(roots: *const hubtls_roots) -> *const c_char {
    answer(ptr::null(), || {
        // SAFETY: forwarded from the caller.
        let roots = unsafe { borrow(roots, "roots") }.ok()?;
        let pem = roots.pem.get_or_init(|| owned_text(&roots.roots.pem()));
        Some(pem.as_ptr())
    })
}

impl hubtls_roots {
    fn described(&self) -> &[Described] {
        let describe = |root: &Root| Described {
            subject: owned_text(root.subject()),
            fingerprint: root.fingerprint().map(|text| owned_text(&text)),
        };
        self.described
            .get_or_init(|| self.roots.iter().map(describe).collect())
    }
}

/// The common name of the root at `index`, or its whole subject if it has none. Lives as long as the roots; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_subject_at(
    roots: *const hubtls_roots,
    index: usize,
) -> *const c_char {
    answer(ptr::null(), || {
        // SAFETY: forwarded from the caller.
        let roots = unsafe { borrow(roots, "roots") }.ok()?;
        Some(roots.described().get(index)?.subject.as_ptr())
    })
}

/// SHA-256 of the certificate of the root at `index`, `CB:3C:...:5F`. Lives as long as the roots; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_fingerprint_at(
    roots: *const hubtls_roots,
    index: usize,
) -> *const c_char {
    answer(ptr::null(), || {
        // SAFETY: forwarded from the caller.
        let roots = unsafe { borrow(roots, "roots") }.ok()?;
        let fingerprint = roots.described().get(index)?.fingerprint.as_ref()?;
        Some(fingerprint.as_ptr())
    })
}

/// Last second of the validity of the root at `index`, in seconds since 1970; 0 if that is not known or there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_not_after_at(
    roots: *const hubtls_roots,
    index: usize,
) -> u64 {
    // SAFETY: forwarded from the caller.
    let roots = unsafe { borrow(roots, "roots") }.ok();
    let root = roots.and_then(|roots| roots.roots.iter().nth(index));
    root.and_then(Root::not_after).unwrap_or(0)
}

/// Says which roots have expired at `now` (seconds since 1970) or expire within the next `within_days` days, and whether enough remain.
///
/// Errors: `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_readiness(
    roots: *const hubtls_roots,
    now: u64,
    within_days: u32,
    readiness: *mut hubtls_readiness,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (roots, size) = unsafe {
            (
                borrow(roots, "roots")?,
                *borrow(readiness.cast::<usize>(), "readiness")?,
            )
        };
        crate::memory::check_size::<hubtls_readiness>(size, "hubtls_readiness")?;
        // SAFETY: its size says that all of it is there.
        let out = unsafe { output(readiness, "readiness") }?;
        let found = roots.roots.readiness(now, within_days);
        out.expired = found.expired.len();
        out.expiring = found.expiring.len();
        out.independent = found.independent;
        out.ready = found.ready;
        Ok(())
    })
}

/// Frees roots. NULL is a no-op.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_roots_free(roots: *mut hubtls_roots) {
    // SAFETY: forwarded from the caller.
    unsafe { free(roots) };
}
