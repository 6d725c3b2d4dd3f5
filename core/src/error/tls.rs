//! The one place where errors of rustls and webpki become ours.

use rustls::{
    AlertDescription, CertificateError, InvalidMessage, PeerIncompatible, PeerMisbehaved,
};

use super::{Alert, Error, ErrorCode};

/// What was known of the handshake when it failed: the same alert means different things at different times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The handshake is not complete.
    pub(crate) handshaking: bool,
    /// The server has chosen version and suite.
    pub(crate) server_hello_seen: bool,
    /// The server has asked for a client certificate, and has not shown since that it is content.
    pub(crate) certificate_requested: bool,
    /// The configuration holds a client certificate.
    pub(crate) has_identity: bool,
}

/// Translates an error of rustls.
pub(crate) fn from_rustls(error: rustls::Error, moment: Moment) -> Error {
    use rustls::Error as Tls;
    match error {
        Tls::AlertReceived(alert) => from_alert(Alert::from_code(alert.into()), moment),
        Tls::InvalidCertificate(CertificateError::Other(other)) | Tls::Other(other) => {
            match other.0.downcast_ref::<Error>() {
                Some(ours) => ours.clone(),
                None => internal(&other),
            }
        }
        Tls::InvalidCertificate(reason) => {
            let message = format!("the peer's certificate is not acceptable: {reason}");
            Error::new(
                ErrorCode::CertificateRejected,
                message,
                "the server's certificate must be mended",
            )
            .with_alert(Some(alert_for(reason)))
        }
        Tls::NoCertificatesPresented => Error::new(
            ErrorCode::CertificateRejected,
            "the peer sent no certificate",
            "the server must be configured with a certificate",
        )
        .with_alert(sent(AlertDescription::DecodeError)),
        Tls::PeerIncompatible(reason) => from_incompatible(&reason),
        Tls::PeerMisbehaved(reason) => {
            misbehaved(format!("{reason:?}"), misbehaviour_alert(&reason))
        }
        Tls::InappropriateMessage {
            expect_types,
            got_type,
        } => misbehaved(
            format!("it sent {got_type:?} where {expect_types:?} was due"),
            sent(AlertDescription::UnexpectedMessage),
        ),
        Tls::InappropriateHandshakeMessage {
            expect_types,
            got_type,
        } => misbehaved(
            format!("it sent {got_type:?} where {expect_types:?} was due"),
            sent(AlertDescription::UnexpectedMessage),
        ),
        // Also for a wrong Finished, where the alert is decrypt_error: rustls does not tell the two apart.
        Tls::DecryptError => Error::new(
            ErrorCode::BadRecord,
            "a record from the peer did not decrypt or was changed on the way",
            "reconnect; if it happens again, something between the two ends changes the traffic",
        )
        .with_alert(sent(AlertDescription::BadRecordMac)),
        Tls::PeerSentOversizedRecord => oversized(AlertDescription::RecordOverflow),
        Tls::InvalidMessage(reason @ InvalidMessage::MessageTooLarge) => oversized(reason.into()),
        Tls::InvalidMessage(reason) => {
            misbehaved(format!("{reason:?}"), Some(message_alert(reason)))
        }
        Tls::EncryptError => record_limit(),
        Tls::FailedToGetCurrentTime => Error::new(
            ErrorCode::NoTime,
            "the time is not known, so no certificate can be checked",
            "give the configuration a clock",
        ),
        Tls::FailedToGetRandomBytes => Error::new(
            ErrorCode::NoRandomness,
            "the machine gives no random numbers",
            "check that the system's random number source works",
        ),
        Tls::HandshakeNotComplete => Error::new(
            ErrorCode::HandshakeNotComplete,
            "the handshake is not complete",
            "complete the handshake first",
        ),
        other => internal(&other),
    }
}

/// A fault that no configuration and no peer should be able to cause.
pub(crate) fn internal(what: &dyn std::fmt::Debug) -> Error {
    Error::new(
        ErrorCode::Internal,
        format!("unexpected state in the TLS engine: {what:?}"),
        "please report this with the steps that led to it",
    )
}

/// A record is longer than it may be, by its header or once decrypted.
fn oversized(alert: AlertDescription) -> Error {
    Error::new(
        ErrorCode::RecordOverflow,
        "the peer sent a record that is larger than agreed",
        "the peer breaks TLS; if it ignores the agreed fragment length, connect without one",
    )
    .with_alert(sent(alert))
}

/// The keys of the connection have protected as many records as is safe.
pub(crate) fn record_limit() -> Error {
    Error::new(
        ErrorCode::RecordLimit,
        "the connection's keys have protected as many records as they may",
        "reconnect: a new connection has new keys",
    )
}

