//! Everything that is decided before the first byte: a [`ConfigBuilder`] makes an immutable [`Config`], or an error that says what to mend.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use pki_types::DnsName;

use crate::clock::Clock;
use crate::engine::{self, session::SessionStore};
use crate::error::{Error, ErrorCode, Result};
use crate::identity::Identity;
use crate::policy::{FragmentMode, Policy};
use crate::trust::{Pin, RevocationLists, Roots};

/// Which name the ClientHello carries (RFC 6066, section 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sni {
    /// The name that is verified; none if that is an IP address.
    #[default]
    FromName,
    /// No name.
    Off,
    /// This DNS name, whatever name is verified: for gateways that route by it.
    Named(String),
}

/// Receives the secrets of connections, in the words of NSS's key log format: for debugging, on explicit request only.
///
/// Whoever has these secrets can read the traffic.
pub trait KeyLog: Send + Sync {
    /// Takes one secret: its label, the 32 bytes of the client's random and the secret.
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]);
}

/// What a [`Config`] was made from.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) policy: Policy,
    pub(crate) roots: Roots,
    pub(crate) pins: Vec<Pin>,
    pub(crate) identity: Option<Identity>,
    pub(crate) refuse_invalid_identity: bool,
    pub(crate) revocation_lists: RevocationLists,
    pub(crate) require_revocation_status: bool,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) sni: Sni,
    pub(crate) resumption: bool,
    pub(crate) key_log: Option<Arc<dyn KeyLog>>,
    pub(crate) clock: Clock,
    pub(crate) post_quantum: bool,
}

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

    /// The protocols to offer with ALPN (RFC 7301), most wanted first; each of 1 to 255 bytes. Default: none.
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
    /// - [`ErrorCode::UnsupportedByEngine`]: the engine cannot do what the policy or an option asks for.
    pub fn build(self) -> Result<Config> {
        let policy = match self.fragment_length {
            Some(mode) => self.policy.with_fragment_length(mode),
            None => self.policy,
        };
        let roots = match self.replaced_roots {
            Some(roots) => roots,
            None => Roots::of_policy(&policy),
        };
        let roots = match self.added_roots {
            Some(added) => roots.with_added(added),
            None => roots,
        };
        Config::from_settings(Settings {
            policy,
            roots,
            pins: self.pins,
            identity: self.identity,
            refuse_invalid_identity: self.refuse_invalid_identity,
            revocation_lists: self.revocation_lists,
            require_revocation_status: self.require_revocation_status,
            alpn: self.alpn,
            sni: self.sni,
            resumption: !self.no_resumption,
            key_log: self.key_log,
            clock: self.clock,
            post_quantum: self.post_quantum,
        })
    }
}

impl fmt::Debug for ConfigBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigBuilder")
            .field("policy", &self.policy.name())
            .finish_non_exhaustive()
    }
}

/// An immutable, checked configuration: cheap to clone and shared by any number of threads and connections.
#[derive(Clone)]
pub struct Config(Arc<Inner>);

struct Inner {
    settings: Settings,
    tls: Arc<rustls::ClientConfig>,
    sessions: Option<Arc<SessionStore>>,
    warnings: Vec<String>,
}

impl Config {
    /// Starts with the policy `iothub`, its roots and no client certificate.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    fn from_settings(settings: Settings) -> Result<Self> {
        check(&settings)?;
        let mut warnings = settings.policy.warnings();
        warnings.extend(identity_warning(&settings)?);
        let (tls, sessions) = engine::client_config(&settings)?;
        Ok(Self(Arc::new(Inner {
            settings,
            tls,
            sessions,
            warnings,
        })))
    }

    /// The same configuration with these roots instead, and with no session to resume: a resumed session skips the verification of
    /// the chain, so none may outlive its root.
    ///
    /// # Errors
    /// [`ErrorCode::NoRoots`]: `roots` is empty, or the pins leave none of them.
    pub fn with_roots(&self, roots: Roots) -> Result<Self> {
        Self::from_settings(Settings {
            roots,
            ..self.0.settings.clone()
        })
    }

    /// The policy, narrowed as it was.
    pub fn policy(&self) -> &Policy {
        &self.0.settings.policy
    }

    /// The trusted roots.
    pub fn roots(&self) -> &Roots {
        &self.0.settings.roots
    }

    /// The client's certificate chain and key.
    pub fn identity(&self) -> Option<&Identity> {
        self.0.settings.identity.as_ref()
    }

    /// What is allowed but unwise or about to break, a sentence each: an expired client certificate, a policy of TLS 1.3 alone.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    pub(crate) fn sni(&self) -> &Sni {
        &self.0.settings.sni
    }

    pub(crate) fn tls(&self) -> &Arc<rustls::ClientConfig> {
        &self.0.tls
    }

    /// The same configuration with suites of TLS 1.2 whose keys may protect no more than `records` records: reaching the real limit, 2^24, takes
    /// too long.
    #[cfg(test)]
    pub(crate) fn with_record_limit(&self, records: u64) -> Self {
        use rustls::{CipherSuiteCommon, SupportedCipherSuite, Tls12CipherSuite};
        let tls = engine::with_suites(&self.0.settings, |suite| {
            if let SupportedCipherSuite::Tls12(tls12) = *suite {
                let common = CipherSuiteCommon {
                    confidentiality_limit: records,
                    ..tls12.common
                };
                *suite = SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                    common,
                    ..*tls12
                })));
            }
        });
        let settings = self.0.settings.clone();
        Self(Arc::new(Inner {
            settings,
            tls: tls.unwrap(),
            sessions: None,
            warnings: Vec::new(),
        }))
    }

    pub(crate) fn sessions(&self) -> Option<&SessionStore> {
        self.0.sessions.as_deref()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("policy", &self.policy().name())
            .field("roots", self.roots())
            .field("identity", &self.identity())
            .finish_non_exhaustive()
    }
}

