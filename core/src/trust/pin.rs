//! Pins, of roots alone.

use std::fmt;

use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use pki_types::CertificateDer;

use super::{EMBEDDED, Root};
use crate::certificate;
use crate::error::{Error, ErrorCode, Result};
use crate::fingerprint;
use crate::pem;

const ROTATE: &str =
    "leaf and intermediate certificates rotate with little or no notice: pin a root";

/// Demands that a peer's chain ends in a certain root: SHA-256 of that root's SubjectPublicKeyInfo.
///
/// Only roots can be pinned. Leaf and intermediate certificates of Azure rotate with little or no notice, and a client that pins one loses
/// its connection then. Displays as `sha256/` and base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

impl Pin {
    /// Pins the root whose certificate this is: PEM text with one certificate.
    ///
    /// # Errors
    /// [`ErrorCode::PinNotRoot`] says why the certificate is not a root's, [`ErrorCode::NoCertificate`],
    /// [`ErrorCode::InvalidCertificate`], or [`ErrorCode::InvalidPin`] if there are several.
    pub fn of_certificate_pem(text: &[u8]) -> Result<Self> {
        let certificates = pem::certificates(text)?;
        match certificates.as_slice() {
            [der] => Self::of(der),
            [] => Err(Error::new(
                ErrorCode::NoCertificate,
                "there is no certificate to pin",
                pem::hint_for_none(text),
            )),
            several => Err(Error::new(
                ErrorCode::InvalidPin,
                format!(
                    "a pin is made of one certificate, and there are {}",
                    several.len()
                ),
                "give the root alone; pin several roots with a pin each",
            )),
        }
    }

    /// Pins the root whose certificate this is, in DER.
    ///
    /// # Errors
    /// [`ErrorCode::PinNotRoot`] says why the certificate is not a root's; [`ErrorCode::InvalidCertificate`].
    pub fn of_certificate_der(der: &[u8]) -> Result<Self> {
        Self::of(&CertificateDer::from(der))
    }

    fn of(der: &CertificateDer<'_>) -> Result<Self> {
        let parsed = certificate::parse(der).map_err(|reason| {
            Error::new(
                ErrorCode::InvalidCertificate,
                format!("the certificate to pin cannot be read: {reason}"),
                "give the root's certificate",
            )
        })?;
        let subject = certificate::name(parsed.subject());
        let not_root = |reason: String| {
            let message = format!("`{subject}` cannot be pinned: {reason}");
            Error::new(ErrorCode::PinNotRoot, message, ROTATE)
        };
        let why_not = certificate::why_not_authority(&parsed);
        if !certificate::is_self_issued(&parsed) {
            let issuer = certificate::name(parsed.issuer());
            return Err(not_root(match why_not {
                None => format!("it is an intermediate authority, issued by `{issuer}`"),
                Some(_) => format!("it is an end-entity certificate, issued by `{issuer}`"),
            }));
        }
        match why_not {
            Some(reason) => Err(not_root(format!(
                "it is self-issued but not an authority's: {reason}"
            ))),
            None => Ok(Self(fingerprint::of(parsed.public_key().raw))),
        }
    }

