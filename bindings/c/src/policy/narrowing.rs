//! Policies narrowed.

use hubtls::{Authentication, CipherSuite, Error, ErrorCode, Group, Policy, Result, Version};

use super::{fragment_mode, hubtls_policy};
use crate::error::{guard, hubtls_error, hubtls_status};
use crate::memory::{borrow, give, invalid, output, slice};

/// Suites that bind the server to an ECDSA key.
pub const HUBTLS_AUTHENTICATION_ECDSA: u8 = 1;
/// Suites that bind the server to an RSA key.
pub const HUBTLS_AUTHENTICATION_RSA: u8 = 2;

unsafe fn narrow(
    policy: *const hubtls_policy,
    narrowed: *mut *mut hubtls_policy,
    error: *mut hubtls_error,
    work: impl FnOnce(Policy) -> Result<Policy>,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (policy, narrowed) =
            unsafe { (borrow(policy, "policy")?, output(narrowed, "narrowed")?) };
        *narrowed = give(work(policy.policy.clone())?.into());
        Ok(())
    })
}

fn each<T>(
    codes: &[u16],
    known: impl Fn(u16) -> Option<T>,
    code: ErrorCode,
    hint: &'static str,
) -> Result<Vec<T>> {
    let unknown = |number: u16| Error::new(code, format!("0x{number:04X} is not known"), hint);
    codes
        .iter()
        .map(|&number| known(number).ok_or_else(|| unknown(number)))
        .collect()
}

/// Makes a policy that offers these versions at most, and of the suites those that remain usable.
///
/// Errors: `UNKNOWN_VERSION`, `POLICY_WIDENED` (older than TLS 1.2, or not in the policy), `POLICY_EMPTY`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_only_versions(
    policy: *const hubtls_policy,
    versions: *const u16,
    count: usize,
    narrowed: *mut *mut hubtls_policy,
    error: *mut hubtls_error,
) -> hubtls_status {
    let work = |policy: Policy| {
        // SAFETY: forwarded from the caller.
        let codes = unsafe { slice(versions, count, "versions") }?;
        let hint = "the versions are HUBTLS_TLS_1_3 and HUBTLS_TLS_1_2";
        let retired = codes.iter().find(|code| (0x0200..0x0303).contains(*code));
        if let Some(code) = retired {
            return Err(Error::new(
                ErrorCode::PolicyWidened,
                format!(
                    "0x{code:04X} is older than TLS 1.2: IoT Hub retired such versions on 2025-08-31"
                ),
                hint,
            ));
        }
        policy.only_versions(&each(
            codes,
            Version::from_code,
            ErrorCode::UnknownVersion,
            hint,
        )?)
    };
    // SAFETY: forwarded from the caller.
    unsafe { narrow(policy, narrowed, error, work) }
}

/// Makes a policy that offers these cipher suites at most, by IANA's numbers.
///
/// Errors: `UNKNOWN_SUITE`, `POLICY_WIDENED` (retired, or not in the policy), `POLICY_EMPTY`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_only_suites(
    policy: *const hubtls_policy,
    suites: *const u16,
    count: usize,
    narrowed: *mut *mut hubtls_policy,
    error: *mut hubtls_error,
) -> hubtls_status {
    let work = |policy: Policy| {
        // SAFETY: forwarded from the caller.
        let codes = unsafe { slice(suites, count, "suites") }?;
        policy.only_suites(&each(
            codes,
            CipherSuite::from_code,
            ErrorCode::UnknownSuite,
            "use a number that hubtls_policy_suites or hubtls_suite_from_name gives",
        )?)
    };
    // SAFETY: forwarded from the caller.
    unsafe { narrow(policy, narrowed, error, work) }
}

/// Makes a policy that offers these key exchange groups at most, by IANA's numbers.
///
/// Errors: `UNKNOWN_GROUP`, `POLICY_WIDENED`, `POLICY_EMPTY`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_only_groups(
    policy: *const hubtls_policy,
    groups: *const u16,
    count: usize,
    narrowed: *mut *mut hubtls_policy,
    error: *mut hubtls_error,
) -> hubtls_status {
    let work = |policy: Policy| {
        // SAFETY: forwarded from the caller.
        let codes = unsafe { slice(groups, count, "groups") }?;
        policy.only_groups(&each(
            codes,
            Group::from_code,
            ErrorCode::UnknownGroup,
            "use a number that hubtls_policy_groups or hubtls_group_from_name gives",
        )?)
    };
    // SAFETY: forwarded from the caller.
    unsafe { narrow(policy, narrowed, error, work) }
}

/// Makes a policy with only those suites that bind the server to a kind of key, `HUBTLS_AUTHENTICATION_*`.
///
/// Errors: `POLICY_EMPTY`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_only_authentication(
    policy: *const hubtls_policy,
    authentication: u8,
    narrowed: *mut *mut hubtls_policy,
    error: *mut hubtls_error,
) -> hubtls_status {
    let work = |policy: Policy| match authentication {
        HUBTLS_AUTHENTICATION_ECDSA => policy.only_authentication(Authentication::Ecdsa),
        HUBTLS_AUTHENTICATION_RSA => policy.only_authentication(Authentication::Rsa),
        _ => Err(invalid(
            format!("{authentication} is no kind of authentication"),
            "use HUBTLS_AUTHENTICATION_ECDSA or HUBTLS_AUTHENTICATION_RSA",
        )),
    };
    // SAFETY: forwarded from the caller.
    unsafe { narrow(policy, narrowed, error, work) }
}

/// Makes a policy that negotiates the maximum fragment length so: `mode` is one of `HUBTLS_FRAGMENT_*`, `bytes` 512, 1024, 2048 or 4096
/// (not used with `HUBTLS_FRAGMENT_OFF`).
///
/// Errors: `INVALID_FRAGMENT_LENGTH`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_policy_with_fragment_length(
    policy: *const hubtls_policy,
    mode: u8,
    bytes: usize,
    changed: *mut *mut hubtls_policy,
    error: *mut hubtls_error,
) -> hubtls_status {
    let work = |policy: Policy| Ok(policy.with_fragment_length(fragment_mode(mode, bytes)?));
    // SAFETY: forwarded from the caller.
    unsafe { narrow(policy, changed, error, work) }
}