/// An alert that ends the connection, by what it means at this moment.
pub(crate) fn from_alert(alert: Alert, moment: Moment) -> Error {
    let refused = |code, message: String, hint: &'static str| {
        Error::new(code, message, hint).with_alert_received(alert)
    };
    let without_certificate = moment.certificate_requested && !moment.has_identity;
    match alert.code() {
        70 => refused(
            ErrorCode::ProtocolVersion,
            "the server accepts no TLS version that the policy offers (alert protocol_version)".into(),
            "the server must offer TLS 1.2 or later; TLS 1.0 and 1.1 are retired",
        ),
        0 if moment.handshaking => refused(
            ErrorCode::ClosedInHandshake,
            "the server closed the connection in mid-handshake (alert close_notify)".into(),
            "the server's log tells why",
        ),
        116 if moment.has_identity => refused(
            ErrorCode::ClientCertificateRefused,
            "the server demands a client certificate and cannot use the configured one (alert certificate_required)".into(),
            "the server accepts no signature that this key can make: use a key of another kind",
        ),
        116 => client_certificate_required(alert),
        // Before TLS 1.3 there was no alert for this: OpenSSL says handshake_failure, Go bad_certificate, GnuTLS decode_error.
        40..=46 | 48 | 49 if without_certificate => client_certificate_required(alert),
        50 if without_certificate && moment.handshaking => client_certificate_required(alert),
        40 | 71 if moment.handshaking && !moment.server_hello_seen => refused(
            ErrorCode::NoCommonSuite,
            format!("the server accepts none of the offered cipher suites, groups or signature schemes (alert {alert})"),
            "compare the server's suites with the policy's (`hubtls policy show`); the server must offer a recommended one",
        ),
        40 | 42..=46 | 48 | 49 | 51 if moment.certificate_requested && moment.has_identity => refused(
            ErrorCode::ClientCertificateRefused,
            format!("the server refused the client certificate (alert {alert})"),
            "check that the certificate is valid, is for client authentication and is signed by a CA that the server trusts",
        ),
        120 => refused(
            ErrorCode::NoCommonProtocol,
            "the server speaks none of the protocols offered with ALPN (alert no_application_protocol)".into(),
            "offer a protocol that the server speaks, or none",
        ),
        112 => refused(
            ErrorCode::AlertReceived,
            "the server does not know the name it was asked for (alert unrecognized_name)".into(),
            "check the host name; a server with several names needs SNI switched on",
        ),
        _ => refused(
            ErrorCode::AlertReceived,
            format!("the server ended the connection (alert {alert})"),
            "the server's log tells why it sent this alert",
        ),
    }
}

fn client_certificate_required(alert: Alert) -> Error {
    Error::new(
        ErrorCode::ClientCertificateRequired,
        format!("the server demands a client certificate (alert {alert})"),
        "configure an identity: the device's certificate chain and its private key",
    )
    .with_alert_received(alert)
}

fn from_incompatible(reason: &PeerIncompatible) -> Error {
    use PeerIncompatible as Reason;
    match reason {
        Reason::ServerDoesNotSupportTls12Or13
        | Reason::ServerTlsVersionIsDisabledByOurConfig
        | Reason::Tls12NotOffered
        | Reason::Tls12NotOfferedOrEnabled => Error::new(
            ErrorCode::ProtocolVersion,
            "the server answered with a TLS version that the policy does not allow",
            "the server must offer TLS 1.2 or later; TLS 1.0 and 1.1 are retired",
        )
        .with_alert(sent(AlertDescription::ProtocolVersion)),
        Reason::NoCertificateRequestSignatureSchemesInCommon => Error::new(
            ErrorCode::ClientCertificateRefused,
            "the server accepts no signature that the client's key can make",
            "use a client certificate with a key of another kind",
        )
        .with_alert(sent(AlertDescription::HandshakeFailure)),
        other => Error::new(
            ErrorCode::NoCommonSuite,
            format!("the server and the policy have too little in common: {other:?}"),
            "compare what the server offers with the policy (`hubtls policy show`)",
        )
        .with_alert(sent(AlertDescription::HandshakeFailure)),
    }
}

/// The peer broke the protocol in the way that `how` names.
pub(crate) fn misbehaved(how: String, alert: Option<Alert>) -> Error {
    Error::new(
        ErrorCode::PeerMisbehaved,
        format!("the peer broke the TLS protocol: {how}"),
        "the peer's TLS library is at fault, or something between the two ends changes the traffic",
    )
    .with_alert(alert)
}

/// The alert that rustls sends for a reason to reject a certificate.
pub(crate) fn alert_for(reason: CertificateError) -> Alert {
    Alert::from_code(AlertDescription::from(reason).into())
}

fn message_alert(reason: InvalidMessage) -> Alert {
    let alert = match reason {
        InvalidMessage::InvalidKeyUpdate => AlertDescription::IllegalParameter,
        reason => reason.into(),
    };
    Alert::from_code(alert.into())
}

