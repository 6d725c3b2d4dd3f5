//! The file that connections' secrets are written to, for debugging.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use data_encoding::HEXLOWER;
use hubtls::{Error, ErrorCode, KeyLog};

/// A file in NSS's key log format.
pub(crate) struct LogFile(Mutex<File>);

impl LogFile {
    pub(crate) fn open(path: &str) -> hubtls::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| {
            Error::new(
                ErrorCode::Io,
                format!("{path}: {error}"),
                "give the path of a file that can be written",
            )
        })?;
        Ok(Self(Mutex::new(file)))
    }
}

impl KeyLog for LogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let (random, secret) = (HEXLOWER.encode(client_random), HEXLOWER.encode(secret));
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk must not end a connection.
        let _ = file.write_all(format!("{label} {random} {secret}\n").as_bytes());
    }
}
