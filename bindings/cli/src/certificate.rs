//! A certificate of a server's chain as it is shown, and dates as people write them.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::output;

/// One certificate of a server's chain.
#[derive(Serialize)]
pub(crate) struct Certificate<'a> {
    subject: &'a str,
    issuer: &'a str,
    names: &'a [String],
    not_after: Option<String>,
    sha256: String,
}

impl<'a> Certificate<'a> {
    pub(crate) fn of(certificate: &'a hubtls::Certificate) -> Self {
        Self {
            subject: certificate.subject(),
            issuer: certificate.issuer(),
            names: certificate.names(),
            not_after: certificate.not_after().and_then(rfc3339),
            sha256: certificate.fingerprint(),
        }
    }

    /// As an indented paragraph.
    pub(crate) fn text(&self) -> String {
        let names = match self.names {
            [] => "no name".into(),
            names => names.join(", "),
        };
        output::pairs([
            ("  subject", self.subject.into()),
            ("  is for", names),
            ("  issuer", self.issuer.into()),
            ("  not after", self.not_after.clone().unwrap_or_default()),
            ("  SHA-256", self.sha256.clone()),
        ])
    }
}

/// Seconds since 1970 as a date and time.
pub(crate) fn rfc3339(seconds: u64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds.try_into().ok()?)
        .ok()?
        .format(&Rfc3339)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_shows_its_names_its_last_second_and_its_fingerprint() {
        let params = rcgen::CertificateParams::new(["hub.example".to_owned()]).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap();
        let certificate = hubtls::Certificate::from_der(der.der()).unwrap();
        let text = Certificate::of(&certificate).text();
        assert!(text.contains("hub.example"), "{text}");
        assert!(text.contains("4096-01-01T00:00:00Z"), "{text}");
        assert!(text.contains(&certificate.fingerprint()), "{text}");
    }

    #[test]
    fn a_date_beyond_the_calendar_is_none() {
        assert_eq!(rfc3339(0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(rfc3339(u64::MAX), None);
    }
}
