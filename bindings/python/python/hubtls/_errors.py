"""What hubtls raises: the exceptions of ``ssl``, with a code that is the same in every language and a hint."""

from __future__ import annotations

import ssl


class HubTlsError(Exception):
    """Every error of hubtls is one, and one of Python's own exceptions too.

    Of the configuration: a ``ValueError``. Of a connection: an ``ssl.SSLError``, ``ssl.SSLCertVerificationError`` or ``ssl.SSLEOFError``.
    """

    #: The stable name, as in ``HOST_NAME_MISMATCH``.
    code: str
    #: The stable number.
    number: int
    #: What is wrong, in a sentence.
    message: str
    #: What to do about it.
    hint: str
    #: The name of the TLS alert, if there was one.
    alert: str | None
    #: Whether the peer sent the alert.
    alert_received: bool


class HubTlsConfigError(HubTlsError, ValueError):
    """The call or the configuration has to be mended (1xx and 2xx)."""


class HubTlsSSLError(HubTlsError, ssl.SSLError):
    """A connection failed."""


class HubTlsCertificateError(HubTlsError, ssl.SSLCertVerificationError):
    """The peer's certificate is not to be trusted, or is for another name."""


class HubTlsEOFError(HubTlsError, ssl.SSLEOFError):
    """The transport ended where TLS must not."""


class HubTlsWarning(UserWarning):
    """What was asked for has no effect, or cannot be expressed."""


# OpenSSL's numbers (x509_vfy.h), as `ssl.SSLCertVerificationError.verify_code` has them.
_VERIFY_CODES = {
    "UNKNOWN_ROOT": 20,
    "HOST_NAME_MISMATCH": 62,
    "CERTIFICATE_EXPIRED": 10,
    "CERTIFICATE_NOT_YET_VALID": 9,
    "CERTIFICATE_REVOKED": 23,
    "REVOCATION_UNKNOWN": 3,
    "PIN_MISMATCH": 28,
    "ROOT_NOT_FOR_AZURE": 28,
    "CERTIFICATE_REJECTED": 1,
    # A client that retries without a name after a ValueError must not do so: it does not after this.
    "INVALID_SERVER_NAME": 62,
}

# The reasons that callers of `ssl` look for.
_REASONS = {
    "PROTOCOL_VERSION": "UNSUPPORTED_PROTOCOL",
    "NO_COMMON_SUITE": "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "NOT_TLS": "WRONG_VERSION_NUMBER",
    "WRITE_AFTER_FINISH": "PROTOCOL_IS_SHUTDOWN",
}


def make(
    code: str, number: int, message: str, hint: str, alert: str | None, alert_received: bool, of_connection: bool
) -> HubTlsError:
    """The exception for an error of core."""
    sentence = f"{message} ({hint})"
    error: HubTlsError
    if not of_connection:
        error = HubTlsConfigError(f"[{code}] {sentence}")
    elif code in _VERIFY_CODES:
        error = HubTlsCertificateError(
            int(ssl.SSL_ERROR_SSL), f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {sentence} [{code}]"
        )
        error.verify_code = _VERIFY_CODES[code]
        error.verify_message = message
        error.library, error.reason = "SSL", "CERTIFICATE_VERIFY_FAILED"
    elif code in ("TRUNCATED", "CLOSED_IN_HANDSHAKE"):
        error = HubTlsEOFError(int(ssl.SSL_ERROR_EOF), f"EOF occurred in violation of protocol: {sentence} [{code}]")
        error.library, error.reason = "SSL", "UNEXPECTED_EOF_WHILE_READING"
    else:
        reason = _REASONS.get(code, code)
        error = HubTlsSSLError(int(ssl.SSL_ERROR_SSL), f"[SSL: {reason}] {sentence} [{code}]")
        error.library, error.reason = "SSL", reason
    error.code, error.number, error.message, error.hint = code, number, message, hint
    error.alert, error.alert_received = alert, alert_received
    return error


def refuse(code: str, message: str, hint: str) -> HubTlsError:
    """An error that Python code of hubtls finds itself."""
    return make(code, _numbers()[code], message, hint, None, False, False)


def refuse_connection(code: str, message: str, hint: str) -> HubTlsError:
    """As ``refuse``, where callers expect an ``ssl.SSLError``."""
    return make(code, _numbers()[code], message, hint, None, False, True)


def _numbers() -> dict[str, int]:
    from . import _hubtls

    return dict(_hubtls.error_codes())
