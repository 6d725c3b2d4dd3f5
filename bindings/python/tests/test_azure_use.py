"""What `hubtls.azure` puts into azure-iot-device, and takes back."""

from __future__ import annotations

import importlib
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.iot.device.common.http_transport import HTTPTransport
from azure.iot.device.common.mqtt_transport import MQTTTransport
from conftest import Authority
from sdk import certificate, left_as_it_was, made, with_key
from servers import PATIENCE

import hubtls
import hubtls.azure

Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with left_as_it_was():
        yield


# What a client is given besides.


@pytest.mark.parametrize("transport", [MQTTTransport, HTTPTransport])
def test_a_client_that_is_given_nothing_has_the_context_itself(make: Make, transport: type) -> None:
    context = make()
    with hubtls.azure.use(context):
        assert made(transport) is context


@pytest.mark.parametrize("cipher", ["ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"])
def test_a_clients_cipher_narrows_the_suites(make: Make, cipher: str) -> None:
    context = make()
    offered = [suite["name"] for suite in context.get_ciphers()]
    with hubtls.azure.use(context), with_key(cipher=cipher) as client:
        narrowed = client._mqtt_pipeline._pipeline
        while narrowed.next is not None:
            narrowed = narrowed.next
        narrowed = narrowed.transport._create_ssl_context()
    names = [suite["name"] for suite in narrowed.get_ciphers() if not suite["name"].startswith("TLS_")]
    assert names == ["ECDHE-RSA-AES128-GCM-SHA256"]
    assert [suite["name"] for suite in context.get_ciphers()] == offered


def test_a_clients_cipher_widens_nothing(make: Make) -> None:
    context = make()
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    for cipher, code in (("ECDHE-RSA-AES256-GCM-SHA384", "POLICY_EMPTY"), ("AES128-SHA", "POLICY_WIDENED")):
        with hubtls.azure.use(context), pytest.raises((hubtls.HubTlsConfigError, ssl.SSLError)) as raised:
            made(MQTTTransport, cipher=cipher)
        assert isinstance(raised.value, hubtls.HubTlsError)
        assert raised.value.code == code


def test_a_context_that_was_narrowed_stays_so_for_a_client_with_a_certificate(make: Make, authority: Authority) -> None:
    context = make(add_roots=authority.pem)
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TLSv1_3
    with hubtls.azure.use(context):
        derived = made(MQTTTransport, x509_cert=certificate(authority, "device-01"))
    assert derived is not context
    assert derived.get_ciphers() == context.get_ciphers()
    assert derived.maximum_version == ssl.TLSVersion.TLSv1_2
    assert len(derived.config.roots) == len(context.config.roots)


def test_other_roots_of_a_client_change_nothing_and_a_warning_says_so(make: Make, authority: Authority) -> None:
    context = make()
    with hubtls.azure.use(context), pytest.warns(hubtls.HubTlsWarning, match="server_verification_cert"):
        assert made(MQTTTransport, server_verification_cert=authority.pem.decode()) is context


def test_the_contexts_own_roots_given_to_a_client_need_no_warning(make: Make, recwarn: pytest.WarningsRecorder) -> None:
    context = make()
    with hubtls.azure.use(context):
        recwarn.clear()
        made(MQTTTransport, **hubtls.azure.arguments())
    assert not [warning for warning in recwarn if issubclass(warning.category, hubtls.HubTlsWarning)]


# Using and restoring.


def test_the_last_use_that_is_not_restored_counts() -> None:
    first, second = hubtls.SSLContext(), hubtls.SSLContext()
    with hubtls.azure.use(first):
        with hubtls.azure.use(second):
            assert made(MQTTTransport) is second
        assert made(MQTTTransport) is first
    assert type(made(MQTTTransport)) is ssl.SSLContext


def test_uses_may_be_restored_in_any_order_and_more_than_once() -> None:
    first, second = hubtls.SSLContext(), hubtls.SSLContext()
    older, newer = hubtls.azure.use(first), hubtls.azure.use(second)
    older.restore()
    older.restore()
    assert made(HTTPTransport) is second
    newer.restore()
    newer.restore()
    assert type(made(HTTPTransport)) is ssl.SSLContext


