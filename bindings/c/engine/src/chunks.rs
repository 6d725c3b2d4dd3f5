//! The calls of C.

#![allow(unsafe_code, reason = "raw pointers are what JNA and Swift pass")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::engine::Engine;
use crate::numbers;
use crate::state::State;

/// Does `work` with the engine of that number, if there is one; a panic breaks the engine and goes no further.
pub(crate) fn with(number: i64, work: impl FnOnce(&Engine) -> State) -> i64 {
    let Some(engine) = numbers::find(number) else {
        return State::GONE;
    };
    let state = catch_unwind(AssertUnwindSafe(|| work(&engine)));
    state.unwrap_or_else(|_| engine.break_down()).0
}

/// `len` bytes; none for a negative number or NULL.
///
/// # Safety
/// `data` is NULL or points to `len` bytes that nobody changes meanwhile.
unsafe fn slice<'a>(data: *const u8, len: i32) -> &'a [u8] {
    match usize::try_from(len) {
        // SAFETY: forwarded from the caller.
        Ok(len) if !data.is_null() => unsafe { std::slice::from_raw_parts(data, len) },
        _ => &[],
    }
}

/// `len` bytes to write to; none for a negative number or NULL.
///
/// # Safety
/// `data` is NULL or points to `len` bytes that nobody else uses meanwhile.
unsafe fn slice_mut<'a>(data: *mut u8, len: i32) -> &'a mut [u8] {
    match usize::try_from(len) {
        // SAFETY: forwarded from the caller.
        Ok(len) if !data.is_null() => unsafe { std::slice::from_raw_parts_mut(data, len) },
        _ => &mut [],
    }
}

/// Decrypts `len` bytes of ciphertext, which are overwritten, and moves plaintext to `output`. Returns a [`State`].
///
/// # Safety
/// `ciphertext` and `output` are NULL or have that many bytes, lie apart, and nobody else uses them meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_engine_feed(
    engine: i64,
    ciphertext: *mut u8,
    len: i32,
    output: *mut u8,
    capacity: i32,
) -> i64 {
    // SAFETY: forwarded from the caller.
    let (ciphertext, output) = unsafe { (slice_mut(ciphertext, len), slice_mut(output, capacity)) };
    with(engine, |engine| engine.feed(ciphertext, output))
}

/// Encrypts all of `len` bytes, and moves them to `output` behind the ciphertext that waited. Returns a [`State`].
///
/// `capacity` is at least `len`, 96 for each record, 256, and room for what waits.
///
/// # Safety
/// As of [`hubtls_engine_feed`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_engine_encrypt(
    engine: i64,
    plaintext: *const u8,
    len: i32,
    output: *mut u8,
    capacity: i32,
) -> i64 {
    // SAFETY: forwarded from the caller.
    let (plaintext, output) = unsafe { (slice(plaintext, len), slice_mut(output, capacity)) };
    with(engine, |engine| engine.encrypt(plaintext, output))
}

/// Moves ciphertext that waits to `output`. Returns a [`State`].
///
/// # Safety
/// As of [`hubtls_engine_feed`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_engine_outgoing(
    engine: i64,
    output: *mut u8,
    capacity: i32,
) -> i64 {
    // SAFETY: forwarded from the caller.
    let output = unsafe { slice_mut(output, capacity) };
    with(engine, |engine| engine.outgoing(output))
}
