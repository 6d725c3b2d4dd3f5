//! Whether the peer is who it should be: chain, root, pins, revocation and name.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::{DigitallySignedStruct, PeerMisbehaved, SignatureScheme};
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, RevocationCheckDepth,
    RevocationOptionsBuilder, UnknownStatusPolicy, VerifiedPath,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::rejection::{self, Rejection};
use super::scope;
use crate::clock::Clock;
use crate::error::{Error, ErrorCode};
use crate::identity::KeyKind;
use crate::trust::{Root, Roots, is_azure_name};

/// Longer ones AWS-LC does not verify with.
const MOST_RSA_BITS: usize = 8192;

/// Verifies servers by the roots, pins and revocation lists of one configuration.
pub(crate) struct Verifier {
    roots: Roots,
    /// The trust anchors of `roots`, in the same order: webpki wants them side by side.
    anchors: Vec<TrustAnchor<'static>>,
    /// SHA-256 of the public keys of the only roots that may vouch; empty for all.
    pins: Vec<[u8; 32]>,
    revocation_lists: Vec<CertRevocationList<'static>>,
    require_revocation_status: bool,
    clock: Clock,
    schemes: Vec<SignatureScheme>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// Why a trusted root may not vouch for this peer.
#[derive(Clone, Copy)]
enum Refusal {
    NotPinned(usize),
    NotForAzure(usize),
}

impl Verifier {
    pub(crate) fn new(
        roots: Roots,
        pins: Vec<[u8; 32]>,
        revocation_lists: Vec<CertRevocationList<'static>>,
        require_revocation_status: bool,
        clock: Clock,
        schemes: Vec<SignatureScheme>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        let anchors = roots.iter().map(|root| root.anchor().clone()).collect();
        Self {
            roots,
            anchors,
            pins,
            revocation_lists,
            require_revocation_status,
            clock,
            schemes,
            algorithms,
        }
    }

