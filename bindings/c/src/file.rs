//! Files with certificates and keys.

use std::fs::File;
use std::io::Read;

use hubtls::{Error, ErrorCode, Result};
use zeroize::Zeroizing;

/// More than any file of certificates that hubtls reads.
const MAX_BYTES: u64 = 8 << 20;

/// What the file holds; overwritten when it is dropped, since it may be a key.
pub(crate) fn read(path: &str) -> Result<Zeroizing<Vec<u8>>> {
    let unreadable = |reason: String| {
        Error::new(
            ErrorCode::InvalidArgument,
            format!("{path} cannot be read: {reason}"),
            "check the path, who may read it, and what it holds",
        )
    };
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    // Room for all at once: a buffer that grows would leave parts of a key behind.
    let room = usize::try_from(size.min(MAX_BYTES)).unwrap_or(0) + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut content)
        .map_err(|error| unreadable(error.to_string()))?;
    if content.len() as u64 > MAX_BYTES {
        return Err(unreadable(format!("it has more than {MAX_BYTES} bytes")));
    }
    Ok(content)
}
