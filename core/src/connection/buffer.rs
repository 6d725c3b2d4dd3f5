//! The two buffers of a connection: a queue of bytes, and the TLS record that is being collected.

use std::fmt;

/// Buffers up to this size are kept; larger ones are given back, so that an idle connection is small.
const KEEP: usize = 1024;

/// Length of a record's header (RFC 8446, section 5.1).
const HEADER: usize = 5;
/// The longest payload that any TLS version allows: 2^14 bytes, expanded by at most 2^11 (RFC 5246, section 6.2.3).
const MAX_PAYLOAD: usize = 16_384 + 2_048;
/// The longest record with its header.
pub(crate) const MAX_RECORD: usize = HEADER + MAX_PAYLOAD;

/// Bytes that wait to be taken from the front. Memory is kept for the next ones until [`release`](Self::release).
#[derive(Default)]
pub(crate) struct Queue {
    /// Longer than what waits: new zeroed memory for each record would cost a tenth of encrypting it.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl fmt::Debug for Queue {
    /// Says how much there is: it may be plaintext.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

impl Queue {
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.truncate(self.end);
        self.bytes.extend_from_slice(bytes);
        self.end = self.bytes.len();
    }

    /// Appends what `fill` writes into `size` bytes: `fill` returns how many of them it used.
    pub(crate) fn push_with<E>(
        &mut self,
        size: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<(), E> {
        if self.bytes.len() < self.end + size {
            self.bytes.resize(self.end + size, 0);
        }
        self.end += fill(&mut self.bytes[self.end..])?;
        Ok(())
    }

    /// Replaces everything from position `start` on.
    pub(crate) fn replace_from(&mut self, start: usize, bytes: &[u8]) {
        self.end = self.start + start;
        self.push(bytes);
    }

    /// Drops the first `count` bytes, or all if there are fewer.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start += count.min(self.len());
        if self.is_empty() {
            self.start = 0;
            self.end = 0;
        } else if self.start > self.len() {
            // A queue that never runs empty must not grow for ever; this moves less than was taken.
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
    }

    /// Gives the memory back if nothing waits and it is more than a little.
    pub(crate) fn release(&mut self) {
        if self.is_empty() && self.bytes.capacity() > KEEP {
            self.bytes = Vec::new();
        }
    }

    /// Moves bytes from the front into `output` and returns how many.
    pub(crate) fn pop_into(&mut self, output: &mut [u8]) -> usize {
        let count = output.len().min(self.len());
        output[..count].copy_from_slice(&self.as_slice()[..count]);
        self.consume(count);
        count
    }
}

fn release(bytes: &mut Vec<u8>) {
    bytes.clear();
    if bytes.capacity() > KEEP {
        *bytes = Vec::new();
    }
}

/// The length of the record at the front of `bytes` with its header, as far as the bytes tell.
///
/// An illegal length counts as none, and one over the agreed `limit` as one byte: the engine refuses such a record by its header.
fn record_length(bytes: &[u8], limit: usize) -> usize {
    match bytes {
        [_, _, _, high, low, ..] => match usize::from(u16::from_be_bytes([*high, *low])) {
            length if length <= limit => HEADER + length,
            length if length <= MAX_PAYLOAD => HEADER + 1,
            _ => HEADER,
        },
        _ => HEADER,
    }
}

/// The length of the record at the front of `bytes` if the whole of it is there.
pub(crate) fn whole_record(bytes: &[u8], limit: usize) -> Option<usize> {
    let length = record_length(bytes, limit);
    (bytes.len() >= length).then_some(length)
}

/// Ciphertext: what the engine holds on to (the beginning of a handshake message that spans records), then the record being collected.
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    held: usize,
    /// The longest payload of a record.
    limit: usize,
}

impl Default for Incoming {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            held: 0,
            limit: MAX_PAYLOAD,
        }
    }
}

