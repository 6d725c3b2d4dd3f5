//! Every way in which hubtls says no.
//!
//! One list of codes serves all languages: the number and the upper-case name of a code are the same everywhere and never change. Codes
//! stand in hundreds by what the caller can do: 1xx fix the call, 2xx fix the configuration, 3xx the peer is not to be trusted or does not
//! speak what the policy demands, 4xx the transport failed (try again), 9xx a fault of hubtls or of the machine.

use std::borrow::Cow;
use std::fmt;

#[cfg(test)]
mod tests;
#[cfg(feature = "engine")]
pub(crate) mod tls;

macro_rules! error_codes {
    ($($(#[$doc:meta])+ $variant:ident = $number:literal, $name:literal;)+) => {
        /// What went wrong, for programs. Numbers and names are append-only and never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum ErrorCode {
            $($(#[$doc])+ $variant = $number,)+
        }

        impl ErrorCode {
            /// Every code, by ascending number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable upper-case name, the same in every language.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

error_codes! {
    /// An argument of the call is outside its documented range.
    InvalidArgument = 101, "INVALID_ARGUMENT";
    /// The handshake has not finished, and the call needs that.
    HandshakeNotComplete = 102, "HANDSHAKE_NOT_COMPLETE";
    /// Data was written after `finish`.
    WriteAfterFinish = 103, "WRITE_AFTER_FINISH";
    /// The name to verify is neither a DNS name nor an IP address.
    InvalidServerName = 104, "INVALID_SERVER_NAME";
    /// Another call uses the object: from another thread, or the call came from a callback of the object's own.
    InUse = 105, "IN_USE";

    /// There is no policy of that name.
    UnknownPolicy = 201, "UNKNOWN_POLICY";
    /// There is no cipher suite of that name.
    UnknownSuite = 202, "UNKNOWN_SUITE";
    /// There is no key exchange group of that name, or the policy cannot use it.
    UnknownGroup = 203, "UNKNOWN_GROUP";
    /// The name is of no TLS version.
    UnknownVersion = 204, "UNKNOWN_VERSION";
    /// The change would widen the policy: a retired suite, TLS 1.1 or older, or something that the policy does not hold.
    PolicyWidened = 205, "POLICY_WIDENED";
    /// Nothing that could be offered is left of the policy.
    PolicyEmpty = 206, "POLICY_EMPTY";
    /// A policy document is not valid: JSON syntax, an unknown field or a wrong value.
    InvalidPolicyDocument = 207, "INVALID_POLICY_DOCUMENT";
    /// A maximum fragment length is not one of 512, 1024, 2048 and 4096 (RFC 6066, section 4).
    InvalidFragmentLength = 208, "INVALID_FRAGMENT_LENGTH";
    /// The engine cannot do what the policy asks for.
    UnsupportedByEngine = 209, "UNSUPPORTED_BY_ENGINE";
    /// There is no signature scheme of that name.
    UnknownSignatureScheme = 210, "UNKNOWN_SIGNATURE_SCHEME";
    /// A certificate cannot be read.
    InvalidCertificate = 221, "INVALID_CERTIFICATE";
    /// There is no certificate where at least one is needed.
    NoCertificate = 222, "NO_CERTIFICATE";
    /// A certificate given as a trusted root is not that of a certificate authority.
    NotACertificateAuthority = 223, "NOT_A_CERTIFICATE_AUTHORITY";
    /// A pin names something other than a root.
    PinNotRoot = 224, "PIN_NOT_ROOT";
    /// A pin cannot be read.
    InvalidPin = 225, "INVALID_PIN";
    /// A certificate revocation list cannot be read.
    InvalidRevocationList = 226, "INVALID_REVOCATION_LIST";
    /// A private key cannot be read.
    InvalidKey = 241, "INVALID_KEY";
    /// A private key is of a kind or size that cannot be used.
    UnsupportedKeyType = 242, "UNSUPPORTED_KEY_TYPE";
    /// The private key belongs to another certificate.
    KeyMismatch = 243, "KEY_MISMATCH";
    /// The key or the PKCS#12 file is encrypted and no passphrase was given.
    PassphraseRequired = 244, "PASSPHRASE_REQUIRED";
    /// The passphrase is wrong.
    WrongPassphrase = 245, "WRONG_PASSPHRASE";
    /// A PKCS#12 file cannot be read.
    InvalidPkcs12 = 246, "INVALID_PKCS12";
    /// The client's certificate chain holds no certificate.
    EmptyChain = 247, "EMPTY_CHAIN";
    /// The client's certificate chain is not in order: each certificate must be followed by its issuer's.
    ChainOutOfOrder = 248, "CHAIN_OUT_OF_ORDER";
    /// The client's certificate has expired.
    IdentityExpired = 249, "IDENTITY_EXPIRED";
    /// The client's certificate is not valid yet.
    IdentityNotYetValid = 250, "IDENTITY_NOT_YET_VALID";
    /// The external signer failed, or what it returned is not a signature by the certificate's key.
    SignerFailed = 251, "SIGNER_FAILED";
    /// A protocol name for ALPN is empty or longer than 255 bytes (RFC 7301), or all together are too long.
    InvalidAlpn = 261, "INVALID_ALPN";
    /// No root is trusted, or a pin leaves none.
    NoRoots = 262, "NO_ROOTS";

    /// The peer's chain ends in no trusted root.
    UnknownRoot = 301, "UNKNOWN_ROOT";
    /// The peer's certificate is for other names.
    HostNameMismatch = 302, "HOST_NAME_MISMATCH";
    /// A certificate of the peer has expired.
    CertificateExpired = 303, "CERTIFICATE_EXPIRED";
    /// A certificate of the peer is not valid yet.
    CertificateNotYetValid = 304, "CERTIFICATE_NOT_YET_VALID";
    /// A certificate of the peer has been revoked.
    CertificateRevoked = 305, "CERTIFICATE_REVOKED";
    /// Whether a certificate of the peer has been revoked is not known, or the list that would tell has expired.
    RevocationUnknown = 306, "REVOCATION_UNKNOWN";
    /// The peer's chain ends in a trusted root that no pin names.
    PinMismatch = 307, "PIN_MISMATCH";
    /// An added private root vouched for a name of Azure's.
    RootNotForAzure = 308, "ROOT_NOT_FOR_AZURE";
    /// A certificate of the peer is malformed, badly signed or not meant for a server.
    CertificateRejected = 309, "CERTIFICATE_REJECTED";
    /// The peer offers no TLS version that the policy allows.
    ProtocolVersion = 321, "PROTOCOL_VERSION";
    /// The peer and the policy have no cipher suite, group or signature scheme in common.
    NoCommonSuite = 322, "NO_COMMON_SUITE";
    /// The peer demands a client certificate and none was configured.
    ClientCertificateRequired = 323, "CLIENT_CERTIFICATE_REQUIRED";
    /// The peer refused the client certificate.
    ClientCertificateRefused = 324, "CLIENT_CERTIFICATE_REFUSED";
    /// The peer speaks none of the protocols offered with ALPN.
    NoCommonProtocol = 325, "NO_COMMON_PROTOCOL";
    /// The peer does not speak TLS.
    NotTls = 326, "NOT_TLS";
    /// The peer did not agree to the fragment length that the policy requires.
    FragmentLengthRefused = 327, "FRAGMENT_LENGTH_REFUSED";
    /// The peer broke the TLS protocol.
    PeerMisbehaved = 341, "PEER_MISBEHAVED";
    /// A record did not decrypt or its authentication failed.
    BadRecord = 342, "BAD_RECORD";
    /// A record is larger than agreed.
    RecordOverflow = 343, "RECORD_OVERFLOW";
    /// The peer ended the connection with a fatal alert.
    AlertReceived = 344, "ALERT_RECEIVED";

    /// The peer closed the transport in mid-handshake.
    ClosedInHandshake = 401, "CLOSED_IN_HANDSHAKE";
    /// The transport ended without close_notify: data may be missing.
    Truncated = 402, "TRUNCATED";
    /// The peer did not answer in time.
    Timeout = 403, "TIMEOUT";
    /// The transport failed.
    Io = 404, "IO";
    /// A key has protected as many records as it may: reconnect.
    RecordLimit = 405, "RECORD_LIMIT";
    /// The address cannot be resolved or reached.
    Unreachable = 406, "UNREACHABLE";

    /// A fault of hubtls.
    Internal = 901, "INTERNAL";
    /// The machine gives no random numbers.
    NoRandomness = 902, "NO_RANDOMNESS";
    /// The time is not known.
    NoTime = 903, "NO_TIME";
}

impl ErrorCode {
    /// The stable number, the same in every language.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Whether the same attempt may succeed later without any change (4xx).
    pub const fn is_transient(self) -> bool {
        self.number() / 100 == 4
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A TLS alert by its number in IANA's registry "TLS Alerts" (RFC 8446, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Alert(u8);

impl Alert {
    /// The alert of that number.
    pub const fn from_code(code: u8) -> Self {
        Self(code)
    }

    /// The number in IANA's registry.
    pub const fn code(self) -> u8 {
        self.0
    }

    /// The registry's name in lower case, or `unknown`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            21 => "decryption_failed",
            22 => "record_overflow",
            30 => "decompression_failure",
            40 => "handshake_failure",
            41 => "no_certificate",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            60 => "export_restriction",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            111 => "certificate_unobtainable",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            114 => "bad_certificate_hash_value",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            120 => "no_application_protocol",
            121 => "ech_required",
            _ => "unknown",
        }
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            "unknown" => write!(f, "alert {}", self.0),
            name => f.write_str(name),
        }
    }
}

/// A code for programs, a sentence and a hint for people, and the TLS alert if one was sent or received.
///
/// Holds no key and no plaintext. Displays as the sentence followed by the hint.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Fields>);

#[derive(Clone, PartialEq, Eq)]
struct Fields {
    code: ErrorCode,
    message: Cow<'static, str>,
    hint: Cow<'static, str>,
    alert: Option<Alert>,
    alert_received: bool,
}

impl Error {
    /// An error of `code`: `message` says what is wrong, `hint` what to do about it.
    pub fn new(
        code: ErrorCode,
        message: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Fields {
            code,
            message: message.into(),
            hint: hint.into(),
            alert: None,
            alert_received: false,
        }))
    }

    /// The same error with the TLS alert that was sent to the peer, if any.
    #[must_use]
    pub fn with_alert(mut self, alert: Option<Alert>) -> Self {
        self.0.alert = alert;
        self.0.alert_received = false;
        self
    }

    /// The same error with the TLS alert that the peer sent.
    #[must_use]
    pub fn with_alert_received(mut self, alert: Alert) -> Self {
        self.0.alert = Some(alert);
        self.0.alert_received = true;
        self
    }

    /// The same error, its sentence beginning with what it is about: a file, say.
    ///
    /// ```
    /// let error = hubtls::Roots::from_pem(b"").unwrap_err().within("roots.pem");
    /// assert_eq!(error.message(), "roots.pem: there is no certificate to trust");
    /// ```
    #[must_use]
    pub fn within(mut self, what: impl fmt::Display) -> Self {
        self.0.message = format!("{what}: {}", self.0.message).into();
        self
    }

    /// What went wrong, for programs.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What went wrong, in a sentence.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it, in a sentence.
    pub fn hint(&self) -> &str {
        &self.0.hint
    }

    /// The TLS alert that was sent to the peer or received from it, if any.
    pub fn alert(&self) -> Option<Alert> {
        self.0.alert
    }

    /// Whether the [`alert`](Self::alert) came from the peer: it refused, not this side.
    pub fn alert_received(&self) -> bool {
        self.0.alert_received
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message(), self.hint())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.code().name())
    }
}

impl std::error::Error for Error {}

/// Short for a result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
