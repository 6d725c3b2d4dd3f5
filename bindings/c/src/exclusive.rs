//! Objects that one call at a time may use.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};

use hubtls::{Error, ErrorCode, Result};

/// What one call at a time may use. A second one, from another thread or from a callback of the first, is refused.
pub(crate) struct Exclusive<T> {
    busy: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `with` lets only one thread at a time use the value, and orders them.
unsafe impl<T: Send> Sync for Exclusive<T> {}

struct Busy<'a>(&'a AtomicBool);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl<T> Exclusive<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            busy: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// # Errors
    /// [`ErrorCode::InUse`] if another call uses it.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let taken = self
            .busy
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
        if taken.is_err() {
            return Err(Error::new(
                ErrorCode::InUse,
                "another call uses this object: from another thread, or this one came from a callback of it",
                "use an object from one thread at a time, and not from its own callbacks",
            ));
        }
        let _busy = Busy(&self.busy);
        // SAFETY: `busy` was false and is true now, until `_busy` is dropped: nobody else is here.
        work(unsafe { &mut *self.value.get() })
    }

    /// Whether a call uses it.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    /// For a question with a harmless answer: `otherwise` while another call uses the object.
    pub(crate) fn ask<R>(&self, otherwise: R, question: impl FnOnce(&mut T) -> R) -> R {
        self.with(|value| Ok(question(value))).unwrap_or(otherwise)
    }
}
