//! What a child process prints, collected while it runs.

use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// No test waits longer for a line.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(20);

/// What a process has printed so far.
#[derive(Debug, Default)]
pub(crate) struct Output {
    state: Mutex<Captured>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Captured {
    text: String,
    open: usize,
}

impl Output {
    /// Adds what comes out of `pipe`, on a thread of its own.
    pub(crate) fn collect(self: &Arc<Self>, pipe: Option<impl Read + Send + 'static>) {
        let mut pipe = pipe.expect("the child's output is piped");
        self.state().open += 1;
        let output = Arc::clone(self);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let length = match pipe.read(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    result => result.unwrap_or(0),
                };
                let mut state = output.state();
                let text = String::from_utf8_lossy(&buffer[..length]);
                state.text.push_str(&text);
                state.open -= usize::from(length == 0);
                output.changed.notify_all();
                if length == 0 {
                    return;
                }
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, Captured> {
        self.state.lock().expect("nobody panics with the output")
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        self.state().text.clone()
    }

    /// Waits until `found` finds in the output that the server did what `what` says.
    ///
    /// # Panics
    /// With the output, if that takes too long or the process ended.
    pub(crate) fn find<T>(&self, what: &str, found: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + OUTPUT_TIMEOUT;
        let mut state = self.state();
        loop {
            if let Some(value) = found(&state.text) {
                return value;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.open == 0 || left.is_zero() {
                let text = state.text.clone();
                drop(state);
                panic!("the server did not {what}; it printed:\n{text}");
            }
            (state, _) = self
                .changed
                .wait_timeout(state, left)
                .expect("nobody panics with the output");
        }
    }
}
