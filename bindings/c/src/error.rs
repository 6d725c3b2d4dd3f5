//! One funnel for everything that goes wrong.

use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hubtls::{Alert, Error, ErrorCode, Result};

use crate::memory::{lossy_text, static_text};

/// `HUBTLS_OK`, or one of `HUBTLS_ERROR_*`.
pub type hubtls_status = i32;

/// Success.
pub const HUBTLS_OK: hubtls_status = 0;

/// Bytes of the sentence and of the hint in a `hubtls_error`, with the zero at the end. Longer ones are cut.
pub const HUBTLS_ERROR_TEXT: usize = 512;

/// What went wrong. The caller owns it: start with `hubtls_error error = HUBTLS_ERROR_INIT;` and pass its address as the last argument of
/// any call, or NULL to do without. It is written only when a call fails, holds no pointer that has to be freed, and holds no key and no
/// plaintext.
#[repr(C)]
pub struct hubtls_error {
    /// `sizeof(hubtls_error)`, as `HUBTLS_ERROR_INIT` sets it. With any smaller number nothing is written.
    pub size: usize,
    /// The code, the same number in every language.
    pub code: hubtls_status,
    /// The number of the TLS alert in IANA's registry; see `has_alert`.
    pub alert: u8,
    /// Whether an alert was sent or received.
    pub has_alert: bool,
    /// Whether the peer sent the alert.
    pub alert_received: bool,
    /// The code's name, the same in every language, e.g. `UNKNOWN_ROOT`. Lives for ever.
    pub name: *const c_char,
    /// What is wrong, in a sentence.
    pub message: [c_char; HUBTLS_ERROR_TEXT],
    /// What to do about it, in a sentence.
    pub hint: [c_char; HUBTLS_ERROR_TEXT],
}

/// Runs `work`, turns its error into the status and fills `error`. A panic ends here.
///
/// `error` is what every function has as its last argument: NULL, or a `hubtls_error` that nobody else uses meanwhile.
pub(crate) fn guard(error: *mut hubtls_error, work: impl FnOnce() -> Result<()>) -> hubtls_status {
    let failure = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return HUBTLS_OK,
        Ok(Err(failure)) => failure,
        Err(_) => Error::new(
            ErrorCode::Internal,
            "hubtls failed in a way that it should not",
            "free what the call worked on, and report this with what went to standard error",
        ),
    };
    // SAFETY: the contract of every function that has an `error`.
    unsafe { fill(error, &failure) };
    status(failure.code())
}

/// The answer to a question that cannot fail; `otherwise` after a panic.
pub(crate) fn answer<T>(otherwise: T, work: impl FnOnce() -> Option<T>) -> T {
    catch_unwind(AssertUnwindSafe(work))
        .ok()
        .flatten()
        .unwrap_or(otherwise)
}

fn status(code: ErrorCode) -> hubtls_status {
    hubtls_status::from(code.number().cast_signed())
}

unsafe fn fill(error: *mut hubtls_error, failure: &Error) {
    // SAFETY: the caller's `error` is NULL or begins with a size.
    let size = unsafe { error.cast::<usize>().as_ref() };
    if size.is_none_or(|&size| size < size_of::<hubtls_error>()) {
        return;
    }
    // SAFETY: not NULL, and its size says that all of it is there.
    let error = unsafe { &mut *error };
    error.code = status(failure.code());
    error.name = static_text(failure.code().name());
    error.has_alert = failure.alert().is_some();
    error.alert = failure.alert().map_or(0, Alert::code);
    error.alert_received = failure.alert_received();
    write(&mut error.message, failure.message());
    write(&mut error.hint, failure.hint());
}

/// As much of `text` as fits, whole characters and a zero.
fn write(field: &mut [c_char; HUBTLS_ERROR_TEXT], text: &str) {
    let mut end = text.len().min(HUBTLS_ERROR_TEXT - 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let bytes = text.as_bytes()[..end].iter();
    for (place, byte) in field.iter_mut().zip(bytes.chain(&[0])) {
        *place = (*byte).cast_signed();
    }
}

/// The version of the library, e.g. `0.1.0`. Lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_version() -> *const c_char {
    static_text(hubtls::VERSION)
}

/// The `HUBTLS_ABI_VERSION` of the library: compare it with that of the header.
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_abi_version() -> u32 {
    crate::HUBTLS_ABI_VERSION
}

/// The name of a status, e.g. `UNKNOWN_ROOT`; `OK` for `HUBTLS_OK` and NULL for a number that is none. Lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_status_name(code: hubtls_status) -> *const c_char {
    if code == HUBTLS_OK {
        return static_text("OK");
    }
    let known = ErrorCode::ALL.iter().find(|known| status(**known) == code);
    known.map_or(std::ptr::null(), |code| static_text(code.name()))
}

/// Whether the same attempt may succeed later without any change (4xx).
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_status_is_transient(code: hubtls_status) -> bool {
    let known = ErrorCode::ALL.iter().find(|known| status(**known) == code);
    known.is_some_and(|code| code.is_transient())
}

/// The name of a TLS alert in IANA's registry, in lower case, or `unknown`. Lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn hubtls_alert_name(alert: u8) -> *const c_char {
    static_text(Alert::from_code(alert).name())
}

/// Fills `error` and returns `code`: for adapters and bindings that report in hubtls's way. `message` and `hint` are copied; NULL counts as
/// empty, and what is not UTF-8 is replaced. A `code` that is none of hubtls's becomes `HUBTLS_ERROR_INTERNAL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_error_fill(
    error: *mut hubtls_error,
    code: hubtls_status,
    message: *const c_char,
    hint: *const c_char,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (message, hint) = unsafe { (lossy_text(message), lossy_text(hint)) };
        let known = ErrorCode::ALL.iter().find(|known| status(**known) == code);
        let code = known.copied().unwrap_or(ErrorCode::Internal);
        Err(Error::new(code, message, hint))
    })
}
