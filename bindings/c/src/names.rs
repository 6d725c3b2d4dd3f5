//! Numbers of IANA's and their names.

use std::ffi::c_char;
use std::ptr;

use hubtls::{CipherSuite, Group, SignatureScheme, Strength, Version};

use crate::error::{guard, hubtls_error, hubtls_status};
use crate::memory::{output, static_text, text};

/// TLS 1.2.
pub const HUBTLS_TLS_1_2: u16 = 0x0303;
/// TLS 1.3.
pub const HUBTLS_TLS_1_3: u16 = 0x0304;

/// Not a suite of IoT Hub's.
pub const HUBTLS_STRENGTH_UNKNOWN: u8 = 0;
/// Strong: a hub that enforces TLS 1.2 accepts the suite.
pub const HUBTLS_STRENGTH_RECOMMENDED: u8 = 1;
/// Weak: retired on 2025-08-31. No policy holds the suite.
pub const HUBTLS_STRENGTH_RETIRED: u8 = 2;

fn name<T>(known: Option<T>, name: impl FnOnce(T) -> &'static str) -> *const c_char {
    known.map_or(ptr::null(), |known| static_text(name(known)))
}

/// `TLSv1.2` or `TLSv1.3`; NULL for any other version. Lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_tls_version_name(version: u16) -> *const c_char {
    name(Version::from_code(version), Version::name)
}

/// IANA's name of a cipher suite, which is also JSSE's; NULL if it is none of IoT Hub's twenty. Lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_suite_name(suite: u16) -> *const c_char {
    name(CipherSuite::from_code(suite), CipherSuite::iana_name)
}

/// OpenSSL's name of a cipher suite; NULL if it is none of IoT Hub's twenty. Lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_suite_openssl_name(suite: u16) -> *const c_char {
    name(CipherSuite::from_code(suite), CipherSuite::openssl_name)
}

/// GnuTLS's name of a cipher suite; NULL if it is none of IoT Hub's twenty. Lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_suite_gnutls_name(suite: u16) -> *const c_char {
    name(CipherSuite::from_code(suite), CipherSuite::gnutls_name)
}

/// What IoT Hub thinks of a cipher suite: one of `HUBTLS_STRENGTH_*`.
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_suite_strength(suite: u16) -> u8 {
    match CipherSuite::from_code(suite).map(CipherSuite::strength) {
        None => HUBTLS_STRENGTH_UNKNOWN,
        Some(Strength::Recommended) => HUBTLS_STRENGTH_RECOMMENDED,
        Some(Strength::Retired) => HUBTLS_STRENGTH_RETIRED,
    }
}

/// IANA's name of a key exchange group; NULL if hubtls does not know it. Lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_group_name(group: u16) -> *const c_char {
    name(Group::from_code(group), Group::name)
}

/// IANA's name of a signature scheme; NULL if hubtls does not know it. Lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_signature_scheme_name(scheme: u16) -> *const c_char {
    name(SignatureScheme::from_code(scheme), SignatureScheme::name)
}

/// The TLS version that `name` means in any usual spelling: `TLSv1.2`, `1.2`.
///
/// Errors: `POLICY_WIDENED` for what is older than TLS 1.2, `UNKNOWN_VERSION`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_tls_version_from_name(
    name: *const c_char,
    version: *mut u16,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (name, version) = unsafe { (text(name, "name")?, output(version, "version")?) };
        *version = Version::from_name(name)?.code();
        Ok(())
    })
}

/// The cipher suite that IANA, OpenSSL, GnuTLS or JSSE call `name`, retired ones too.
///
/// Errors: `UNKNOWN_SUITE` with what was probably meant, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_suite_from_name(
    name: *const c_char,
    suite: *mut u16,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (name, suite) = unsafe { (text(name, "name")?, output(suite, "suite")?) };
        *suite = CipherSuite::from_name(name)?.code();
        Ok(())
    })
}

/// The key exchange group that IANA, OpenSSL or GnuTLS call `name`.
///
/// Errors: `UNKNOWN_GROUP`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_group_from_name(
    name: *const c_char,
    group: *mut u16,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (name, group) = unsafe { (text(name, "name")?, output(group, "group")?) };
        *group = Group::from_name(name)?.code();
        Ok(())
    })
}
