//! Everything that is decided before the first byte: a [`ConfigBuilder`] makes an immutable [`Config`], or an error that says what to mend.

mod builder;
mod check;
mod key_log;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;

pub use builder::ConfigBuilder;
pub use key_log::{KeyLog, KeyLogFile};

use pki_types::CertificateDer;

use crate::clock::Clock;
use crate::connection::name;
use crate::engine::{self, Built, session::SessionStore};
use crate::error::Result;
use crate::identity::Identity;
use crate::policy::Policy;
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

/// What a [`Config`] was made from.
#[derive(Clone)]
pub(crate) struct Settings {
    /// What this build can offer of the policy that was asked for.
    pub(crate) policy: Policy,
    /// The sentence about what it cannot.
    pub(crate) lacking: Option<String>,
    pub(crate) roots: Roots,
    pub(crate) pins: Vec<Pin>,
    pub(crate) identity: Option<Identity>,
    pub(crate) revocation_lists: RevocationLists,
    pub(crate) require_revocation_status: bool,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) sni: Sni,
    pub(crate) resumption: bool,
    pub(crate) key_log: Option<Arc<dyn KeyLog>>,
    pub(crate) clock: Clock,
    pub(crate) post_quantum: bool,
}

/// An immutable, checked configuration: cheap to clone and shared by any number of threads and connections.
#[derive(Clone)]
pub struct Config(Arc<Inner>);

struct Inner {
    settings: Settings,
    built: Built,
    warnings: Vec<String>,
}

impl Config {
    /// Starts with the policy `iothub`, its roots and no client certificate.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    /// `refuse` says whether an invalid client certificate is an error and not just a warning.
    fn from_settings(settings: Settings, refuse: bool) -> Result<Self> {
        check::settings(&settings)?;
        let mut warnings = settings.policy.warnings();
        warnings.extend(settings.lacking.clone());
        match check::identity(&settings) {
            Err(error) if refuse => return Err(error),
            Err(error) => warnings.push(error.to_string()),
            Ok(()) => {}
        }
        let built = engine::client_config(&settings)?;
        Ok(Self(Arc::new(Inner {
            settings,
            built,
            warnings,
        })))
    }

    /// The same configuration with these roots instead, and with no session to resume: a resumed session skips the verification of
    /// the chain, so none may outlive its root.
    ///
    /// A client certificate that has expired since is a warning, even with
    /// [`refuse_invalid_identity`](ConfigBuilder::refuse_invalid_identity): an emergency change of roots must not fail for it.
    ///
    /// # Errors
    /// [`ErrorCode::NoRoots`](crate::ErrorCode::NoRoots): `roots` is empty, or the pins leave none of them.
    pub fn with_roots(&self, roots: Roots) -> Result<Self> {
        let settings = self.0.settings.clone();
        Self::from_settings(Settings { roots, ..settings }, false)
    }

    /// The policy, narrowed as it was and to the suites that this build has.
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

    /// What is allowed but unwise or about to break, a sentence each: an expired client certificate, a policy of TLS 1.3
    /// alone, suites of the policy that this build does not have.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// Verifies a server for another TLS stack as [`Connection`](crate::Connection) does: chain, root, pins, revocation, and name.
    ///
    /// `chain` has DER certificates, the server's first. `name` is a DNS name or an IP address; without one only roots will do that may vouch for any
    /// name, and whoever calls this verifies the name.
    ///
    /// # Errors
    /// As of the handshake, codes 301 to 309; [`InvalidServerName`](crate::ErrorCode::InvalidServerName), [`NoTime`](crate::ErrorCode::NoTime);
    /// [`InvalidArgument`](crate::ErrorCode::InvalidArgument) for an empty chain.
    pub fn verify_server(&self, chain: &[impl AsRef<[u8]>], name: Option<&str>) -> Result<()> {
        let name = name.map(name::parse).transpose()?;
        let chain: Vec<_> = chain
            .iter()
            .map(|der| CertificateDer::from(der.as_ref()))
            .collect();
        self.0.built.verifier.check(&chain, name.as_ref())
    }

    pub(crate) fn sni(&self) -> &Sni {
        &self.0.settings.sni
    }

    pub(crate) fn tls(&self) -> &Arc<rustls::ClientConfig> {
        &self.0.built.tls
    }

    /// The same configuration with suites of TLS 1.2 whose keys may protect no more than `records` records: reaching the real limit, 2^24, takes
    /// too long.
    #[cfg(test)]
    pub(crate) fn with_record_limit(&self, records: u64) -> Self {
        use rustls::{CipherSuiteCommon, SupportedCipherSuite, Tls12CipherSuite};
        let built = engine::with_suites(&self.0.settings, |suite| {
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
            built: Built {
                sessions: None,
                ..built.unwrap()
            },
            warnings: Vec::new(),
        }))
    }

    pub(crate) fn sessions(&self) -> Option<&SessionStore> {
        self.0.built.sessions.as_deref()
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
