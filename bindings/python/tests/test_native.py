"""`hubtls.native_context`: what it takes, what it refuses, and whom it connects to."""

from __future__ import annotations

import asyncio
import copy
import pickle
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from conftest import Authority
from servers import connect, openssl_server, stdlib_server

import hubtls

HUB = "hub1.azure-devices.net"


@pytest.fixture
def native(authority: Authority) -> hubtls.NativeContext:
    """One that trusts `authority`."""
    return hubtls.native_context(roots=authority.pem)


@pytest.fixture
def hub(authority: Authority) -> Iterator[int]:
    """A server of `authority` with a name of Azure's and one that is not."""
    with stdlib_server(authority.server_context(HUB, "localhost")) as port:
        yield port


def code_of(**options: Any) -> str:
    with pytest.raises(hubtls.HubTlsError) as raised:
        hubtls.native_context(**options)
    return raised.value.code


def test_it_is_a_standard_context(native: hubtls.NativeContext) -> None:
    assert isinstance(native, ssl.SSLContext)


def test_it_connects(native: hubtls.NativeContext, port: int) -> None:
    with connect(native, port) as connection:
        connection.sendall(b"hello")
        assert connection.recv(5) == b"hello"


def test_it_offers_the_policys_suites_of_tls_12_and_no_others(native: hubtls.NativeContext) -> None:
    offered = [suite["name"] for suite in native.get_ciphers() if suite["protocol"] == "TLSv1.2"]
    assert offered == native.config.policy.openssl_cipher_list.split(":")


def test_a_policy_of_tls_12_alone_is_kept_to(authority: Authority, port: int) -> None:
    with connect(hubtls.native_context(policy="iothub-tls12", roots=authority.pem), port) as connection:
        assert connection.version() == "TLSv1.2"


def test_a_policy_of_tls_13_alone_is_kept_to(authority: Authority, port: int) -> None:
    policy = hubtls.Policy.named().only_versions(["TLSv1.3"])
    with connect(hubtls.native_context(policy=policy, roots=authority.pem), port) as connection:
        assert connection.version() == "TLSv1.3"


def test_a_policy_of_one_group_is_kept_to(authority: Authority) -> None:
    chain, key = authority.files(authority.issue("localhost"))
    context = hubtls.native_context(policy=hubtls.Policy.named().only_groups(["P-256"]), roots=authority.pem)
    with openssl_server("-cert", chain, "-key", key, "-groups", "P-384:X25519") as port, pytest.raises(ssl.SSLError):
        connect(context, port)


def test_the_warning_about_suites_of_tls_13_names_the_line_that_made_the_context() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        hubtls.native_context()
    can = hasattr(ssl.SSLContext, "set_ciphersuites")
    assert [(it.category, it.filename) for it in told] == ([] if can else [(hubtls.HubTlsWarning, __file__)])


def test_a_policy_of_tls_12_alone_needs_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hubtls.native_context(policy="iothub-tls12")


@pytest.mark.parametrize(
    "options",
    [
        {"fragment_length": 1024},
        {"post_quantum": True},
        {"policy": hubtls.Policy.named("iothub-tls12").only_groups(["X25519", "P-256"])},
    ],
    ids=["fragment_length", "post_quantum", "two groups"],
)
def test_what_is_merely_wished_for_and_cannot_be_done_is_a_warning(options: dict[str, Any]) -> None:
    with pytest.warns(hubtls.HubTlsWarning) as told:
        hubtls.native_context(**{"policy": "iothub-tls12", **options})
    assert told[0].filename == __file__


@pytest.mark.parametrize(
    "options",
    [
        {"time": 0},
        {"time": lambda: 0},
        {"sni": False},
        {"sni": "other.example"},
        {"require_revocation_status": True},
        {"fragment_length": hubtls.FragmentLength.require(1024)},
        {"roots": hubtls.Roots.public_web()},
    ],
    ids=str,
)
def test_what_is_demanded_and_cannot_be_done_is_refused(options: dict[str, Any]) -> None:
    assert code_of(**options) == "UNSUPPORTED_BY_ENGINE"


def test_revocation_lists_are_refused(tmp_path: Path) -> None:
    assert code_of(revocation_lists=tmp_path / "lists.pem") == "UNSUPPORTED_BY_ENGINE"


@pytest.mark.parametrize("options", [{"sni": True}, {"require_revocation_status": False}, {"time": None}], ids=str)
def test_what_is_so_in_any_case_may_be_asked_for(options: dict[str, Any]) -> None:
    assert hubtls.native_context(**options).check_hostname


