//! Handshakes, full and resumed.

use crate::measure::{Stopwatch, median};
use crate::peer::{Client, RECORD, Server, ServerSetup, Tls};
use crate::pki::Pki;

/// Client and server configured for one version, as many connections as wanted.
pub struct Pair<C: Client> {
    client: C::Config,
    server: ServerSetup,
    tls: Tls,
}

impl<C: Client> Pair<C> {
    /// `resumption` on both sides or on none.
    #[must_use]
    pub fn new(pki: &Pki, tls: Tls, resumption: bool) -> Self {
        Self {
            client: C::config(pki, resumption),
            server: Server::config(pki, tls, resumption),
            tls,
        }
    }

    /// Shakes hands; the client's part, up to and with the server's tickets, is timed.
    ///
    /// # Panics
    /// If the version agreed is another one, or the session is `resumed` against expectation.
    pub fn connect(&self, resumed: bool, watch: &mut Stopwatch) -> (C, Server) {
        let (mut wire, mut ciphertext) = (Vec::new(), Vec::new());
        let mut output = [0; RECORD];
        let mut client = watch.time(|| C::connect(&self.client, &mut wire));
        let mut server = Server::accept(&self.server);
        while !wire.is_empty() {
            server.receive(&mut wire, &mut ciphertext);
            if !ciphertext.is_empty() {
                watch.time(|| client.receive(&mut ciphertext, &mut wire, &mut output));
            }
        }
        assert!(!server.is_handshaking());
        assert_eq!(client.agreed(), Some((self.tls, resumed)), "{}", C::NAME);
        (client, server)
    }

    /// The client's cost of a handshake in nanoseconds: the median of `handshakes`. A resumed one needs one before it.
    pub fn cost(&self, resumed: bool, handshakes: usize) -> f64 {
        let once = |_| {
            let mut watch = Stopwatch::default();
            self.connect(resumed, &mut watch);
            watch.nanoseconds()
        };
        median((0..handshakes).map(once).collect())
    }
}
