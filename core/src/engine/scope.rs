//! The connection on whose behalf rustls is being called.
//!
//! Verifier, session store and client certificate resolver belong to the configuration and are shared by all its connections, yet they
//! need to know the name that this connection verifies, and have things to tell it: the root that its chain ended in, a precise error.
//! rustls passes no such context, so the connection's [`Peer`] is put into a thread-local slot for the length of each call.

use std::cell::RefCell;

use pki_types::ServerName;

use super::fragment::Agreement;
use crate::error::Error;

/// What the shared callbacks know of one connection, and tell it.
#[derive(Debug)]
pub(crate) struct Peer {
    /// The name that the peer's certificate must be for.
    pub(crate) name: ServerName<'static>,
    /// The root that the peer's chain ended in, as an index into the configuration's roots.
    pub(crate) verified_root: Option<usize>,
    /// What was found when the session that is offered for resumption began.
    pub(crate) offered: Option<Findings>,
    /// The fragment length that is asked for, and what came of it.
    pub(crate) fragment: Option<Agreement>,
    /// The server asked for a client certificate.
    pub(crate) certificate_requested: bool,
    /// Why a callback made the handshake fail: says more than the error that rustls passes on.
    pub(crate) failure: Option<Error>,
}

/// What was found out in the handshake that began a session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) root: Option<usize>,
    pub(crate) fragment_acknowledged: bool,
}

impl Peer {
    pub(crate) fn new(name: ServerName<'static>, fragment: Option<Agreement>) -> Self {
        Self {
            name,
            verified_root: None,
            offered: None,
            fragment,
            certificate_requested: false,
            failure: None,
        }
    }

    /// The root that vouches for the peer: in a resumed session the one that was found when the session began.
    pub(crate) fn root(&self) -> Option<usize> {
        self.verified_root.or_else(|| self.offered?.root)
    }

    /// What a later connection that resumes this session must know, since its own handshake does not tell.
    pub(crate) fn findings(&self) -> Findings {
        Findings {
            root: self.root(),
            fragment_acknowledged: self.fragment.is_some_and(|own| own.agreed().is_some()),
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Box<Peer>>> = const { RefCell::new(None) };
}

/// While it lives, its connection's [`Peer`] is the current one of this thread.
///
/// Scopes nest: a signer may itself use a connection.
pub(crate) struct Scope<'a> {
    slot: &'a mut Option<Box<Peer>>,
    outer: Option<Box<Peer>>,
}

impl<'a> Scope<'a> {
    pub(crate) fn enter(slot: &'a mut Option<Box<Peer>>) -> Self {
        let outer = CURRENT.replace(slot.take());
        Self { slot, outer }
    }
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        *self.slot = CURRENT.replace(self.outer.take());
    }
}

/// Runs `f` on the current connection's peer; `None` outside of any scope.
pub(crate) fn current<R>(f: impl FnOnce(&mut Peer) -> R) -> Option<R> {
    CURRENT.with_borrow_mut(|slot| slot.as_deref_mut().map(f))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &'static str) -> Option<Box<Peer>> {
        Some(Box::new(Peer::new(
            ServerName::try_from(name).unwrap(),
            None,
        )))
    }

    fn current_name() -> Option<String> {
        current(|peer| peer.name.to_str().into_owned())
    }

    #[test]
    fn scopes_nest_and_give_the_peer_back() {
        let (mut outer, mut inner) = (peer("outer"), peer("inner"));
        {
            let _outer = Scope::enter(&mut outer);
            {
                let _inner = Scope::enter(&mut inner);
                assert_eq!(current_name().as_deref(), Some("inner"));
            }
            assert_eq!(current_name().as_deref(), Some("outer"));
            current(|peer| peer.verified_root = Some(1));
        }
        assert_eq!(current_name(), None);
        assert_eq!(outer.unwrap().root(), Some(1));
        assert!(inner.is_some());
    }

    #[test]
    fn a_panic_in_a_callback_gives_the_peer_back() {
        let mut slot = peer("panics");
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _scope = Scope::enter(&mut slot);
            panic!("in a callback");
        }));
        assert!(result.is_err());
        assert!(slot.is_some());
        assert_eq!(current_name(), None);
    }
}
