//! How a configuration becomes rustls. Nothing of rustls leaves this module but inside of [`Connection`](crate::Connection).

#[cfg(feature = "cbc")]
mod cbc;
#[cfg(feature = "fragment")]
pub(crate) mod fragment;
#[cfg(not(feature = "fragment"))]
#[path = "unfragmented.rs"]
pub(crate) mod fragment;
mod offer;
mod provider;
mod rejection;
pub(crate) mod scope;
pub(crate) mod session;
mod verifier;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pki_types::{CertificateRevocationListDer, UnixTime};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SignatureScheme};

use crate::algorithm::VERIFICATION;
use crate::clock::Clock;
use crate::config::{KeyLog, Settings, Sni};
use crate::error::{Error, Result, tls};
use crate::suite::Version;
use crate::trust::Pin;
pub(crate) use offer::within_reach;
use session::SessionStore;
pub(crate) use verifier::Verifier;
use webpki::OwnedCertRevocationList;

/// Length of a record's header (RFC 8446, section 5.1).
const RECORD_HEADER: usize = 5;

/// What [`Settings`] become.
pub(crate) struct Built {
    pub(crate) tls: Arc<ClientConfig>,
    /// If sessions are resumed.
    pub(crate) sessions: Option<Arc<SessionStore>>,
    pub(crate) verifier: Arc<Verifier>,
}

/// Builds the rustls configuration of `settings`.
pub(crate) fn client_config(settings: &Settings) -> Result<Built> {
    build(
        settings,
        provider::provider(&settings.policy, settings.post_quantum),
    )
}

fn build(settings: &Settings, provider: CryptoProvider) -> Result<Built> {
    let verifier = Arc::new(Verifier::new(
        settings.roots.clone(),
        settings.pins.iter().map(Pin::spki_sha256).collect(),
        revocation_lists(settings)?,
        settings.require_revocation_status,
        settings.clock.clone(),
        provider::signature_schemes(&settings.policy),
        VERIFICATION,
    ));
    let fragment_length = settings.policy.fragment_length().length();
    let versions: Vec<_> = settings
        .policy
        .versions()
        .iter()
        .map(|version| match version {
            Version::Tls12 => &TLS12,
            Version::Tls13 => &TLS13,
        })
        .collect();
    let mut config = ClientConfig::builder_with_details(
        Arc::new(provider),
        Arc::new(Time {
            clock: settings.clock.clone(),
            last: AtomicU64::new(0),
        }),
    )
    .with_protocol_versions(&versions)
    .map_err(internal)?
    .dangerous() // rustls's word for a verifier other than its own
    .with_custom_certificate_verifier(Arc::clone(&verifier) as _)
    .with_client_cert_resolver(Arc::new(Resolver(certified_key(settings))));
    let sessions = settings
        .resumption
        .then(|| Arc::new(SessionStore::default()));
    config.resumption = sessions
        .clone()
        .map_or_else(Resumption::disabled, |store| Resumption::store(store));
    // rustls counts the record's header in.
    config.max_fragment_size = fragment_length.map(|length| length.bytes() + RECORD_HEADER);
    config.alpn_protocols.clone_from(&settings.alpn);
    config.enable_sni = settings.sni != Sni::Off;
    if let Some(log) = &settings.key_log {
        config.key_log = Arc::new(Log(log.clone()));
    }
    Ok(Built {
        tls: Arc::new(config),
        sessions,
        verifier,
    })
}

/// The client's certificate and key; the key signs what is on the wire.
fn certified_key(settings: &Settings) -> Option<Arc<CertifiedKey>> {
    let certified = settings.identity.as_ref()?.certified_key();
    Some(match settings.policy.fragment_length().length() {
        Some(_) => fragment::wire_key(&certified),
        None => certified,
    })
}

/// The lists were checked when they were given; parsing them once more here keeps webpki out of `trust`.
fn revocation_lists(settings: &Settings) -> Result<Vec<webpki::CertRevocationList<'static>>> {
    let parsed = |der: &CertificateRevocationListDer<'static>| {
        OwnedCertRevocationList::from_der(der)
            .map(Into::into)
            .map_err(|error| tls::internal(&error))
    };
    settings
        .revocation_lists
        .ders()
        .iter()
        .map(parsed)
        .collect()
}

/// The configuration of `settings` with its suites changed.
#[cfg(test)]
pub(crate) fn with_suites(
    settings: &Settings,
    change: impl Fn(&mut rustls::SupportedCipherSuite),
) -> Result<Built> {
    let mut provider = provider::provider(&settings.policy, settings.post_quantum);
    provider.cipher_suites.iter_mut().for_each(change);
    build(settings, provider)
}

/// The CBC suites, for a server.
#[cfg(feature = "stand-in")]
pub(crate) fn cbc_suites() -> Vec<rustls::SupportedCipherSuite> {
    cbc::SUITES.into_iter().copied().collect()
}

fn internal(error: rustls::Error) -> Error {
    tls::internal(&error)
}

/// The time for the age of tickets, which come at any moment: a clock that has stopped knowing it must not end a connection. Certificates are
/// judged by the clock itself.
#[derive(Debug)]
struct Time {
    clock: Clock,
    last: AtomicU64,
}

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = match self.clock.now() {
            Ok(now) => {
                self.last.store(now, Ordering::Relaxed);
                now
            }
            Err(_) => self.last.load(Ordering::Relaxed),
        };
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Hands out the client's certificate, and notes that the server asked for one: without a certificate the server may refuse
/// with an alert that does not tell why.
struct Resolver(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Resolver {
    fn resolve(
        &self,
        _authorities: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        scope::current(|peer| peer.certificate_requested = true);
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Resolver").field(&self.0.is_some()).finish()
    }
}

struct Log(Arc<dyn KeyLog>);

impl rustls::KeyLog for Log {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        self.0.log(label, client_random, secret);
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLog")
    }
}
