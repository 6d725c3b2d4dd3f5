//! Application data, in large records and in small ones.

use crate::handshake::Pair;
use crate::measure::Stopwatch;
use crate::peer::{Client, InPlace, RECORD, Server};

/// A batch is what this many reads from the network bring, each of up to 16 KB of plaintext in whole records.
const READS: usize = 16;

/// A connection over which batches of records go.
pub struct Bulk<C> {
    client: C,
    server: Server,
    /// The plaintext of one record.
    message: Vec<u8>,
    per_read: usize,
    reads: Vec<Vec<u8>>,
    wire: Vec<u8>,
    output: Vec<u8>,
}

impl<C: Client> Bulk<C> {
    /// A new connection on which each record carries `size` bytes.
    #[must_use]
    pub fn new(pair: &Pair<C>, size: usize) -> Self {
        let (client, server) = pair.connect(false, &mut Stopwatch::default());
        Self {
            client,
            server,
            message: vec![0x5a; size],
            per_read: RECORD / size,
            reads: vec![Vec::new(); READS],
            wire: Vec::new(),
            output: vec![0; RECORD],
        }
    }

    /// What one record costs to send in nanoseconds.
    pub fn send_cost(&mut self, batches: usize) -> f64 {
        self.cost(batches, |bulk, watch| {
            watch.time(|| bulk.send());
            bulk.server.receive(&mut bulk.wire, &mut Vec::new())
        })
    }

    /// What one record costs to receive in nanoseconds, with the plaintext copied out.
    pub fn receive_cost(&mut self, batches: usize) -> f64 {
        self.cost(batches, |bulk, watch| {
            bulk.fill();
            watch.time(|| bulk.receive())
        })
    }

    /// The client sends a batch, which the server then never sees.
    pub fn send_into_the_void(&mut self) {
        self.send();
        self.wire.clear();
    }

    /// The server encrypts a batch.
    pub fn fill(&mut self) {
        for read in &mut self.reads {
            read.clear();
            for _ in 0..self.per_read {
                self.server.send(&self.message, read);
            }
        }
    }

    /// The client receives the batch [filled](Self::fill); returns the bytes of plaintext.
    pub fn receive(&mut self) -> usize {
        let (client, wire, output) = (&mut self.client, &mut self.wire, &mut self.output);
        let receive = |read| client.receive(read, wire, output);
        self.reads.iter_mut().map(receive).sum()
    }

    fn send(&mut self) {
        for _ in 0..READS * self.per_read {
            self.client.send(&self.message, &mut self.wire);
        }
    }

    /// `batch` times the client's part and returns how many bytes of plaintext arrived; the cost is that of one record.
    fn cost(&mut self, batches: usize, batch: impl Fn(&mut Self, &mut Stopwatch) -> usize) -> f64 {
        let mut watch = Stopwatch::default();
        let records = READS * self.per_read;
        for _ in 0..batches {
            let arrived = batch(self, &mut watch);
            assert_eq!(arrived, records * self.message.len(), "{}", C::NAME);
        }
        let records = u32::try_from(records * batches).expect("few enough");
        watch.nanoseconds() / f64::from(records)
    }
}

impl<C: InPlace> Bulk<C> {
    /// What one record costs to receive in nanoseconds when it is decrypted where it was read.
    pub fn receive_in_place_cost(&mut self, batches: usize) -> f64 {
        self.cost(batches, |bulk, watch| {
            bulk.fill();
            let (client, reads) = (&mut bulk.client, &mut bulk.reads);
            let receive = |read: &mut Vec<u8>| client.receive_in_place(read);
            watch.time(|| reads.iter_mut().map(receive).sum())
        })
    }
}
