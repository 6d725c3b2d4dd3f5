//! A lock for one thread at a time that says no instead of waiting for itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use hubtls::{Error, ErrorCode, Result};

/// A value for one thread at a time: others wait. A thread that has it already, from a signer's callback, gets `IN_USE`.
pub struct Exclusive<T> {
    value: Mutex<T>,
    holder: AtomicU64,
}

/// Clears the holder, in a panic too.
struct Holding<'a>(&'a AtomicU64);

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl<T> Exclusive<T> {
    /// A value that nobody has yet.
    pub const fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            holder: AtomicU64::new(0),
        }
    }

    /// Does `work` with the value when no other thread has it.
    ///
    /// # Errors
    /// [`ErrorCode::InUse`] if this very thread is at work with it.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Result<R> {
        let this = this_thread();
        // Only this thread can have stored its own number.
        if self.holder.load(Ordering::Relaxed) == this {
            return Err(Error::new(
                ErrorCode::InUse,
                "the connection is in use by this very thread: a callback called it again",
                "let callbacks leave the connection alone that they were called from",
            ));
        }
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        self.holder.store(this, Ordering::Relaxed);
        let _holding = Holding(&self.holder);
        Ok(work(&mut value))
    }
}

/// A number that no other thread has, and not 0.
fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_has_it_is_told_so() {
        let exclusive = Exclusive::new(1);
        let inner = exclusive.with(|_| exclusive.with(|value| *value).unwrap_err().code());
        assert_eq!(inner, Ok(ErrorCode::InUse));
        assert_eq!(exclusive.with(|value| *value), Ok(1));
    }

    #[test]
    fn a_panic_gives_it_back() {
        let exclusive = Exclusive::new(1);
        let work = std::panic::AssertUnwindSafe(|| exclusive.with(|_| panic!("a test")));
        assert!(std::panic::catch_unwind(work).is_err());
        assert_eq!(exclusive.with(|value| *value), Ok(1));
    }

    #[test]
    fn other_threads_wait() {
        let exclusive = Exclusive::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        exclusive.with(|value| *value += 1).unwrap();
                    }
                });
            }
        });
        assert_eq!(exclusive.with(|value| *value), Ok(4000));
    }
}
