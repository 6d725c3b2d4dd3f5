//! The options of a configuration, collected one by one.

use std::fmt;
use std::sync::Arc;

use super::{Config, KeyLog, Settings, Sni};
use crate::clock::Clock;
use crate::engine;
#[cfg(doc)]
use crate::error::ErrorCode;
use crate::error::Result;
use crate::identity::Identity;
use crate::policy::{FragmentMode, Policy};
use crate::trust::{Pin, RevocationLists, Roots};

/// Collects the options of a [`Config`]. Whatever is not set is as the policy `iothub` has it.
#[derive(Clone, Default)]
#[must_use]
pub struct ConfigBuilder {
    policy: Policy,
    replaced_roots: Option<Roots>,
    added_roots: Option<Roots>,
    pins: Vec<Pin>,
    identity: Option<Identity>,
    refuse_invalid_identity: bool,
    revocation_lists: RevocationLists,
    require_revocation_status: bool,
    alpn: Vec<Vec<u8>>,
    sni: Sni,
    no_resumption: bool,
    key_log: Option<Arc<dyn KeyLog>>,
    clock: Clock,
    post_quantum: bool,
    fragment_length: Option<FragmentMode>,
}

impl ConfigBuilder {
    /// What may be offered and accepted. Default: the policy `iothub`.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Trusts these roots *instead of* the policy's.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.replaced_roots = Some(roots);
        self
    }

    /// Trusts these roots as well. An added private root does not vouch for names of Azure's unless it says so
    /// ([`Roots::vouching_for_azure`]).
    pub fn add_roots(mut self, roots: Roots) -> Self {
        self.added_roots = Some(match self.added_roots.take() {
            Some(earlier) => earlier.with_added(roots),
            None => roots,
        });
        self
    }

    /// Accepts only chains that end in a pinned root; several pins allow several roots.
    pub fn pin(mut self, pin: Pin) -> Self {
        self.pins.push(pin);
        self
    }

    /// The client's certificate chain and key, sent to servers that ask for them.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Whether an expired or not yet valid client certificate is an error. Default: no, it is reported by [`Config::warnings`].
    ///
    /// A later change of roots never fails for it: [`Config::with_roots`].
    pub fn refuse_invalid_identity(mut self, refuse: bool) -> Self {
        self.refuse_invalid_identity = refuse;
        self
    }

    /// Revocation lists: certificates of their issuers are checked against them.
    pub fn revocation_lists(mut self, lists: RevocationLists) -> Self {
        self.revocation_lists = self.revocation_lists.with_added(lists);
        self
    }

    /// Whether a certificate without a current revocation list of its issuer is refused. Default: no.
    ///
    /// Needs at least one revocation list.
    pub fn require_revocation_status(mut self, require: bool) -> Self {
        self.require_revocation_status = require;
        self
    }

    /// The protocols to offer with ALPN (RFC 7301), most wanted first; each of 1 to 255 bytes, all together at most 4,096
    /// with a byte more for each. Default: none.
    pub fn alpn<P: AsRef<[u8]>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.alpn = protocols
            .into_iter()
            .map(|protocol| protocol.as_ref().to_vec())
            .collect();
        self
    }

    /// Which name the ClientHello carries. Default: the verified one.
    pub fn sni(mut self, sni: Sni) -> Self {
        self.sni = sni;
        self
    }

    /// Whether sessions are kept in memory and resumed. Default: yes.
    pub fn resumption(mut self, resume: bool) -> Self {
        self.no_resumption = !resume;
        self
    }

    /// Hands every connection's secrets to `log`. Default: to nobody.
    pub fn key_log(mut self, log: Arc<dyn KeyLog>) -> Self {
        self.key_log = Some(log);
        self
    }

    /// Where the time comes from. Default: the system's clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Whether the post-quantum hybrid X25519MLKEM768 is offered first. Default: no, since the ClientHello grows from about
    /// 0.3 to 1.5 KB.
    pub fn post_quantum(mut self, offer: bool) -> Self {
        self.post_quantum = offer;
        self
    }

    /// The maximum fragment length to negotiate (RFC 6066, section 4). Default: as the policy says.
    pub fn fragment_length(mut self, mode: FragmentMode) -> Self {
        self.fragment_length = Some(mode);
        self
    }

    /// Checks everything and makes the configuration.
    ///
    /// # Errors
    /// - [`ErrorCode::NoRoots`]: no root is trusted, or the pins leave none.
    /// - [`ErrorCode::InvalidAlpn`], [`ErrorCode::InvalidServerName`]: a protocol or the SNI name is malformed.
    /// - [`ErrorCode::IdentityExpired`], [`ErrorCode::IdentityNotYetValid`]: with [`refuse_invalid_identity`](Self::refuse_invalid_identity).
    /// - [`ErrorCode::InvalidArgument`]: the revocation status is required and there is no list.
    /// - [`ErrorCode::UnsupportedByEngine`]: this build lacks every suite of the policy, or the fragment length (cargo features `cbc` and
    ///   `fragment`).
    pub fn build(self) -> Result<Config> {
        let policy = match self.fragment_length {
            Some(mode) => self.policy.with_fragment_length(mode),
            None => self.policy,
        };
        let (policy, lacking) = engine::within_reach(policy)?;
        let roots = match self.replaced_roots {
            Some(roots) => roots,
            None => Roots::of_policy(&policy),
        };
        let roots = match self.added_roots {
            Some(added) => roots.with_added(added),
            None => roots,
        };
        let settings = Settings {
            policy,
            lacking,
            roots,
            pins: self.pins,
            identity: self.identity,
            revocation_lists: self.revocation_lists,
            require_revocation_status: self.require_revocation_status,
            alpn: self.alpn,
            sni: self.sni,
            resumption: !self.no_resumption,
            key_log: self.key_log,
            clock: self.clock,
            post_quantum: self.post_quantum,
        };
        Config::from_settings(settings, self.refuse_invalid_identity)
    }
}

impl fmt::Debug for ConfigBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigBuilder")
            .field("policy", &self.policy.name())
            .finish_non_exhaustive()
    }
}
