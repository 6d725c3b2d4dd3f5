//! A lock for one thread at a time that never holds the interpreter up, and that says no instead of waiting for itself.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use hubtls::{Error, ErrorCode};
use pyo3::prelude::*;

use crate::detached::{detach, this_thread};
use crate::error::Failure;

/// A value for one thread at a time. A thread that has it already, from a signer's callback, gets IN_USE.
pub(crate) struct Exclusive<T> {
    value: Mutex<T>,
    holder: AtomicU64,
}

pub(crate) struct Held<'a, T> {
    guard: MutexGuard<'a, T>,
    holder: &'a AtomicU64,
}

impl<T: Send> Exclusive<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            holder: AtomicU64::new(0),
        }
    }

    /// Waits, without the interpreter, until no other thread has it.
    pub(crate) fn lock(&self, py: Python<'_>) -> Result<Held<'_, T>, Failure> {
        self.check()?;
        loop {
            match self.value.try_lock() {
                Ok(guard) => return Ok(self.held(guard)),
                Err(TryLockError::Poisoned(poisoned)) => {
                    return Ok(self.held(poisoned.into_inner()));
                }
                Err(TryLockError::WouldBlock) => detach(py, || drop(self.value.lock())),
            }
        }
    }

    /// For work that is long enough to let other threads of Python run meanwhile.
    pub(crate) fn detached<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut T) -> R + Send,
    ) -> Result<R, Failure> {
        let mut held = self.lock(py)?;
        let value = &mut *held;
        Ok(detach(py, || work(value)))
    }

    fn held<'a>(&'a self, guard: MutexGuard<'a, T>) -> Held<'a, T> {
        self.holder.store(this_thread(), Ordering::Relaxed);
        Held {
            guard,
            holder: &self.holder,
        }
    }

    fn check(&self) -> Result<(), Failure> {
        if self.holder.load(Ordering::Relaxed) == this_thread() {
            return Err(Failure::of_connection(Error::new(
                ErrorCode::InUse,
                "the connection is in use by this very thread: a callback called it again",
                "let callbacks leave the connection alone that they were called from",
            )));
        }
        Ok(())
    }
}

impl<T> Deref for Held<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for Held<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        self.holder.store(0, Ordering::Relaxed);
    }
}
