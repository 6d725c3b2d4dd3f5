//! The server's answer, byte by byte, for it may come in pieces of any size.

use crate::policy::FragmentLength;

/// `max_fragment_length` (RFC 6066, section 4).
pub(super) const ACKNOWLEDGED: u16 = 0x0001;
/// `signature_algorithms`: rustls always offers it and ignores it in a server's answer.
pub(super) const ALIAS: u16 = 0x000d;

const SERVER_HELLO: u8 = 2;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const SUPPORTED_VERSIONS: u16 = 0x002b;
const TLS13: u32 = 0x0304;

/// The random of a ServerHello that is a HelloRetryRequest (RFC 8446, section 4.1.3).
const RETRY: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// The acknowledgement is not what it must be: another value, a wrong length, twice, or in a message where it has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Illegal;

/// What a message turned out to be when its last byte was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A HelloRetryRequest: a second ClientHello follows, and another answer.
    Retry,
    /// The answer: whether it acknowledges the length.
    Answer { acknowledged: bool },
}

/// Follows handshake messages up to the one that answers, and swaps the names of acknowledgement and alias in it.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    /// The type of the message that may hold the acknowledgement.
    answer: u8,
    requested: FragmentLength,
    part: Part,
    /// How many bytes of the part are still to come.
    left: usize,
    /// The last four bytes, big-endian: numbers are read from here when their part ends.
    number: u32,
    /// How many bytes of the message are still to come.
    message_left: usize,
    in_answer: bool,
    extension: u16,
    could_be_retry: bool,
    is_tls13: bool,
    acknowledged: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Header,
    Version,
    Random,
    SessionIdLength,
    SessionId,
    Chosen,
    ListLength,
    ExtensionType,
    ExtensionLength,
    ExtensionBody,
    /// Of a message that is not the answer.
    Other,
}

impl Scan {
    /// For the plaintext of the handshake: the answer of TLS 1.2 is the ServerHello.
    pub(super) fn server_hello(requested: FragmentLength) -> Self {
        Self::new(SERVER_HELLO, requested)
    }

    /// For what TLS 1.3 protects.
    pub(super) fn encrypted_extensions(requested: FragmentLength) -> Self {
        Self::new(ENCRYPTED_EXTENSIONS, requested)
    }

    fn new(answer: u8, requested: FragmentLength) -> Self {
        Self {
            answer,
            requested,
            part: Part::Header,
            left: 4,
            number: 0,
            message_left: 0,
            in_answer: false,
            extension: 0,
            could_be_retry: true,
            is_tls13: false,
            acknowledged: false,
        }
    }

    /// Whether the next byte begins a message.
    pub(super) fn is_between_messages(&self) -> bool {
        self.part == Part::Header && self.left == 4
    }

    /// Follows `bytes`, renaming in place. Stops after the last byte of an answer or a HelloRetryRequest; the count says where.
    pub(super) fn follow(&mut self, bytes: &mut [u8]) -> Result<Option<(usize, Found)>, Illegal> {
        for (index, byte) in bytes.iter_mut().enumerate() {
            if let Some(found) = self.step(byte)? {
                return Ok(Some((index + 1, found)));
            }
        }
        Ok(None)
    }

    fn step(&mut self, byte: &mut u8) -> Result<Option<Found>, Illegal> {
        self.number = self.number << 8 | u32::from(*byte);
        self.left -= 1;
        match self.part {
            Part::Random => self.could_be_retry &= *byte == RETRY[31 - self.left],
            Part::ExtensionBody if self.extension == ACKNOWLEDGED => {
                if *byte != self.requested.code() || self.acknowledged {
                    return Err(Illegal);
                }
                self.acknowledged = true;
            }
            Part::ExtensionType if self.left == 0 => {
                self.extension = self.low_16();
                match self.extension {
                    ACKNOWLEDGED => *byte = ALIAS.to_be_bytes()[1],
                    ALIAS => *byte = ACKNOWLEDGED.to_be_bytes()[1],
                    _ => {}
                }
            }
            _ => {}
        }
        match self.part {
            Part::Header if self.left > 0 => return Ok(None),
            Part::Header => {
                self.message_left = (self.number & 0x00ff_ffff) as usize;
                self.in_answer = self.number.to_be_bytes()[0] == self.answer;
            }
            _ => self.message_left -= 1,
        }
        if self.left == 0 {
            self.enter_next_part()?;
        }
        if self.message_left == 0 {
            self.end_of_message()
        } else {
            Ok(None)
        }
    }

    fn enter_next_part(&mut self) -> Result<(), Illegal> {
        let low_8 = (self.number & 0xff) as usize;
        let (part, length) = match self.part {
            Part::Header if !self.in_answer => (Part::Other, self.message_left),
            Part::Header if self.answer == ENCRYPTED_EXTENSIONS => (Part::ListLength, 2),
            Part::Header => (Part::Version, 2),
            Part::Version => (Part::Random, 32),
            Part::Random => (Part::SessionIdLength, 1),
            Part::SessionIdLength if low_8 > 0 => (Part::SessionId, low_8),
            Part::SessionIdLength | Part::SessionId => (Part::Chosen, 3),
            Part::Chosen => (Part::ListLength, 2),
            Part::ExtensionType => (Part::ExtensionLength, 2),
            Part::ExtensionLength => {
                let length = self.low_16();
                if self.extension == ACKNOWLEDGED && length != 1 {
                    return Err(Illegal);
                }
                match length {
                    0 => (Part::ExtensionType, 2),
                    length => (Part::ExtensionBody, usize::from(length)),
                }
            }
            Part::ExtensionBody => {
                self.is_tls13 |=
                    self.extension == SUPPORTED_VERSIONS && self.number & 0xffff == TLS13;
                (Part::ExtensionType, 2)
            }
            Part::ListLength | Part::Other => (Part::ExtensionType, 2),
        };
        (self.part, self.left) = (part, length);
        Ok(())
    }

    fn low_16(&self) -> u16 {
        let [_, _, high, low] = self.number.to_be_bytes();
        u16::from_be_bytes([high, low])
    }

    /// Whatever part the message breaks off in: rustls refuses it then.
    fn end_of_message(&mut self) -> Result<Option<Found>, Illegal> {
        let message = std::mem::replace(self, Self::new(self.answer, self.requested));
        if !message.in_answer {
            return Ok(None);
        }
        let retry = message.answer == SERVER_HELLO && message.could_be_retry;
        let acknowledged = message.acknowledged;
        // RFC 8446, section 4.2: in TLS 1.3 the acknowledgement stands in EncryptedExtensions alone.
        if acknowledged && (retry || message.is_tls13) {
            return Err(Illegal);
        }
        Ok(Some(if retry {
            Found::Retry
        } else {
            Found::Answer { acknowledged }
        }))
    }
}

#[cfg(test)]
mod tests;
