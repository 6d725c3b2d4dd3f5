"""The setters of `hubtls.native_context`: none weakens it, and what narrows it does so for every name."""

from __future__ import annotations

import contextlib
import ssl
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Authority
from servers import connect, openssl_server, stdlib_server

import hubtls

#: What each attribute of ssl.SSLContext is here. One that a later Python adds has to be judged first.
KINDS = {
    **dict.fromkeys(["check_hostname", "verify_mode", "hostname_checks_common_name", "_host_flags"], "is fixed"),
    **dict.fromkeys(["minimum_version", "maximum_version", "options", "verify_flags"], "narrows"),
    **dict.fromkeys(["set_ciphers", "set_ecdh_curve"], "narrows"),
    **dict.fromkeys(["load_cert_chain", "set_alpn_protocols", "_set_alpn_protocols", "keylog_filename"], "adds"),
    **dict.fromkeys(["post_handshake_auth", "_msg_callback"], "adds"),
    **dict.fromkeys(["load_verify_locations", "load_default_certs", "set_default_verify_paths"], "does nothing"),
    **dict.fromkeys(["_load_windows_store_certs", "_windows_cert_stores"], "does nothing"),
    **dict.fromkeys(["sni_callback", "set_servername_callback", "num_tickets", "load_dh_params"], "is for servers"),
    **dict.fromkeys(["set_npn_protocols", "set_psk_server_callback"], "is for servers"),
    **dict.fromkeys(["set_psk_client_callback"], "is refused"),
    **dict.fromkeys(["wrap_socket", "wrap_bio", "_wrap_socket", "_wrap_bio", "_encode_hostname"], "connects"),
    **dict.fromkeys(["sslsocket_class", "sslobject_class"], "narrows"),
    **dict.fromkeys(["cert_store_stats", "get_ca_certs", "get_ciphers", "session_stats"], "reads"),
    **dict.fromkeys(["protocol", "security_level"], "reads"),
}


def members(kind: type) -> set[str]:
    return {name for name in dir(kind) if not (name.startswith("__") and name.endswith("__"))}


def test_every_attribute_of_ssl_is_known_here() -> None:
    assert members(ssl.SSLContext) - {"set_psk_client_callback", "set_psk_server_callback"} == set(KINDS) - {
        "set_psk_client_callback",
        "set_psk_server_callback",
    }


Attempt = Callable[[Any, Path], object]


def put(name: str, value: Any) -> Attempt:
    """Sets an attribute; a callable `value` is given the old one."""
    return lambda context, _: setattr(context, name, value(getattr(context, name)) if callable(value) else value)


WEAKENING: dict[str, Attempt] = {
    "check_hostname is switched off": put("check_hostname", False),
    "check_hostname is None": put("check_hostname", None),
    "certificates are optional": put("verify_mode", ssl.CERT_OPTIONAL),
    "certificates are not verified": put("verify_mode", ssl.CERT_NONE),
    "verify_mode is a number": put("verify_mode", 0),
    "common names count": put("hostname_checks_common_name", True),
    "host flags are cleared": put("_host_flags", 0),
    "wildcards stand for many labels": put("_host_flags", lambda old: old | 8),
    "the oldest version that there is": put("minimum_version", ssl.TLSVersion.MINIMUM_SUPPORTED),
    "TLS 1.0": put("minimum_version", ssl.TLSVersion.TLSv1),
    "TLS 1.1": put("minimum_version", ssl.TLSVersion.TLSv1_1),
    "SSL 3.0": put("minimum_version", ssl.TLSVersion.SSLv3),
    "nothing above TLS 1.1": put("maximum_version", ssl.TLSVersion.TLSv1_1),
    "the newest version is the oldest": put("maximum_version", ssl.TLSVersion.MINIMUM_SUPPORTED),
    "no options": put("options", 0),
    "compression": put("options", lambda old: old & ~ssl.OP_NO_COMPRESSION),
    "servers without secure renegotiation": put("options", lambda old: old | 0x4),
    "insecure renegotiation": put("options", lambda old: old | 0x4_0000),
    "unexpected ends are ignored": put("options", lambda old: old | 0x80),
    "resumption without Diffie-Hellman": put("options", lambda old: old | 0x400),
    "no extended master secret": put("options", lambda old: old | 0x1),
    "no encrypt-then-MAC": put("options", lambda old: old | 0x8_0000),
    "every option": put("options", -1),
    "proxy certificates": put("verify_flags", lambda old: old | ssl.VerifyFlags.VERIFY_ALLOW_PROXY_CERTS),
    "partial chains": put("verify_flags", lambda old: old | 0x8_0000),
    "times are not checked": put("verify_flags", lambda old: old | 0x20_0000),
    "critical extensions are ignored": put("verify_flags", lambda old: old | 0x10),
    "another time": put("verify_flags", lambda old: old | 0x2),
    "a class of another kind for sockets": put("sslsocket_class", lambda old: int),
    "the standard class for sockets": put("sslsocket_class", lambda old: ssl.SSLSocket),
    "the standard class for objects": put("sslobject_class", lambda old: ssl.SSLObject),
    "another class for itself": put("__class__", lambda old: ssl.SSLContext),
    "another method": put("_wrap_socket", lambda old: print),
    "a private part": put("_for_azure", lambda old: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)),
    "all suites": lambda context, _: context.set_ciphers("AES128-SHA:AES256-SHA"),
    "a retired suite": lambda context, _: context.set_ciphers("DHE-RSA-AES256-GCM-SHA384"),
    "a pre-shared key": lambda context, _: hubtls.NativeContext.set_psk_client_callback(context, print),
}


