//! A table in markdown, and targets.

use std::fmt::{self, Display, Formatter};

/// Rows of figures below a heading.
#[derive(Debug)]
pub struct Table {
    heading: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these columns.
    #[must_use]
    pub fn new(heading: &[&str]) -> Self {
        Self {
            heading: heading.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If a cell is missing.
    pub fn push(&mut self, row: Vec<String>) {
        assert_eq!(row.len(), self.heading.len());
        self.rows.push(row);
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rule = vec!["---".to_owned(); self.heading.len()];
        for row in [&self.heading, &rule].into_iter().chain(&self.rows) {
            writeln!(f, "| {} |", row.join(" | "))?;
        }
        Ok(())
    }
}

/// What a figure must reach.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// This much or more.
    AtLeast(f64),
    /// This much or less.
    AtMost(f64),
}

impl Target {
    /// Says what was wanted, in `unit`, and whether `value` is that.
    #[must_use]
    pub fn judge(self, value: f64, unit: &str) -> String {
        let (reached, target) = match self {
            Self::AtLeast(least) => (value >= least, format!("≥ {least}")),
            Self::AtMost(most) => (value <= most, format!("≤ {most}")),
        };
        let verdict = if reached { "reached" } else { "missed" };
        format!("{target}{unit}: {verdict}")
    }
}

/// `value` with `decimals`, or a dash.
#[must_use]
pub fn cell(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}
