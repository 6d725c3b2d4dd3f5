//! `cargo bench -p hubtls-bench --bench cbc_timing`: whether the time it takes to refuse a CBC record tells what is wrong with it; see timing.md.
#![allow(clippy::print_stdout, reason = "printing the table is its purpose")]

use std::hint::black_box;
use std::time::Instant;

use hubtls::{CipherSuite, Config, Connection, ErrorCode, Policy, Roots};
use hubtls_bench::cbc::{CbcServer, Forger, Protection};
use hubtls_bench::measure::median;
use hubtls_bench::pki::{Pki, SERVER_NAME};
use openssl::ssl::SslContext;

/// Records of each kind: enough to see 10 ns on a busy machine.
const ROUNDS: usize = 4_000;
/// Whole blocks that a record decrypts to: less than the longest padding, and more.
const LENGTHS: [usize; 2] = [192, 640];
/// From so many standard errors on, a difference is seen (dudect's limit).
const SEEN: f64 = 4.5;

/// What is wrong with a record. All have the same length on the wire but the last.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Mac,
    Again,
    MacLongPadding,
    FirstOfPadding,
    LastOfPadding,
    Both,
    PaddingTooLong,
    Longer,
}

impl Kind {
    /// The first is what all are compared with.
    const ALL: [Self; 8] = [
        Self::Mac,
        Self::Again,
        Self::MacLongPadding,
        Self::FirstOfPadding,
        Self::LastOfPadding,
        Self::Both,
        Self::PaddingTooLong,
        Self::Longer,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Mac => "MAC wrong, shortest padding (reference)",
            Self::Again => "the same again (noise floor)",
            Self::MacLongPadding => "MAC wrong, longest padding",
            Self::FirstOfPadding => "first byte of the longest padding wrong",
            Self::LastOfPadding => "last byte of the padding wrong",
            Self::Both => "MAC and longest padding wrong",
            Self::PaddingTooLong => "padding length of 255 without the padding",
            Self::Longer => "control: the reference with 128 bytes more",
        }
    }

    /// A record that decrypts to `length` bytes.
    fn record(self, forger: &Forger, protection: Protection, length: usize) -> Vec<u8> {
        let length = length + if matches!(self, Self::Longer) { 128 } else { 0 };
        let longest = (length - protection.mac_len()).min(256);
        let padding = match self {
            Self::Mac | Self::Again | Self::Longer | Self::PaddingTooLong => 1,
            Self::LastOfPadding => 2,
            Self::MacLongPadding | Self::FirstOfPadding | Self::Both => longest,
        };
        let plain = vec![0x5a; length - protection.mac_len() - padding];
        let mut text = [&plain[..], &forger.mac(&plain)].concat();
        let mac = plain.len();
        text.resize(length, u8::try_from(padding - 1).expect("at most 256"));
        let first = length - padding;
        match self {
            Self::Mac | Self::Again | Self::MacLongPadding | Self::Longer => text[mac] ^= 1,
            Self::FirstOfPadding | Self::LastOfPadding => text[first] ^= 1,
            Self::Both => {
                text[mac] ^= 1;
                text[first] ^= 1;
            }
            Self::PaddingTooLong => text[first] = 255,
        }
        forger.record(&text)
    }
}

struct Peers {
    protection: Protection,
    client: Config,
    server: SslContext,
}

impl Peers {
    fn new(pki: &Pki, protection: Protection) -> Self {
        let suite = CipherSuite::from_name(protection.name()).expect("a suite");
        let policy = Policy::default()
            .only_suites(&[suite])
            .expect("a suite of it");
        let roots = Roots::from_pem(pki.root_pem.as_bytes()).expect("a sound root");
        let client = Config::builder()
            .policy(policy)
            .roots(roots)
            .resumption(false)
            .build()
            .expect("a sound config");
        Self {
            protection,
            client,
            server: CbcServer::config(pki, protection),
        }
    }

