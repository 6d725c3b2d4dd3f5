//! The options of a configuration.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use hubtls::{Clock, Config, ConfigBuilder, Pin, Result, RevocationLists, Sni};

use crate::callback::{
    ForeignClock, ForeignKeyLog, hubtls_clock_function, hubtls_key_log_function,
};
use crate::config::hubtls_config;
use crate::error::{guard, hubtls_error, hubtls_status};
use crate::exclusive::Exclusive;
use crate::identity::hubtls_identity;
use crate::memory::{
    borrow, byte_list, free_unless, give, hubtls_bytes, invalid, optional_text, output, slice, text,
};
use crate::policy::{fragment_mode, hubtls_policy};
use crate::roots::hubtls_roots;

/// Collects the options of a configuration. Whatever is not set is as the policy `iothub` has it. What is passed in is copied or shared:
/// free it when you like. For one thread at a time. Free it with `hubtls_config_builder_free`, after building too.
pub struct hubtls_config_builder(Exclusive<ConfigBuilder>);

/// A builder with nothing set; NULL never.
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_config_builder_new() -> *mut hubtls_config_builder {
    give(hubtls_config_builder(Exclusive::new(Config::builder())))
}

unsafe fn set(
    builder: *mut hubtls_config_builder,
    error: *mut hubtls_error,
    change: impl FnOnce(ConfigBuilder) -> Result<ConfigBuilder>,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let builder = unsafe { borrow(builder.cast_const(), "builder") }?;
        builder.0.with(|builder| {
            // A copy, so that a change that fails leaves everything as it was.
            *builder = change(builder.clone())?;
            Ok(())
        })
    })
}

/// What may be offered and accepted. Default: the policy `iothub`.
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_set_policy(
    builder: *mut hubtls_config_builder,
    policy: *const hubtls_policy,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            Ok(builder.policy(borrow(policy, "policy")?.policy.clone()))
        })
    }
}

/// Trusts these roots *instead of* the policy's.
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_set_roots(
    builder: *mut hubtls_config_builder,
    roots: *const hubtls_roots,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            Ok(builder.roots(borrow(roots, "roots")?.roots.clone()))
        })
    }
}

/// Trusts these roots as well. An added private root does not vouch for names of Azure's unless it says so
/// (`hubtls_roots_vouching_for_azure`).
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_add_roots(
    builder: *mut hubtls_config_builder,
    roots: *const hubtls_roots,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            Ok(builder.add_roots(borrow(roots, "roots")?.roots.clone()))
        })
    }
}

/// Accepts only chains that end in a pinned root; several pins allow several roots. `pin` is SHA-256 of the root's SubjectPublicKeyInfo: 64
/// hexadecimal digits, with or without colons, or base64, with or without `sha256/`.
///
/// Errors: `INVALID_PIN`, `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_add_pin(
    builder: *mut hubtls_config_builder,
    pin: *const c_char,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            Ok(builder.pin(Pin::from_sha256(text(pin, "pin")?)?))
        })
    }
}

/// As `hubtls_config_builder_add_pin`, from the root's certificate in PEM. A certificate that is not a root's is refused.
///
/// Errors: `PIN_NOT_ROOT`, `NO_CERTIFICATE`, `INVALID_CERTIFICATE`, `INVALID_PIN`, `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_add_pin_of_certificate(
    builder: *mut hubtls_config_builder,
    pem: *const u8,
    len: usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            Ok(builder.pin(Pin::of_certificate_pem(slice(pem, len, "pem")?)?))
        })
    }
}

/// The client's certificate chain and key, sent to servers that ask for them.
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_set_identity(
    builder: *mut hubtls_config_builder,
    identity: *const hubtls_identity,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            Ok(builder.identity(borrow(identity, "identity")?.identity.clone()))
        })
    }
}

/// Whether an expired or not yet valid client certificate is an error. Default: no, it is a warning of the configuration.
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_set_refuse_invalid_identity(
    builder: *mut hubtls_config_builder,
    refuse: bool,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            Ok(builder.refuse_invalid_identity(refuse))
        })
    }
}

/// Certificate revocation lists, PEM or one in DER: certificates of their issuers are checked against them. May be called several times.
///
/// Errors: `INVALID_REVOCATION_LIST`, `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_add_revocation_lists(
    builder: *mut hubtls_config_builder,
    data: *const u8,
    len: usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            let lists = RevocationLists::from_pem_or_der(slice(data, len, "data")?)?;
            Ok(builder.revocation_lists(lists))
        })
    }
}

