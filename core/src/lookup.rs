//! Finding things by name, and saying what was probably meant.

use std::fmt::Display;

use crate::{Error, ErrorCode};

/// The one of `all` that goes by `name`, in whatever case and with `-` for `_`; otherwise the name that it resembles, if any.
pub(crate) fn find<T: Copy, Names: IntoIterator<Item = &'static str>>(
    name: &str,
    all: &[T],
    names: impl Fn(T) -> Names,
) -> Result<T, Option<&'static str>> {
    let wanted = normalised(name);
    let candidates = || {
        all.iter()
            .flat_map(|&item| names(item).into_iter().map(move |name| (item, name)))
    };
    if let Some((item, _)) = candidates().find(|(_, name)| normalised(name) == wanted) {
        return Ok(item);
    }
    // A misspelling differs by a fifth of the name, four edits at most: beyond that it is another name, not a near miss.
    let tolerance = (wanted.len() / 5).clamp(1, 4);
    Err(candidates()
        .filter(|(_, name)| name.len().abs_diff(wanted.len()) <= tolerance)
        .map(|(_, name)| {
            (
                strsim::damerau_levenshtein(&wanted, &normalised(name)),
                name,
            )
        })
        .filter(|(edits, _)| *edits <= tolerance)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name))
}

/// The error for a name that `find` did not find.
pub(crate) fn unknown(
    code: ErrorCode,
    message: String,
    nearest: Option<&str>,
    otherwise: impl Into<String>,
) -> Error {
    let hint = nearest.map_or_else(|| otherwise.into(), |name| format!("did you mean {name}?"));
    Error::new(code, message, hint)
}

/// `a, b and c`.
pub(crate) fn listed<T: Display>(items: &[T]) -> String {
    let names: Vec<_> = items.iter().map(T::to_string).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

fn normalised(name: &str) -> String {
    name.trim().to_ascii_uppercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str) -> Result<&'static str, Option<&'static str>> {
        find(name, &["secp256r1", "X25519"], |item| [item])
    }

    #[test]
    fn names_are_found_in_any_case_and_with_either_separator() {
        assert_eq!(found(" SECP256R1 "), Ok("secp256r1"));
        assert_eq!(find("a-b", &["A_B"], |item| [item]), Ok("A_B"));
    }

    #[test]
    fn a_near_miss_is_recognised_and_a_far_one_is_not() {
        assert_eq!(found("secp256k1"), Err(Some("secp256r1")));
        assert_eq!(found("ffdhe2048"), Err(None));
        assert_eq!(found(""), Err(None));
        assert_eq!(found(&"x".repeat(1 << 20)), Err(None));
    }

    #[test]
    fn lists_read_as_english() {
        assert_eq!(listed::<&str>(&[]), "");
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