@contextlib.contextmanager
def unchanged(context: ssl.SSLContext) -> Iterator[None]:
    def state() -> list[Any]:
        names = [name for name, kind in KINDS.items() if kind in ("is fixed", "narrows")]
        values = [getattr(context, name) for name in names if not name.startswith("set_")]
        return [*values, context.get_ciphers(), context.cert_store_stats()]

    before = state()
    yield
    assert state() == before


@pytest.fixture
def native(authority: Authority) -> hubtls.NativeContext:
    """One that trusts `authority`."""
    return hubtls.native_context(roots=authority.pem)


@pytest.mark.parametrize("attempt", WEAKENING.values(), ids=WEAKENING)
def test_what_would_weaken_is_refused(native: hubtls.NativeContext, attempt: Attempt, tmp_path: Path) -> None:
    with unchanged(native), pytest.raises(hubtls.HubTlsError) as raised:
        attempt(native, tmp_path)
    assert raised.value.code == "POLICY_WIDENED"


@pytest.mark.parametrize("fault", ["a_wrong_host", "a_wrong_root", "an_expired_certificate", "an_old_version"])
@pytest.mark.parametrize("attempt", WEAKENING.values(), ids=WEAKENING)
def test_afterwards_a_server_is_refused_as_before(
    native: hubtls.NativeContext, attempt: Attempt, tmp_path: Path, faulty: dict[str, int], fault: str
) -> None:
    with contextlib.suppress(hubtls.HubTlsError):
        attempt(native, tmp_path)
    with pytest.raises(ssl.SSLError):
        connect(native, faulty[fault])


ROOTS: dict[str, Attempt] = {
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
def test_loaded_roots_are_not_trusted(
    native: hubtls.NativeContext,
    load: Attempt,
    rsa_authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(rsa_authority.path))
    with unchanged(native), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        load(native, rsa_authority.path)
    with (
        stdlib_server(rsa_authority.server_context()) as port,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        connect(native, port)


@pytest.mark.parametrize("load", ROOTS.values(), ids=ROOTS)
def test_whoever_loads_roots_is_told_that_it_does_nothing(
    native: hubtls.NativeContext, load: Attempt, authority: Authority
) -> None:
    with pytest.warns(hubtls.HubTlsWarning, match="roots are the policy's") as told:
        load(native, authority.path)
    assert told[0].filename == __file__


def test_a_library_for_http_is_not_told(native: hubtls.NativeContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec("context.load_default_certs()", {"__name__": "requests.adapters", "context": native})


def test_no_roots_at_all_is_a_type_error_as_in_ssl(native: hubtls.NativeContext) -> None:
    with pytest.raises(TypeError):
        native.load_verify_locations()


@pytest.mark.parametrize(
    "harmless",
    [
        put("options", lambda old: old),
        put("options", lambda old: old | ssl.OP_ALL),
        put("options", lambda old: old | ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION),
        put("check_hostname", True),
        put("verify_mode", ssl.CERT_REQUIRED),
        put("hostname_checks_common_name", False),
        put("minimum_version", ssl.TLSVersion.TLSv1_2),
        put("maximum_version", ssl.TLSVersion.MAXIMUM_SUPPORTED),
        put("verify_flags", lambda old: old | ssl.VerifyFlags.VERIFY_X509_STRICT),
        put("verify_flags", lambda old: old),
        put("post_handshake_auth", True),
        put("note", "one's own"),
    ],
)
def test_what_weakens_nothing_is_allowed(
    native: hubtls.NativeContext, harmless: Attempt, tmp_path: Path, authority: Authority
) -> None:
    harmless(native, tmp_path)
    # With a root that is strict about extensions too.
    chain, key = authority.files(authority.issue("localhost"))
    with openssl_server("-cert", chain, "-key", key) as port:
        assert connect(native, port).version() == "TLSv1.3"


@pytest.mark.parametrize(
    "attempt",
    [put("num_tickets", 2), put("sni_callback", lambda old: print), lambda it, _: it.set_servername_callback(print)],
)
def test_what_is_for_servers_is_an_error_as_in_ssl(
    native: hubtls.NativeContext, attempt: Attempt, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"server|TLS_CLIENT"):
        attempt(native, tmp_path)


def test_no_version_at_all_is_refused(native: hubtls.NativeContext) -> None:
    with unchanged(native), pytest.raises(hubtls.HubTlsError) as raised:
        native.options |= ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3
    assert raised.value.code == "POLICY_EMPTY"


def test_bounds_that_leave_no_version_are_refused(native: hubtls.NativeContext) -> None:
    native.minimum_version = ssl.TLSVersion.TLSv1_3
    with unchanged(native), pytest.raises(hubtls.HubTlsError) as raised:
        native.maximum_version = ssl.TLSVersion.TLSv1_2
    assert raised.value.code == "POLICY_EMPTY"


def test_a_policy_of_tls_13_alone_stays_so(authority: Authority) -> None:
    native = hubtls.native_context(policy=hubtls.Policy.named().only_versions(["TLSv1.3"]), roots=authority.pem)
    native.minimum_version = ssl.TLSVersion.TLSv1_2
    assert native.minimum_version == ssl.TLSVersion.TLSv1_3
