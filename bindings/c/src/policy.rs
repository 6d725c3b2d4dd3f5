//! Policies: find, describe, JSON.

mod narrowing;

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::OnceLock;

use hubtls::{Error, ErrorCode, FragmentLength, FragmentMode, Policy, Result};

use crate::error::{answer, guard, hubtls_error, hubtls_status};
use crate::memory::{borrow, free, give, invalid, output, owned_text, slice, static_text, text};

pub use narrowing::*;

/// What a client offers to IoT Hub and which roots it trusts. Immutable; any number of threads may use one. Free it with
/// `hubtls_policy_free`; what was made from it lives on.
pub struct hubtls_policy {
    pub(crate) policy: Policy,
    versions: Vec<u16>,
    suites: Vec<u16>,
    groups: Vec<u16>,
    signature_schemes: Vec<u16>,
    warnings: Vec<CString>,
    texts: Texts,
}

/// Made when first asked for.
#[derive(Default)]
struct Texts {
    json: OnceLock<CString>,
    openssl_cipher_list: OnceLock<CString>,
    openssl_ciphersuites: OnceLock<CString>,
    openssl_groups: OnceLock<CString>,
    openssl_signature_algorithms: OnceLock<CString>,
    wolfssl_cipher_list: OnceLock<CString>,
    wolfssl_signature_algorithms: OnceLock<CString>,
}

/// Do not ask for a fragment length. Every released policy says so.
pub const HUBTLS_FRAGMENT_OFF: u8 = 0;
/// Ask, and go on with fragments of usual length if the server does not agree.
pub const HUBTLS_FRAGMENT_REQUEST: u8 = 1;
/// Ask, and fail the handshake if the server does not agree.
pub const HUBTLS_FRAGMENT_REQUIRE: u8 = 2;

/// 512 bytes.
pub const HUBTLS_FRAGMENT_LENGTH_512: usize = 512;
/// 1024 bytes.
pub const HUBTLS_FRAGMENT_LENGTH_1024: usize = 1024;
/// 2048 bytes.
pub const HUBTLS_FRAGMENT_LENGTH_2048: usize = 2048;
/// 4096 bytes.
pub const HUBTLS_FRAGMENT_LENGTH_4096: usize = 4096;

impl From<Policy> for hubtls_policy {
    fn from(policy: Policy) -> Self {
        let warnings = policy.warnings();
        Self {
            versions: policy.versions().iter().map(|item| item.code()).collect(),
            suites: policy.suites().iter().map(|item| item.code()).collect(),
            groups: policy.groups().iter().map(|item| item.code()).collect(),
            signature_schemes: policy
                .signature_schemes()
                .iter()
                .map(|item| item.code())
                .collect(),
            warnings: warnings.iter().map(|text| owned_text(text)).collect(),
            texts: Texts::default(),
            policy,
        }
    }
}

/// How a fragment length is to be negotiated.
pub(crate) fn fragment_mode(mode: u8, bytes: usize) -> Result<FragmentMode> {
    let length = || FragmentLength::from_bytes(bytes);
    match mode {
        HUBTLS_FRAGMENT_OFF => Ok(FragmentMode::Off),
        HUBTLS_FRAGMENT_REQUEST => Ok(FragmentMode::Request(length()?)),
        HUBTLS_FRAGMENT_REQUIRE => Ok(FragmentMode::Require(length()?)),
        _ => Err(invalid(
            format!("{mode} is no fragment mode"),
            "use HUBTLS_FRAGMENT_OFF, HUBTLS_FRAGMENT_REQUEST or HUBTLS_FRAGMENT_REQUIRE",
        )),
    }
}

fn made(policy: &mut *mut hubtls_policy, made: Policy) {
    *policy = give(made.into());
}

/// The policy of that name, in any case: a dated one (`iothub-2025-08`), or the alias of the newest: `iothub`, `iothub-ecc`, `iothub-aead`,
/// `iothub-tls12`.
///
/// Errors: `UNKNOWN_POLICY`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_named(
    name: *const c_char,
    policy: *mut *mut hubtls_policy,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (name, policy) = unsafe { (text(name, "name")?, output(policy, "policy")?) };
        made(policy, Policy::named(name)?);
        Ok(())
    })
}

/// How many dated policies there are.
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_policy_count() -> usize {
    Policy::all().len()
}

/// The dated policy at `index`, below `hubtls_policy_count()`.
///
/// Errors: `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_at(
    index: usize,
    policy: *mut *mut hubtls_policy,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let policy = unsafe { output(policy, "policy") }?;
        let all = Policy::all();
        let found = all.get(index).ok_or_else(|| {
            invalid(
                format!("there is no policy {index}: there are {}", all.len()),
                "count from 0 to hubtls_policy_count() - 1",
            )
        })?;
        made(policy, found.clone());
        Ok(())
    })
}

