//! The files that options name.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use hubtls::{Error, ErrorCode, Result};

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| unreadable(path, error))
}

pub(crate) fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, reason: impl Display) -> Error {
    Error::new(
        ErrorCode::InvalidArgument,
        format!("{} cannot be read: {reason}", path.display()),
        "check the path, who may read it, and what it holds",
    )
}