fn check(settings: &Settings) -> Result<()> {
    if settings.roots.is_empty() {
        return Err(Error::new(
            ErrorCode::NoRoots,
            "no root is trusted, so no server could be",
            "keep the policy's roots or give at least one",
        ));
    }
    let pinned = |spki: [u8; 32]| settings.pins.iter().any(|pin| pin.spki_sha256() == spki);
    if !settings.pins.is_empty() && !settings.roots.iter().any(|root| pinned(root.spki_sha256())) {
        return Err(Error::new(
            ErrorCode::NoRoots,
            "no pin names a trusted root, so no server could be trusted",
            "pin a root that is also trusted, or add the pinned root",
        ));
    }
    for protocol in &settings.alpn {
        if protocol.is_empty() || protocol.len() > 255 {
            return Err(Error::new(
                ErrorCode::InvalidAlpn,
                format!("an ALPN protocol name has {} bytes", protocol.len()),
                "a protocol name has 1 to 255 bytes (RFC 7301, section 3.1)",
            ));
        }
    }
    if let Sni::Named(name) = &settings.sni
        && DnsName::try_from(name.as_str()).is_err()
    {
        return Err(Error::new(
            ErrorCode::InvalidServerName,
            format!("{name:?} cannot be sent as SNI"),
            "SNI carries a DNS name (RFC 6066, section 3), not an IP address",
        ));
    }
    if settings.require_revocation_status && settings.revocation_lists.is_empty() {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            "the revocation status is required and there is no revocation list",
            "add the revocation lists of the chain's issuers",
        ));
    }
    if settings.policy.fragment_length() != FragmentMode::Off {
        return Err(Error::new(
            ErrorCode::UnsupportedByEngine,
            "the engine cannot negotiate a maximum fragment length yet",
            "leave the fragment length off",
        ));
    }
    Ok(())
}

fn identity_warning(settings: &Settings) -> Result<Option<String>> {
    let Some(identity) = &settings.identity else {
        return Ok(None);
    };
    let checked = settings
        .clock
        .now()
        .and_then(|now| identity.check_validity(now));
    match checked {
        Err(error) if settings.refuse_invalid_identity => Err(error),
        Err(error) => Ok(Some(error.to_string())),
        Ok(()) => Ok(None),
    }
}

/// The current [`Config`] of a running program: new connections take it, and replacing it drops none of the old ones.
///
/// For an emergency change of roots: [`replace_roots`](Self::replace_roots) takes effect with the next connection.
#[derive(Debug)]
pub struct ConfigHandle(ArcSwap<Config>);

impl ConfigHandle {
    /// Starts with `config`.
    pub fn new(config: Config) -> Self {
        Self(ArcSwap::from_pointee(config))
    }

    /// The configuration for the next connection.
    pub fn current(&self) -> Config {
        Config::clone(&self.0.load())
    }

    /// Makes `config` the current one, atomically.
    pub fn replace(&self, config: Config) {
        self.0.store(Arc::new(config));
    }

    /// Trusts `roots` instead of the current ones from the next connection on, which resumes no session.
    ///
    /// # Errors
    /// As [`Config::with_roots`]; the current configuration then stays.
    pub fn replace_roots(&self, roots: Roots) -> Result<()> {
        // Whoever replaces at the same time wins or loses as a whole: a mixture of two configurations is never current.
        loop {
            let before = self.0.load_full();
            let after = Arc::new(before.with_roots(roots.clone())?);
            let seen = self.0.compare_and_swap(&before, after);
            if Arc::ptr_eq(&before, &seen) {
                return Ok(());
            }
        }
    }
}