    fn connect(&self) -> (Connection, CbcServer) {
        let mut client = Connection::new(&self.client, SERVER_NAME).expect("a DNS name");
        let mut server = CbcServer::accept(&self.server);
        let mut answer = Vec::new();
        loop {
            let mut wire = client.pending().to_vec();
            client.transmitted(wire.len());
            if wire.is_empty() {
                break;
            }
            server.receive(&mut wire, &mut answer);
            let taken = client.receive(&answer).expect("sound records");
            assert_eq!(taken, answer.len());
            answer.clear();
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        (client, server)
    }

    /// The nanoseconds that hubtls takes from the arrival of a bad record to its error, the alert for the server included.
    fn sample(&self, kind: Kind, length: usize) -> f64 {
        // An error ends a connection, so each record has one of its own.
        let (mut client, server) = self.connect();
        let record = kind.record(&server.forger(self.protection), self.protection, length);
        let mut output = [0; 1024];
        let start = Instant::now();
        let result = client
            .receive(black_box(&record))
            .and_then(|_| client.read(&mut output));
        let taken = start.elapsed();
        let error = black_box(result).expect_err("a bad record");
        assert_eq!(error.code(), ErrorCode::BadRecord);
        taken.as_secs_f64() * 1e9
    }

    fn compare(&self, length: usize, rounds: usize) {
        let mut samples = Kind::ALL.map(|_| Vec::with_capacity(rounds));
        let mut order: Vec<usize> = (0..samples.len()).collect();
        for _ in 0..rounds {
            shuffle(&mut order);
            for &index in &order {
                samples[index].push(self.sample(Kind::ALL[index], length));
            }
        }
        println!(
            "\n{}, {length} bytes decrypted, {rounds} records of each kind\n",
            self.protection.name()
        );
        println!("| what is wrong | median, ns | difference, ns | seen from, ns | t |");
        println!("| --- | --- | --- | --- | --- |");
        let reference = &samples[0];
        println!(
            "| {} | {:.0} | | | |",
            Kind::ALL[0].name(),
            median(reference.clone())
        );
        for (kind, own) in Kind::ALL.into_iter().zip(&samples).skip(1) {
            let (difference, error) = difference(reference, own);
            let t = difference / error;
            let seen = if t.abs() > SEEN { ", seen" } else { "" };
            println!(
                "| {} | {:.0} | {difference:+.1} | {:.1} | {t:+.1}{seen} |",
                kind.name(),
                median(own.clone()),
                SEEN * error,
            );
        }
    }
}

/// Every order is as likely.
fn shuffle(order: &mut [usize]) {
    let mut random = [0; 16];
    openssl::rand::rand_bytes(&mut random).expect("randomness");
    for (end, byte) in (1..order.len()).rev().zip(random) {
        order.swap(end, usize::from(byte) % (end + 1));
    }
}

/// The mean difference between two samples of the same round without the tenth that is smallest and the tenth that is largest (interrupts),
/// and its standard error after Tukey and McLaughlin.
fn difference(a: &[f64], b: &[f64]) -> (f64, f64) {
    let mut all: Vec<_> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    all.sort_by(f64::total_cmp);
    let tails = all.len() / 10..all.len() - all.len() / 10;
    let kept = &all[tails];
    let (least, most) = (kept[0], kept[kept.len() - 1]);
    let clamped: Vec<_> = all.iter().map(|x| x.clamp(least, most)).collect();
    let (trimmed, _) = mean(kept);
    let (_, squares) = mean(&clamped);
    let share = count(kept) / count(&all);
    let error = (squares / (count(&all) - 1.0) / count(&all)).sqrt() / share;
    (trimmed, error)
}

/// The mean, and the sum of the squared distances from it.
fn mean(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / count(values);
    (mean, values.iter().map(|x| (x - mean).powi(2)).sum())
}

fn count(values: &[f64]) -> f64 {
    f64::from(u32::try_from(values.len()).expect("few enough"))
}

fn main() {
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    // Only `cargo bench` passes `--bench`: as a test, it shows that it can be measured.
    let quick = asked("--quick") || !asked("--bench");
    let pki = Pki::generate();
    for protection in Protection::ALL {
        let peers = Peers::new(&pki, protection);
        for length in LENGTHS {
            peers.compare(length, if quick { 5 } else { ROUNDS });
        }
    }
}
