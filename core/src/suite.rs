//! TLS versions and the table of cipher suites: IANA's numbers and names, what other stacks call them, and what IoT Hub thinks of them.

use std::fmt;

use crate::lookup::{find, unknown};
use crate::{Error, ErrorCode, Result};

/// A version of TLS that IoT Hub accepts: 1.2 "or later".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum Version {
    /// TLS 1.2 (RFC 5246).
    Tls12 = 0x0303,
    /// TLS 1.3 (RFC 8446).
    Tls13 = 0x0304,
}

impl Version {
    /// Every version, newest first.
    pub const ALL: &'static [Self] = &[Self::Tls13, Self::Tls12];

    /// The number on the wire.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The version of that number on the wire, if IoT Hub accepts it.
    pub const fn from_code(code: u16) -> Option<Self> {
        match code {
            0x0303 => Some(Self::Tls12),
            0x0304 => Some(Self::Tls13),
            _ => None,
        }
    }

    /// `TLSv1.2` or `TLSv1.3`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }

    /// The version that `name` means in any usual spelling: `TLSv1.2`, `1.2`, `tls1.2`, `TLS 1.2`, `TLSv1_2`, `Tls12`.
    ///
    /// # Errors
    /// [`ErrorCode::PolicyWidened`] for TLS 1.0, TLS 1.1 and SSL, [`ErrorCode::UnknownVersion`] for anything else.
    pub fn from_name(name: &str) -> Result<Self> {
        let mut plain = name.to_ascii_lowercase();
        plain.retain(|c| !matches!(c, ' ' | '.' | '_' | '-'));
        let number = plain.strip_prefix("tls").unwrap_or(&plain);
        match number.strip_prefix('v').unwrap_or(number) {
            "12" => Ok(Self::Tls12),
            "13" => Ok(Self::Tls13),
            "1" | "10" | "11" | "ssl" | "sslv2" | "sslv3" | "ssl2" | "ssl3" | "sslv23" => {
                Err(Error::new(
                    ErrorCode::PolicyWidened,
                    format!(
                        "{name:?} is older than TLS 1.2: IoT Hub retired such versions on 2025-08-31"
                    ),
                    "use TLSv1.2, or TLSv1.3 where the service has it",
                ))
            }
            _ => Err(Error::new(
                ErrorCode::UnknownVersion,
                format!("{name:?} is no TLS version"),
                "the versions are TLSv1.3 and TLSv1.2",
            )),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a cipher suite agrees on keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyExchange {
    /// Ephemeral Diffie-Hellman on an elliptic curve.
    Ecdhe,
    /// Ephemeral Diffie-Hellman in a finite field.
    Dhe,
    /// The client encrypts the secret to the server's RSA key: no forward secrecy.
    Rsa,
    /// As the extensions of TLS 1.3 agree, not the suite.
    Tls13,
}

/// The kind of key by which the server proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Authentication {
    /// An ECDSA (or EdDSA: RFC 8422, section 2.2) key.
    Ecdsa,
    /// An RSA key.
    Rsa,
    /// Either: the suites of TLS 1.3 do not say.
    Any,
}

/// How a cipher suite uses AES.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Galois/counter mode, which authenticates as it encrypts.
    Gcm,
    /// Cipher block chaining with a separate HMAC.
    Cbc,
}

/// What IoT Hub thinks of a cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strength {
    /// Strong: a hub that enforces TLS 1.2 accepts it.
    Recommended,
    /// Weak: retired on 2025-08-31. Known here by name so that it can be reported; no policy offers it.
    Retired,
}

/// One of the twenty cipher suites that matter to IoT Hub: eight recommended and ten retired ones of TLS 1.2, two of TLS 1.3.
///
/// ```
/// use hubtls::{CipherSuite, Strength};
/// let suite = CipherSuite::from_name("ecdhe-ecdsa-aes128-gcm-sha256")?;
/// assert_eq!(suite.iana_name(), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
/// assert_eq!((suite.code(), suite.strength()), (0xC02B, Strength::Recommended));
///
/// let error = CipherSuite::from_name("ECDHE-ECDSA-AES128-GMC-SHA256").unwrap_err();
/// assert_eq!(error.hint(), "did you mean ECDHE-ECDSA-AES128-GCM-SHA256?");
/// # Ok::<(), hubtls::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CipherSuite(&'static Row);

