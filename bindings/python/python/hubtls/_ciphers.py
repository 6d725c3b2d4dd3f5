"""Cipher suites in OpenSSL's language."""

from __future__ import annotations

import ssl
from typing import Any

from ._errors import refuse
from ._hubtls import Policy


def _stdlib(cipherlist: str) -> list[dict[str, Any]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # What a distribution's security level leaves out, the policy's own suites never are.
    context.set_ciphers(cipherlist)
    return context.get_ciphers()  # type: ignore[return-value]


def named(cipherlist: str, policy: Policy) -> list[str]:
    """The suites of ``policy`` that OpenSSL's cipher list stands for, those of TLS 1.3 with them.

    UNKNOWN_SUITE, POLICY_WIDENED for a suite that the policy does not have, POLICY_EMPTY if none is left.
    """
    words = [word for part in cipherlist.split(":") for word in part.replace(",", " ").split()]
    tls13 = [name for name in policy.suites if name in policy.openssl_ciphersuites.split(":")]
    if words and all(word.upper().startswith(("TLS_", "ECDHE-", "AES", "DHE-")) and "+" not in word for word in words):
        # Names alone, and not rules: each must be one of the policy's.
        return tls13 + [name for name in policy.only_suites(words).suites if name not in tls13]
    try:
        listed = {entry["name"] for entry in _stdlib(cipherlist)}
    except ssl.SSLError:
        raise refuse(
            "UNKNOWN_SUITE",
            f"`{cipherlist}` names no cipher suite",
            f"use names of the policy: {policy.openssl_cipher_list}",
        ) from None
    names = [name for name in policy.openssl_cipher_list.split(":") if name in listed]
    if not names:
        raise refuse(
            "POLICY_EMPTY",
            f"`{cipherlist}` leaves no cipher suite of the policy",
            f"use names of the policy: {policy.openssl_cipher_list}",
        )
    return tls13 + list(policy.only_suites(names).suites)


def descriptions(policy: Policy) -> list[dict[str, Any]]:
    """What ``ssl.SSLContext.get_ciphers`` says of each suite of ``policy``, in its order."""
    names = [*policy.openssl_ciphersuites.split(":"), *policy.openssl_cipher_list.split(":")]
    known = {entry["name"]: entry for entry in _stdlib(policy.openssl_cipher_list or "ECDHE-RSA-AES128-GCM-SHA256")}
    return [known[name] for name in names if name in known]
