"""The setters of `hubtls.SSLContext`: none weakens it, and it takes each of the forms that `ssl` takes."""

from __future__ import annotations

import contextlib
import inspect
import ssl
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Authority
from servers import connect, stdlib_server

import hubtls

#: What each attribute of ssl.SSLContext is here. One that a later Python adds has to be judged first.
KINDS = {
    **dict.fromkeys(["check_hostname", "verify_mode", "hostname_checks_common_name"], "is fixed"),
    **dict.fromkeys(["minimum_version", "maximum_version", "options", "verify_flags"], "narrows"),
    **dict.fromkeys(["set_ciphers", "set_ecdh_curve", "sslsocket_class", "sslobject_class"], "narrows"),
    **dict.fromkeys(["load_cert_chain", "set_alpn_protocols", "keylog_filename"], "adds"),
    **dict.fromkeys(["load_verify_locations", "load_default_certs", "set_default_verify_paths"], "does nothing"),
    **dict.fromkeys(["sni_callback", "set_servername_callback", "load_dh_params"], "is for servers"),
    **dict.fromkeys(["post_handshake_auth"], "is refused"),
    **dict.fromkeys(["wrap_socket", "wrap_bio", "_wrap_socket", "_wrap_bio", "_encode_hostname"], "connects"),
    **dict.fromkeys(["cert_store_stats", "get_ca_certs", "get_ciphers", "protocol"], "reads"),
    # Of the OpenSSL context beneath, which no connection uses.
    **dict.fromkeys(["_host_flags", "_msg_callback", "_set_alpn_protocols", "num_tickets"], "is not used"),
    **dict.fromkeys(["_load_windows_store_certs", "_windows_cert_stores", "set_npn_protocols"], "is not used"),
    **dict.fromkeys(["security_level", "session_stats"], "is not used"),
}

#: Those of Python 3.13.
LATER = {"set_psk_client_callback": "is refused", "set_psk_server_callback": "is for servers"}


def test_every_attribute_of_ssl_is_known_here() -> None:
    members = {name for name in dir(ssl.SSLContext) if not (name.startswith("__") and name.endswith("__"))}
    assert members - LATER.keys() == KINDS.keys()


def test_every_attribute_that_counts_is_hubtlss_own() -> None:
    of = inspect.getattr_static
    inherited = {
        name
        for name, kind in KINDS.items()
        if kind != "is not used" and of(hubtls.SSLContext, name) is of(ssl.SSLContext, name)
    }
    assert inherited == {"wrap_socket", "wrap_bio", "protocol"}


Attempt = Callable[[Any], object]


def put(name: str, value: Any) -> Attempt:
    """Sets an attribute; a callable `value` is given the old one."""
    return lambda context: setattr(context, name, value(getattr(context, name)) if callable(value) else value)


WEAKENING: dict[str, Attempt] = {
    "check_hostname is switched off": put("check_hostname", False),
    "certificates are optional": put("verify_mode", ssl.CERT_OPTIONAL),
    "certificates are not verified": put("verify_mode", ssl.CERT_NONE),
    "verify_mode is a number": put("verify_mode", 0),
    "common names count": put("hostname_checks_common_name", True),
    "the oldest version that there is": put("minimum_version", ssl.TLSVersion.MINIMUM_SUPPORTED),
    "TLS 1.0": put("minimum_version", ssl.TLSVersion.TLSv1),
    "TLS 1.1": put("minimum_version", ssl.TLSVersion.TLSv1_1),
    "SSL 3.0": put("minimum_version", ssl.TLSVersion.SSLv3),
    "nothing above TLS 1.1": put("maximum_version", ssl.TLSVersion.TLSv1_1),
    "no options": put("options", 0),
    "compression": put("options", lambda old: old & ~ssl.OP_NO_COMPRESSION),
    "servers without secure renegotiation": put("options", lambda old: old | 0x4),
    "insecure renegotiation": put("options", lambda old: old | 0x4_0000),
    "unexpected ends are ignored": put("options", lambda old: old | 0x80),
    "every option": put("options", -1),
    "proxy certificates": put("verify_flags", lambda old: old | ssl.VerifyFlags.VERIFY_ALLOW_PROXY_CERTS),
    "partial chains": put("verify_flags", lambda old: old | 0x8_0000),
    "times are not checked": put("verify_flags", lambda old: old | 0x20_0000),
    "critical extensions are ignored": put("verify_flags", lambda old: old | 0x10),
    "a class of another kind for sockets": put("sslsocket_class", lambda old: int),
    "the standard class for sockets": put("sslsocket_class", lambda old: ssl.SSLSocket),
    "the standard class for objects": put("sslobject_class", lambda old: ssl.SSLObject),
    "another class for itself": put("__class__", lambda old: ssl.SSLContext),
    "a retired suite by OpenSSL's name": lambda context: context.set_ciphers("AES128-SHA"),
    "a retired suite by IANA's name": lambda context: context.set_ciphers("TLS_RSA_WITH_AES_128_CBC_SHA"),
    "a retired suite beside one of the policy": lambda context: context.set_ciphers(
        "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384"
    ),
    "a pre-shared key": lambda context: context.set_psk_client_callback(print),
}


@contextlib.contextmanager
def unchanged(context: hubtls.SSLContext) -> Iterator[None]:
    def state() -> list[Any]:
        names = [name for name, kind in KINDS.items() if kind in ("is fixed", "narrows")]
        values = [getattr(context, name) for name in names if not name.startswith("set_")]
        return [*values, context.config, context.get_ciphers(), context.get_ca_certs(True), context.cert_store_stats()]

    before = state()
    yield
    assert state() == before


