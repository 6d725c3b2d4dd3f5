//! Pointers from C: checked, borrowed, given away and taken back.

use std::any::TypeId;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char};
use std::slice;
use std::sync::{LazyLock, Mutex, PoisonError};

use hubtls::{Error, ErrorCode, Result};

/// Bytes: `data` may be NULL if `len` is 0. These two members are all that it will ever have.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hubtls_bytes {
    /// The first byte.
    pub data: *const u8,
    /// How many bytes there are.
    pub len: usize,
}

/// Every handle that C holds, by address. Asked only when one is freed: a second free finds nothing and does nothing.
static LIVE: LazyLock<Mutex<HashMap<usize, TypeId>>> = LazyLock::new(Mutex::default);

/// Strings of static life with the zero that C wants after them.
static STRINGS: LazyLock<Mutex<HashMap<&'static str, CString>>> = LazyLock::new(Mutex::default);

/// `what` was wrong with an argument.
pub(crate) fn invalid(what: String, hint: &'static str) -> Error {
    Error::new(ErrorCode::InvalidArgument, what, hint)
}

fn null(name: &str) -> Error {
    invalid(
        format!("{name} is NULL"),
        "pass a pointer that an earlier call of hubtls gave, or the address of your variable",
    )
}

/// What C lent.
///
/// # Safety
/// `pointer` is NULL or points to a live `T` that nobody changes meanwhile.
pub(crate) unsafe fn borrow<'a, T>(pointer: *const T, name: &str) -> Result<&'a T> {
    // SAFETY: forwarded from the caller.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(name))
}

/// The place where an output goes.
///
/// # Safety
/// `pointer` is NULL or points to a `T` that nobody else uses meanwhile.
pub(crate) unsafe fn output<'a, T>(pointer: *mut T, name: &str) -> Result<&'a mut T> {
    // SAFETY: forwarded from the caller.
    unsafe { pointer.as_mut() }.ok_or_else(|| null(name))
}

/// `len` items that C lent; none for NULL with 0.
///
/// # Safety
/// `data` is NULL or points to `len` items that nobody changes meanwhile.
pub(crate) unsafe fn slice<'a, T>(data: *const T, len: usize, name: &str) -> Result<&'a [T]> {
    if len == 0 {
        return Ok(&[]);
    }
    check_len::<T>(data.is_null(), len, name)?;
    // SAFETY: forwarded from the caller.
    Ok(unsafe { slice::from_raw_parts(data, len) })
}

/// `len` items of C's to write to; none for NULL with 0.
///
/// # Safety
/// `data` is NULL or points to `len` items that nobody else uses meanwhile.
#[cfg(feature = "engine")]
pub(crate) unsafe fn slice_mut<'a, T>(data: *mut T, len: usize, name: &str) -> Result<&'a mut [T]> {
    if len == 0 {
        return Ok(&mut []);
    }
    check_len::<T>(data.is_null(), len, name)?;
    // SAFETY: forwarded from the caller.
    Ok(unsafe { slice::from_raw_parts_mut(data, len) })
}

fn check_len<T>(is_null: bool, len: usize, name: &str) -> Result<()> {
    if is_null {
        return Err(null(name));
    }
    match len.checked_mul(size_of::<T>()) {
        Some(bytes) if isize::try_from(bytes).is_ok() => Ok(()),
        _ => Err(invalid(
            format!("the length of {name} is larger than memory"),
            "pass the number of items that the pointer points to",
        )),
    }
}

/// Whether a struct that carries its size has all its fields. Fields that a later release adds come last, and a program that does not know them
/// passes a smaller size: they have to be left out of the comparison here.
pub(crate) fn check_size<T>(size: usize, name: &str) -> Result<()> {
    if size >= size_of::<T>() {
        return Ok(());
    }
    Err(invalid(
        format!(
            "the size of the {name} is {size} and not {}",
            size_of::<T>()
        ),
        "set its member `size` to the sizeof of the struct before the call",
    ))
}

