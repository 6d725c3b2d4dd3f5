//! What hubtls reads from an X.509 certificate (RFC 5280): its own, one given as trusted, or a peer's.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, OnceLock};

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name, X509Version};
use x509_parser::time::ASN1Time;

use crate::error::{Error, ErrorCode, Result};
use crate::fingerprint;

/// Most certificates are for a handful of hosts; a peer may send thousands.
const MAX_NAMES: usize = 100;

/// An X.509 certificate, and what people want to know of it. Immutable and cheap to clone.
///
/// Its names may come from a peer: each is cut after 200 characters and holds no control characters, so that it can be shown. A peer's
/// certificate that cannot be read has no names and no validity, only [`der`](Self::der) and fingerprint.
///
/// ```
/// # fn show(certificate: &hubtls::Certificate) {
/// println!("{}, for {}", certificate.subject(), certificate.names().join(", "));
/// println!("issued by {}, {}", certificate.issuer(), certificate.fingerprint());
/// # }
/// ```
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Box<[u8]>,
    /// Read when first asked for: most connections never are.
    facts: OnceLock<Facts>,
}

#[derive(Default)]
struct Facts {
    subject: String,
    issuer: String,
    validity: Option<(u64, u64)>,
    names: Vec<String>,
}

impl Certificate {
    /// From DER: exactly one certificate.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidCertificate`] says why it cannot be read.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        let parsed = parse(der).map_err(|reason| {
            Error::new(
                ErrorCode::InvalidCertificate,
                format!("the certificate cannot be read: {reason}"),
                "give one intact X.509 certificate in DER",
            )
        })?;
        let facts = Facts::of(&parsed).into();
        let der = der.into();
        Ok(Self(Arc::new(Inner { der, facts })))
    }

    /// A certificate that was accepted already, whether it can be read here or not.
    #[cfg(feature = "engine")]
    pub(crate) fn accepted(der: &[u8]) -> Self {
        Self(Arc::new(Inner {
            der: der.into(),
            facts: OnceLock::new(),
        }))
    }

    fn facts(&self) -> &Facts {
        let read = || parse(self.der()).map_or_else(|_| Facts::default(), |it| Facts::of(&it));
        self.0.facts.get_or_init(read)
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The common name of its subject, or the whole subject if that has none.
    pub fn subject(&self) -> &str {
        &self.facts().subject
    }

    /// The common name of its issuer, or the issuer's whole name if that has none.
    pub fn issuer(&self) -> &str {
        &self.facts().issuer
    }

    /// Start of its validity in seconds since 1970.
    pub fn not_before(&self) -> Option<u64> {
        self.facts().validity.map(|(not_before, _)| not_before)
    }

    /// Last second of its validity in seconds since 1970.
    pub fn not_after(&self) -> Option<u64> {
        self.facts().validity.map(|(_, not_after)| not_after)
    }

    /// The DNS names and IP addresses that it is for (its subjectAltName), at most 100.
    pub fn names(&self) -> &[String] {
        &self.facts().names
    }

    /// SHA-256 of the certificate.
    pub fn sha256(&self) -> [u8; 32] {
        fingerprint::of(self.der())
    }

    /// SHA-256 of the certificate as people write it: `CB:3C:...:5F`.
    pub fn fingerprint(&self) -> String {
        fingerprint::written(&self.sha256())
    }
}

impl Facts {
    fn of(certificate: &X509Certificate<'_>) -> Self {
        let validity = certificate.validity();
        Self {
            subject: name(certificate.subject()),
            issuer: name(certificate.issuer()),
            validity: Some((unix(validity.not_before), unix(validity.not_after))),
            names: names(certificate, MAX_NAMES),
        }
    }
}

/// Certificates are equal if their DER is.
impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for Certificate {}

impl AsRef<[u8]> for Certificate {
    fn as_ref(&self) -> &[u8] {
        self.der()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject())
            .field("sha256", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

/// Parses exactly one certificate; the error is the reason in words.
pub(crate) fn parse(der: &[u8]) -> std::result::Result<X509Certificate<'_>, String> {
    if der.starts_with(b"-----BEGIN") {
        return Err("it is PEM text, not DER".to_owned());
    }
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok((rest, _)) => Err(format!("{} stray bytes follow it", rest.len())),
        Err(x509_parser::nom::Err::Incomplete(_)) => Err("it is cut short".to_owned()),
        Err(x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error)) => {
            Err(format!("it is not a valid X.509 certificate: {error}"))
        }
    }
}

/// The common name, or the whole name if there is none.
pub(crate) fn name(name: &X509Name<'_>) -> String {
    let common_name = name
        .iter_common_name()
        .find_map(|value| value.as_str().ok())
        .filter(|name| !name.is_empty());
    match common_name {
        Some(common_name) => printable(common_name),
        None => match printable(&name.to_string()) {
            name if name.is_empty() => "(no name)".to_owned(),
            name => name,
        },
    }
}

pub(crate) fn organization(name: &X509Name<'_>) -> Option<String> {
    name.iter_organization()
        .find_map(|value| value.as_str().ok())
        .map(printable)
}

/// The DNS names and IP addresses that the certificate is for, at most so many.
pub(crate) fn names(certificate: &X509Certificate<'_>, most: usize) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let names = extension.value.general_names.iter().filter_map(host);
    names.take(most).collect()
}

fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(printable(name)),
        GeneralName::IPAddress(bytes) => match *bytes {
            [a, b, c, d] => Some(Ipv4Addr::new(*a, *b, *c, *d).to_string()),
            bytes => {
                let bytes = <[u8; 16]>::try_from(bytes).ok()?;
                Some(Ipv6Addr::from(bytes).to_string())
            }
        },
        _ => None,
    }
}

