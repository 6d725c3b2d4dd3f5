"""`hubtls.harden`: the policy on a plain `ssl.SSLContext`."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path
from typing import Any

import pytest
from conftest import Authority
from servers import connect, openssl_server, stdlib_server

import hubtls


def roots_of(authority: Authority) -> hubtls.Roots:
    """They may vouch for any name, which is all that a plain context can be told."""
    return hubtls.Roots.from_pem(authority.pem).vouching_for_azure()


def fresh(protocol: int = ssl.PROTOCOL_TLS_CLIENT) -> ssl.SSLContext:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return ssl.SSLContext(protocol)


def careless(protocol: int = ssl.PROTOCOL_TLS_CLIENT) -> ssl.SSLContext:
    """As weak as a context can be made."""
    context = fresh(protocol)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.hostname_checks_common_name = True
        context.options &= ~ssl.OP_NO_COMPRESSION
        context.options |= 0x4 | 0x4_0000 | 0x80
        context.verify_flags |= 0x10 | 0x40 | 0x8_0000 | 0x20_0000
        if protocol != ssl.PROTOCOL_TLSv1_2:
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    return context


PROTOCOLS = [ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS, ssl.PROTOCOL_TLSv1_2]


@pytest.mark.parametrize("fault", ["a_wrong_host", "a_wrong_root", "an_expired_certificate", "an_old_version"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_careless_context_refuses_as_it_must(
    authority: Authority, faulty: dict[str, int], protocol: int, fault: str
) -> None:
    context = careless(protocol)
    hubtls.harden(context, roots=roots_of(authority))
    with pytest.raises(ssl.SSLError):
        connect(context, faulty[fault])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_it_connects(authority: Authority, port: int, protocol: int) -> None:
    context = careless(protocol)
    hubtls.harden(context, roots=roots_of(authority))
    connect(context, port).close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_suites_of_tls_12_are_the_policys(protocol: int) -> None:
    context = careless(protocol)
    hubtls.harden(context)
    offered = [suite["name"] for suite in context.get_ciphers() if suite["protocol"] == "TLSv1.2"]
    assert offered == hubtls.Policy.named().openssl_cipher_list.split(":")


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda it: it.security_level, 2),
        (lambda it: it.minimum_version, ssl.TLSVersion.TLSv1_2),
        (lambda it: it.hostname_checks_common_name, False),
        (lambda it: it.options & (0x4 | 0x4_0000 | 0x80), 0),
        (lambda it: it.options & ssl.OP_NO_COMPRESSION, ssl.OP_NO_COMPRESSION),
        (lambda it: it.verify_flags & (0x10 | 0x40 | 0x8_0000 | 0x20_0000), 0),
    ],
)
def test_what_was_weak_is_mended(read: Any, expected: Any) -> None:
    context = careless()
    hubtls.harden(context)
    assert read(context) == expected


def test_a_higher_security_level_stays() -> None:
    context = fresh()
    context.set_ciphers("DEFAULT:@SECLEVEL=3")
    hubtls.harden(context)
    assert context.security_level == 3


def test_versions_that_were_off_stay_off() -> None:
    context = fresh()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    hubtls.harden(context)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3


def test_a_maximum_stays(authority: Authority, port: int) -> None:
    context = fresh()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    hubtls.harden(context, roots=roots_of(authority))
    with connect(context, port) as connection:
        assert connection.version() == "TLSv1.2"


def old() -> ssl.SSLContext:
    context = fresh()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def test_a_context_for_old_versions_alone_is_refused() -> None:
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        hubtls.harden(old())
    assert raised.value.code == "POLICY_EMPTY"


def test_tls_12_alone_does_not_go_with_a_policy_of_tls_13() -> None:
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        hubtls.harden(fresh(ssl.PROTOCOL_TLSv1_2), policy=hubtls.Policy.named().only_versions(["TLSv1.3"]))
    assert raised.value.code == "POLICY_EMPTY"


@pytest.mark.parametrize("protocol", [ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLSv1_1, ssl.PROTOCOL_TLSv1])
def test_other_protocols_are_refused(protocol: int) -> None:
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        hubtls.harden(fresh(protocol))
    assert raised.value.code == "INVALID_ARGUMENT"


class _Own(ssl.SSLContext):
    pass


@pytest.mark.parametrize(
    "make", [hubtls.SSLContext, hubtls.native_context, lambda: _Own(ssl.PROTOCOL_TLS_CLIENT)], ids=str
)
def test_a_context_that_is_not_plain_is_refused(make: Any) -> None:
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        hubtls.harden(make())
    assert raised.value.code == "INVALID_ARGUMENT"


def test_something_else_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        hubtls.harden(object())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options", [{"time": 0}, {"sni": False}, {"fragment_length": hubtls.FragmentLength.require(512)}], ids=str
)
def test_what_is_demanded_and_cannot_be_done_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        hubtls.harden(fresh(), **options)
    assert raised.value.code == "UNSUPPORTED_BY_ENGINE"


def test_a_config_is_refused() -> None:
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        hubtls.harden(fresh(), hubtls.Config())
    assert raised.value.code == "UNSUPPORTED_BY_ENGINE"


# Roots.


def test_the_roots_are_the_policys() -> None:
    context = fresh()
    hubtls.harden(context)
    assert context.cert_store_stats()["x509"] == len(hubtls.Roots.azure())


@pytest.mark.parametrize("which", ["roots", "add_roots"])
def test_private_roots_that_must_not_vouch_for_azure_are_refused(authority: Authority, which: str) -> None:
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        hubtls.harden(fresh(), **{which: authority.pem})
    assert raised.value.code == "UNSUPPORTED_BY_ENGINE"


def test_added_roots_that_may_vouch_for_azure_are_trusted(authority: Authority, port: int) -> None:
    context = fresh()
    hubtls.harden(context, add_roots=roots_of(authority))
    connect(context, port).close()


def test_roots_that_it_has_already_are_told_of(authority: Authority) -> None:
    context = fresh()
    context.load_verify_locations(authority.path)
    with pytest.warns(hubtls.HubTlsWarning, match="trusts other roots already") as told:
        hubtls.harden(context, policy="iothub-tls12")
    assert told[0].filename == __file__


def test_without_roots_there_is_nothing_to_tell() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hubtls.harden(fresh(), policy="iothub-tls12")


@pytest.mark.parametrize("which", ["roots", "pins"])
def test_roots_and_pins_need_a_context_without_roots(
    authority: Authority, rsa_authority: Authority, which: str
) -> None:
    context = fresh()
    context.load_verify_locations(authority.path)
    options: dict[str, Any] = {"roots": roots_of(rsa_authority), "pins": [hubtls.Roots.azure()[0].pin]}
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        hubtls.harden(context, **{which: options[which]})
    assert raised.value.code == "UNSUPPORTED_BY_ENGINE"


def test_only_pinned_roots_are_trusted(authority: Authority, rsa_authority: Authority, port: int) -> None:
    context = fresh()
    roots = roots_of(authority).with_added(roots_of(rsa_authority))
    hubtls.harden(context, roots=roots, pins=[rsa_authority.pem])
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(context, port)


# The other options.


def test_the_identity_is_shown(authority: Authority) -> None:
    server = authority.server_context(client_certificate=True)
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    context = fresh()
    hubtls.harden(context, roots=roots_of(authority), identity=authority.files(authority.issue("device.example")))
    with stdlib_server(server) as port:
        connect(context, port).close()


def test_the_protocols_are_offered(authority: Authority) -> None:
    chain, key = authority.files(authority.issue("localhost"))
    context = fresh()
    hubtls.harden(context, roots=roots_of(authority), alpn=["mqtt"])
    with (
        openssl_server("-cert", chain, "-key", key, "-alpn", "mqtt") as port,
        connect(context, port) as connection,
    ):
        assert connection.selected_alpn_protocol() == "mqtt"


def test_a_key_log_is_written(authority: Authority, port: int, tmp_path: Path) -> None:
    context = fresh()
    hubtls.harden(context, roots=roots_of(authority), key_log=tmp_path / "keys")
    connect(context, port).close()
    assert (tmp_path / "keys").read_text()


def test_the_warning_about_suites_of_tls_13_names_the_line_that_hardens() -> None:
    context = fresh()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        hubtls.harden(context)
    can = hasattr(ssl.SSLContext, "set_ciphersuites")
    assert [it.filename for it in told] == ([] if can else [__file__])
