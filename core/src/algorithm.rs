//! Key exchange groups and signature schemes, by IANA's numbers and names.

#[cfg(feature = "engine")]
mod verification;

use std::fmt;

use crate::lookup::{find, listed, unknown};
use crate::{Authentication, CipherSuite, ErrorCode, Result};
#[cfg(feature = "engine")]
pub(crate) use verification::VERIFICATION;

/// A group in which keys are agreed on, from IANA's registry "TLS Supported Groups".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Group {
    /// Curve25519 (RFC 7748).
    X25519 = 0x001D,
    /// NIST's P-256.
    Secp256r1 = 0x0017,
    /// NIST's P-384.
    Secp384r1 = 0x0018,
    /// X25519 with ML-KEM-768, safe against quantum computers. In no policy: the configuration opts in, since it makes the ClientHello
    /// five times as long.
    X25519MlKem768 = 0x11EC,
}

impl Group {
    /// Every group.
    pub const ALL: &'static [Self] = &[
        Self::X25519,
        Self::Secp256r1,
        Self::Secp384r1,
        Self::X25519MlKem768,
    ];

    /// The number in IANA's registry.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The group of that number in IANA's registry, if hubtls knows it.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|group| group.code() == code)
    }

    /// IANA's name.
    pub const fn name(self) -> &'static str {
        self.names()[0]
    }

    /// The group that `name` means, in any case: IANA's, OpenSSL's or GnuTLS's name, e.g. `secp256r1`, `prime256v1`, `P-256`.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownGroup`] for any other name.
    pub fn from_name(name: &str) -> Result<Self> {
        find(name, Self::ALL, |group| group.names().iter().copied()).map_err(|nearest| {
            unknown(
                ErrorCode::UnknownGroup,
                format!("{name:?} is no key exchange group that hubtls knows"),
                nearest,
                format!("the groups are {}", listed(Self::ALL)),
            )
        })
    }

    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::X25519 => &["X25519", "GROUP-X25519"],
            Self::Secp256r1 => &["secp256r1", "P-256", "prime256v1", "GROUP-SECP256R1"],
            Self::Secp384r1 => &["secp384r1", "P-384", "GROUP-SECP384R1"],
            Self::X25519MlKem768 => &["X25519MLKEM768", "GROUP-X25519-MLKEM768"],
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a certificate or a handshake may be signed, from IANA's registry "TLS SignatureScheme".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum SignatureScheme {
    /// ECDSA on P-256 with SHA-256.
    EcdsaSecp256r1Sha256 = 0x0403,
    /// ECDSA on P-384 with SHA-384.
    EcdsaSecp384r1Sha384 = 0x0503,
    /// ECDSA on P-521 with SHA-512.
    EcdsaSecp521r1Sha512 = 0x0603,
    /// Ed25519 (RFC 8032).
    Ed25519 = 0x0807,
    /// RSASSA-PSS with SHA-256.
    RsaPssRsaeSha256 = 0x0804,
    /// RSASSA-PSS with SHA-384.
    RsaPssRsaeSha384 = 0x0805,
    /// RSASSA-PSS with SHA-512.
    RsaPssRsaeSha512 = 0x0806,
    /// RSASSA-PKCS1-v1_5 with SHA-256. In TLS 1.3 for certificates alone.
    RsaPkcs1Sha256 = 0x0401,
    /// RSASSA-PKCS1-v1_5 with SHA-384. In TLS 1.3 for certificates alone.
    RsaPkcs1Sha384 = 0x0501,
    /// RSASSA-PKCS1-v1_5 with SHA-512. In TLS 1.3 for certificates alone.
    RsaPkcs1Sha512 = 0x0601,
}

