//! Certificate revocation lists.

use std::fmt;
use std::sync::Arc;

use pki_types::CertificateRevocationListDer;
use pki_types::pem::PemObject as _;

use crate::error::{Error, ErrorCode, Result};
use crate::pem;

const MAX_BYTES: usize = 64 << 20;

/// Certificate revocation lists (RFC 5280, section 5). Immutable and cheap to clone.
///
/// A list is checked against its issuer's signature when a chain is verified, not before.
#[derive(Clone, Default)]
pub struct RevocationLists(Arc<[CertificateRevocationListDer<'static>]>);

impl RevocationLists {
    /// Reads lists from PEM text, sections `X509 CRL`: at most 64 MiB. Other sections are skipped.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidRevocationList`] says which one is bad and why, or that there is none; [`ErrorCode::InvalidArgument`] if it is
    /// too much.
    pub fn from_pem(text: &[u8]) -> Result<Self> {
        check_bytes(text.len())?;
        let mut lists = Vec::new();
        for section in pem::sections(text) {
            if section.label == "X509 CRL" {
                let position = lists.len() + 1;
                let der = CertificateRevocationListDer::from_pem_slice(section.text)
                    .map_err(|error| invalid(position, pem::reason(&error)))?;
                lists.push(der);
            }
        }
        if lists.is_empty() {
            return Err(Error::new(
                ErrorCode::InvalidRevocationList,
                "there is no revocation list (`X509 CRL`)",
                match pem::sections(text).is_empty() {
                    true => pem::hint_for_none(text),
                    false => "this is PEM of something else: is it the right file?",
                },
            ));
        }
        Self::checked(lists)
    }

    /// Reads lists from DER, one each: at most 64 MiB.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn from_der(lists: &[impl AsRef<[u8]>]) -> Result<Self> {
        check_bytes(lists.iter().map(|der| der.as_ref().len()).sum())?;
        let owned = |der: &[u8]| CertificateRevocationListDer::from(der.to_vec());
        Self::checked(lists.iter().map(|der| owned(der.as_ref())).collect())
    }

    /// Reads lists from a file's content: PEM as [`from_pem`](Self::from_pem) takes it, or one list in DER.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pem_or_der(data: &[u8]) -> Result<Self> {
        match pem::is_der(data) {
            true => Self::from_der(&[data]),
            false => Self::from_pem(data),
        }
    }

    fn checked(lists: Vec<CertificateRevocationListDer<'static>>) -> Result<Self> {
        for (index, der) in lists.iter().enumerate() {
            // The owned form reads every entry, the borrowed one would not.
            webpki::OwnedCertRevocationList::from_der(der)
                .map_err(|error| invalid(index + 1, why(&error)))?;
        }
        Ok(Self(lists.into()))
    }

    /// These and those of `added`.
    #[must_use]
    pub fn with_added(self, added: Self) -> Self {
        Self(self.0.iter().chain(added.0.iter()).cloned().collect())
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lists, each known to be readable.
    #[cfg_attr(not(feature = "engine"), allow(dead_code))]
    pub(crate) fn ders(&self) -> &[CertificateRevocationListDer<'static>] {
        &self.0
    }
}

impl fmt::Debug for RevocationLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevocationLists({})", self.len())
    }
}

fn why(error: &webpki::Error) -> &'static str {
    match error {
        webpki::Error::UnsupportedDeltaCrl => "it is a delta list, which is not supported",
        webpki::Error::UnsupportedIndirectCrl => "it is an indirect list, which is not supported",
        webpki::Error::UnsupportedCrlVersion => "it is not an X.509 version 2 list",
        webpki::Error::UnsupportedCriticalExtension => {
            "it has a critical extension that is not supported"
        }
        webpki::Error::UnsupportedCrlIssuingDistributionPoint
        | webpki::Error::UnsupportedRevocationReasonsPartitioning => {
            "it covers a part of the certificates in a way that is not supported"
        }
        _ => "it is not a valid revocation list",
    }
}

fn invalid(position: usize, reason: &str) -> Error {
    Error::new(
        ErrorCode::InvalidRevocationList,
        format!("revocation list {position} cannot be used: {reason}"),
        "fetch a complete list of its issuer again, or leave it out",
    )
}

fn check_bytes(bytes: usize) -> Result<()> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::InvalidArgument,
        format!("{bytes} bytes of revocation lists are too many: at most {MAX_BYTES} are read"),
        "give the lists of the authorities that your servers use",
    ))
}

#[cfg(test)]
mod tests {
    use rcgen::{
        CertificateRevocationListParams, Issuer, KeyIdMethod, KeyUsagePurpose, SerialNumber,
        date_time_ymd,
    };

    use super::*;
    use crate::testing::{Party, failure, params};

    fn revocation_list(issuer: &Party) -> rcgen::CertificateRevocationList {
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2025, 1, 1),
            next_update: date_time_ymd(2045, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer = Issuer::from_params(&issuer.params, &issuer.key);
        params.signed_by(&issuer).unwrap()
    }

    #[test]
    fn revocation_lists_are_read_and_the_bad_one_is_named() {
        let mut params = params("issuer", true);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = Party::self_signed(params, &rcgen::PKCS_ECDSA_P256_SHA256);
        let list = revocation_list(&issuer);
        let pem = list.pem().unwrap();

        let two = RevocationLists::from_pem(format!("{pem}# next\n{pem}").as_bytes()).unwrap();
        let three = two.with_added(RevocationLists::from_der(&[list.der().as_ref()]).unwrap());
        assert_eq!((three.len(), three.is_empty()), (3, false));
        assert!(three.ders().iter().all(|der| der == list.der()));

        for either in [pem.as_bytes(), list.der().as_ref()] {
            assert_eq!(RevocationLists::from_pem_or_der(either).unwrap().len(), 1);
        }

        let cut = &list.der()[..100];
        for bad in [cut, &[], issuer.der()] {
            let lists = RevocationLists::from_der(&[list.der().as_ref(), bad]);
            let error = failure(lists, ErrorCode::InvalidRevocationList);
            assert!(error.message().contains("list 2"), "{error}");
        }
        let damaged = format!("{pem}-----BEGIN X509 CRL-----\nAA==\n");
        let error = failure(
            RevocationLists::from_pem(damaged.as_bytes()),
            ErrorCode::InvalidRevocationList,
        );
        assert!(error.message().contains("list 2"), "{error}");
        for none in [issuer.pem().as_bytes(), list.der().as_ref()] {
            failure(
                RevocationLists::from_pem(none),
                ErrorCode::InvalidRevocationList,
            );
        }
    }
}