/// The bytes that a list of C's names.
///
/// # Safety
/// `list` is NULL or points to `count` items, each of which names bytes that nobody changes meanwhile.
pub(crate) unsafe fn byte_list<'a>(
    list: *const hubtls_bytes,
    count: usize,
    name: &str,
) -> Result<Vec<&'a [u8]>> {
    // SAFETY: forwarded from the caller.
    let items = unsafe { slice(list, count, name) }?;
    items
        .iter()
        // SAFETY: forwarded from the caller.
        .map(|item| unsafe { slice(item.data, item.len, name) })
        .collect()
}

/// A text that C lent.
///
/// # Safety
/// `text` is NULL or ends with a zero, and nobody changes it meanwhile.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    if text.is_null() {
        return Err(null(name));
    }
    // SAFETY: not NULL; the rest is forwarded from the caller.
    let bytes = unsafe { CStr::from_ptr(text) };
    bytes
        .to_str()
        .map_err(|_| invalid(format!("{name} is not UTF-8"), "pass the text in UTF-8"))
}

/// A text that C lent, if it is not NULL.
///
/// # Safety
/// As [`text`].
#[cfg(feature = "engine")]
pub(crate) unsafe fn optional_text<'a>(
    pointer: *const c_char,
    name: &str,
) -> Result<Option<&'a str>> {
    match pointer.is_null() {
        true => Ok(None),
        // SAFETY: forwarded from the caller.
        false => unsafe { text(pointer, name) }.map(Some),
    }
}

/// A text that C lent, empty for NULL; what is not UTF-8 in it is replaced.
///
/// # Safety
/// As [`text`].
pub(crate) unsafe fn lossy_text(pointer: *const c_char) -> String {
    match pointer.is_null() {
        true => String::new(),
        // SAFETY: not NULL; the rest is forwarded from the caller.
        false => unsafe { CStr::from_ptr(pointer) }
            .to_string_lossy()
            .into_owned(),
    }
}

/// Hands `value` to C, which frees it with [`free`].
pub(crate) fn give<T: 'static>(value: T) -> *mut T {
    let pointer = Box::into_raw(Box::new(value));
    live().insert(pointer as usize, TypeId::of::<T>());
    pointer
}

/// Takes back what [`give`] gave. Does nothing with NULL and with what is no live handle of this type: one that was freed already.
///
/// # Safety
/// No other call uses the handle.
pub(crate) unsafe fn free<T: 'static>(pointer: *mut T) {
    // SAFETY: forwarded from the caller.
    unsafe { free_unless(pointer, |_| false) };
}

/// As [`free`], but does nothing while the handle is `in_use`: a leak is better than a call that goes on with what is gone.
///
/// # Safety
/// No other call uses the handle, unless `in_use` says so.
pub(crate) unsafe fn free_unless<T: 'static>(pointer: *mut T, in_use: impl FnOnce(&T) -> bool) {
    // The lock is given back before anything is dropped: that may free other handles.
    let ours = {
        let mut live = live();
        let address = pointer as usize;
        let known = live.get(&address) == Some(&TypeId::of::<T>());
        // SAFETY: it is live, so it points to a `T`.
        known && !in_use(unsafe { &*pointer }) && live.remove(&address).is_some()
    };
    if ours {
        // SAFETY: `give` made it from a box, and it was live until now.
        drop(unsafe { Box::from_raw(pointer) });
    }
}

fn live() -> std::sync::MutexGuard<'static, HashMap<usize, TypeId>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A string of static life as C has it. There are as many as there are names, so keeping each once is no leak.
pub(crate) fn static_text(text: &'static str) -> *const c_char {
    let mut strings = STRINGS.lock().unwrap_or_else(PoisonError::into_inner);
    strings
        .entry(text)
        .or_insert_with(|| owned_text(text))
        .as_ptr()
}

/// A string as C has it; a zero inside ends it.
pub(crate) fn owned_text(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}