    /// Pins the root whose SubjectPublicKeyInfo has this SHA-256: 64 hexadecimal digits, with or without colons, or base64, with or
    /// without `sha256/` or `sha256//` before it (as curl and RFC 7469 write it).
    ///
    /// Nothing tells whether it is a root's; a pin that names another certificate matches no chain.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPin`] if it cannot be read, or if it is the fingerprint of a shipped root's certificate.
    pub fn from_sha256(text: &str) -> Result<Self> {
        let text = text.trim();
        let base64 = text.trim_end_matches('=');
        // Base64 may itself begin with `/`: what is one character too long has the second of `sha256//` before it.
        let base64 = match base64.strip_prefix("sha256/") {
            Some(rest) if rest.len() == 44 => rest.strip_prefix('/').unwrap_or(rest),
            Some(rest) => rest,
            None => base64,
        };
        let hex = text.replace(':', "");
        let bytes = match hex.len() {
            64 => HEXLOWER_PERMISSIVE.decode(hex.as_bytes()),
            _ => BASE64_NOPAD.decode(base64.as_bytes()),
        };
        let sha256: [u8; 32] = bytes
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::InvalidPin,
                    "a pin is neither 64 hexadecimal digits nor 44 characters of base64",
                    "give SHA-256 of the root's SubjectPublicKeyInfo, or the root's certificate",
                )
            })?;
        match EMBEDDED.iter().find(|root| root.sha256 == Some(sha256)) {
            Some(root) => Err(Error::new(
                ErrorCode::InvalidPin,
                format!(
                    "this is the fingerprint of `{}`'s certificate, not of its public key",
                    root.subject
                ),
                format!("the pin of that root is {}", root.pin()),
            )),
            None => Ok(Self(sha256)),
        }
    }

    pub(super) fn of_root(root: &Root) -> Self {
        Self(root.spki_sha256())
    }

    /// SHA-256 of the root's SubjectPublicKeyInfo.
    pub fn spki_sha256(&self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256/{}", BASE64.encode(&self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Party, failure, hex, params};
    use crate::trust::Roots;

    #[test]
    fn a_pin_of_anything_but_a_root_is_refused_with_the_reason() {
        let root = Party::root("the root");
        let intermediate = root.authority("between");
        let leaf = intermediate.leaf("the leaf");
        let alone = Party::self_signed(params("alone", false), &rcgen::PKCS_ECDSA_P256_SHA256);
        for (party, reason) in [
            (
                &intermediate,
                "intermediate authority, issued by `the root`",
            ),
            (&leaf, "end-entity certificate, issued by `between`"),
            (&alone, "not an authority's"),
        ] {
            let error = failure(
                Pin::of_certificate_pem(party.pem().as_bytes()),
                ErrorCode::PinNotRoot,
            );
            assert!(error.message().contains(reason), "{error}");
            assert!(error.hint().contains("rotate"), "{error}");
        }
        let pin = Pin::of_certificate_der(root.der()).unwrap();
        let roots = Roots::from_der(&[root.der()]).unwrap();
        assert_eq!(pin.spki_sha256(), roots.0[0].spki_sha256());

        let several = root.pem() + &leaf.pem();
        failure(
            Pin::of_certificate_pem(several.as_bytes()),
            ErrorCode::InvalidPin,
        );
        failure(Pin::of_certificate_pem(b""), ErrorCode::NoCertificate);
        failure(Pin::of_certificate_der(b"?"), ErrorCode::InvalidCertificate);
    }

    #[test]
    fn a_pin_is_read_in_every_usual_form() {
        let root = &Roots::azure().0[0].clone();
        let pin = Pin::of_certificate_pem(root.pem().unwrap().as_bytes()).unwrap();
        let base64 = "i7WTqTvh0OioIruIfFR4kMPnBqrS2rdiVPl/s2uC/CY=";
        let colons = hex(&root.spki_sha256());
        for text in [
            base64,
            base64.trim_end_matches('='),
            &format!("sha256/{base64}"),
            &format!("sha256//{base64}"),
            &format!(" {pin}\n"),
            &colons,
            &colons.replace(':', "").to_lowercase(),
        ] {
            assert_eq!(Pin::from_sha256(text).unwrap(), pin, "{text}");
        }
    }

    #[test]
    fn base64_that_begins_with_a_slash_is_read_too() {
        let base64 = BASE64.encode(&[0xFF; 32]);
        assert!(base64.starts_with('/'));
        for prefix in ["", "sha256/", "sha256//"] {
            let pin = Pin::from_sha256(&format!("{prefix}{base64}")).unwrap();
            assert_eq!(pin.spki_sha256(), [0xFF; 32]);
        }
    }

    #[test]
    fn a_pin_that_cannot_be_right_is_refused() {
        let short = "AB:".repeat(19) + "AB";
        for text in [
            "",
            "sha256/",
            "zz",
            &short,
            &"g".repeat(64),
            &"A".repeat(44),
        ] {
            failure(Pin::from_sha256(text), ErrorCode::InvalidPin);
        }
        let fingerprint = hex(&Roots::azure().0[0].sha256().unwrap());
        let error = failure(Pin::from_sha256(&fingerprint), ErrorCode::InvalidPin);
        assert!(
            error.message().contains("DigiCert Global Root G2"),
            "{error}"
        );
        assert!(
            error
                .hint()
                .contains("i7WTqTvh0OioIruIfFR4kMPnBqrS2rdiVPl/s2uC/CY=")
        );
    }
}