def test_a_block_that_fails_restores_too() -> None:
    with pytest.raises(KeyError), hubtls.azure.use(hubtls.SSLContext()):
        raise KeyError
    assert type(made(MQTTTransport)) is ssl.SSLContext


def test_what_somebody_else_put_in_place_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    use = hubtls.azure.use(hubtls.SSLContext())
    ours = MQTTTransport._create_ssl_context
    original = hubtls.azure._originals[MQTTTransport][0]
    MQTTTransport._create_ssl_context = lambda self: ours(self)
    try:
        use.restore()
        assert MQTTTransport._create_ssl_context is not ours
        assert type(made(MQTTTransport)) is ssl.SSLContext
    finally:
        MQTTTransport._create_ssl_context = original


@pytest.mark.parametrize("context", [ssl.create_default_context(), None, "iothub"])
def test_a_context_that_hubtls_did_not_make_is_refused(context: Any) -> None:
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        hubtls.azure.use(context)
    assert raised.value.code == "INVALID_ARGUMENT"


def test_another_version_of_the_sdk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure.iot.device.constant.VERSION", "2.15.0")
    with pytest.raises(hubtls.HubTlsConfigError, match=r"2\.15\.0") as raised:
        hubtls.azure.use(hubtls.SSLContext())
    assert raised.value.code == "UNSUPPORTED_BY_ENGINE"


@pytest.mark.parametrize("transport", [MQTTTransport, HTTPTransport])
def test_an_sdk_that_is_made_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch, transport: type) -> None:
    def takes_more(self: object, more: object) -> None:
        """As no version does yet."""

    def is_given_less(self: object, hostname: str) -> None:
        """As no version does yet."""

    def refuse() -> None:
        with pytest.raises(hubtls.HubTlsConfigError, match="not made as expected") as raised:
            hubtls.azure.use(hubtls.SSLContext())
        assert raised.value.code == "UNSUPPORTED_BY_ENGINE"

    with monkeypatch.context() as patch:
        patch.delattr(transport, "_create_ssl_context")
        refuse()
    with monkeypatch.context() as patch:
        patch.setattr(transport, "_create_ssl_context", takes_more)
        refuse()
    with monkeypatch.context() as patch:
        patch.setattr(transport, "__init__", is_given_less)
        refuse()
    with monkeypatch.context() as patch:
        patch.delattr(importlib.import_module(transport.__module__), transport.__name__)
        refuse()


def test_without_the_sdk_an_error_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['azure'] = None\n"
        "import hubtls, hubtls.azure\n"
        "hubtls.azure.arguments()\n"
        "hubtls.azure.use(hubtls.SSLContext())\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert "ModuleNotFoundError: azure-iot-device is not installed: pip install" in ended.stderr


# The arguments.


def test_the_sdk_offers_the_suites_of_the_arguments_and_no_others() -> None:
    policy = hubtls.Policy.named("iothub-aead")
    context = made(MQTTTransport, **hubtls.azure.arguments(policy))
    names = [suite["name"] for suite in context.get_ciphers() if not suite["name"].startswith("TLS_")]
    assert names == policy.openssl_cipher_list.split(":")
    assert len(context.get_ca_certs()) == len(hubtls.Roots.of_policy(policy))


@pytest.mark.parametrize(
    "options",
    [
        {"policy": hubtls.Policy.named().only_versions(["TLSv1.3"])},
        {"policy": hubtls.Policy.named().with_fragment_length(hubtls.FragmentLength.require(512))},
        {"roots": hubtls.Roots.public_web()},
    ],
)
def test_what_the_sdk_cannot_do_is_refused_in_the_arguments(options: dict[str, Any]) -> None:
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        hubtls.azure.arguments(**options)
    assert raised.value.code == "UNSUPPORTED_BY_ENGINE"


def test_a_fragment_length_that_is_merely_wished_for_is_a_warning_in_the_arguments() -> None:
    with pytest.warns(hubtls.HubTlsWarning, match="fragment length"):
        hubtls.azure.arguments(hubtls.Policy.named().with_fragment_length(512))
