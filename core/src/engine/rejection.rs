//! Why a peer's certificate was rejected: in rustls's words, which choose the alert, and in ours, which help people.

use pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::CertificateError;
use webpki::Error as Path;
use x509_parser::prelude::{ASN1Time, FromDer, Validity, X509Certificate, X509Name};

use crate::certificate::{self, date, printable};
use crate::error::tls::{alert_for, internal};
use crate::error::{Error, ErrorCode};
use crate::trust::Root;

/// A rejected certificate.
pub(crate) struct Rejection {
    pub(crate) reason: CertificateError,
    pub(crate) error: Error,
}

impl Rejection {
    fn new(
        reason: CertificateError,
        code: ErrorCode,
        message: String,
        hint: impl Into<String>,
    ) -> Self {
        let error =
            Error::new(code, message, hint.into()).with_alert(Some(alert_for(reason.clone())));
        Self { reason, error }
    }
}

/// The end-entity certificate cannot be read.
pub(crate) fn unreadable(error: Path) -> Rejection {
    Rejection::new(
        CertificateError::BadEncoding,
        ErrorCode::CertificateRejected,
        format!("the peer's certificate cannot be read: {error}"),
        "the server must be given a well-formed X.509 certificate",
    )
}

/// The chain ends in a trusted root that no pin names.
pub(crate) fn not_pinned(root: Option<&Root>) -> Rejection {
    Rejection::new(
        CertificateError::UnknownIssuer,
        ErrorCode::PinMismatch,
        format!(
            "the peer's chain ends in {}, which no pin names",
            subject_of(root)
        ),
        "if the server's root has changed, pin the new root; pin at least two",
    )
}

/// The chain ends in a private root that may not vouch for a name of Azure's.
pub(crate) fn not_for_azure(root: Option<&Root>, name: Option<&ServerName<'_>>) -> Rejection {
    let name = name.map_or("any name".into(), |name| {
        format!("{}, a name of Azure's", name.to_str())
    });
    Rejection::new(
        CertificateError::UnknownIssuer,
        ErrorCode::RootNotForAzure,
        format!("the added root {} vouches for {name}", subject_of(root)),
        "only the policy's roots vouch for Azure's names; if this server is yours, let its root vouch for them: vouching for Azure",
    )
}

/// The verified path has an anchor that is not ours: cannot be.
pub(crate) fn no_anchor() -> Rejection {
    Rejection {
        reason: CertificateError::UnknownIssuer,
        error: internal(&"verified by an unknown anchor"),
    }
}

