//! A socket that notes how large the TLS records on it are.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// A socket, and the records that went through it.
pub(super) struct Tap {
    socket: TcpStream,
    received: Records,
    sent: Records,
}

/// Follows the records of one direction by their headers (RFC 8446, section 5.1).
#[derive(Default)]
struct Records {
    header: Vec<u8>,
    /// How many bytes of the current record's payload are still to come.
    left: usize,
    largest: usize,
}

const HEADER: usize = 5;

impl Records {
    fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let skipped = self.left.min(bytes.len());
            self.left -= skipped;
            bytes = &bytes[skipped..];
            let wanted = (HEADER - self.header.len()).min(bytes.len());
            self.header.extend_from_slice(&bytes[..wanted]);
            bytes = &bytes[wanted..];
            if let [_, _, _, high, low] = self.header[..] {
                self.left = usize::from(u16::from_be_bytes([high, low]));
                self.largest = self.largest.max(HEADER + self.left);
                self.header.clear();
            }
        }
    }
}

impl Tap {
    pub(super) fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            received: Records::default(),
            sent: Records::default(),
        }
    }

    /// The largest record received and the largest sent, in bytes with their headers.
    pub(super) fn largest(&self) -> (usize, usize) {
        (self.received.largest, self.sent.largest)
    }
}

impl Read for Tap {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        let count = self.socket.read(output)?;
        self.received.follow(&output[..count]);
        Ok(count)
    }
}

impl Write for Tap {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.socket.write(data)?;
        self.sent.follow(&data[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_followed_however_they_are_cut() {
        let bytes = [
            &[22, 3, 3, 0, 3, 1, 2, 3][..],
            &[23, 3, 3, 1, 0],
            &[0; 256],
            &[21, 3, 3, 0, 0],
        ]
        .concat();
        for size in [1, 2, 7, bytes.len()] {
            let mut records = Records::default();
            bytes.chunks(size).for_each(|piece| records.follow(piece));
            assert_eq!((records.largest, records.left), (261, 0), "{size}");
        }
    }
}
