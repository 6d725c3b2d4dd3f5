"""Cipher suites in OpenSSL's language."""

from __future__ import annotations

import re
import ssl

from ._errors import refuse
from ._hubtls import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _stdlib(cipherlist: str) -> list[dict[str, Any]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # What a distribution's security level leaves out, the policy's own suites never are.
    context.set_ciphers(cipherlist)
    return context.get_ciphers()  # type: ignore[return-value]


def _is_name(word: str) -> bool:
    """No rule of OpenSSL's has a hyphen within; every name of a suite has one, or IANA's form."""
    return word.upper().startswith("TLS_") or ("-" in word and word[0] not in "!-+@" and "+" not in word)


def named(cipherlist: str, policy: Policy) -> list[str]:
    """The suites of ``policy`` that OpenSSL's cipher list stands for, those of TLS 1.3 with them.

    UNKNOWN_SUITE, POLICY_WIDENED for a suite that the policy does not have, POLICY_EMPTY if none of TLS 1.2 is left.
    """
    if not isinstance(cipherlist, str):
        raise TypeError(f"the cipher list is {type(cipherlist).__name__}, not str")
    if not policy.openssl_cipher_list:
        # Of TLS 1.3 alone, whose suites a cipher list does not name.
        return list(policy.suites)
    words = re.split(r"[:,; ]+", cipherlist.strip(":,; "))
    tls13 = [name for name in policy.suites if name in policy.openssl_ciphersuites.split(":")]
    if all(map(_is_name, words)):
        # Names alone, and not rules: each must be one of the policy's.
        names = [name for name in policy.only_suites(words).suites if name not in tls13]
    else:
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
            f"`{cipherlist}` leaves no cipher suite of TLS 1.2",
            f"use names of the policy: {policy.openssl_cipher_list}",
        )
    return tls13 + list(policy.only_suites(names).suites)


def descriptions(policy: Policy) -> list[dict[str, Any]]:
    """What ``ssl.SSLContext.get_ciphers`` says of each suite of ``policy``, in its order."""
    names = [*policy.openssl_ciphersuites.split(":"), *policy.openssl_cipher_list.split(":")]
    known = {entry["name"]: entry for entry in _stdlib(policy.openssl_cipher_list or "ECDHE-RSA-AES128-GCM-SHA256")}
    return [known[name] for name in names if name in known]
