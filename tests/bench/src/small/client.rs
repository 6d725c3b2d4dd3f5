//! hubtls as a small device uses it: at most 1 KB read from the transport at once, no buffer on the heap but hubtls's own.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;

use hubtls::{Config, Connection, FragmentLength, FragmentMode, Roots};
use peak_alloc::PeakAlloc;

use super::{COUNTS, Heap, MEGABYTE};
use crate::pki::SERVER_NAME;

/// How much is read from the transport at once.
const READ: usize = 1024;
/// Where decrypted bytes are copied to.
const OUTPUT: usize = 512;
/// Any record, and one read beyond it.
const ROOM: usize = 18_437 + READ;

/// How a client receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `receive`, then `read`.
    Copied,
    /// `receive_in_place`.
    InPlace,
}

impl Way {
    /// In the order of the table.
    pub const BOTH: [Self; 2] = [Self::Copied, Self::InPlace];

    /// As the command line writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::InPlace => "in-place",
        }
    }
}

/// A connection and the caller's buffer, which is not on the heap.
struct Device {
    tls: Connection,
    socket: UnixStream,
    buffer: [u8; ROOM],
    filled: usize,
    way: Way,
}

impl Device {
    fn connect(config: &Config, server: &str, way: Way) -> Self {
        let mut device = Self {
            tls: Connection::new(config, SERVER_NAME).expect("a DNS name"),
            socket: UnixStream::connect(server).expect("the server listens"),
            buffer: [0; ROOM],
            filled: 0,
            way,
        };
        device.transmit();
        while device.tls.is_handshaking() {
            device.receive_some();
            device.transmit();
        }
        let asked_for = config.policy().fragment_length().length();
        let negotiated = device.tls.negotiated().expect("a complete handshake");
        assert_eq!(negotiated.fragment_length(), asked_for);
        device
    }

    fn exchange(&mut self) {
        self.send(&[0x5a; 1024]);
        self.receive(1024);
    }

    fn send(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            let taken = self.tls.write(data).expect("an open connection");
            data = &data[taken..];
            self.transmit();
        }
    }

    fn receive(&mut self, mut length: usize) {
        while length > 0 {
            length -= self.receive_some();
        }
    }

    /// One read from the transport; returns how many bytes of plaintext it brought.
    fn receive_some(&mut self) -> usize {
        let space = &mut self.buffer[self.filled..self.filled + READ];
        let n = self.socket.read(space).expect("the server goes on");
        assert!(n > 0, "the server ended");
        self.filled += n;
        let mut received = 0;
        let taken = match self.way {
            Way::Copied => {
                let mut rest = &self.buffer[..self.filled];
                while !rest.is_empty() {
                    let taken = self.tls.receive(rest).expect("sound records");
                    rest = &rest[taken..];
                    let mut output = [0; OUTPUT];
                    while let n @ 1.. = self.tls.read(&mut output).expect("sound records") {
                        received += n;
                    }
                }
                self.filled
            }
            Way::InPlace => self
                .tls
                .receive_in_place(&mut self.buffer[..self.filled], |plaintext| {
                    received += plaintext.len()
                })
                .expect("sound records"),
        };
        self.buffer.copy_within(taken..self.filled, 0);
        self.filled -= taken;
        received
    }

    fn transmit(&mut self) {
        let pending = self.tls.pending();
        self.socket.write_all(pending).expect("the server reads");
        let sent = pending.len();
        self.tls.transmitted(sent);
    }
}

/// Both counts of the heap: all that malloc hands out, and Rust's.
struct Counts(File);

#[derive(Clone, Copy)]
struct Bytes {
    all: u64,
    rust: u64,
}

impl Counts {
    fn open() -> Self {
        let path = std::env::var_os(COUNTS).expect("the counter is loaded");
        let file = File::options().read(true).write(true).open(path);
        Self(file.expect("the counter's file"))
    }

    fn in_use(&self) -> Bytes {
        Bytes {
            all: self.number(0),
            rust: bytes(PeakAlloc.current_usage()),
        }
    }

    fn peak(&self) -> Bytes {
        Bytes {
            all: self.number(8),
            rust: bytes(PeakAlloc.peak_usage()),
        }
    }

    fn reset_peak(&self) {
        PeakAlloc.reset_peak_usage();
        let now = self.number(0).to_ne_bytes();
        self.0.write_all_at(&now, 8).expect("the counter's file");
    }

    fn number(&self, offset: u64) -> u64 {
        let mut number = [0; 8];
        self.0
            .read_exact_at(&mut number, offset)
            .expect("the counter's file");
        u64::from_ne_bytes(number)
    }
}

fn bytes(n: usize) -> u64 {
    u64::try_from(n).expect("64 bits")
}

/// Measures in a process whose global allocator is [`PeakAlloc`]: the whole heap, and that of Rust. `length` 0 asks for none.
#[must_use]
pub fn measure(root: &str, server: &str, length: usize, connections: usize, way: Way) -> [Heap; 2] {
    let roots = Roots::from_pem(root.as_bytes()).expect("a sound root");
    let mode = match length {
        0 => FragmentMode::Off,
        length => FragmentMode::Request(FragmentLength::from_bytes(length).expect("a length")),
    };
    let builder = Config::builder().roots(roots).resumption(false);
    let config = builder.fragment_length(mode).build();
    let config = config.expect("a sound config");
    let connect = || Device::connect(&config, server, way);
    let counts = Counts::open();
    // The first connection of a process also pays for what all share.
    connect().exchange();

    let before = counts.in_use();
    counts.reset_peak();
    let mut device = connect();
    let handshake = counts.peak();
    device.exchange();
    counts.reset_peak();
    device.send(b"m");
    device.receive(MEGABYTE);
    let receiving = counts.peak();
    drop(device);

    let mut open = Vec::with_capacity(connections);
    let none_open = counts.in_use();
    open.extend((0..connections).map(|_| {
        let mut device = connect();
        device.exchange();
        device.tls
    }));
    let all_open = counts.in_use();
    let count = difference(bytes(connections), 0);
    let heap = |part: fn(Bytes) -> u64| Heap {
        idle: difference(part(all_open), part(none_open)) / count,
        handshake: difference(part(handshake), part(before)),
        receiving: difference(part(receiving), part(before)),
    };
    [heap(|bytes| bytes.all), heap(|bytes| bytes.rust)]
}

fn difference(now: u64, before: u64) -> f64 {
    f64::from(u32::try_from(now - before).expect("less than 4 GB"))
}
