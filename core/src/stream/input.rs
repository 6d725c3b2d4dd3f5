//! What a stream has received: ciphertext that is not a whole record yet, and plaintext that its reader had no room for.

use std::fmt;
use std::io::{self, Read};

use crate::connection::{Connection, MAX_RECORD, Queue};
use crate::error::Result;

/// The first read asks for this much: whoever waits for a message mostly waits for a small one, and the buffer is kept meanwhile.
const FIRST: usize = 1024;

/// Ciphertext that was read from a transport, decrypted in place, and plaintext that its reader had no room for.
#[derive(Default)]
pub(super) struct Input {
    ciphertext: Vec<u8>,
    filled: usize,
    /// The last read left no room: more is there already.
    more: bool,
    plaintext: Queue,
}

impl Input {
    /// Reads once; 0 is the end of the transport.
    pub(super) fn read_from(&mut self, transport: &mut impl Read) -> io::Result<usize> {
        let size = if self.more { MAX_RECORD } else { FIRST };
        if self.ciphertext.len() < size {
            self.ciphertext.reserve_exact(size - self.ciphertext.len());
            self.ciphertext.resize(size, 0);
        }
        let read = loop {
            match transport.read(&mut self.ciphertext[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.filled += *read.as_ref().unwrap_or(&0);
        self.more = self.filled == self.ciphertext.len();
        self.release();
        read
    }

    /// Decrypts after a read of `read` bytes. Plaintext goes into `output` as far as it fits; returns how much did.
    pub(super) fn open(
        &mut self,
        connection: &mut Connection,
        read: usize,
        output: &mut [u8],
    ) -> Result<usize> {
        if read == 0 {
            connection.receive_end()?;
            return connection.read(output);
        }
        let mut copied = 0;
        let plaintext = &mut self.plaintext;
        let done = connection.receive_in_place(&mut self.ciphertext[..self.filled], |record| {
            let fits = record.len().min(output.len() - copied);
            output[copied..copied + fits].copy_from_slice(&record[..fits]);
            plaintext.push(&record[fits..]);
            copied += fits;
        });
        // Plaintext that came before the error is handed out first; the connection keeps the error.
        let done = match done {
            Err(error) if copied == 0 && self.plaintext.is_empty() => return Err(error),
            Err(_) => self.filled,
            Ok(done) => done,
        };
        self.ciphertext.copy_within(done..self.filled, 0);
        self.filled -= done;
        self.release();
        Ok(copied)
    }

    /// Takes plaintext that waits here or in the connection.
    pub(super) fn take(&mut self, connection: &mut Connection, output: &mut [u8]) -> Result<usize> {
        if self.plaintext.is_empty() {
            return connection.read(output);
        }
        let count = self.plaintext.pop_into(output);
        self.plaintext.release();
        Ok(count)
    }

    /// Whether plaintext waits here or in the connection.
    pub(super) fn is_readable(&self, connection: &mut Connection) -> Result<bool> {
        Ok(!self.plaintext.is_empty() || connection.readable_bytes()? > 0)
    }

    fn release(&mut self) {
        if self.filled == 0 && !self.more && self.ciphertext.len() > FIRST {
            self.ciphertext = Vec::new();
        }
    }
}

impl fmt::Debug for Input {
    /// Says how much there is: what was opened in place is plaintext.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("ciphertext", &self.filled)
            .field("plaintext", &self.plaintext.len())
            .finish_non_exhaustive()
    }
}