#[derive(PartialEq, Eq, Hash)]
struct Row {
    code: u16,
    /// IANA's, OpenSSL's and GnuTLS's.
    names: [&'static str; 3],
    version: Version,
    key_exchange: KeyExchange,
    authentication: Authentication,
    mode: Mode,
    strength: Strength,
}

macro_rules! suites {
    ($($code:literal $iana:literal $openssl:literal $gnutls:literal
       $version:ident $key_exchange:ident $authentication:ident $mode:ident $strength:ident;)+) => {
        &[$(CipherSuite(&Row {
            code: $code,
            names: [$iana, $openssl, $gnutls],
            version: Version::$version,
            key_exchange: KeyExchange::$key_exchange,
            authentication: Authentication::$authentication,
            mode: Mode::$mode,
            strength: Strength::$strength,
        }),)+]
    };
}

/// Recommended before retired, so that of two equally near names the recommended one is suggested.
const ALL: &[CipherSuite] = suites! {
    0x1301 "TLS_AES_128_GCM_SHA256"                  "TLS_AES_128_GCM_SHA256"        "TLS_AES_128_GCM_SHA256"             Tls13 Tls13 Any   Gcm Recommended;
    0x1302 "TLS_AES_256_GCM_SHA384"                  "TLS_AES_256_GCM_SHA384"        "TLS_AES_256_GCM_SHA384"             Tls13 Tls13 Any   Gcm Recommended;
    0xC02B "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" "ECDHE-ECDSA-AES128-GCM-SHA256" "TLS_ECDHE_ECDSA_AES_128_GCM_SHA256" Tls12 Ecdhe Ecdsa Gcm Recommended;
    0xC02C "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" "ECDHE-ECDSA-AES256-GCM-SHA384" "TLS_ECDHE_ECDSA_AES_256_GCM_SHA384" Tls12 Ecdhe Ecdsa Gcm Recommended;
    0xC02F "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"   "ECDHE-RSA-AES128-GCM-SHA256"   "TLS_ECDHE_RSA_AES_128_GCM_SHA256"   Tls12 Ecdhe Rsa   Gcm Recommended;
    0xC030 "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"   "ECDHE-RSA-AES256-GCM-SHA384"   "TLS_ECDHE_RSA_AES_256_GCM_SHA384"   Tls12 Ecdhe Rsa   Gcm Recommended;
    0xC023 "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256" "ECDHE-ECDSA-AES128-SHA256"     "TLS_ECDHE_ECDSA_AES_128_CBC_SHA256" Tls12 Ecdhe Ecdsa Cbc Recommended;
    0xC024 "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384" "ECDHE-ECDSA-AES256-SHA384"     "TLS_ECDHE_ECDSA_AES_256_CBC_SHA384" Tls12 Ecdhe Ecdsa Cbc Recommended;
    0xC027 "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"   "ECDHE-RSA-AES128-SHA256"       "TLS_ECDHE_RSA_AES_128_CBC_SHA256"   Tls12 Ecdhe Rsa   Cbc Recommended;
    0xC028 "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"   "ECDHE-RSA-AES256-SHA384"       "TLS_ECDHE_RSA_AES_256_CBC_SHA384"   Tls12 Ecdhe Rsa   Cbc Recommended;
    0x009F "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"     "DHE-RSA-AES256-GCM-SHA384"     "TLS_DHE_RSA_AES_256_GCM_SHA384"     Tls12 Dhe   Rsa   Gcm Retired;
    0x009E "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"     "DHE-RSA-AES128-GCM-SHA256"     "TLS_DHE_RSA_AES_128_GCM_SHA256"     Tls12 Dhe   Rsa   Gcm Retired;
    0x009D "TLS_RSA_WITH_AES_256_GCM_SHA384"         "AES256-GCM-SHA384"             "TLS_RSA_AES_256_GCM_SHA384"         Tls12 Rsa   Rsa   Gcm Retired;
    0x009C "TLS_RSA_WITH_AES_128_GCM_SHA256"         "AES128-GCM-SHA256"             "TLS_RSA_AES_128_GCM_SHA256"         Tls12 Rsa   Rsa   Gcm Retired;
    0x003D "TLS_RSA_WITH_AES_256_CBC_SHA256"         "AES256-SHA256"                 "TLS_RSA_AES_256_CBC_SHA256"         Tls12 Rsa   Rsa   Cbc Retired;
    0x003C "TLS_RSA_WITH_AES_128_CBC_SHA256"         "AES128-SHA256"                 "TLS_RSA_AES_128_CBC_SHA256"         Tls12 Rsa   Rsa   Cbc Retired;
    0xC013 "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"      "ECDHE-RSA-AES128-SHA"          "TLS_ECDHE_RSA_AES_128_CBC_SHA1"     Tls12 Ecdhe Rsa   Cbc Retired;
    0xC014 "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"      "ECDHE-RSA-AES256-SHA"          "TLS_ECDHE_RSA_AES_256_CBC_SHA1"     Tls12 Ecdhe Rsa   Cbc Retired;
    0x002F "TLS_RSA_WITH_AES_128_CBC_SHA"            "AES128-SHA"                    "TLS_RSA_AES_128_CBC_SHA1"           Tls12 Rsa   Rsa   Cbc Retired;
    0x0035 "TLS_RSA_WITH_AES_256_CBC_SHA"            "AES256-SHA"                    "TLS_RSA_AES_256_CBC_SHA1"           Tls12 Rsa   Rsa   Cbc Retired;
};

impl CipherSuite {
    /// The twenty suites, the recommended ones first.
    pub const fn all() -> &'static [Self] {
        ALL
    }