/// A policy from a JSON document of `len` bytes: the name of a dated policy, and what it is narrowed to.
///
/// Errors: `INVALID_POLICY_DOCUMENT` with line and column; `UNKNOWN_POLICY`, `UNKNOWN_SUITE` and the like; `POLICY_WIDENED`, `POLICY_EMPTY`,
/// `NO_ROOTS`, `INVALID_FRAGMENT_LENGTH`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_from_json(
    json: *const c_char,
    len: usize,
    policy: *mut *mut hubtls_policy,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (json, policy) = unsafe {
            (
                slice(json.cast::<u8>(), len, "json")?,
                output(policy, "policy")?,
            )
        };
        let json = std::str::from_utf8(json).map_err(|_| {
            Error::new(
                ErrorCode::InvalidPolicyDocument,
                "the policy document is not UTF-8",
                "JSON is written in UTF-8",
            )
        })?;
        made(policy, Policy::from_json(json)?);
        Ok(())
    })
}

/// The policy as the JSON document that `hubtls_policy_from_json` reads. Lives as long as the policy; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_json(policy: *const hubtls_policy) -> *const c_char {
    // SAFETY: forwarded from the caller.
    unsafe { cached(policy, |texts| &texts.json, Policy::to_json) }
}

/// The policy's suites of TLS 1.2 for `SSL_CTX_set_cipher_list` of OpenSSL; empty if there is none. Lives as long as the policy; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_openssl_cipher_list(
    policy: *const hubtls_policy,
) -> *const c_char {
    // SAFETY: forwarded from the caller.
    unsafe {
        cached(
            policy,
            |texts| &texts.openssl_cipher_list,
            Policy::openssl_cipher_list,
        )
    }
}

/// The policy's suites of TLS 1.3 for `SSL_CTX_set_ciphersuites` of OpenSSL; empty if there is none. Lives as long as the policy; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_openssl_ciphersuites(
    policy: *const hubtls_policy,
) -> *const c_char {
    // SAFETY: forwarded from the caller.
    unsafe {
        cached(
            policy,
            |texts| &texts.openssl_ciphersuites,
            Policy::openssl_ciphersuites,
        )
    }
}

/// The policy's groups for `SSL_CTX_set1_groups_list` of OpenSSL. Lives as long as the policy; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_openssl_groups(
    policy: *const hubtls_policy,
) -> *const c_char {
    // SAFETY: forwarded from the caller.
    unsafe {
        cached(
            policy,
            |texts| &texts.openssl_groups,
            Policy::openssl_groups,
        )
    }
}

/// The policy's signature schemes for `SSL_CTX_set1_sigalgs_list` of OpenSSL. Lives as long as the policy; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_openssl_signature_algorithms(
    policy: *const hubtls_policy,
) -> *const c_char {
    // SAFETY: forwarded from the caller.
    unsafe {
        cached(
            policy,
            |texts| &texts.openssl_signature_algorithms,
            Policy::openssl_signature_algorithms,
        )
    }
}

/// The policy's suites, of both versions, for `wolfSSL_CTX_set_cipher_list`. Lives as long as the policy; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_wolfssl_cipher_list(
    policy: *const hubtls_policy,
) -> *const c_char {
    // SAFETY: forwarded from the caller.
    unsafe {
        cached(
            policy,
            |texts| &texts.wolfssl_cipher_list,
            Policy::wolfssl_cipher_list,
        )
    }
}

/// The policy's signature schemes for `wolfSSL_CTX_set1_sigalgs_list`. Lives as long as the policy; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_wolfssl_signature_algorithms(
    policy: *const hubtls_policy,
) -> *const c_char {
    // SAFETY: forwarded from the caller.
    unsafe {
        cached(
            policy,
            |texts| &texts.wolfssl_signature_algorithms,
            Policy::wolfssl_signature_algorithms,
        )
    }
}

unsafe fn cached(
    policy: *const hubtls_policy,
    place: impl FnOnce(&Texts) -> &OnceLock<CString>,
    make: impl FnOnce(&Policy) -> String,
) -> *const c_char {
    answer(ptr::null(), || {
        // SAFETY: forwarded from the caller.
        let policy = unsafe { borrow(policy, "policy") }.ok()?;
        let text = place(&policy.texts).get_or_init(|| owned_text(&make(&policy.policy)));
        Some(text.as_ptr())
    })
}

