//! Signature schemes, by IANA's numbers and names.

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
}
