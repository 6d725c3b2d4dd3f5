//! Configurations, and the handle of the current one.

use std::ffi::{CString, c_char};
use std::ptr;

use hubtls::{Config, ConfigHandle};

use crate::error::{guard, hubtls_error, hubtls_status};
use crate::memory::{borrow, free, give, output, owned_text};
use crate::policy::hubtls_policy;
use crate::roots::hubtls_roots;

/// An immutable, checked configuration, counted by reference: any number of threads and connections share it. Free it with
/// `hubtls_config_free`; connections made from it live on.
pub struct hubtls_config {
    pub(crate) config: Config,
    warnings: Vec<CString>,
}

impl From<Config> for hubtls_config {
    fn from(config: Config) -> Self {
        let warnings = config.warnings().iter().map(|text| owned_text(text));
        Self {
            warnings: warnings.collect(),
            config,
        }
    }
}

/// Another reference to the same configuration, to be freed by itself; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_clone(config: *const hubtls_config) -> *mut hubtls_config {
    // SAFETY: forwarded from the caller.
    let config = unsafe { borrow(config, "config") };
    config.map_or(ptr::null_mut(), |config| give(config.config.clone().into()))
}

/// The same configuration with these roots instead, and with no session to resume.
///
/// Errors: `NO_ROOTS`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_with_roots(
    config: *const hubtls_config,
    roots: *const hubtls_roots,
    changed: *mut *mut hubtls_config,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (config, roots, changed) = unsafe {
            (
                borrow(config, "config")?,
                borrow(roots, "roots")?,
                output(changed, "changed")?,
            )
        };
        *changed = give(config.config.with_roots(roots.roots.clone())?.into());
        Ok(())
    })
}

/// The policy of a configuration, narrowed as it was; to be freed. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_policy(config: *const hubtls_config) -> *mut hubtls_policy {
    // SAFETY: forwarded from the caller.
    let config = unsafe { borrow(config, "config") };
    config.map_or(ptr::null_mut(), |config| {
        give(config.config.policy().clone().into())
    })
}

/// The roots that a configuration trusts; to be freed. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_roots(config: *const hubtls_config) -> *mut hubtls_roots {
    // SAFETY: forwarded from the caller.
    let config = unsafe { borrow(config, "config") };
    config.map_or(ptr::null_mut(), |config| {
        give(config.config.roots().clone().into())
    })
}

/// How many warnings there are: what is allowed but unwise or about to break, an expired client certificate for example. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_warning_count(config: *const hubtls_config) -> usize {
    // SAFETY: forwarded from the caller.
    let config = unsafe { borrow(config, "config") };
    config.map_or(0, |config| config.warnings.len())
}

/// The warning at `index`, a sentence; NULL if there is none. Lives as long as this reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_warning_at(
    config: *const hubtls_config,
    index: usize,
) -> *const c_char {
    // SAFETY: forwarded from the caller.
    let config = unsafe { borrow(config, "config") };
    let warning = config.ok().and_then(|config| config.warnings.get(index));
    warning.map_or(ptr::null(), |text| text.as_ptr())
}

/// Frees a reference to a configuration. NULL is a no-op.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_free(config: *mut hubtls_config) {
    // SAFETY: forwarded from the caller.
    unsafe { free(config) };
}

/// The current configuration of a running program: new connections take it, and replacing it drops none of the old ones. Any number of
/// threads may use one. Free it with `hubtls_config_handle_free`.
pub struct hubtls_config_handle(ConfigHandle);

/// A handle that starts with `config`.
///
/// Errors: `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_handle_new(
    config: *const hubtls_config,
    handle: *mut *mut hubtls_config_handle,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (config, handle) = unsafe { (borrow(config, "config")?, output(handle, "handle")?) };
        let new = ConfigHandle::new(config.config.clone());
        *handle = give(hubtls_config_handle(new));
        Ok(())
    })
}

/// The configuration for the next connection; to be freed. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_handle_current(
    handle: *const hubtls_config_handle,
) -> *mut hubtls_config {
    // SAFETY: forwarded from the caller.
    let handle = unsafe { borrow(handle, "handle") };
    handle.map_or(ptr::null_mut(), |handle| give(handle.0.current().into()))
}

/// Makes `config` the current one, atomically.
///
/// Errors: `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_handle_replace(
    handle: *const hubtls_config_handle,
    config: *const hubtls_config,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (handle, config) = unsafe { (borrow(handle, "handle")?, borrow(config, "config")?) };
        handle.0.replace(config.config.clone());
        Ok(())
    })
}

/// Trusts `roots` instead of the current ones from the next connection on, which resumes no session. On failure the current configuration stays.
///
/// Errors: `NO_ROOTS`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_handle_replace_roots(
    handle: *const hubtls_config_handle,
    roots: *const hubtls_roots,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (handle, roots) = unsafe { (borrow(handle, "handle")?, borrow(roots, "roots")?) };
        handle.0.replace_roots(roots.roots.clone())
    })
}

/// Frees a handle. NULL is a no-op.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_config_handle_free(handle: *mut hubtls_config_handle) {
    // SAFETY: forwarded from the caller.
    unsafe { free(handle) };
}
