//! Every figure of the README's tables, with its target.

use crate::bulk::Bulk;
use crate::handshake::Pair;
use crate::heap::{Heap, measure_apart};
use crate::hubtls::{HubTls, embedded_config};
use crate::measure::{Comparison, Contestant, Effort, Stopwatch};
use crate::openssl::OpenSsl;
use crate::peer::{Client, RECORD, Tls};
use crate::pki::Pki;
use crate::rustls::{Buffered, Unbuffered};
use crate::scale::{cost_beside_others, two_threads};
use crate::table::{Table, Target, cell};

const OPENSSL: &str = <OpenSsl as Client>::NAME;
const PEERS: [&str; 4] = [OPENSSL, Buffered::NAME, Unbuffered::NAME, HubTls::NAME];

/// How many times faster hubtls must be than others.
type Targets<'a> = &'a [(&'a str, f64)];

/// How many times faster than OpenSSL each peer is, and the costs in microseconds behind that.
#[derive(Debug)]
pub struct Speed {
    /// OpenSSL is 1, more is better.
    pub ratios: Table,
    /// Microseconds of this machine per handshake or record.
    pub costs: Table,
    effort: Effort,
    pki: Pki,
}

impl Speed {
    /// Measures handshakes and application data.
    #[must_use]
    pub fn measure(effort: Effort) -> Self {
        let columns = [&["figure"][..], &PEERS].concat();
        let judged = [&columns[..], &["hubtls : rustls", "target"]].concat();
        let mut speed = Self {
            ratios: Table::new(&judged),
            costs: Table::new(&columns),
            effort,
            pki: Pki::generate(),
        };
        for tls in Tls::BOTH {
            speed.handshakes(tls, false, &[(OPENSSL, 2.2), (Buffered::NAME, 0.95)]);
            speed.handshakes(tls, true, &[(OPENSSL, 2.5)]);
        }
        for tls in Tls::BOTH {
            speed.records(
                tls,
                RECORD,
                [&[(OPENSSL, 2.0)], &[(OPENSSL, 1.5)], &[(OPENSSL, 2.4)]],
            );
            speed.records(tls, 128, [&[(OPENSSL, 3.0)], &[(OPENSSL, 1.9)], &[]]);
        }
        speed.cbc(&[(OPENSSL, 0.95)]);
        speed
    }

    /// Large records of the CBC suite, which raw rustls does not have.
    fn cbc(&mut self, targets: Targets<'_>) {
        let tls = Tls::V12Cbc;
        let what = |way| format!("{way}, 16 KB records, {}", tls.name());
        let contestants = vec![
            self.moving::<OpenSsl>(tls, RECORD, Bulk::send_cost),
            self.moving::<HubTls>(tls, RECORD, Bulk::send_cost),
        ];
        self.compare(&what("send"), targets, contestants);
        let contestants = vec![
            self.moving::<OpenSsl>(tls, RECORD, Bulk::receive_cost),
            self.moving::<HubTls>(tls, RECORD, Bulk::receive_cost),
        ];
        self.compare(&what("receive"), targets, contestants);
        let contestants = vec![
            self.moving::<OpenSsl>(tls, RECORD, Bulk::receive_cost),
            self.moving::<HubTls>(tls, RECORD, Bulk::receive_in_place_cost),
        ];
        self.compare(&what("receive in place"), targets, contestants);
    }

    fn handshakes(&mut self, tls: Tls, resumed: bool, targets: Targets<'_>) {
        let contestants = vec![
            self.shaking::<OpenSsl>(tls, resumed),
            self.shaking::<Buffered>(tls, resumed),
            self.shaking::<Unbuffered>(tls, resumed),
            self.shaking::<HubTls>(tls, resumed),
        ];
        let kind = if resumed { "resumed" } else { "full" };
        self.compare(
            &format!("{kind} handshake, {}", tls.name()),
            targets,
            contestants,
        );
    }

    fn records(&mut self, tls: Tls, size: usize, [send, receive, in_place]: [Targets<'_>; 3]) {
        let length = if size == RECORD { "16 KB" } else { "128 B" };
        let what = |way| format!("{way}, {length} records, {}", tls.name());
        let contestants = vec![
            self.moving::<OpenSsl>(tls, size, Bulk::send_cost),
            self.moving::<Buffered>(tls, size, Bulk::send_cost),
            self.moving::<Unbuffered>(tls, size, Bulk::send_cost),
            self.moving::<HubTls>(tls, size, Bulk::send_cost),
        ];
        self.compare(&what("send"), send, contestants);
        let contestants = vec![
            self.moving::<OpenSsl>(tls, size, Bulk::receive_cost),
            self.moving::<Buffered>(tls, size, Bulk::receive_cost),
            self.moving::<Unbuffered>(tls, size, Bulk::receive_cost),
            self.moving::<HubTls>(tls, size, Bulk::receive_cost),
        ];
        self.compare(&what("receive"), receive, contestants);
        let contestants = vec![
            self.moving::<OpenSsl>(tls, size, Bulk::receive_cost),
            self.moving::<Unbuffered>(tls, size, Bulk::receive_in_place_cost),
            self.moving::<HubTls>(tls, size, Bulk::receive_in_place_cost),
        ];
        self.compare(&what("receive in place"), in_place, contestants);
    }

    fn shaking<C: Client>(&self, tls: Tls, resumed: bool) -> Contestant<'static> {
        let pair = Pair::<C>::new(&self.pki, tls, resumed);
        if resumed {
            pair.connect(false, &mut Stopwatch::default());
        }
        let handshakes = self.effort.handshakes;
        Contestant::new(C::NAME, move || pair.cost(resumed, handshakes))
    }

    fn moving<C: Client>(
        &self,
        tls: Tls,
        size: usize,
        cost: fn(&mut Bulk<C>, usize) -> f64,
    ) -> Contestant<'static> {
        let mut bulk = Bulk::<C>::new(&Pair::new(&self.pki, tls, false), size);
        let batches = self.effort.batches;
        Contestant::new(C::NAME, move || cost(&mut bulk, batches))
    }

    fn compare(&mut self, figure: &str, targets: Targets<'_>, contestants: Vec<Contestant<'_>>) {
        let compared = Comparison::run(self.effort.rounds, contestants);
        let mut row = vec![figure.to_owned()];
        row.extend(PEERS.map(|peer| cell(compared.speed(peer, OPENSSL), 2)));
        row.push(cell(compared.speed(HubTls::NAME, Buffered::NAME), 2));
        let judge = |&(other, least): &(&str, f64)| {
            let speed = compared.speed(HubTls::NAME, other).expect("a contestant");
            Target::AtLeast(least).judge(speed, &format!(" × {other}"))
        };
        let judged: Vec<_> = targets.iter().map(judge).collect();
        row.push(judged.join("; "));
        self.ratios.push(row);

        let mut row = vec![figure.to_owned()];
        let microseconds = |peer| compared.cost(peer).map(|cost| cost / 1e3);
        row.extend(PEERS.map(|peer| cell(microseconds(peer), 2)));
        self.costs.push(row);
    }
}

/// Heap per connection in KB, measured by the program hubtls-bench-heap.
#[must_use]
pub fn heap(effort: Effort, program: &str) -> Table {
    let peers = [
        OPENSSL,
        <OpenSsl<true> as Client>::NAME,
        Buffered::NAME,
        Unbuffered::NAME,
        HubTls::NAME,
    ];
    let mut table = Table::new(&[&["figure"][..], &peers, &["target"]].concat());
    for tls in Tls::BOTH {
        let measured = peers.map(|peer| measure_apart(program, peer, tls, effort.connections / 4));
        let mut row = |figure: &str, bytes: fn(Heap) -> f64, most: Option<f64>| {
            let kb = measured.map(|heap| bytes(heap) / 1024.0);
            let own = kb[kb.len() - 1];
            let mut row = vec![format!("{figure}, {}", tls.name())];
            row.extend(kb.map(|kb| cell(Some(kb), 1)));
            row.push(most.map_or_else(String::new, |most| Target::AtMost(most).judge(own, "")));
            table.push(row);
        };
        row("idle, Rust's heap", |heap| heap.rust, Some(5.0));
        row("idle, whole heap", |heap| heap.all, Some(8.0));
        row("peak while receiving 1 MB", |heap| heap.peak, None);
    }
    table
}

/// What many connections and threads share: the Config.
#[must_use]
pub fn config(effort: Effort) -> Table {
    let pki = Pki::generate();
    let mut table = Table::new(&["figure", "hubtls", "target"]);
    let mut row = |figure: String, value: f64, target: Target| {
        table.push(vec![figure, cell(Some(value), 2), target.judge(value, "")]);
    };

    let building = Contestant::new(HubTls::NAME, || {
        let mut watch = Stopwatch::default();
        watch.time(embedded_config);
        watch.nanoseconds()
    });
    let compared = Comparison::run(effort.rounds * 4, vec![building]);
    let microseconds = compared.cost(HubTls::NAME).expect("measured") / 1e3;
    let figure = "Config from the embedded policy, µs";
    row(figure.to_owned(), microseconds, Target::AtMost(100.0));

    let open = effort.connections;
    let beside = cost_beside_others::<HubTls>(&pki, effort.rounds, open);
    let figure = format!("cost of a connection beside {open} open ones (beside none: 1)");
    row(figure, beside, Target::AtMost(1.1));

    let [sharing, apart] = two_threads::<HubTls>(&pki, effort.rounds);
    let figure = "128 B data of two threads with one Config (with one Config each: 1)";
    row(figure.to_owned(), sharing / apart, Target::AtLeast(0.95));
    table
}
