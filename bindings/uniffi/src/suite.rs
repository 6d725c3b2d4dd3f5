//! Cipher suites.

/// A cipher suite by the names that the world has for it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CipherSuite {
    /// IANA's name: `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`.
    pub name: String,
    /// OpenSSL's name: `ECDHE-ECDSA-AES128-GCM-SHA256`.
    pub openssl: String,
    /// GnuTLS's name.
    pub gnutls: String,
    /// The name in Java's JSSE.
    pub jsse: String,
    /// The number in IANA's registry, as in Apple's `tls_ciphersuite_t`.
    pub code: i32,
    /// The TLS version that it is for: `TLSv1.2` or `TLSv1.3`.
    pub version: String,
}

impl CipherSuite {
    pub(crate) fn of(suite: hubtls::CipherSuite) -> Self {
        Self {
            name: suite.iana_name().into(),
            openssl: suite.openssl_name().into(),
            gnutls: suite.gnutls_name().into(),
            jsse: suite.jsse_name().into(),
            code: suite.code().into(),
            version: suite.version().name().into(),
        }
    }
}