    /// The suite of that number in IANA's registry "TLS Cipher Suites", if it is one of the twenty.
    pub const fn from_code(code: u16) -> Option<Self> {
        let mut rest = ALL;
        while let [suite, tail @ ..] = rest {
            if suite.code() == code {
                return Some(*suite);
            }
            rest = tail;
        }
        None
    }

    /// The suite that IANA, OpenSSL, GnuTLS or JSSE call `name`, in any case and with `-` or `_`, or whose number it is (`0xC02B`, or
    /// `0xC0,0x2B` as OpenSSL and GnuTLS print it).
    ///
    /// Knows the retired suites too: they have names, but no policy takes them.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownSuite`] for any other name; the hint names a suite that is spelt much like it.
    pub fn from_name(name: &str) -> Result<Self> {
        if let Some(suite) = code_in(name).and_then(Self::from_code) {
            return Ok(suite);
        }
        find(name, ALL, |suite| suite.0.names).map_err(|nearest| {
            let message = format!("{name:?} is no cipher suite of IoT Hub's, neither recommended nor retired");
            let retired = |name: &&str| Self::from_name(name).is_ok_and(|suite| suite.strength() == Strength::Retired);
            match nearest.filter(retired) {
                Some(name) => Error::new(
                    ErrorCode::UnknownSuite,
                    message,
                    format!("did you mean {name}? IoT Hub retired that one on 2025-08-31"),
                ),
                None => unknown(
                    ErrorCode::UnknownSuite,
                    message,
                    nearest,
                    "use ECDHE with ECDSA or RSA and AES in GCM or CBC with SHA-2, e.g. TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                ),
            }
        })
    }

    /// The number in IANA's registry "TLS Cipher Suites".
    pub const fn code(self) -> u16 {
        self.0.code
    }

    /// IANA's name, e.g. `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`.
    pub const fn iana_name(self) -> &'static str {
        self.0.names[0]
    }

    /// OpenSSL's name, e.g. `ECDHE-ECDSA-AES128-GCM-SHA256`.
    pub const fn openssl_name(self) -> &'static str {
        self.0.names[1]
    }

    /// GnuTLS's name, e.g. `TLS_ECDHE_ECDSA_AES_128_GCM_SHA256`.
    pub const fn gnutls_name(self) -> &'static str {
        self.0.names[2]
    }

    /// The name in Java's JSSE, which for these suites is IANA's.
    pub const fn jsse_name(self) -> &'static str {
        self.iana_name()
    }

    /// The version of TLS that it is offered for. (The suites with plain `SHA` are older than TLS 1.2, but hubtls knows nothing older.)
    pub const fn version(self) -> Version {
        self.0.version
    }

    /// How keys are agreed on.
    pub const fn key_exchange(self) -> KeyExchange {
        self.0.key_exchange
    }

    /// The kind of key that the server must have.
    pub const fn authentication(self) -> Authentication {
        self.0.authentication
    }

    /// How AES is used.
    pub const fn mode(self) -> Mode {
        self.0.mode
    }

    /// Whether IoT Hub recommends it or has retired it.
    pub const fn strength(self) -> Strength {
        self.0.strength
    }
}

/// `0xC02B` or `0xC0,0x2B`.
fn code_in(name: &str) -> Option<u16> {
    let digits = name.trim().to_ascii_lowercase().replace(", ", ",");
    let digits = digits.strip_prefix("0x")?.replacen(",0x", "", 1);
    if digits.len() != 4 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(&digits, 16).ok()
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.iana_name())
    }
}

impl fmt::Debug for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.iana_name())
    }
}

#[cfg(test)]
mod tests;
