"""What is set on a `hubtls.SSLContext` to narrow it, on the wire."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from conftest import Authority
from cryptography.hazmat.primitives import serialization as form
from servers import connect, openssl_server, stdlib_server

import hubtls

OLD, NEW = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def version(context: ssl.SSLContext, port: int) -> Any:
    with connect(context, port) as connection:
        return connection.version()


@pytest.fixture
def old(authority: Authority) -> Any:
    """A server of TLS 1.2."""
    server = authority.server_context()
    server.maximum_version = OLD
    with stdlib_server(server) as port:
        yield port


# Versions.


def test_a_minimum_of_tls_13_refuses_a_server_of_tls_12(context: hubtls.SSLContext, old: int) -> None:
    context.minimum_version = NEW
    with pytest.raises(hubtls.HubTlsSSLError) as raised:
        connect(context, old)
    assert raised.value.code == "PROTOCOL_VERSION"


def test_a_maximum_of_tls_12_is_kept_to(context: hubtls.SSLContext, port: int) -> None:
    context.maximum_version = OLD
    assert version(context, port) == "TLSv1.2"


def test_the_option_that_switches_tls_13_off_does(context: hubtls.SSLContext, port: int) -> None:
    context.options |= ssl.OP_NO_TLSv1_3
    assert version(context, port) == "TLSv1.2"


def test_the_option_can_be_taken_back(context: hubtls.SSLContext, port: int) -> None:
    context.options |= ssl.OP_NO_TLSv1_3
    context.options &= ~ssl.OP_NO_TLSv1_3
    assert version(context, port) == "TLSv1.3"


@pytest.mark.parametrize("newest", [NEW, ssl.TLSVersion.MAXIMUM_SUPPORTED])
def test_a_maximum_can_be_taken_back(context: hubtls.SSLContext, port: int, newest: int) -> None:
    context.maximum_version = OLD
    context.maximum_version = newest
    assert version(context, port) == "TLSv1.3"


def test_the_bounds_are_read_as_they_were_set(context: hubtls.SSLContext) -> None:
    context.minimum_version = NEW
    assert (context.minimum_version, context.maximum_version) == (NEW, NEW)


def test_no_version_at_all_is_refused(context: hubtls.SSLContext) -> None:
    before = context.config
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        context.options |= ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3
    assert (raised.value.code, context.config) == ("POLICY_EMPTY", before)


def test_bounds_that_cross_are_refused(context: hubtls.SSLContext) -> None:
    context.maximum_version = OLD
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        context.minimum_version = NEW
    assert (raised.value.code, context.maximum_version) == ("POLICY_EMPTY", OLD)


# Suites.

ONE = "ECDHE-ECDSA-AES256-GCM-SHA384"


@pytest.mark.parametrize(
    "cipherlist",
    [
        ONE,
        ONE.lower(),
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES256-GCM-SHA384,ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE+AESGCM:!AES128",
        "AESGCM:!AES128",
        "ALL:!AES128:!SHA384:@STRENGTH:@SECLEVEL=0",
        "DEFAULT:!AES128",
    ],
)
def test_suites_are_narrowed_by_names_and_by_rules(context: hubtls.SSLContext, old: int, cipherlist: str) -> None:
    context.set_ciphers(cipherlist)
    with connect(context, old) as connection:
        assert connection.cipher()[0] == ONE


def test_the_suites_of_tls_13_stay(context: hubtls.SSLContext, port: int) -> None:
    context.set_ciphers(ONE)
    assert version(context, port) == "TLSv1.3"


def test_suites_can_be_chosen_anew(context: hubtls.SSLContext) -> None:
    before = context.get_ciphers()
    context.set_ciphers(ONE)
    context.set_ciphers("ALL")
    assert context.get_ciphers() == before


@pytest.mark.parametrize(
    ("cipherlist", "code"),
    [
        ("no such thing", "UNKNOWN_SUITE"),
        ("", "UNKNOWN_SUITE"),
        ("ECDHE-ECDSA-AES128-GMC-SHA256", "UNKNOWN_SUITE"),
        ("AES128-SHA", "POLICY_WIDENED"),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", "UNKNOWN_SUITE"),
        ("kRSA", "POLICY_EMPTY"),
        ("TLS_AES_256_GCM_SHA384", "POLICY_EMPTY"),
    ],
)
def test_a_list_that_cannot_be_used_is_an_ssl_error_with_a_code(
    context: hubtls.SSLContext, cipherlist: str, code: str
) -> None:
    before = context.config
    with pytest.raises(ssl.SSLError) as raised:
        context.set_ciphers(cipherlist)
    assert (getattr(raised.value, "code", None), context.config) == (code, before)


def test_the_suites_are_told_as_in_ssl(context: hubtls.SSLContext) -> None:
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    told = context.get_ciphers()
    known = plain.get_ciphers()
    assert [suite for suite in known if suite in told] == [suite for suite in known if suite["id"] in _ids(told)]


def _ids(suites: list[dict[str, Any]]) -> set[int]:
    return {suite["id"] for suite in suites}


def test_the_suites_that_are_told_are_those_of_the_policy(context: hubtls.SSLContext) -> None:
    policy = context.config.policy
    expected = f"{policy.openssl_ciphersuites}:{policy.openssl_cipher_list}".split(":")
    assert [suite["name"] for suite in context.get_ciphers()] == expected


# Groups.


@pytest.mark.parametrize("name", ["prime256v1", "secp256r1", "P-256", b"prime256v1"])
def test_a_group_is_the_only_one(context: hubtls.SSLContext, authority: Authority, name: str) -> None:
    context.set_ecdh_curve(name)
    chain, key = authority.files(authority.issue("localhost"))
    with openssl_server("-cert", chain, "-key", key) as port, connect(context, port) as connection:
        assert connection.negotiated.group == "secp256r1"


@pytest.mark.parametrize("name", ["secp521r1", "brainpoolP256r1", "no group"])
def test_another_group_is_refused(context: hubtls.SSLContext, name: str) -> None:
    before = context.config
    with pytest.raises(ValueError, match=name):
        context.set_ecdh_curve(name)
    assert context.config is before


# Key log.


def test_secrets_are_written_as_nss_writes_them(context: hubtls.SSLContext, port: int, tmp_path: Path) -> None:
    context.keylog_filename = tmp_path / "keys"
    connect(context, port).close()
    lines = [line.split() for line in (tmp_path / "keys").read_text().splitlines()]
    assert {(len(line), len(bytes.fromhex(line[1])), line[0][:7]) for line in lines} >= {(3, 32, "CLIENT_")}


@pytest.mark.parametrize("how", ["set", "given"])
def test_a_key_log_can_be_taken_back(authority: Authority, port: int, tmp_path: Path, how: str) -> None:
    context = hubtls.SSLContext(roots=authority.pem, key_log=tmp_path / "keys" if how == "given" else None)
    if how == "set":
        context.keylog_filename = tmp_path / "keys"
    context.keylog_filename = None
    connect(context, port).close()
    assert (tmp_path / "keys").read_text() == ""


def test_the_key_log_that_was_given_is_told(tmp_path: Path) -> None:
    assert hubtls.SSLContext(key_log=tmp_path / "keys").keylog_filename == tmp_path / "keys"


def test_a_key_log_that_cannot_be_written_is_an_os_error(context: hubtls.SSLContext, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        context.keylog_filename = tmp_path / "nowhere" / "keys"


# The client's certificate.

SECRET = "open sesame"


@pytest.fixture
def encrypted(authority: Authority) -> tuple[Path, Path]:
    """A chain, and a key behind `SECRET`."""
    chain, key = authority.files(authority.issue("device.example"))
    loaded = form.load_pem_private_key(key.read_bytes(), None)
    protection = form.BestAvailableEncryption(SECRET.encode())
    key.write_bytes(loaded.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, protection))
    return chain, key


@pytest.mark.parametrize(
    "password", [SECRET, SECRET.encode(), bytearray(SECRET.encode()), lambda: SECRET, lambda: SECRET.encode()]
)
def test_a_passphrase_has_each_of_its_forms(
    context: hubtls.SSLContext, authority: Authority, encrypted: tuple[Path, Path], password: Any
) -> None:
    context.load_cert_chain(*encrypted, password)
    server = authority.server_context(client_certificate=True)
    server.maximum_version = OLD
    with stdlib_server(server) as port:
        connect(context, port).close()


@pytest.mark.parametrize("password", ["wrong", b"wrong", lambda: "wrong"])
def test_a_wrong_passphrase_is_an_ssl_error(
    context: hubtls.SSLContext, encrypted: tuple[Path, Path], password: Any
) -> None:
    with pytest.raises(ssl.SSLError):
        context.load_cert_chain(*encrypted, password=password)


def test_a_key_may_stand_in_the_file_of_the_chain(context: hubtls.SSLContext, authority: Authority) -> None:
    chain, key = authority.files(authority.issue("device.example"))
    chain.write_bytes(chain.read_bytes() + key.read_bytes())
    context.load_cert_chain(str(chain))
    assert context.config.identity is not None


def test_a_key_of_another_certificate_is_an_ssl_error(context: hubtls.SSLContext, authority: Authority) -> None:
    chain, _ = authority.files(authority.issue("device.example"))
    _, key = authority.files(authority.issue("other.example"))
    with pytest.raises(ssl.SSLError) as raised:
        context.load_cert_chain(chain, key)
    assert context.config.identity is None, raised.value


def test_a_file_that_is_not_there_is_an_os_error(context: hubtls.SSLContext, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        context.load_cert_chain(tmp_path / "chain.pem")


# ALPN.


@pytest.mark.parametrize("protocols", [[""], ["x" * 256], [b""]])
def test_a_protocol_that_cannot_be_offered_is_refused(context: hubtls.SSLContext, protocols: list[Any]) -> None:
    before = context.config
    with pytest.raises(ValueError, match="INVALID_ALPN"):
        context.set_alpn_protocols(protocols)
    assert context.config is before


@pytest.mark.parametrize("protocols", [["mqtt"], ("x", "mqtt"), iter(["mqtt"])])
def test_protocols_are_offered(context: hubtls.SSLContext, authority: Authority, protocols: Any) -> None:
    context.set_alpn_protocols(protocols)
    server = authority.server_context()
    server.set_alpn_protocols(["mqtt"])
    with stdlib_server(server) as port, connect(context, port) as connection:
        assert connection.selected_alpn_protocol() == "mqtt"
