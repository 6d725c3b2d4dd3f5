//! What people want to know of a certificate, and dates and fingerprints as they write them.

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::output;

/// One certificate of a server's chain.
#[derive(Serialize)]
pub(crate) struct Certificate {
    subject: Option<String>,
    issuer: Option<String>,
    not_after: Option<String>,
    sha256: String,
}

impl Certificate {
    /// Reads a certificate; what cannot be read is left out.
    pub(crate) fn of(der: &[u8]) -> Self {
        let parsed = X509Certificate::from_der(der)
            .ok()
            .map(|(_, parsed)| parsed);
        Self {
            subject: parsed.as_ref().map(|parsed| printable(parsed.subject())),
            issuer: parsed.as_ref().map(|parsed| printable(parsed.issuer())),
            not_after: parsed
                .as_ref()
                .and_then(|parsed| rfc3339(parsed.validity().not_after.timestamp())),
            sha256: fingerprint(&Sha256::digest(der)),
        }
    }

    /// As an indented paragraph.
    pub(crate) fn text(&self) -> String {
        let known = |field: &Option<String>| field.clone().unwrap_or_else(|| "(unreadable)".into());
        output::pairs([
            ("  subject", known(&self.subject)),
            ("  issuer", known(&self.issuer)),
            ("  not after", known(&self.not_after)),
            ("  SHA-256", self.sha256.clone()),
        ])
    }
}

/// The common name of a certificate's subject.
pub(crate) fn common_name(der: &[u8]) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let name = parsed.subject().iter_common_name().next()?.as_str().ok()?;
    Some(printable(name))
}

/// A SHA-256 in upper-case hex with colons.
pub(crate) fn fingerprint(sha256: &[u8]) -> String {
    let bytes: Vec<_> = sha256.iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

/// Seconds since 1970 as a date and time.
pub(crate) fn rfc3339(seconds: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()?
        .format(&Rfc3339)
        .ok()
}

/// Names in certificates come from outside: none may steer the terminal that shows them.
fn printable(text: impl ToString) -> String {
    text.to_string().replace(char::is_control, "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_shows_its_names_its_last_second_and_its_fingerprint() {
        let root = hubtls::Roots::azure().iter().next().unwrap().clone();
        let pem = root.pem().unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
        let text = Certificate::of(&pem.contents).text();
        assert!(text.contains("CN=DigiCert Global Root G2"), "{text}");
        assert!(text.contains("2038-01-15T12:00:00Z"), "{text}");
        assert!(
            text.contains(&fingerprint(&root.sha256().unwrap())),
            "{text}"
        );
        assert_eq!(
            common_name(&pem.contents).as_deref(),
            Some("DigiCert Global Root G2")
        );
    }

    #[test]
    fn what_is_no_certificate_still_has_a_fingerprint() {
        let text = Certificate::of(b"?").text();
        assert!(
            text.contains("(unreadable)") && text.contains(':'),
            "{text}"
        );
        assert_eq!(common_name(b"?"), None);
    }
}
