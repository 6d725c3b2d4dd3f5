//! Work without the interpreter, and what becomes of it when the interpreter ends.
//!
//! Python before 3.14 ends a daemon thread that wants the interpreter back too late with `pthread_exit`, which must not unwind frames of Rust's.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// A number of this thread's own: never 0.
pub(crate) fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static NUMBER: Cell<u64> = const { Cell::new(0) };
    }
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}

/// The thread that ends the interpreter, once it does.
static ENDING: AtomicU64 = AtomicU64::new(0);
/// How many threads work without the interpreter or want it back.
static AWAY: AtomicUsize = AtomicUsize::new(0);
/// How long the end waits for those that want it back: an external signer may keep one for long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lets other threads of Python run during `work`.
pub(crate) fn detach<R: Send>(py: Python<'_>, work: impl FnOnce() -> R + Send) -> R {
    AWAY.fetch_add(1, Ordering::SeqCst);
    let result = py.detach(|| {
        let result = work();
        let ending = ENDING.load(Ordering::SeqCst);
        if ending != 0 && ending != this_thread() {
            AWAY.fetch_sub(1, Ordering::SeqCst);
            loop {
                std::thread::park();
            }
        }
        result
    });
    AWAY.fetch_sub(1, Ordering::SeqCst);
    result
}

/// Told by `atexit`: from now on no other thread comes back from its work, and those that are coming back do so before this returns.
#[pyfunction]
pub(crate) fn interpreter_ends(py: Python<'_>) {
    ENDING.store(this_thread(), Ordering::SeqCst);
    let begun = Instant::now();
    while AWAY.load(Ordering::SeqCst) > 0 && begun.elapsed() < PATIENCE {
        py.detach(|| std::thread::sleep(Duration::from_millis(1)));
    }
}
