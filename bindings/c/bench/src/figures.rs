//! Every row of the README's table.

use hubtls_bench::bulk::Bulk;
use hubtls_bench::handshake::Pair;
use hubtls_bench::hubtls::HubTls;
use hubtls_bench::measure::{Comparison, Contestant, Effort, Stopwatch};
use hubtls_bench::openssl::OpenSsl;
use hubtls_bench::peer::{Client, RECORD, Tls};
use hubtls_bench::pki::Pki;
use hubtls_bench::table::{Table, Target, cell};

use crate::client::Abi;

const OPENSSL: &str = <OpenSsl as Client>::NAME;
const PEERS: [&str; 3] = [OPENSSL, HubTls::NAME, Abi::NAME];
/// What the C interface must keep of the Rust one's speed.
const TARGET: Target = Target::AtLeast(0.98);

/// How many times faster than OpenSSL each interface is.
#[must_use]
pub fn speed(effort: Effort) -> Table {
    let pki = Pki::generate();
    let mut table = Table::new(&[&["figure"][..], &PEERS, &["C : Rust", "target"]].concat());
    let mut row = |figure: String, target: Option<Target>, contestants: Vec<Contestant<'_>>| {
        let compared = Comparison::run(effort.rounds, contestants);
        let mut row = vec![figure];
        row.extend(PEERS.map(|peer| cell(compared.speed(peer, OPENSSL), 2)));
        let kept = compared.speed(Abi::NAME, HubTls::NAME).expect("measured");
        row.push(cell(Some(kept), 3));
        row.push(target.map_or_else(String::new, |target| target.judge(kept, "")));
        table.push(row);
    };

    for tls in Tls::BOTH {
        for (kind, resumed) in [("full", false), ("resumed", true)] {
            let contestants = vec![
                shaking::<OpenSsl>(&pki, tls, resumed, effort),
                shaking::<HubTls>(&pki, tls, resumed, effort),
                shaking::<Abi>(&pki, tls, resumed, effort),
            ];
            let figure = format!("{kind} handshake, {}", tls.name());
            row(figure, Some(TARGET), contestants);
        }
    }
    for tls in Tls::BOTH {
        for (length, size, target) in [("16 KB", RECORD, Some(TARGET)), ("128 B", 128, None)] {
            let what = |way| format!("{way}, {length} records, {}", tls.name());
            let contestants = vec![
                moving::<OpenSsl>(&pki, tls, size, effort, Bulk::send_cost),
                moving::<HubTls>(&pki, tls, size, effort, Bulk::send_cost),
                moving::<Abi>(&pki, tls, size, effort, Bulk::send_cost),
            ];
            row(what("send"), target, contestants);
            let contestants = vec![
                moving::<OpenSsl>(&pki, tls, size, effort, Bulk::receive_cost),
                moving::<HubTls>(&pki, tls, size, effort, Bulk::receive_cost),
                moving::<Abi>(&pki, tls, size, effort, Bulk::receive_cost),
            ];
            row(what("receive"), target, contestants);
            let contestants = vec![
                moving::<OpenSsl>(&pki, tls, size, effort, Bulk::receive_cost),
                moving::<HubTls>(&pki, tls, size, effort, Bulk::receive_in_place_cost),
                moving::<Abi>(&pki, tls, size, effort, Bulk::receive_in_place_cost),
            ];
            row(what("receive in place"), target, contestants);
        }
    }
    table
}

fn shaking<C: Client>(pki: &Pki, tls: Tls, resumed: bool, effort: Effort) -> Contestant<'static> {
    let pair = Pair::<C>::new(pki, tls, resumed);
    if resumed {
        pair.connect(false, &mut Stopwatch::default());
    }
    Contestant::new(C::NAME, move || pair.cost(resumed, effort.handshakes))
}

fn moving<C: Client>(
    pki: &Pki,
    tls: Tls,
    size: usize,
    effort: Effort,
    cost: fn(&mut Bulk<C>, usize) -> f64,
) -> Contestant<'static> {
    let mut bulk = Bulk::<C>::new(&Pair::new(pki, tls, false), size);
    Contestant::new(C::NAME, move || cost(&mut bulk, effort.batches))
}
