//! Sessions to resume, kept in memory: one bounded store per configuration.
//!
//! A resumed session skips the verification of the peer's chain, so everything that verification depends on must be the same: sessions are
//! kept by the *verified* name, and roots, pins and revocation lists never change within a configuration. What the handshake found out is
//! kept beside the session.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pki_types::ServerName;
use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};

use super::scope::{self, Findings};

/// How many servers are remembered; the one that came first is forgotten first.
const SERVERS: usize = 64;
/// How many TLS 1.3 tickets are kept for each server: OpenSSL sends two at a time, and each is used once.
const TICKETS: usize = 4;

/// The sessions of one configuration.
#[derive(Default)]
pub(crate) struct SessionStore(Mutex<Servers>);

#[derive(Default)]
struct Servers {
    by_name: HashMap<ServerName<'static>, Server>,
    order: VecDeque<ServerName<'static>>,
}

#[derive(Default)]
struct Server {
    group: Option<NamedGroup>,
    tls12: Option<Remembered<Tls12ClientSessionValue>>,
    tls13: VecDeque<Remembered<Tls13ClientSessionValue>>,
}

struct Remembered<T> {
    session: T,
    findings: Findings,
}

impl Servers {
    fn entry(&mut self, name: ServerName<'static>) -> &mut Server {
        if !self.by_name.contains_key(&name) {
            if self.order.len() == SERVERS
                && let Some(first) = self.order.pop_front()
            {
                self.by_name.remove(&first);
            }
            self.order.push_back(name.clone());
        }
        self.by_name.entry(name).or_default()
    }
}

impl SessionStore {
    /// Forgets the TLS 1.2 session of `name`: a server that chokes on it would fail every later connection as well.
    pub(crate) fn forget_tls12(&self, name: &ServerName<'static>) {
        if let Some(server) = self.servers().by_name.get_mut(name) {
            server.tls12 = None;
        }
    }

    /// Changes what is remembered of the server that the current connection verifies.
    fn with_current(&self, change: impl FnOnce(&mut Server)) {
        if let Some(name) = verified_name() {
            change(self.servers().entry(name));
        }
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        // Nothing in here is left half-done by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name that the current connection verifies: rustls knows only the one that it sends, by which no session may be kept.
fn verified_name() -> Option<ServerName<'static>> {
    scope::current(|peer| peer.name.clone())
}

fn findings() -> Findings {
    scope::current(|peer| peer.findings()).unwrap_or_default()
}

fn offer(findings: Findings) {
    scope::current(|peer| peer.offered = Some(findings));
}

impl ClientSessionStore for SessionStore {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.with_current(|server| server.group = Some(group));
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.servers().by_name.get(&verified_name()?)?.group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, session: Tls12ClientSessionValue) {
        let findings = findings();
        self.with_current(|server| server.tls12 = Some(Remembered { session, findings }));
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        let servers = self.servers();
        let found = servers.by_name.get(&verified_name()?)?.tls12.as_ref()?;
        offer(found.findings);
        Some(found.session.clone())
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.with_current(|server| server.tls12 = None);
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, session: Tls13ClientSessionValue) {
        let findings = findings();
        self.with_current(|server| {
            if server.tls13.len() == TICKETS {
                server.tls13.pop_front();
            }
            server.tls13.push_back(Remembered { session, findings });
        });
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        let mut servers = self.servers();
        let server = servers.by_name.get_mut(&verified_name()?)?;
        let found = server.tls13.pop_back()?;
        offer(found.findings);
        Some(found.session)
    }
}

impl fmt::Debug for SessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(index: usize) -> ServerName<'static> {
        ServerName::try_from(format!("server-{index}.example")).unwrap()
    }

    fn store_hint(store: &SessionStore, verified: ServerName<'static>, sent: ServerName<'static>) {
        let mut peer = Some(Box::new(scope::Peer::new(verified, None)));
        let _scope = scope::Scope::enter(&mut peer);
        store.set_kx_hint(sent, NamedGroup::X25519);
    }

    #[test]
    fn the_number_of_servers_is_bounded_and_the_oldest_goes_first() {
        let store = SessionStore::default();
        for index in 0..=SERVERS {
            store_hint(&store, name(index), name(index));
        }
        let servers = store.servers();
        assert!(!servers.by_name.contains_key(&name(0)));
        assert!(servers.by_name.contains_key(&name(1)));
        assert_eq!(servers.by_name.len(), SERVERS);
        assert_eq!(servers.order.len(), SERVERS);
    }

    #[test]
    fn sessions_are_kept_by_the_verified_name_not_by_the_sent_one() {
        let store = SessionStore::default();
        store_hint(&store, name(1), name(2));
        let servers = store.servers();
        assert!(servers.by_name.contains_key(&name(1)));
        assert!(!servers.by_name.contains_key(&name(2)));
    }

    #[test]
    fn without_a_connection_nothing_is_kept_and_nothing_found() {
        let store = SessionStore::default();
        store.set_kx_hint(name(1), NamedGroup::X25519);
        assert!(store.servers().by_name.is_empty());
        store_hint(&store, name(1), name(1));
        assert_eq!(store.kx_hint(&name(1)), None);
    }
}
