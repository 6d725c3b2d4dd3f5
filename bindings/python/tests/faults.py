"""Servers that a client must refuse, and what it must say of them."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from servers import openssl_server, stdlib_server


@dataclass(frozen=True)
class Fault:
    """What it is called by hubtls, and by OpenSSL if it is the certificate's."""

    code: str
    verify_code: int | None = None


FAULTS = {
    "a_wrong_host": Fault("HOST_NAME_MISMATCH", 62),
    "a_wrong_root": Fault("UNKNOWN_ROOT", 20),
    "an_expired_certificate": Fault("CERTIFICATE_EXPIRED", 10),
    "an_old_version": Fault("PROTOCOL_VERSION"),
}


@contextlib.contextmanager
def faulty_servers(authority: Any, directory: Path) -> Iterator[dict[str, int]]:
    """The port of a server for `localhost` with each of FAULTS, to a client that trusts `authority`."""
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA(key_type=trustme.KeyType.ECDSA).issue_cert("localhost").configure_cert(stranger)
    contexts = {
        "a_wrong_host": authority.server_context("other.test"),
        "a_wrong_root": stranger,
        "an_expired_certificate": authority.server_context(expired=True),
    }
    chain, key = authority.files(authority.issue("localhost"))
    with contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(stdlib_server(context)) for name, context in contexts.items()}
        ports["an_old_version"] = stack.enter_context(
            openssl_server("-cert", chain, "-key", key, "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0")
        )
        yield ports


def causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it came from, however a library has wrapped it."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, getattr(one, "reason", None), *one.args, one.__context__]
        waiting += getattr(one, "exceptions", [])


def tls_error(error: BaseException) -> Any:
    """The `ssl.SSLError` that `error` is, or came from, and not a library's own."""
    own = ("ssl", "hubtls")
    return next(one for one in causes(error) if isinstance(one, ssl.SSLError) and type(one).__module__.startswith(own))


def says(error: BaseException, name: str) -> bool:
    """Whether `error` tells of this fault as `ssl` does, and with hubtls's code too if it is hubtls's."""
    told, fault = tls_error(error), FAULTS[name]
    assert getattr(told, "code", fault.code) == fault.code
    if fault.verify_code is None:
        return "PROTOCOL_VERSION" in told.reason or told.reason == "UNSUPPORTED_PROTOCOL"
    assert isinstance(told, ssl.SSLCertVerificationError)
    return told.verify_code == fault.verify_code and "CERTIFICATE_VERIFY_FAILED" in str(told)
