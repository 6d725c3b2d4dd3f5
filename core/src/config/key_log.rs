//! Where the secrets of connections go that are to be read by others.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use data_encoding::HEXLOWER;

/// Receives the secrets of connections, in the words of NSS's key log format: for debugging, on explicit request only.
///
/// Whoever has these secrets can read the traffic.
pub trait KeyLog: Send + Sync {
    /// Takes one secret: its label, the 32 bytes of the client's random and the secret.
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]);
}

/// A file in NSS's key log format, as Wireshark reads it: for debugging, on explicit request only.
#[derive(Debug)]
pub struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    /// Opens it to append to; where there is none, it is made such that only its owner may read it.
    ///
    /// # Errors
    /// The system's, if it cannot be opened for writing.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self(Mutex::new(options.open(path)?)))
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let (random, secret) = (HEXLOWER.encode(client_random), HEXLOWER.encode(secret));
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk must not end a connection.
        let _ = file.write_all(format!("{label} {random} {secret}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_line_for_each_secret_and_is_its_owners() {
        let path = std::env::temp_dir().join(format!("hubtls-key-log-{}", std::process::id()));
        for number in [1, 2] {
            let file = KeyLogFile::open(&path).unwrap();
            file.log("CLIENT_RANDOM", &[number; 32], &[0xAB; 48]);
        }
        let text = std::fs::read_to_string(&path).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::remove_file(&path).unwrap();
        let line = |number: &str| {
            let (random, secret) = (number.repeat(32), "ab".repeat(48));
            format!("CLIENT_RANDOM {random} {secret}\n")
        };
        assert_eq!(text, line("01") + &line("02"));
        assert!(KeyLogFile::open(std::env::temp_dir()).is_err());
    }
}
