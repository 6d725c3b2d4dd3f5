//! Splits PEM text (RFC 7468) into its sections, so that an error can say which one is bad. What stands between sections is skipped;
//! rustls-pki-types decodes a section.

use pki_types::CertificateDer;
use pki_types::pem::{self, PemObject as _};

use crate::error::{Error, ErrorCode, Result};

/// One section, from its BEGIN line to its END line, or to where it breaks off.
pub(crate) struct Section<'a> {
    pub(crate) label: &'a str,
    pub(crate) text: &'a [u8],
}

impl Section<'_> {
    /// Whether this holds a private key of any form, encrypted or not.
    pub(crate) fn is_private_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }
}

/// The sections of `text`, in order.
pub(crate) fn sections(text: &[u8]) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut start = 0;
    for line in text.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
        let end = start + line.len();
        if let Some(rest) = line.strip_prefix(b"-----BEGIN ") {
            if let Some((label, begin)) = open.take() {
                let text = &text[begin..start];
                sections.push(Section { label, text });
            }
            open = Some((label(rest), start));
        } else if line.starts_with(b"-----END ")
            && let Some((label, begin)) = open.take()
        {
            let text = &text[begin..end];
            sections.push(Section { label, text });
        }
        start = end;
    }
    if let Some((label, begin)) = open {
        let text = &text[begin..];
        sections.push(Section { label, text });
    }
    sections
}

/// Whether `data` is to be read as DER: it begins like DER, and holds no PEM.
pub(crate) fn is_der(data: &[u8]) -> bool {
    data.first() == Some(&0x30) && sections(data).is_empty()
}

fn label(rest: &[u8]) -> &str {
    let rest = std::str::from_utf8(rest).unwrap_or_default();
    rest.trim().trim_end_matches('-')
}

/// The certificates of `text`, in order. There may be none.
///
/// # Errors
/// [`ErrorCode::InvalidCertificate`] says which section is damaged, or is certificates in a form other than `CERTIFICATE`.
pub(crate) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let sections = sections(text);
    let mut certificates = Vec::new();
    for section in &sections {
        let position = certificates.len() + 1;
        match section.label {
            "CERTIFICATE" => {
                let der = CertificateDer::from_pem_slice(section.text).map_err(|error| {
                    Error::new(
                        ErrorCode::InvalidCertificate,
                        format!("certificate {position} cannot be read: {}", reason(&error)),
                        "copy that certificate again, with its BEGIN and END lines",
                    )
                })?;
                certificates.push(der);
            }
            label @ ("TRUSTED CERTIFICATE" | "X509 CERTIFICATE" | "PKCS7" | "CMS") => {
                let command = match label {
                    "PKCS7" | "CMS" => "openssl pkcs7 -print_certs",
                    _ => "openssl x509",
                };
                return Err(Error::new(
                    ErrorCode::InvalidCertificate,
                    format!("certificate {position} is in the form `{label}`, not `CERTIFICATE`"),
                    format!("convert it with `{command} -in old.pem -out new.pem`"),
                ));
            }
            _ => {}
        }
    }
    Ok(certificates)
}

/// Why a section cannot be decoded. Holds nothing of what it contains.
pub(crate) fn reason(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "its END line is missing or names something else",
        pem::Error::IllegalSectionStart { .. } => "its BEGIN line is malformed",
        pem::Error::Base64Decode(_) => "its base64 is damaged",
        _ => "it is not PEM",
    }
}

/// What to do about `data` in which nothing was found that was wanted as PEM.
pub(crate) fn hint_for_none(data: &[u8]) -> &'static str {
    match data {
        [] => "the input is empty: is it the right file?",
        [0x30, ..] => "this looks like DER: convert it to PEM, or use the call that reads DER",
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "this is UTF-16 text: save it as ASCII or UTF-8",
        _ => {
            "give PEM text: a section starts with a line like `-----BEGIN ...-----`, without spaces before it"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<&str> {
        let sections = sections(text.as_bytes());
        sections.iter().map(|section| section.label).collect()
    }

    #[test]
    fn sections_are_found_between_comments_and_with_any_line_ending() {
        let text = "\u{feff}-----BEGIN A-----\r\nAA==\r\n-----END A-----\r\n# a comment\n-----BEGIN B-----\nAA==\n-----END B-----";
        assert_eq!(labels(text), ["A", "B"]);
    }

    #[test]
    fn a_section_that_breaks_off_is_a_section() {
        assert_eq!(
            labels("-----BEGIN A-----\nAA==\n-----BEGIN B-----\nAA=="),
            ["A", "B"]
        );
        assert_eq!(labels("no PEM at all"), Vec::<&str>::new());
    }

    #[test]
    fn der_is_told_from_pem_with_a_comment_that_begins_like_der() {
        assert!(is_der(&[0x30, 0x82, 1, 0]));
        for other in [&b"0: comment\n-----BEGIN A-----\n"[..], b"", b"hello"] {
            assert!(!is_der(other));
        }
    }

    #[test]
    fn a_damaged_section_is_counted() {
        let good = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        for (bad, why) in [
            (
                "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n",
                "base64",
            ),
            ("-----BEGIN CERTIFICATE-----\nAA==\n", "END line"),
            (
                "-----BEGIN CERTIFICATE-----\nAA==\n-----END ELSE-----\n",
                "END line",
            ),
            (
                "-----BEGIN CERTIFICATE--\nAA==\n-----END CERTIFICATE-----\n",
                "",
            ),
        ] {
            let result = certificates(format!("{good}{bad}").as_bytes());
            match result {
                Err(error) => {
                    assert_eq!(error.code(), ErrorCode::InvalidCertificate);
                    assert!(error.message().contains("certificate 2"), "{error}");
                    assert!(error.message().contains(why), "{error}");
                }
                Ok(certificates) => panic!("{bad} gave {certificates:?}"),
            }
        }
    }

    #[test]
    fn other_forms_of_certificates_are_refused_with_the_command_that_converts_them() {
        for (label, command) in [
            ("TRUSTED CERTIFICATE", "openssl x509"),
            ("PKCS7", "openssl pkcs7"),
        ] {
            let text = format!("-----BEGIN {label}-----\nAA==\n-----END {label}-----\n");
            let error = certificates(text.as_bytes()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidCertificate);
            assert!(error.hint().contains(command), "{error}");
        }
    }

    #[test]
    fn the_hint_for_nothing_found_knows_what_was_given() {
        assert!(hint_for_none(b"").contains("empty"));
        assert!(hint_for_none(&[0x30, 0x82]).contains("DER"));
        assert!(hint_for_none(&[0xFF, 0xFE, b'-', 0]).contains("UTF-16"));
        assert!(hint_for_none(b"hello").contains("BEGIN"));
    }
}