/// Names come from outside: none may steer the terminal that shows them, or flood it.
pub(crate) fn printable(text: &str) -> String {
    const MAX_CHARACTERS: usize = 200;
    // Control characters, and those that reorder or hide the text around them.
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    let visible = |c: char| if steers(c) { '\u{FFFD}' } else { c };
    text.chars().map(visible).take(MAX_CHARACTERS).collect()
}

/// A moment in seconds since 1970 as people write it.
#[cfg(feature = "engine")]
pub(crate) fn date(unix: u64) -> String {
    let time = i64::try_from(unix).ok().map(ASN1Time::from_timestamp);
    match time {
        Some(Ok(time)) => time.to_string(),
        _ => format!("second {unix} since 1970"),
    }
}

/// Seconds since 1970; what is older counts as 1970.
pub(crate) fn unix(time: ASN1Time) -> u64 {
    time.timestamp().try_into().unwrap_or(0)
}

pub(crate) fn is_self_issued(certificate: &X509Certificate<'_>) -> bool {
    certificate.subject().as_raw() == certificate.issuer().as_raw()
}

/// Why this certificate may not issue others, if so.
///
/// A version 3 certificate must say that it is an authority's (basicConstraints) and may not forbid itself to sign certificates
/// (keyUsage). Version 1 cannot say either: it counts as an authority's if it is self-issued, as old private roots are.
pub(crate) fn why_not_authority(certificate: &X509Certificate<'_>) -> Option<&'static str> {
    if certificate.version() == X509Version::V1 {
        return (!is_self_issued(certificate))
            .then_some("it is of X.509 version 1 and issued by another authority");
    }
    match certificate.basic_constraints() {
        Ok(Some(constraints)) if constraints.value.ca => {}
        Ok(Some(_)) => return Some("its basicConstraints say CA:FALSE"),
        Ok(None) => return Some("it has no basicConstraints that say CA:TRUE"),
        Err(_) => return Some("its basicConstraints are malformed"),
    }
    match certificate.key_usage() {
        Ok(Some(usage)) if !usage.value.key_cert_sign() => {
            Some("its keyUsage does not allow it to sign certificates")
        }
        Ok(_) => None,
        Err(_) => Some("its keyUsage is malformed"),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{SanType, date_time_ymd};

    use super::*;
    use crate::testing::{Party, failure, params};

    fn device(names: impl IntoIterator<Item = SanType>) -> Party {
        let mut params = params("device", false);
        params.subject_alt_names = names.into_iter().collect();
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2026, 1, 1);
        Party::root("the root").issue(params, &rcgen::PKCS_ECDSA_P256_SHA256)
    }

    fn dns(name: &str) -> SanType {
        SanType::DnsName(name.try_into().unwrap())
    }

    #[test]
    fn a_certificate_tells_whose_it_is_what_for_and_how_long() {
        let party = device([
            dns("hub.example"),
            SanType::IpAddress([192, 0, 2, 1].into()),
            SanType::IpAddress(Ipv6Addr::LOCALHOST.into()),
            SanType::Rfc822Name("someone@hub.example".try_into().unwrap()),
        ]);
        let certificate = Certificate::from_der(party.der()).unwrap();
        assert_eq!(certificate.subject(), "device");
        assert_eq!(certificate.issuer(), "the root");
        assert_eq!(certificate.names(), ["hub.example", "192.0.2.1", "::1"]);
        assert_eq!(certificate.not_before(), Some(1_735_689_600));
        assert_eq!(certificate.not_after(), Some(1_767_225_600));
        assert_eq!(certificate.der(), party.der());
        let fingerprint = fingerprint::parsed(&certificate.fingerprint());
        assert_eq!(fingerprint, Some(certificate.sha256()));
        assert_eq!(certificate.clone(), certificate);
        assert!(format!("{certificate:?}").contains("device"));
    }

    #[test]
    fn names_are_bounded_and_cannot_steer_a_terminal() {
        let mut names = vec![dns("\u{1b}[2J"), dns(&"x".repeat(300))];
        names.extend((0..MAX_NAMES).map(|index| dns(&format!("host{index}"))));
        let certificate = Certificate::from_der(device(names).der()).unwrap();
        assert_eq!(certificate.names().len(), MAX_NAMES);
        assert_eq!(certificate.names()[0], "\u{fffd}[2J");
        assert_eq!(certificate.names()[1].len(), 200);
    }

    #[test]
    fn what_is_no_certificate_is_refused_with_the_reason() {
        let party = device([]);
        for (bad, reason) in [
            (party.pem().as_bytes(), "PEM"),
            (&party.der()[..100], "not a valid"),
            (&[party.der(), b"?"].concat(), "stray"),
            (b"?", ""),
        ] {
            let error = failure(Certificate::from_der(bad), ErrorCode::InvalidCertificate);
            assert!(error.message().contains(reason), "{error}");
        }
    }

    #[cfg(feature = "engine")]
    #[test]
    fn a_peers_certificate_that_cannot_be_read_still_has_a_fingerprint() {
        let certificate = Certificate::accepted(b"?");
        assert_eq!((certificate.subject(), certificate.issuer()), ("", ""));
        assert_eq!(certificate.not_before(), None);
        assert_eq!(certificate.not_after(), None);
        assert!(certificate.names().is_empty());
        assert_eq!(certificate.fingerprint().len(), 95);
        assert_eq!(Certificate::accepted(device([]).der()).subject(), "device");
    }
}