/// No path from the end-entity certificate to a root is valid.
pub(crate) fn path(
    error: Path,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> Rejection {
    match error {
        Path::UnknownIssuer => {
            let issuer = topmost_issuer(end_entity, intermediates);
            Rejection::new(
                CertificateError::UnknownIssuer,
                ErrorCode::UnknownRoot,
                format!("the peer's chain ends in no trusted root: its topmost issuer is {issuer}"),
                "if this is the server you mean, add its root to the trusted ones; check also that the server sends its whole chain",
            )
        }
        Path::CertExpired { time, not_after } => Rejection::new(
            CertificateError::ExpiredContext { time, not_after },
            ErrorCode::CertificateExpired,
            format!(
                "{} expired on {}",
                certificate_where(end_entity, intermediates, |validity| validity.not_after, not_after),
                date(not_after.as_secs())
            ),
            format!("the server's certificate must be renewed; the clock here says {}", date(time.as_secs())),
        ),
        Path::CertNotValidYet { time, not_before } => Rejection::new(
            CertificateError::NotValidYetContext { time, not_before },
            ErrorCode::CertificateNotYetValid,
            format!(
                "{} is not valid before {}",
                certificate_where(end_entity, intermediates, |validity| validity.not_before, not_before),
                date(not_before.as_secs())
            ),
            format!("is the clock set? It says {}", date(time.as_secs())),
        ),
        Path::CertRevoked => Rejection::new(
            CertificateError::Revoked,
            ErrorCode::CertificateRevoked,
            "a certificate of the peer has been revoked by its issuer".into(),
            "the server needs a new certificate",
        ),
        Path::UnknownRevocationStatus => Rejection::new(
            CertificateError::UnknownRevocationStatus,
            ErrorCode::RevocationUnknown,
            "no revocation list tells whether a certificate of the peer has been revoked".into(),
            "add the revocation lists of every issuer in the chain, or do not require the status",
        ),
        Path::CrlExpired { time, next_update } => Rejection::new(
            CertificateError::ExpiredRevocationListContext { time, next_update },
            ErrorCode::RevocationUnknown,
            format!("the revocation list for a certificate of the peer expired on {}", date(next_update.as_secs())),
            "fetch the issuer's new revocation list",
        ),
        Path::InvalidCrlSignatureForPublicKey | Path::IssuerNotCrlSigner => Rejection::new(
            CertificateError::UnknownRevocationStatus,
            ErrorCode::RevocationUnknown,
            format!("the revocation list for a certificate of the peer cannot be trusted: {error}"),
            "fetch the list from the issuer again",
        ),
        Path::InvalidSignatureForPublicKey => Rejection::new(
            CertificateError::BadSignature,
            ErrorCode::CertificateRejected,
            "the signature of a certificate of the peer is wrong".into(),
            "the chain holds a certificate of another issuer with the same name, or one that was changed",
        ),
        Path::RequiredEkuNotFoundContext(_) => Rejection::new(
            CertificateError::InvalidPurpose,
            ErrorCode::CertificateRejected,
            "the peer's certificate is not meant for a TLS server (its extended key usage lacks serverAuth)".into(),
            "the server needs a certificate with the extended key usage serverAuth",
        ),
        Path::UnsupportedSignatureAlgorithmContext(_)
        | Path::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => Rejection::new(
            CertificateError::Other(rustls::OtherError(std::sync::Arc::new(error))),
            ErrorCode::CertificateRejected,
            "a certificate of the peer is signed with an algorithm that is not accepted, such as SHA-1".into(),
            "the certificate must be issued again, signed with SHA-256 or longer",
        ),
        Path::CaUsedAsEndEntity => Rejection::new(
            CertificateError::Other(rustls::OtherError(std::sync::Arc::new(error))),
            ErrorCode::CertificateRejected,
            "the peer's certificate is that of a certificate authority, not of a server".into(),
            "the server needs an end-entity certificate issued by that authority",
        ),
        error => {
            let message = format!("the peer's certificate chain is not acceptable: {error}");
            Rejection::new(
                CertificateError::Other(rustls::OtherError(std::sync::Arc::new(error))),
                ErrorCode::CertificateRejected,
                message,
                "the server's certificate chain must be mended",
            )
        }
    }
}

/// The peer's key is of a kind whose signatures are not accepted.
pub(crate) fn key(what: &str) -> Rejection {
    Rejection::new(
        CertificateError::BadSignature,
        ErrorCode::CertificateRejected,
        format!(
            "the key of the peer's certificate is {what}, whose signatures the policy does not accept"
        ),
        "the server needs a certificate for ECDSA on P-256 or P-384, or RSA of 2048 bits or more",
    )
}

/// The certificate is for other names.
pub(crate) fn name(
    error: Path,
    end_entity: &CertificateDer<'_>,
    name: &ServerName<'_>,
) -> Rejection {
    let reason = match error {
        Path::CertNotValidForName(_) => CertificateError::NotValidForName,
        _ => CertificateError::BadEncoding,
    };
    let names = alternative_names(end_entity);
    let is_for = if names.is_empty() {
        "no name at all".into()
    } else {
        names.join(", ")
    };
    Rejection::new(
        reason,
        ErrorCode::HostNameMismatch,
        format!(
            "the peer's certificate is not for {}: it is for {is_for}",
            name.to_str()
        ),
        "connect with a name that the certificate is for, or give the name to verify apart from the address",
    )
}

fn subject_of(root: Option<&Root>) -> &str {
    root.map_or("a root", Root::subject)
}

/// Most certificates name a handful of hosts; a peer may send thousands.
const MAX_NAMES: usize = 8;

fn alternative_names(der: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return Vec::new();
    };
    let mut names = certificate::names(&certificate, MAX_NAMES + 1);
    if names.len() > MAX_NAMES {
        names[MAX_NAMES] = "...".into();
    }
    names
}

/// Follows the chain from the end entity upwards for as long as the peer sent the issuers.
fn topmost_issuer(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> String {
    let parsed: Vec<_> = std::iter::once(end_entity)
        .chain(intermediates)
        .filter_map(|der| {
            X509Certificate::from_der(der)
                .ok()
                .map(|(_, certificate)| certificate)
        })
        .collect();
    let Some(mut top) = parsed.first() else {
        return "unknown".into();
    };
    // At most one step for each certificate: a circle ends too.
    for _ in 1..parsed.len() {
        match parsed
            .iter()
            .find(|next| next.subject() == top.issuer() && next.subject() != top.subject())
        {
            Some(next) => top = next,
            None => break,
        }
    }
    quoted(top.issuer())
}

/// Names the certificate of which `moment` of the validity is `at`: the error tells the time alone.
fn certificate_where(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    moment: fn(&Validity) -> ASN1Time,
    at: UnixTime,
) -> String {
    let is_meant = |certificate: &X509Certificate<'_>| {
        u64::try_from(moment(certificate.validity()).timestamp()) == Ok(at.as_secs())
    };
    std::iter::once(end_entity)
        .chain(intermediates)
        .filter_map(|der| X509Certificate::from_der(der).ok())
        .find(|(_, certificate)| is_meant(certificate))
        .map_or_else(
            || "a certificate of the peer".into(),
            |(_, certificate)| format!("the peer's certificate {}", quoted(certificate.subject())),
        )
}

fn quoted(name: &X509Name<'_>) -> String {
    format!("\"{}\"", printable(&name.to_string()))
}
