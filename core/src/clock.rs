//! Where the time comes from. This file alone asks the machine: a device without a real-time clock brings its own.

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "engine")]
use std::time::{Duration, Instant};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Error, ErrorCode, Result};

/// The source of the time by which certificates are judged, in whole seconds since 1970-01-01 00:00 UTC.
///
/// ```
/// use hubtls::Clock;
/// assert_eq!(Clock::fixed(1_756_598_400).now()?, 1_756_598_400); // 2025-08-31
/// # Ok::<(), hubtls::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Clock(Source);

#[derive(Clone, Default)]
enum Source {
    #[default]
    System,
    Fixed(u64),
    Function(Arc<dyn Fn() -> Option<u64> + Send + Sync>),
}

impl Clock {
    /// The machine's clock, which is also the default.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `seconds` since 1970: for tests, and for devices that learn the time once.
    pub const fn fixed(seconds: u64) -> Self {
        Self(Source::Fixed(seconds))
    }

    /// Asks `now` each time, in seconds since 1970; `None` means that the time is not known (yet). It is called during handshakes, from
    /// whichever thread runs them, and must not block.
    pub fn from_fn(now: Arc<dyn Fn() -> Option<u64> + Send + Sync>) -> Self {
        Self(Source::Function(now))
    }

    /// The time now, in seconds since 1970.
    ///
    /// # Errors
    /// [`ErrorCode::NoTime`] if the source does not know it, or the machine's clock stands before 1970.
    pub fn now(&self) -> Result<u64> {
        match &self.0 {
            Source::System => system(),
            Source::Fixed(seconds) => Some(*seconds),
            Source::Function(now) => now(),
        }
        .ok_or_else(|| {
            Error::new(
                ErrorCode::NoTime,
                "the time is not known, so no certificate can be judged",
                "set the machine's clock, or give the configuration a clock that knows the time",
            )
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the machine for the time"
)]
fn system() -> Option<u64> {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(elapsed.as_secs())
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::System => f.write_str("Clock::system()"),
            Source::Fixed(seconds) => write!(f, "Clock::fixed({seconds})"),
            Source::Function(_) => f.write_str("Clock::from_fn(..)"),
        }
    }
}

/// The machine's monotonic clock, for time limits and durations.
#[cfg(feature = "engine")]
#[expect(
    clippy::disallowed_methods,
    reason = "this file is where core asks the machine for the time"
)]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// A moment in the future, by the monotonic clock.
#[cfg(feature = "engine")]
#[derive(Debug)]
pub(crate) struct Deadline(Option<Instant>);

#[cfg(feature = "engine")]
impl Deadline {
    /// The moment `limit` from now; never, if that is beyond what the clock can tell.
    pub(crate) fn after(limit: Duration) -> Self {
        Self::from(monotonic(), limit)
    }

    /// The moment `limit` after `start`.
    pub(crate) fn from(start: Instant, limit: Duration) -> Self {
        Self(start.checked_add(limit))
    }

    /// What is left until then; `None` when it has passed.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        match self.0 {
            Some(moment) => moment
                .checked_duration_since(monotonic())
                .filter(|left| !left.is_zero()),
            None => Some(Duration::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_system_clock_and_it_is_past_2025() {
        let clock = Clock::default();
        assert!(clock.now().unwrap() > 1_735_689_600);
        assert_eq!(format!("{clock:?}"), "Clock::system()");
    }

    #[test]
    fn a_fixed_clock_stands_still() {
        assert_eq!(Clock::fixed(7).now(), Ok(7));
    }

    #[test]
    fn a_function_is_asked_each_time() {
        let asked = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let counter = Arc::clone(&asked);
        let clock = Clock::from_fn(Arc::new(move || {
            Some(counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
        }));
        assert_eq!((clock.now(), clock.now()), (Ok(0), Ok(1)));
    }

    #[test]
    fn an_unknown_time_is_an_error_that_says_so() {
        let error = Clock::from_fn(Arc::new(|| None)).now().unwrap_err();
        assert_eq!(error.code(), ErrorCode::NoTime);
        assert!(error.hint().contains("clock"), "{error}");
    }
}