/// Whether a certificate without a current revocation list of its issuer is refused. Default: no.
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_set_require_revocation_status(
    builder: *mut hubtls_config_builder,
    require: bool,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            Ok(builder.require_revocation_status(require))
        })
    }
}

/// The protocols to offer with ALPN (RFC 7301), most wanted first, each of 1 to 255 bytes. Default: none. Checked by `_build`.
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_set_alpn(
    builder: *mut hubtls_config_builder,
    protocols: *const hubtls_bytes,
    count: usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            Ok(builder.alpn(byte_list(protocols, count, "protocols")?))
        })
    }
}

/// Which name the ClientHello carries (SNI): this DNS name, or none if `name` is NULL. Default: the name that is verified. Checked by `_build`.
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_set_sni(
    builder: *mut hubtls_config_builder,
    name: *const c_char,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            let name = optional_text(name, "name")?;
            Ok(builder.sni(name.map_or(Sni::Off, |name| Sni::Named(name.to_owned()))))
        })
    }
}

/// Whether sessions are kept in memory and resumed. Default: yes.
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_set_resumption(
    builder: *mut hubtls_config_builder,
    resume: bool,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe { set(builder, error, |builder| Ok(builder.resumption(resume))) }
}

/// The maximum fragment length to negotiate (RFC 6066, section 4): one of `HUBTLS_FRAGMENT_*`, and 512, 1024, 2048 or 4096 bytes. Default: as
/// the policy says.
///
/// Errors: `INVALID_FRAGMENT_LENGTH`, `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_set_fragment_length(
    builder: *mut hubtls_config_builder,
    mode: u8,
    bytes: usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            Ok(builder.fragment_length(fragment_mode(mode, bytes)?))
        })
    }
}

/// Whether the post-quantum hybrid X25519MLKEM768 is offered first. Default: no, since the ClientHello grows from about 0.3 to 1.5 KB.
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_set_post_quantum(
    builder: *mut hubtls_config_builder,
    offer: bool,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe { set(builder, error, |builder| Ok(builder.post_quantum(offer))) }
}

/// The time by which certificates are judged, in seconds since 1970: for devices that learn it once, and for tests. Default: the system's
/// clock.
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_set_time(
    builder: *mut hubtls_config_builder,
    seconds: u64,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            Ok(builder.clock(Clock::fixed(seconds)))
        })
    }
}

/// Asks `now` for the time. `context` must live, and bear calls from any thread, as long as anything that was made from this builder does.
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_set_clock(
    builder: *mut hubtls_config_builder,
    now: hubtls_clock_function,
    context: *mut c_void,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            let now = now.ok_or_else(|| no_function("now"))?;
            let clock = ForeignClock::new(context, now);
            Ok(builder.clock(Clock::from_fn(Arc::new(move || clock.now()))))
        })
    }
}

/// Hands every connection's secrets to `log`, for debugging: whoever has them can read the traffic. `context` as for
/// `hubtls_config_builder_set_clock`. Default: to nobody.
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_set_key_log(
    builder: *mut hubtls_config_builder,
    log: hubtls_key_log_function,
    context: *mut c_void,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        set(builder, error, |builder| {
            let log = log.ok_or_else(|| no_function("log"))?;
            Ok(builder.key_log(Arc::new(ForeignKeyLog::new(context, log))))
        })
    }
}

fn no_function(name: &str) -> hubtls::Error {
    invalid(format!("{name} is NULL"), "pass a function")
}

/// Checks everything and makes the configuration. The builder stays as it is.
///
/// Errors: `NO_ROOTS`, `INVALID_ALPN`, `INVALID_SERVER_NAME` (the SNI), `IDENTITY_EXPIRED`, `IDENTITY_NOT_YET_VALID`,
/// `UNSUPPORTED_BY_ENGINE`, `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_build(
    builder: *const hubtls_config_builder,
    config: *mut *mut hubtls_config,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (builder, config) = unsafe { (borrow(builder, "builder")?, output(config, "config")?) };
        let built = builder.0.with(|builder| builder.clone().build())?;
        *config = give(built.into());
        Ok(())
    })
}

/// Frees a builder. NULL is a no-op.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_builder_free(builder: *mut hubtls_config_builder) {
    // SAFETY: forwarded from the caller.
    unsafe { free_unless(builder, |builder| builder.0.is_busy()) };
}
