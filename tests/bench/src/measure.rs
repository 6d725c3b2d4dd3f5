//! The clock, the rounds and the medians.

use std::sync::OnceLock;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How often each thing is done.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds in which every contestant takes its turn.
    pub rounds: usize,
    /// Handshakes per turn.
    pub handshakes: usize,
    /// Batches of 256 KB of plaintext per turn.
    pub batches: usize,
    /// Connections held open at once.
    pub connections: usize,
}

impl Effort {
    /// For figures to keep.
    pub const FULL: Self = Self {
        rounds: 61,
        handshakes: 12,
        batches: 4,
        connections: 10_000,
    };
    /// Each figure once or twice: shows that it can be measured.
    pub const QUICK: Self = Self {
        rounds: 2,
        handshakes: 2,
        batches: 1,
        connections: 20,
    };
}

/// Adds up the CPU time that this thread spends in the sections it runs.
#[derive(Debug, Default)]
pub struct Stopwatch {
    total: Duration,
    sections: u32,
}

impl Stopwatch {
    /// Runs `section` and counts it.
    pub fn time<T>(&mut self, section: impl FnOnce() -> T) -> T {
        let start = thread_time();
        let value = section();
        self.total += thread_time().saturating_sub(start);
        self.sections += 1;
        value
    }

    /// What the sections took together in nanoseconds, without what reading the clock costs.
    #[must_use]
    pub fn nanoseconds(&self) -> f64 {
        (self.total.as_secs_f64() - clock_cost() * f64::from(self.sections)) * 1e9
    }
}

fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).expect("time since the thread began")
}

/// What an empty section seems to take in seconds.
fn clock_cost() -> f64 {
    static COST: OnceLock<f64> = OnceLock::new();
    *COST.get_or_init(|| {
        let empty = || {
            let start = thread_time();
            thread_time().saturating_sub(start).as_secs_f64()
        };
        median((0..1_001).map(|_| empty()).collect())
    })
}

/// Something whose cost is compared with that of others.
pub struct Contestant<'a> {
    name: &'static str,
    turn: Box<dyn FnMut() -> f64 + 'a>,
}

impl<'a> Contestant<'a> {
    /// `turn` does the thing measured and returns its cost.
    pub fn new(name: &'static str, turn: impl FnMut() -> f64 + 'a) -> Self {
        Self {
            name,
            turn: Box::new(turn),
        }
    }
}

/// The costs of all contestants, round by round.
#[derive(Debug)]
pub struct Comparison(Vec<(&'static str, Vec<f64>)>);

impl Comparison {
    /// Lets the contestants take turns for `rounds` rounds, after one that does not count.
    pub fn run(rounds: usize, mut contestants: Vec<Contestant<'_>>) -> Self {
        let mut costs: Vec<_> = contestants
            .iter()
            .map(|contestant| (contestant.name, Vec::with_capacity(rounds)))
            .collect();
        for round in 0..=rounds {
            for (contestant, (_, costs)) in contestants.iter_mut().zip(&mut costs) {
                let cost = (contestant.turn)();
                if round > 0 {
                    costs.push(cost);
                }
            }
        }
        Self(costs)
    }

    /// The median cost of one contestant.
    #[must_use]
    pub fn cost(&self, name: &str) -> Option<f64> {
        self.costs(name).map(|costs| median(costs.to_vec()))
    }

    /// How many times faster `name` is than `other`: the median of the rounds.
    #[must_use]
    pub fn speed(&self, name: &str, other: &str) -> Option<f64> {
        let pairs = self.costs(other)?.iter().zip(self.costs(name)?);
        Some(median(pairs.map(|(other, own)| other / own).collect()))
    }

    fn costs(&self, name: &str) -> Option<&[f64]> {
        let found = self.0.iter().find(|(other, _)| *other == name)?;
        Some(&found.1)
    }
}

/// The middle one of `values`, the upper one of two.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
