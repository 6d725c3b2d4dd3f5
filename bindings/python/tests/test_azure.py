"""azure-iot-device over hubtls, against a broker and a client behind it that play a hub.

The ports of the SDK are fixed: 8883 and 443.
"""

from __future__ import annotations

import contextlib
import queue
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import X509, IoTHubDeviceClient, MethodResponse, ProvisioningDeviceClient, aio
from azure.iot.device.exceptions import ClientError, ConnectionFailedError
from conftest import Authority
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hub import Hub, paho_client, playing_https, playing_hub
from sdk import certificate, left_as_it_was, with_certificate, with_key
from servers import PATIENCE, Broker, mosquitto

import hubtls
import hubtls.azure

Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests and paho would go through them to loopback, too."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with left_as_it_was():
        yield


@pytest.fixture
def broker(authority: Authority, tmp_path: Path) -> Iterator[Broker]:
    """A broker for `localhost` that asks for no client certificate."""
    with mosquitto(tmp_path, *authority.files(authority.issue("localhost")), port=8883) as broker:
        yield broker


@pytest.fixture
def strict(authority: Authority, tmp_path: Path) -> Iterator[Broker]:
    """A broker that lets devices send by the name alone that is in their certificate."""
    rights = tmp_path / "rights"
    rights.write_text("pattern readwrite devices/%u/messages/#\npattern readwrite $iothub/#\n")
    lines = (
        "require_certificate true",
        f"cafile {authority.path}",
        "use_identity_as_username true",
        f"acl_file {rights}",
    )
    with mosquitto(tmp_path, *authority.files(authority.issue("localhost")), *lines, port=8883) as broker:
        yield broker


def does_all_that_a_hub_offers(client: Any, hub: Hub) -> None:
    """Telemetry, twin, a message from the cloud and a direct method."""
    messages: queue.Queue[bytes] = queue.Queue()
    patches: queue.Queue[Any] = queue.Queue()

    def answer(request: Any) -> None:
        client.send_method_response(MethodResponse.create_from_method_request(request, 200, {"got": request.payload}))

    client.connect()
    client.send_message('{"temperature":21.5}')
    assert hub.next_telemetry() == ("device-01", b'{"temperature":21.5}')

    assert client.get_twin() == hub.twin
    client.patch_twin_reported_properties({"firmware": "1.2"})
    assert hub.reported.get(timeout=PATIENCE) == {"firmware": "1.2"}
    client.on_twin_desired_properties_patch_received = patches.put
    hub.desire(interval=10)
    assert patches.get(timeout=PATIENCE) == {"interval": 10, "$version": 3}

    client.on_message_received = lambda message: messages.put(message.data)
    hub.send("device-01", b"from the cloud")
    assert messages.get(timeout=PATIENCE) == b"from the cloud"

    client.on_method_request_received = answer
    assert hub.call("restart", {"after": 3}) == ("200", {"got": {"after": 3}})


def refused(client: Any) -> hubtls.HubTlsError:
    """The error of hubtls behind that of the SDK, which has no further attempt in mind."""
    before = set(threading.enumerate())
    with pytest.raises(ClientError) as raised:
        client.connect()
    timers = [thread for thread in set(threading.enumerate()) - before if isinstance(thread, threading.Timer)]
    assert all(timer.finished.is_set() for timer in timers)
    assert raised.value.__cause__ is not None
    cause = raised.value.__cause__.__cause__
    assert isinstance(cause, hubtls.HubTlsError)
    return cause


# MQTT.


def test_a_device_with_a_certificate_does_all_that_a_hub_offers(
    make: Make, authority: Authority, strict: Broker
) -> None:
    x509 = certificate(authority, "device-01")
    with (
        playing_hub(strict.plain) as hub,
        hubtls.azure.use(make(roots=authority.pem)),
        with_certificate(x509) as client,
    ):
        does_all_that_a_hub_offers(client, hub)


def test_a_device_with_a_symmetric_key_does_all_that_a_hub_offers(
    make: Make, authority: Authority, broker: Broker
) -> None:
    with playing_hub(broker.plain) as hub, hubtls.azure.use(make(roots=authority.pem)), with_key() as client:
        does_all_that_a_hub_offers(client, hub)


def test_a_device_with_websockets_does_all_that_a_hub_offers(make: Make, authority: Authority, tmp_path: Path) -> None:
    files = authority.files(authority.issue("localhost"))
    with (
        mosquitto(tmp_path, *files, websockets=True, port=443) as broker,
        playing_hub(broker.plain) as hub,
        hubtls.azure.use(make(roots=authority.pem)),
        with_key(websockets=True) as client,
    ):
        does_all_that_a_hub_offers(client, hub)