    /// Verifies `chain` now, for another TLS stack; without a `name`, which that stack verifies then, as for one of Azure's.
    pub(crate) fn check(
        &self,
        chain: &[CertificateDer<'_>],
        name: Option<&ServerName<'_>>,
    ) -> Result<(), Error> {
        let [end_entity, intermediates @ ..] = chain else {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "the chain has no certificate",
                "give the server's certificate, and after it those of its issuers",
            ));
        };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(self.clock.now()?));
        self.verify(end_entity, intermediates, name, now)
            .and_then(|_| self.check_key(end_entity))
            .map_err(|rejection| rejection.error)
    }

    /// Whether the key can make a signature that the handshake would accept.
    fn check_key(&self, end_entity: &CertificateDer<'_>) -> Result<(), Rejection> {
        let (_, certificate) =
            X509Certificate::from_der(end_entity).map_err(|_| rejection::key("unreadable"))?;
        let kind = KeyKind::within(certificate.public_key(), MOST_RSA_BITS)
            .map_err(|what| rejection::key(&what))?;
        let mut possible = kind.schemes().iter().map(|scheme| scheme.code().into());
        if possible.any(|scheme| self.schemes.contains(&scheme)) {
            return Ok(());
        }
        Err(rejection::key(&kind.to_string()))
    }

    /// Returns the index of the root that vouches for `end_entity` under `name`.
    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: Option<&ServerName<'_>>,
        now: UnixTime,
    ) -> Result<usize, Rejection> {
        let certificate = EndEntityCert::try_from(end_entity).map_err(rejection::unreadable)?;
        let azure = match name {
            Some(ServerName::DnsName(dns)) => is_azure_name(dns.as_ref()),
            Some(_) => false,
            None => true,
        };
        let refusal = Cell::new(None);
        let accept = |path: &VerifiedPath<'_>| {
            let index = self
                .index_of(path.anchor())
                .ok_or(webpki::Error::UnknownIssuer)?;
            let refused = self.refuse(index, azure);
            refusal.set(refused);
            // Any error makes webpki try the next path, which may end in another root.
            refused.map_or(Ok(()), |_| Err(webpki::Error::UnknownIssuer))
        };
        let lists: Vec<_> = self.revocation_lists.iter().collect();
        let path = certificate
            .verify_for_usage(
                self.algorithms.all,
                &self.anchors,
                intermediates,
                now,
                KeyUsage::server_auth(),
                self.revocation_options(&lists),
                Some(&accept),
            )
            .map_err(|error| match (error, refusal.get()) {
                (webpki::Error::UnknownIssuer, Some(Refusal::NotPinned(index))) => {
                    rejection::not_pinned(self.root(index))
                }
                (webpki::Error::UnknownIssuer, Some(Refusal::NotForAzure(index))) => {
                    rejection::not_for_azure(self.root(index), name)
                }
                (error, _) => rejection::path(error, end_entity, intermediates),
            })?;
        if let Some(name) = name {
            certificate
                .verify_is_valid_for_subject_name(name)
                .map_err(|error| rejection::name(error, end_entity, name))?;
        }
        self.index_of(path.anchor())
            .ok_or_else(rejection::no_anchor)
    }

    fn refuse(&self, index: usize, azure: bool) -> Option<Refusal> {
        let root = self.root(index)?;
        if azure && !root.vouches_for_azure() {
            return Some(Refusal::NotForAzure(index));
        }
        let pinned = self.pins.is_empty() || self.pins.contains(&root.spki_sha256());
        (!pinned).then_some(Refusal::NotPinned(index))
    }

    /// With lists of an issuer, its certificates are checked throughout the chain. Without, their status is unknown.
    fn revocation_options<'a>(
        &self,
        lists: &'a [&'a CertRevocationList<'a>],
    ) -> Option<webpki::RevocationOptions<'a>> {
        let options = RevocationOptionsBuilder::new(lists)
            .ok()?
            .with_depth(RevocationCheckDepth::Chain);
        let options = if self.require_revocation_status {
            options
                .with_status_policy(UnknownStatusPolicy::Deny)
                .with_expiration_policy(ExpirationPolicy::Enforce)
        } else {
            options
                .with_status_policy(UnknownStatusPolicy::Allow)
                .with_expiration_policy(ExpirationPolicy::Ignore)
        };
        Some(options.build())
    }

    fn index_of(&self, anchor: &TrustAnchor<'_>) -> Option<usize> {
        // webpki hands back the one it was given: two roots may have the same name and key.
        self.anchors
            .iter()
            .position(|known| std::ptr::eq(known, anchor))
    }

    fn root(&self, index: usize) -> Option<&Root> {
        self.roots.iter().nth(index)
    }

    fn offered(&self, signature: &DigitallySignedStruct) -> Result<(), rustls::Error> {
        if self.schemes.contains(&signature.scheme) {
            return Ok(());
        }
        Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _sent_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // By now the server has answered in either version: this is the last moment to refuse before its name is trusted.
        if let Some(refusal) = scope::current(|peer| peer.fragment?.refusal()).flatten() {
            scope::current(|peer| peer.failure = Some(refusal));
            return Err(rustls::Error::General(
                "the fragment length is required".into(),
            ));
        }
        // The name that is sent may be another: without a connection there is none to verify.
        let Some(name) = scope::current(|peer| peer.name.clone()) else {
            return Err(rustls::Error::General("no connection to verify".into()));
        };
        let Ok(now) = self.clock.now() else {
            return Err(rustls::Error::FailedToGetCurrentTime);
        };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
        match self.verify(end_entity, intermediates, Some(&name), now) {
            Ok(root) => {
                scope::current(|peer| peer.verified_root = Some(root));
                Ok(ServerCertVerified::assertion())
            }
            Err(Rejection { reason, error }) => {
                scope::current(|peer| peer.failure = Some(error));
                Err(reason.into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.offered(signature)?;
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.offered(signature)?;
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("roots", &self.roots)
            .finish_non_exhaustive()
    }
}