impl SignatureScheme {
    /// Every scheme.
    pub const ALL: &'static [Self] = &[
        Self::EcdsaSecp256r1Sha256,
        Self::EcdsaSecp384r1Sha384,
        Self::EcdsaSecp521r1Sha512,
        Self::Ed25519,
        Self::RsaPssRsaeSha256,
        Self::RsaPssRsaeSha384,
        Self::RsaPssRsaeSha512,
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
    ];

    /// The number in IANA's registry.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The scheme of that number in IANA's registry, if hubtls knows it.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|scheme| scheme.code() == code)
    }

    /// IANA's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdsaSecp256r1Sha256 => "ecdsa_secp256r1_sha256",
            Self::EcdsaSecp384r1Sha384 => "ecdsa_secp384r1_sha384",
            Self::EcdsaSecp521r1Sha512 => "ecdsa_secp521r1_sha512",
            Self::Ed25519 => "ed25519",
            Self::RsaPssRsaeSha256 => "rsa_pss_rsae_sha256",
            Self::RsaPssRsaeSha384 => "rsa_pss_rsae_sha384",
            Self::RsaPssRsaeSha512 => "rsa_pss_rsae_sha512",
            Self::RsaPkcs1Sha256 => "rsa_pkcs1_sha256",
            Self::RsaPkcs1Sha384 => "rsa_pkcs1_sha384",
            Self::RsaPkcs1Sha512 => "rsa_pkcs1_sha512",
        }
    }

    /// The scheme that IANA calls `name`, in any case.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownSignatureScheme`] for any other name.
    pub fn from_name(name: &str) -> Result<Self> {
        find(name, Self::ALL, |scheme| [scheme.name()]).map_err(|nearest| {
            unknown(
                ErrorCode::UnknownSignatureScheme,
                format!("{name:?} is no signature scheme that hubtls knows"),
                nearest,
                format!("the schemes are {}", listed(Self::ALL)),
            )
        })
    }

    /// Whether a server may sign its handshake so when `suite` is agreed on.
    pub(crate) fn signs_for(self, suite: CipherSuite) -> bool {
        match suite.authentication() {
            Authentication::Ecdsa => !self.name().starts_with("rsa_"),
            Authentication::Rsa => self.name().starts_with("rsa_"),
            Authentication::Any => !self.name().starts_with("rsa_pkcs1_"),
        }
    }
}

impl fmt::Display for SignatureScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_schemes_are_found_by_their_codes_and_names() {
        for &group in Group::ALL {
            assert_eq!(Group::from_code(group.code()), Some(group));
            assert_eq!(Group::from_name(group.name()), Ok(group));
        }
        for &scheme in SignatureScheme::ALL {
            assert_eq!(SignatureScheme::from_code(scheme.code()), Some(scheme));
            assert_eq!(SignatureScheme::from_name(scheme.name()), Ok(scheme));
        }
        assert_eq!(Group::from_code(0x0019), None);
        assert_eq!(SignatureScheme::from_code(0x0201), None);
    }

    #[test]
    fn groups_go_by_the_names_of_other_stacks_too() {
        for name in ["P-256", "prime256v1", "SECP256R1", "group-secp256r1"] {
            assert_eq!(Group::from_name(name), Ok(Group::Secp256r1), "{name}");
        }
    }

    #[test]
    fn an_unknown_group_is_named_and_the_known_ones_are_listed() {
        let error = Group::from_name("ffdhe2048").unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnknownGroup);
        assert!(error.message().contains("ffdhe2048"), "{error}");
        assert!(
            error
                .hint()
                .ends_with("X25519, secp256r1, secp384r1 and X25519MLKEM768")
        );
    }

    #[test]
    fn an_unknown_scheme_is_named_with_the_one_that_was_meant() {
        let error = SignatureScheme::from_name("rsa_pkcs1_sha265").unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnknownSignatureScheme);
        assert_eq!(error.hint(), "did you mean rsa_pkcs1_sha256?");
    }

    #[test]
    fn tls_1_3_never_signs_its_handshake_with_pkcs1() {
        let suite = CipherSuite::from_code(0x1301).unwrap();
        let signing: Vec<_> = SignatureScheme::ALL
            .iter()
            .filter(|scheme| scheme.signs_for(suite))
            .collect();
        assert_eq!(signing.len(), 7);
        assert!(!SignatureScheme::RsaPkcs1Sha256.signs_for(suite));
    }
}