async def test_a_client_of_asyncio_takes_the_context_too(make: Make, authority: Authority, strict: Broker) -> None:
    with playing_hub(strict.plain) as hub, hubtls.azure.use(make(roots=authority.pem)):
        client = aio.IoTHubDeviceClient.create_from_x509_certificate(
            certificate(authority, "device-01"), "localhost", "device-01"
        )
        await client.send_message("from a task")
        assert hub.next_telemetry() == ("device-01", b"from a task")
        await client.shutdown()


def test_a_device_is_provisioned_over_the_context_too(make: Make, authority: Authority, broker: Broker) -> None:
    with playing_hub(broker.plain), hubtls.azure.use(make(roots=authority.pem)):
        client = ProvisioningDeviceClient.create_from_symmetric_key("localhost", "device-01", "scope", "c2VjcmV0")
        assert client.register().registration_state.assigned_hub == "hub.example"


def test_two_devices_on_one_context_show_their_own_certificates(
    make: Make, authority: Authority, strict: Broker
) -> None:
    first, second = certificate(authority, "device-01"), certificate(authority, "device-02")
    with (
        playing_hub(strict.plain) as hub,
        hubtls.azure.use(make(roots=authority.pem)),
        with_certificate(first) as one,
        with_certificate(second, "device-02") as two,
    ):
        two.connect()
        one.connect()
        one.send_message("one")
        assert hub.next_telemetry() == ("device-01", b"one")
        two.send_message("two")
        assert hub.next_telemetry() == ("device-02", b"two")