def test_a_config_is_refused_since_it_does_not_tell_its_options() -> None:
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        hubtls.native_context(hubtls.Config(time=0))
    assert raised.value.code == "UNSUPPORTED_BY_ENGINE"


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        hubtls.native_context(verify=False)


def test_it_has_no_public_constructor() -> None:
    with pytest.raises(TypeError):
        hubtls.NativeContext()


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_it_cannot_be_copied(native: hubtls.NativeContext, duplicate: Any) -> None:
    with pytest.raises(TypeError):
        duplicate(native)


# Roots.


def test_added_roots_vouch_for_names_that_are_not_azures(authority: Authority, hub: int) -> None:
    connect(hubtls.native_context(add_roots=authority.pem), hub).close()


@pytest.mark.parametrize("name", [HUB, HUB.upper(), "hub1.azure-devices.net."])
def test_added_roots_do_not_vouch_for_a_name_of_azures(authority: Authority, hub: int, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(hubtls.native_context(add_roots=authority.pem), hub, name)


def test_added_roots_do_not_vouch_for_a_name_of_azures_in_asyncio(authority: Authority, hub: int) -> None:
    context = hubtls.native_context(add_roots=authority.pem)
    with pytest.raises(ssl.SSLCertVerificationError):
        asyncio.run(hubtls.open_connection("127.0.0.1", hub, context=context, server_hostname=HUB))


def test_added_roots_vouch_for_a_name_of_azures_if_they_may(authority: Authority, hub: int) -> None:
    roots = hubtls.Roots.from_pem(authority.pem).vouching_for_azure()
    connect(hubtls.native_context(add_roots=roots), hub, HUB).close()


def test_private_roots_that_replace_the_policys_do_not_vouch_for_a_name_of_azures(
    native: hubtls.NativeContext, hub: int
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(native, hub, HUB)


def test_only_pinned_roots_are_trusted(authority: Authority, rsa_authority: Authority, port: int) -> None:
    context = hubtls.native_context(roots=authority.pem + rsa_authority.pem, pins=[rsa_authority.pem])
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(context, port)


def test_a_pinned_root_is_trusted(authority: Authority, rsa_authority: Authority, port: int) -> None:
    connect(hubtls.native_context(roots=authority.pem + rsa_authority.pem, pins=[authority.pem]), port).close()


def test_an_added_root_that_is_the_only_pinned_one_vouches_for_no_name_of_azures(
    authority: Authority, hub: int
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(hubtls.native_context(add_roots=authority.pem, pins=[authority.pem]), hub, HUB)


def test_a_pin_that_names_no_root_is_refused(authority: Authority) -> None:
    assert code_of(pins=[authority.pem]) == "NO_ROOTS"


# The client's certificate.


@pytest.fixture
def demanding(authority: Authority) -> Iterator[int]:
    """A server of TLS 1.2 that refuses whoever shows no certificate."""
    context = authority.server_context(client_certificate=True)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with stdlib_server(context) as port:
        yield port


def test_the_identity_is_shown(authority: Authority, demanding: int) -> None:
    identity = authority.files(authority.issue("device.example"))
    connect(hubtls.native_context(roots=authority.pem, identity=identity), demanding).close()


def test_without_an_identity_such_a_server_refuses(native: hubtls.NativeContext, demanding: int) -> None:
    with pytest.raises(ssl.SSLError):
        connect(native, demanding)


def test_an_identity_that_is_not_in_files_is_refused(authority: Authority) -> None:
    chain, key = (path.read_bytes() for path in authority.files(authority.issue("device.example")))
    assert code_of(identity=hubtls.Identity.from_pem(chain, key)) == "UNSUPPORTED_BY_ENGINE"


def test_alpn_may_come_from_a_generator(authority: Authority) -> None:
    server = authority.server_context()
    server.set_alpn_protocols(["mqtt"])
    context = hubtls.native_context(roots=authority.pem, alpn=(name for name in ("x", b"mqtt")))
    with stdlib_server(server) as port, connect(context, port) as connection:
        assert connection.selected_alpn_protocol() == "mqtt"


def test_a_key_log_is_written(authority: Authority, port: int, tmp_path: Path) -> None:
    connect(hubtls.native_context(roots=authority.pem, key_log=tmp_path / "keys"), port).close()
    assert "CLIENT_TRAFFIC_SECRET_0" in (tmp_path / "keys").read_text()


def test_rsa_keys_and_ecdsa_keys_are_served(rsa_authority: Authority) -> None:
    context = hubtls.native_context(roots=rsa_authority.pem)
    server = rsa_authority.server_context(key_type=trustme.KeyType.RSA)
    with stdlib_server(server) as port:
        connect(context, port).close()