impl fmt::Debug for Incoming {
    /// Says how much there is: what was opened in place is plaintext.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

impl Incoming {
    /// How many bytes the record being collected lacks, and how many of it are there; as long as its header is incomplete, what that lacks.
    pub(crate) fn lacking(&self) -> (usize, usize) {
        let collected = self.record();
        let length = record_length(collected, self.limit);
        (length.saturating_sub(collected.len()), collected.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The record being collected, as much of it as there is.
    pub(crate) fn record(&self) -> &[u8] {
        &self.bytes[self.held..]
    }

    /// Whether the whole record is there.
    pub(crate) fn is_complete(&self) -> bool {
        whole_record(self.record(), self.limit).is_some()
    }

    /// How much of the buffer the engine holds on to.
    pub(crate) fn held_len(&self) -> usize {
        self.held
    }

    /// Sets the longest payload of a record, from the next one on.
    pub(crate) fn set_limit(&mut self, limit: Option<usize>) {
        self.limit = limit.unwrap_or(MAX_PAYLOAD);
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Takes from `data` up to the end of the record and returns how many bytes it took.
    pub(crate) fn fill(&mut self, data: &[u8]) -> usize {
        let mut taken = 0;
        while taken < data.len() {
            let record = self.record();
            let length = if record.is_empty() {
                record_length(&data[taken..], self.limit)
            } else {
                record_length(record, self.limit)
            };
            let missing = length.saturating_sub(record.len());
            if missing == 0 {
                break;
            }
            let count = missing.min(data.len() - taken);
            self.bytes.reserve_exact(missing);
            self.bytes.extend_from_slice(&data[taken..taken + count]);
            taken += count;
        }
        taken
    }

    /// Everything, for the engine: what it holds and the complete record.
    pub(crate) fn all(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// What the engine holds on to; it must be shown again with every call.
    pub(crate) fn held(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.held]
    }

    /// After [`all`](Self::all) was shown to the engine: drops the first `discarded` bytes, the rest is held.
    pub(crate) fn shown(&mut self, discarded: usize) {
        self.bytes.drain(..discarded.min(self.bytes.len()));
        self.held = self.bytes.len();
        if self.bytes.is_empty() {
            release(&mut self.bytes);
        }
    }

    /// After a record was shown in the caller's buffer: what the engine holds of it.
    pub(crate) fn hold(&mut self, rest: &[u8]) {
        self.bytes.extend_from_slice(rest);
        self.held = self.bytes.len();
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: [u8; 8] = [23, 3, 3, 0, 3, 1, 2, 3];

    #[test]
    fn a_record_is_collected_from_single_bytes() {
        let mut incoming = Incoming::default();
        for (index, byte) in RECORD.iter().enumerate() {
            assert!(!incoming.is_complete(), "after {index} bytes");
            assert_eq!(incoming.fill(&[*byte]), 1);
        }
        assert!(incoming.is_complete());
        assert_eq!(incoming.fill(&[9]), 0, "the next record waits");
    }

    #[test]
    fn no_byte_of_the_next_record_is_taken() {
        let two = [RECORD, RECORD].concat();
        let mut incoming = Incoming::default();
        assert_eq!(incoming.fill(&two), RECORD.len());
        assert_eq!(incoming.record(), RECORD);
    }

    #[test]
    fn an_illegal_length_is_complete_with_its_header() {
        assert_eq!(
            whole_record(&[23, 3, 3, 0xff, 0xff], MAX_PAYLOAD),
            Some(HEADER)
        );
        assert_eq!(whole_record(&[23, 3, 3, 0x48, 0x00], MAX_PAYLOAD), None);
        assert_eq!(
            whole_record(&[23, 3, 3, 0x48, 0x01], MAX_PAYLOAD),
            Some(HEADER)
        );
    }

    #[test]
    fn a_length_over_the_agreed_limit_is_complete_with_one_byte() {
        assert_eq!(whole_record(&[23, 3, 3, 0x02, 0x01], 512), None);
        assert_eq!(
            whole_record(&[23, 3, 3, 0x02, 0x01, 0], 512),
            Some(HEADER + 1)
        );
        assert_eq!(whole_record(&[23, 3, 3, 0x02, 0x00, 0], 512), None);
    }

    #[test]
    fn what_the_engine_holds_stays_in_front() {
        let mut incoming = Incoming::default();
        incoming.fill(&RECORD);
        incoming.shown(0);
        assert_eq!(incoming.held(), RECORD);
        assert!(!incoming.is_complete());
        incoming.fill(&RECORD);
        assert_eq!(incoming.all().len(), 2 * RECORD.len());
        incoming.shown(2 * RECORD.len());
        assert!(incoming.is_empty());
    }

    #[test]
    fn large_buffers_are_given_back_when_asked_to() {
        let mut queue = Queue::default();
        queue.push(&[7; 10 * KEEP]);
        queue.consume(10 * KEEP - 1);
        assert_eq!(queue.as_slice(), [7]);
        let mut last = [0; 2];
        assert_eq!(queue.pop_into(&mut last), 1);
        queue.release();
        assert_eq!(queue.bytes.capacity(), 0);
    }

    #[test]
    fn a_queue_that_never_runs_empty_stays_small() {
        let mut queue = Queue::default();
        queue.push(&[0; 10_000]);
        for round in 0..1_000_u32 {
            queue.push(&round.to_be_bytes().repeat(2_500));
            queue.consume(10_000);
            assert_eq!(queue.as_slice()[..4], round.to_be_bytes());
        }
        assert!(
            queue.bytes.capacity() < 50_000,
            "{}",
            queue.bytes.capacity()
        );
    }

    #[test]
    fn the_end_of_a_queue_can_be_replaced() {
        let mut queue = Queue::default();
        queue.push(&[1, 2, 3, 4]);
        queue.consume(1);
        queue.replace_from(1, &[7, 8, 9]);
        assert_eq!(queue.as_slice(), [2, 7, 8, 9]);
    }

    #[test]
    fn debug_output_shows_no_content() {
        let mut queue = Queue::default();
        queue.push(&[77; 3]);
        let mut incoming = Incoming::default();
        incoming.fill(&RECORD);
        let shown = format!("{queue:?} {incoming:?}");
        assert_eq!(shown, "3 bytes 8 bytes");
    }

    #[test]
    fn a_failed_fill_leaves_the_queue_as_it_was() {
        let mut queue = Queue::default();
        queue.push(&[1]);
        assert_eq!(queue.push_with(10, |_| Err("full")), Err("full"));
        assert_eq!(
            queue.push_with(10, |space| {
                space[0] = 2;
                Ok::<_, ()>(1)
            }),
            Ok(())
        );
        assert_eq!(queue.as_slice(), [1, 2]);
    }
}