@pytest.mark.parametrize("attempt", WEAKENING.values(), ids=WEAKENING)
def test_what_would_weaken_is_refused_and_changes_nothing(context: hubtls.SSLContext, attempt: Attempt) -> None:
    with unchanged(context), pytest.raises(hubtls.HubTlsError) as raised:
        attempt(context)
    assert raised.value.code == "POLICY_WIDENED"


@pytest.mark.parametrize("fault", ["a_wrong_host", "a_wrong_root", "an_expired_certificate", "an_old_version"])
@pytest.mark.parametrize("attempt", WEAKENING.values(), ids=WEAKENING)
def test_afterwards_a_server_is_refused_as_before(
    context: hubtls.SSLContext, attempt: Attempt, faulty: dict[str, int], fault: str
) -> None:
    with contextlib.suppress(hubtls.HubTlsError):
        attempt(context)
    with pytest.raises(ssl.SSLError):
        connect(context, faulty[fault])


@pytest.mark.parametrize(
    "attempt",
    [
        put("sni_callback", lambda old: print),
        lambda context: context.set_servername_callback(print),
        lambda context: context.load_dh_params("dh.pem"),
    ],
)
def test_what_is_for_servers_is_refused(context: hubtls.SSLContext, attempt: Attempt) -> None:
    with unchanged(context), pytest.raises(hubtls.HubTlsConfigError) as raised:
        attempt(context)
    assert raised.value.code == "INVALID_ARGUMENT"


def test_a_certificate_after_the_handshake_is_refused(context: hubtls.SSLContext) -> None:
    with unchanged(context), pytest.raises(hubtls.HubTlsConfigError) as raised:
        context.post_handshake_auth = True
    assert raised.value.code == "UNSUPPORTED_BY_ENGINE"


@pytest.mark.parametrize(
    "harmless",
    [
        put("check_hostname", True),
        put("verify_mode", ssl.CERT_REQUIRED),
        put("verify_mode", 2),
        put("hostname_checks_common_name", False),
        put("post_handshake_auth", False),
        put("sni_callback", None),
        put("minimum_version", ssl.TLSVersion.TLSv1_2),
        put("maximum_version", ssl.TLSVersion.MAXIMUM_SUPPORTED),
        put("options", lambda old: old),
        put("options", lambda old: old | ssl.OP_ALL | ssl.OP_NO_TICKET),
        put("verify_flags", lambda old: old),
        put("verify_flags", lambda old: old & ~ssl.VerifyFlags.VERIFY_X509_STRICT),
        put("keylog_filename", None),
        put("sslsocket_class", lambda old: type("Own", (old,), {})),
        put("note", "one's own"),
    ],
)
def test_what_weakens_nothing_is_allowed(context: hubtls.SSLContext, harmless: Attempt, port: int) -> None:
    harmless(context)
    connect(context, port).close()


@pytest.mark.parametrize(
    ("attempt", "kind"),
    [
        (put("minimum_version", 99), ValueError),
        (put("verify_mode", 7), ValueError),
        (put("options", "all"), TypeError),
        (lambda context: context.set_ciphers(b"ALL"), TypeError),
        (lambda context: context.set_ciphers(None), TypeError),
        (lambda context: context.set_ciphers(cipherlist="ALL"), TypeError),
        (lambda context: context.set_ecdh_curve(name="prime256v1"), TypeError),
        (lambda context: context.set_ecdh_curve(None), TypeError),
        (lambda context: context.set_alpn_protocols(7), TypeError),
        (lambda context: context.load_verify_locations(), TypeError),
        (lambda context: context.load_cert_chain(), TypeError),
    ],
)
def test_what_cannot_be_an_argument_is_refused_as_in_ssl(
    context: hubtls.SSLContext, attempt: Attempt, kind: type[Exception]
) -> None:
    for each in (context, ssl.create_default_context()):
        with pytest.raises(kind):
            attempt(each)


# Roots.

ROOTS: dict[str, Callable[[Any, Path], None]] = {
    "by position": lambda context, path: context.load_verify_locations(str(path)),
    "by cafile": lambda context, path: context.load_verify_locations(cafile=path),
    "by capath": lambda context, path: context.load_verify_locations(capath=path.parent),
    "by cadata": lambda context, path: context.load_verify_locations(cadata=path.read_text()),
    "by cadata's position": lambda context, path: context.load_verify_locations(None, None, path.read_text()),
    "from the system": lambda context, _: context.load_default_certs(),
    "from the system for a purpose": lambda context, _: context.load_default_certs(ssl.Purpose.SERVER_AUTH),
    "from OpenSSL's paths": lambda context, _: context.set_default_verify_paths(),
}


@pytest.mark.parametrize("load", ROOTS.values(), ids=ROOTS)
def test_loaded_roots_are_not_trusted(context: hubtls.SSLContext, load: Any, rsa_authority: Authority) -> None:
    with unchanged(context), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        load(context, rsa_authority.path)
    with stdlib_server(rsa_authority.server_context()) as port, pytest.raises(ssl.SSLCertVerificationError):
        connect(context, port)


@pytest.mark.parametrize("load", ROOTS.values(), ids=ROOTS)
def test_whoever_loads_roots_is_told_that_it_does_nothing(
    context: hubtls.SSLContext, load: Any, authority: Authority
) -> None:
    with pytest.warns(hubtls.HubTlsWarning, match="roots are the policy's") as told:
        load(context, authority.path)
    assert told[0].filename == __file__


@pytest.mark.parametrize("library", ["urllib3.connection", "requests.adapters", "httpx", "pip._vendor.urllib3.util"])
@pytest.mark.parametrize(
    "call", ["load_default_certs()", "load_verify_locations(cadata='')", "set_default_verify_paths()"]
)
def test_a_library_for_http_is_not_told(context: hubtls.SSLContext, library: str, call: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(f"context.{call}", {"__name__": library, "context": context})
