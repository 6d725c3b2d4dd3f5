//! What hubtls reads from an X.509 certificate (RFC 5280), its own or one given as trusted.

use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name, X509Version};
use x509_parser::time::ASN1Time;

/// Parses exactly one certificate; the error is the reason in words.
pub(crate) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, String> {
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