def test_an_x509_that_names_no_files_stands_for_a_signer(authority: Authority, strict: Broker) -> None:
    x509 = certificate(authority, "device-01")
    key = serialization.load_pem_private_key(Path(x509.key_file).read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    chain = Path(x509.certificate_file).read_bytes()
    identity = hubtls.Identity.from_signer(chain, lambda _scheme, message: key.sign(message, ec.ECDSA(hashes.SHA256())))
    with (
        playing_hub(strict.plain) as hub,
        hubtls.azure.use(hubtls.SSLContext(roots=authority.pem, identity=identity)),
        with_certificate(X509(None, None)) as client,
    ):
        client.send_message("signed elsewhere")
        assert hub.next_telemetry() == ("device-01", b"signed elsewhere")


def test_an_x509_that_names_no_files_needs_an_identity(make: Make, authority: Authority) -> None:
    with hubtls.azure.use(make(roots=authority.pem)), pytest.raises(hubtls.HubTlsConfigError) as raised:
        IoTHubDeviceClient.create_from_x509_certificate(X509(None, None), "localhost", device_id="device-01")
    assert raised.value.code == "INVALID_ARGUMENT"


def test_a_certificate_that_cannot_be_read_ends_the_making_of_the_client(make: Make, tmp_path: Path) -> None:
    with hubtls.azure.use(make()), pytest.raises(FileNotFoundError):
        IoTHubDeviceClient.create_from_x509_certificate(
            X509(str(tmp_path / "none.pem"), str(tmp_path / "none.key")), "localhost", device_id="device-01"
        )


def test_a_client_keeps_its_context_when_it_reconnects(make: Make, authority: Authority, broker: Broker) -> None:
    states: queue.Queue[bool] = queue.Queue()
    with playing_hub(broker.plain) as hub, contextlib.ExitStack() as stack:
        with hubtls.azure.use(make(roots=authority.pem)):
            client = stack.enter_context(with_key())
        client.on_connection_state_change = lambda: states.put(client.connected)
        client.connect()
        assert states.get(timeout=PATIENCE)
        # The broker ends the older connection of the same name.
        usurper = paho_client("device-01")
        usurper.connect("127.0.0.1", broker.plain)
        assert not states.get(timeout=PATIENCE)
        assert states.get(timeout=PATIENCE)
        usurper.disconnect()
        client.send_message("again")
        assert hub.next_telemetry() == ("device-01", b"again")


def test_new_roots_reach_a_client_with_its_own_certificate(
    authority: Authority, rsa_authority: Authority, strict: Broker
) -> None:
    context = hubtls.SSLContext(roots=rsa_authority.pem)
    with (
        playing_hub(strict.plain) as hub,
        hubtls.azure.use(context),
        with_certificate(certificate(authority, "device-01")) as client,
    ):
        assert refused(client).code == "UNKNOWN_ROOT"
        context.replace_roots(authority.pem)
        client.send_message("trusted now")
        assert hub.next_telemetry() == ("device-01", b"trusted now")


def test_an_unknown_root_is_the_cause_of_the_sdks_error(
    rsa_authority: Authority, authority: Authority, broker: Broker
) -> None:
    with hubtls.azure.use(hubtls.SSLContext(roots=rsa_authority.pem)), with_key() as client:
        error = refused(client)
    assert isinstance(error, hubtls.HubTlsCertificateError)
    assert error.code == "UNKNOWN_ROOT"


def test_a_wrong_host_name_is_the_cause_of_the_sdks_error(authority: Authority, tmp_path: Path) -> None:
    with (
        mosquitto(tmp_path, *authority.files(authority.issue("other.example")), port=8883),
        hubtls.azure.use(hubtls.SSLContext(roots=authority.pem)),
        with_key() as client,
    ):
        error = refused(client)
    assert isinstance(error, hubtls.HubTlsCertificateError)
    assert error.code == "HOST_NAME_MISMATCH"


def test_a_server_with_no_common_suite_is_the_cause_of_the_sdks_error(rsa_authority: Authority, tmp_path: Path) -> None:
    with (
        mosquitto(tmp_path, *rsa_authority.files(rsa_authority.issue("localhost")), port=8883),
        hubtls.azure.use(hubtls.SSLContext(policy="iothub-ecc", roots=rsa_authority.pem)),
        with_key() as client,
    ):
        assert refused(client).alert == "handshake_failure"


def test_the_native_context_refuses_an_unknown_root_and_a_wrong_host_name(
    authority: Authority, rsa_authority: Authority, tmp_path: Path
) -> None:
    with mosquitto(tmp_path, *authority.files(authority.issue("other.example")), port=8883):
        for root in (authority, rsa_authority):
            with (
                hubtls.azure.use(hubtls.native_context(roots=root.pem)),
                with_key() as client,
                pytest.raises(ClientError) as raised,
            ):
                client.connect()
            assert raised.value.__cause__ is not None
            assert isinstance(raised.value.__cause__.__cause__, ssl.SSLCertVerificationError)


# HTTPS.


def test_files_are_uploaded_over_the_context_too(make: Make, authority: Authority) -> None:
    x509 = certificate(authority, "device-01")
    with (
        playing_https(authority.server_context(client_certificate=True), 443) as https,
        hubtls.azure.use(make(roots=authority.pem)),
        with_certificate(x509) as client,
    ):
        assert client.get_storage_info_for_blob("log") == {"hostName": "storage.example"}
    assert https.asked.get_nowait() == ("device-01", "/devices/device-01/files", {"blobName": "log"})


def test_files_are_not_uploaded_to_a_server_that_is_not_trusted(authority: Authority, rsa_authority: Authority) -> None:
    with (
        playing_https(authority.server_context(), 443) as https,
        hubtls.azure.use(hubtls.SSLContext(roots=rsa_authority.pem)),
        with_key() as client,
        pytest.raises(ClientError) as raised,
    ):
        client.get_storage_info_for_blob("log")
    causes = [raised.value.__cause__]
    while causes[-1] is not None:
        causes.append(causes[-1].__cause__ or causes[-1].__context__)
    assert [error.code for error in causes if isinstance(error, hubtls.HubTlsError)] == ["UNKNOWN_ROOT"]
    assert https.asked.empty()


# The SDK as it is.


def test_the_arguments_are_enough_for_a_device_with_a_certificate(authority: Authority, strict: Broker) -> None:
    arguments = hubtls.azure.arguments(roots=authority.path)
    with (
        playing_hub(strict.plain) as hub,
        with_certificate(certificate(authority, "device-01"), **arguments) as client,
    ):
        does_all_that_a_hub_offers(client, hub)


def test_the_arguments_restrict_the_sdk_to_the_policys_suites(rsa_authority: Authority, tmp_path: Path) -> None:
    files = rsa_authority.files(rsa_authority.issue("localhost"))
    with (
        mosquitto(tmp_path, *files, port=8883),
        with_key(**hubtls.azure.arguments("iothub-ecc", rsa_authority.pem)) as client,
        pytest.raises(ConnectionFailedError) as raised,
    ):
        client.connect()
    assert raised.value.__cause__ is not None
    assert "HANDSHAKE_FAILURE" in str(raised.value.__cause__.__cause__)


def test_the_arguments_restrict_the_sdk_to_the_policys_roots(broker: Broker) -> None:
    with with_key(**hubtls.azure.arguments()) as client, pytest.raises(ClientError) as raised:
        client.connect()
    assert raised.value.__cause__ is not None
    assert isinstance(raised.value.__cause__.__cause__, ssl.SSLCertVerificationError)
