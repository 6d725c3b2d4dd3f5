//! What the command prints: results on stdout, errors and warnings on stderr.

use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{Table, presets};
use hubtls::Error;
use serde::Serialize;
use serde_json::{Value, json};

use crate::exit::Exit;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const CAUTION: Style = AnsiColor::Yellow.on_default().bold();

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went wrong that users are told about.
    Told(Error),
    /// The result could not be written.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// `text` in `style` where the output shows styles; anstream removes them elsewhere.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes `text` to stdout, ending in one newline.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{}", text.trim_end())?;
    out.flush()
}

/// Writes `value` to stdout as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> io::Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}

/// Writes `text` to stderr. That nobody can read it there is no reason to fail.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", text.trim_end());
}

/// Warns on stderr.
pub(crate) fn warn(text: &str) {
    tell(&format!("{}: {text}", styled(CAUTION, "warning")));
}

/// Reports a failure, as JSON on stdout if asked for, and says how to exit.
pub(crate) fn report(failure: &Failure, json: bool) -> Exit {
    match failure {
        Failure::Told(error) if json => match print_json(&json!({ "error": error_value(error) })) {
            Ok(()) => Exit::from(error.code()),
            Err(unwritten) => report(&Failure::Output(unwritten), false),
        },
        Failure::Told(error) => {
            tell(&error_text(error));
            Exit::from(error.code())
        }
        // Whoever closed the pipe has read enough: `hubtls policy list | head -1`.
        Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Failure::Output(error) => {
            tell(&format!(
                "{}: the output cannot be written: {error}",
                styled(BAD, "error")
            ));
            Exit::No
        }
    }
}

/// An error in JSON, the same keys wherever one occurs.
pub(crate) fn error_value(error: &Error) -> Value {
    json!({
        "code": error.code().number(),
        "name": error.code().name(),
        "message": error.message(),
        "hint": error.hint(),
        "alert": error.alert().map(|alert| alert.to_string()),
        "alert_received": error.alert_received(),
    })
}

fn error_text(error: &Error) -> String {
    let code = format!("error[{} {}]", error.code().name(), error.code().number());
    let mut text = format!(
        "{}: {}\n{}: {}",
        styled(BAD, code),
        error.message(),
        styled(BOLD, "hint"),
        error.hint()
    );
    if let Some(alert) = error.alert() {
        let by = match error.alert_received() {
            true => "received",
            false => "sent",
        };
        text += &format!("\n{}: {alert} ({by})", styled(BOLD, "alert"));
    }
    text
}

/// Rows in aligned columns; the first row is the header.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = aligned();
    table.set_header(header).add_rows(rows);
    let text = lines(&mut table);
    match text.split_once('\n') {
        Some((header, rows)) => format!("{}\n{rows}\n", styled(BOLD, header)),
        None => text + "\n",
    }
}

/// Names and what they stand for, in two columns.
pub(crate) fn pairs<const N: usize>(rows: [(&str, String); N]) -> String {
    let mut table = aligned();
    table.add_rows(rows.map(|(name, value)| [name.to_owned(), value]));
    lines(&mut table) + "\n"
}

fn aligned() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

fn lines(table: &mut Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use hubtls::{Alert, ErrorCode};

    use super::*;

    fn error() -> Error {
        Error::new(ErrorCode::UnknownRoot, "who is that", "trust it")
            .with_alert(Some(Alert::from_code(48)))
    }

    #[test]
    fn an_error_in_json_has_code_name_message_hint_alert_and_who_sent_it() {
        let expected = json!({
            "code": 301, "name": "UNKNOWN_ROOT", "message": "who is that", "hint": "trust it", "alert": "unknown_ca",
            "alert_received": false,
        });
        assert_eq!(error_value(&error()), expected);
        let without = error_value(&error().with_alert(None));
        assert_eq!(without["alert"], Value::Null);
        let received = error_value(&error().with_alert_received(Alert::from_code(48)));
        assert_eq!(received["alert_received"], true);
    }

    #[test]
    fn an_error_for_people_says_what_is_wrong_and_what_to_do() {
        let text = anstream::adapter::strip_str(&error_text(&error())).to_string();
        assert_eq!(
            text,
            "error[UNKNOWN_ROOT 301]: who is that\nhint: trust it\nalert: unknown_ca (sent)"
        );
    }

    #[test]
    fn columns_are_aligned_without_lines() {
        let text = table(
            ["a", "b"],
            [["long one".into(), "1".into()], ["x".into(), "2".into()]],
        );
        let text = anstream::adapter::strip_str(&text).to_string();
        let column = text.find('b');
        assert!(
            text.lines()
                .skip(1)
                .all(|line| line.find(['1', '2']) == column),
            "{text}"
        );
        assert!(!text.contains(['|', '+', '-']), "{text}");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let closed = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(report(&closed, false), Exit::Done);
    }
}