/// The dated name of the policy, or of the one that was narrowed. Lives for ever; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_name(policy: *const hubtls_policy) -> *const c_char {
    // SAFETY: forwarded from the caller.
    let policy = unsafe { borrow(policy, "policy") };
    policy.map_or(ptr::null(), |policy| static_text(policy.policy.name()))
}

/// Whether it holds less than the policy of its name; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_is_narrowed(policy: *const hubtls_policy) -> bool {
    // SAFETY: forwarded from the caller.
    let policy = unsafe { borrow(policy, "policy") };
    policy.is_ok_and(|policy| policy.policy.is_narrowed())
}

unsafe fn codes(
    policy: *const hubtls_policy,
    count: *mut usize,
    which: impl FnOnce(&hubtls_policy) -> &[u16],
) -> *const u16 {
    // SAFETY: forwarded from the caller.
    let (policy, count) = unsafe { (borrow(policy, "policy"), output(count, "count")) };
    let list: Option<&[u16]> = policy.ok().map(which);
    if let Ok(count) = count {
        *count = list.map_or(0, <[u16]>::len);
    }
    list.map_or(ptr::null(), <[u16]>::as_ptr)
}

/// The versions offered, newest first, as on the wire; `*count` says how many. Lives as long as the policy; NULL and 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_versions(
    policy: *const hubtls_policy,
    count: *mut usize,
) -> *const u16 {
    // SAFETY: forwarded from the caller.
    unsafe { codes(policy, count, |policy| &policy.versions) }
}

/// The cipher suites in the order offered, by IANA's numbers; `*count` says how many. Lives as long as the policy; NULL and 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_suites(
    policy: *const hubtls_policy,
    count: *mut usize,
) -> *const u16 {
    // SAFETY: forwarded from the caller.
    unsafe { codes(policy, count, |policy| &policy.suites) }
}

/// The key exchange groups in the order offered, by IANA's numbers; `*count` says how many. Lives as long as the policy; NULL and 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_groups(
    policy: *const hubtls_policy,
    count: *mut usize,
) -> *const u16 {
    // SAFETY: forwarded from the caller.
    unsafe { codes(policy, count, |policy| &policy.groups) }
}

/// The signature schemes in the order offered, by IANA's numbers; `*count` says how many. Lives as long as the policy; NULL and 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_signature_schemes(
    policy: *const hubtls_policy,
    count: *mut usize,
) -> *const u16 {
    // SAFETY: forwarded from the caller.
    unsafe { codes(policy, count, |policy| &policy.signature_schemes) }
}

/// Whether a maximum fragment length is negotiated (one of `HUBTLS_FRAGMENT_*`), and in `*bytes`, if that is not NULL, its length or 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_fragment_length(
    policy: *const hubtls_policy,
    bytes: *mut usize,
) -> u8 {
    // SAFETY: forwarded from the caller.
    let (policy, bytes) = unsafe { (borrow(policy, "policy"), output(bytes, "bytes")) };
    let mode = policy.map_or(FragmentMode::Off, |policy| policy.policy.fragment_length());
    if let Ok(bytes) = bytes {
        *bytes = mode.length().map_or(0, FragmentLength::bytes);
    }
    match mode {
        FragmentMode::Off => HUBTLS_FRAGMENT_OFF,
        FragmentMode::Request(_) => HUBTLS_FRAGMENT_REQUEST,
        FragmentMode::Require(_) => HUBTLS_FRAGMENT_REQUIRE,
    }
}

/// How many warnings there are about the policy: what is allowed but likely to be regretted. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_warning_count(policy: *const hubtls_policy) -> usize {
    // SAFETY: forwarded from the caller.
    let policy = unsafe { borrow(policy, "policy") };
    policy.map_or(0, |policy| policy.warnings.len())
}

/// The warning at `index`, a sentence; NULL if there is none. Lives as long as the policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_warning_at(
    policy: *const hubtls_policy,
    index: usize,
) -> *const c_char {
    // SAFETY: forwarded from the caller.
    let policy = unsafe { borrow(policy, "policy") };
    let warning = policy.ok().and_then(|policy| policy.warnings.get(index));
    warning.map_or(ptr::null(), |text| text.as_ptr())
}

/// The same policy once more, to be freed by itself; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_clone(policy: *const hubtls_policy) -> *mut hubtls_policy {
    // SAFETY: forwarded from the caller.
    let policy = unsafe { borrow(policy, "policy") };
    policy.map_or(ptr::null_mut(), |policy| give(policy.policy.clone().into()))
}

/// Frees a policy. NULL is a no-op.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_free(policy: *mut hubtls_policy) {
    // SAFETY: forwarded from the caller.
    unsafe { free(policy) };
}