/// The alert that rustls sends for misbehaviour, if it sends one: `illegal_parameter` but for these.
fn misbehaviour_alert(reason: &PeerMisbehaved) -> Option<Alert> {
    use PeerMisbehaved as Reason;
    sent(match reason {
        Reason::UnsolicitedServerHelloExtension
        | Reason::UnsolicitedEncryptedExtension
        | Reason::UnsolicitedEchExtension
        | Reason::IllegalHelloRetryRequestWithInvalidEch
        | Reason::DisallowedEncryptedExtension
        | Reason::UnexpectedCleartextExtension => AlertDescription::UnsupportedExtension,
        Reason::SelectedUnofferedCipherSuite | Reason::ServerHelloMustOfferUncompressedEcPoints => {
            AlertDescription::HandshakeFailure
        }
        Reason::MissingKeyShare => AlertDescription::MissingExtension,
        Reason::SelectedUnofferedCertCompression => AlertDescription::BadCertificate,
        Reason::KeyEpochWithPendingFragment | Reason::IllegalMiddleboxChangeCipherSpec => {
            AlertDescription::UnexpectedMessage
        }
        _ => AlertDescription::IllegalParameter,
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "reads as the argument of with_alert"
)]
fn sent(alert: AlertDescription) -> Option<Alert> {
    Some(Alert::from_code(alert.into()))
}

/// The first bytes of a peer that does not speak TLS, for as much as they tell what it speaks.
pub(crate) fn not_tls(start: &[u8]) -> Error {
    let guess = match start {
        [b'H', b'T', b'T', b'P', ..] => ": it answered like a plain HTTP server",
        [0x20, 0x02, ..] => ": it answered like a plain MQTT broker",
        [b'A', b'M', b'Q', b'P', ..] => ": it answered like a plain AMQP server",
        [b'S', b'S', b'H', b'-', ..] => ": it answered like an SSH server",
        _ => "",
    };
    Error::new(
        ErrorCode::NotTls,
        format!("the peer does not speak TLS{guess}"),
        "check the port: the TLS ports of IoT Hub are 8883 (MQTT), 5671 (AMQP) and 443 (HTTPS, WebSockets)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Moment = Moment {
        handshaking: true,
        server_hello_seen: true,
        certificate_requested: true,
        has_identity: false,
    };

    fn code(alert: AlertDescription, moment: Moment) -> ErrorCode {
        let error = from_rustls(rustls::Error::AlertReceived(alert), moment);
        assert_eq!(error.alert(), sent(alert));
        error.code()
    }

    #[test]
    fn whatever_a_server_says_without_a_certificate_is_recognised() {
        for alert in [
            AlertDescription::HandshakeFailure,
            AlertDescription::NoCertificate,
            AlertDescription::BadCertificate,
            AlertDescription::CertificateUnknown,
            AlertDescription::AccessDenied,
            AlertDescription::CertificateRequired,
        ] {
            assert_eq!(
                code(alert, ASKED),
                ErrorCode::ClientCertificateRequired,
                "{alert:?}"
            );
        }
    }

    #[test]
    fn a_certificate_that_was_sent_was_refused() {
        let sent = Moment {
            has_identity: true,
            ..ASKED
        };
        for alert in [
            AlertDescription::BadCertificate,
            AlertDescription::UnknownCA,
            AlertDescription::CertificateExpired,
            AlertDescription::CertificateRequired,
        ] {
            assert_eq!(
                code(alert, sent),
                ErrorCode::ClientCertificateRefused,
                "{alert:?}"
            );
        }
    }

    #[test]
    fn once_the_server_is_content_an_alert_is_not_about_the_certificate() {
        let content = Moment {
            handshaking: false,
            certificate_requested: false,
            ..ASKED
        };
        assert_eq!(
            code(AlertDescription::HandshakeFailure, content),
            ErrorCode::AlertReceived
        );
        assert_eq!(
            code(AlertDescription::BadCertificate, content),
            ErrorCode::AlertReceived
        );
    }

    #[test]
    fn a_close_in_mid_handshake_is_one_in_words_too() {
        assert_eq!(
            code(AlertDescription::CloseNotify, ASKED),
            ErrorCode::ClosedInHandshake
        );
    }

    #[test]
    fn the_alert_for_misbehaviour_is_the_one_that_the_engine_sends() {
        for (reason, alert) in [
            (PeerMisbehaved::SelectedUnofferedCipherSuite, 40),
            (PeerMisbehaved::SelectedUnofferedCertCompression, 42),
            (PeerMisbehaved::SelectedUnofferedKxGroup, 47),
            (PeerMisbehaved::MissingKeyShare, 109),
            (PeerMisbehaved::UnsolicitedEchExtension, 110),
            (PeerMisbehaved::KeyEpochWithPendingFragment, 10),
        ] {
            let error = from_rustls(reason.clone().into(), ASKED);
            assert_eq!(error.alert().map(Alert::code), Some(alert), "{reason:?}");
        }
        let error = from_rustls(InvalidMessage::InvalidKeyUpdate.into(), ASKED);
        assert_eq!(error.alert().map(Alert::name), Some("illegal_parameter"));
    }
}
