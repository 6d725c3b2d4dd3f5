"""paho-mqtt, of either major version, over hubtls."""

from __future__ import annotations

import contextlib
import queue
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from conftest import Authority
from faults import FAULTS, says
from servers import PATIENCE, Broker, listening, mosquitto
from traffic import mixed

import hubtls

Make = Callable[..., ssl.SSLContext]


class Device:
    """A paho client, and what its callbacks were told."""

    def __init__(self, context: ssl.SSLContext) -> None:
        versions = getattr(mqtt, "CallbackAPIVersion", None)
        self.client: Any = mqtt.Client() if versions is None else mqtt.Client(versions.VERSION2)
        self.client.tls_set_context(context)
        self.received: queue.Queue[bytes] = queue.Queue()
        self.subscribed = threading.Event()
        self.lost = threading.Event()
        self.connected = threading.Event()
        self.client.on_connect = lambda *_: self.connected.set()
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = lambda _client, _data, message: self.received.put(bytes(message.payload))
        self.client.on_disconnect = lambda *_: self.lost.set()

    @contextlib.contextmanager
    def in_a_thread(self, port: int) -> Iterator[Device]:
        """Connected, with paho's own thread at work."""
        self.client.connect("localhost", port)
        self.client.loop_start()
        try:
            assert self.connected.wait(PATIENCE)
            yield self
        finally:
            self.client.disconnect()
            self.client.loop_stop()

    def subscribe(self, topic: str, qos: int) -> None:
        self.client.subscribe(topic, qos)
        assert self.subscribed.wait(PATIENCE)

    def take(self, count: int) -> list[bytes]:
        return [self.received.get(timeout=PATIENCE) for _ in range(count)]

    def loop_until(self, done: Callable[[], bool]) -> int:
        """Calls `loop` until `done`, or it says that the connection is lost."""
        deadline = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < deadline, "nothing more came"
            if outcome := self.client.loop(timeout=1.0):
                return int(outcome)
        return 0


@pytest.fixture(scope="module", params=["ecdsa", "rsa"])
def of(request: pytest.FixtureRequest, authority: Authority, rsa_authority: Authority) -> Authority:
    """The authority of the broker's certificate."""
    return authority if request.param == "ecdsa" else rsa_authority


@pytest.fixture(scope="module")
def broker(of: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker for `localhost`."""
    with mosquitto(tmp_path_factory.mktemp("broker"), *of.files(of.issue("localhost"))) as broker:
        yield broker


@pytest.fixture(scope="module")
def strict(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that demands a client certificate, and takes its common name for the user's."""
    lines = ("require_certificate true", f"cafile {authority.path}")
    files = authority.files(authority.issue("localhost"))
    with mosquitto(tmp_path_factory.mktemp("strict"), *files, *lines) as broker:
        yield broker


def test_a_message_comes_back(make: Make, of: Authority, broker: Broker) -> None:
    with Device(make(roots=of.pem)).in_a_thread(broker.port) as device:
        device.subscribe("back", 0)
        device.client.publish("back", b"and forth")
        assert device.take(1) == [b"and forth"]


@pytest.mark.parametrize("qos", [0, 1])
def test_mixed_messages_all_come_back_through_the_thread(make: Make, of: Authority, broker: Broker, qos: int) -> None:
    messages = mixed()
    with Device(make(roots=of.pem)).in_a_thread(broker.port) as device:
        device.subscribe(f"thread/{qos}", qos)
        for message in messages:
            device.client.publish(f"thread/{qos}", message, qos)
        assert device.take(len(messages)) == messages


def test_mixed_messages_all_come_back_through_loop(make: Make, of: Authority, broker: Broker) -> None:
    messages = mixed()
    device = Device(make(roots=of.pem))
    device.client.connect("localhost", broker.port)
    device.loop_until(device.connected.is_set)
    device.client.subscribe("loop", 1)
    device.loop_until(device.subscribed.is_set)
    for message in messages:
        device.client.publish("loop", message, 1)
    device.loop_until(lambda: device.received.qsize() == len(messages))
    device.client.disconnect()
    assert device.take(len(messages)) == messages


def test_messages_that_share_a_record_are_all_told_without_more_traffic(
    make: Make, authority: Authority, tmp_path: Path
) -> None:
    messages = mixed(200)
    with mosquitto(tmp_path, *authority.files(authority.issue("localhost"))) as broker:
        with Device(make(roots=authority.pem)).in_a_thread(broker.port) as device:
            for number, message in enumerate(messages):
                device.client.publish(f"kept/{number:03}", message[:50], 1, retain=True).wait_for_publish()
        with Device(make(roots=authority.pem)).in_a_thread(broker.port) as device:
            device.subscribe("kept/#", 0)
            kept = [message[:50] for message in messages if message]
            assert sorted(device.take(len(kept))) == sorted(kept)


def test_two_devices_share_a_context(make: Make, of: Authority, broker: Broker) -> None:
    context, messages = make(roots=of.pem), mixed(30)
    with Device(context).in_a_thread(broker.port) as one, Device(context).in_a_thread(broker.port) as other:
        one.subscribe("one", 1)
        other.subscribe("other", 1)
        for message in messages:
            one.client.publish("other", message, 1)
            other.client.publish("one", message, 1)
        assert (one.take(len(messages)), other.take(len(messages))) == (messages, messages)


def test_the_socket_tells_what_was_agreed(of: Authority, broker: Broker) -> None:
    with Device(hubtls.SSLContext(roots=of.pem)).in_a_thread(broker.port) as device:
        assert device.client.socket().negotiated.version == device.client.socket().version()


def test_a_device_shows_its_certificate(make: Make, authority: Authority, strict: Broker) -> None:
    identity = authority.files(authority.issue("device-1"))
    with Device(make(roots=authority.pem, identity=identity)).in_a_thread(strict.port) as device:
        device.subscribe("mutual", 1)
        device.client.publish("mutual", b"known", 1)
        assert device.take(1) == [b"known"]


def test_a_device_without_a_certificate_is_refused(make: Make, authority: Authority, strict: Broker) -> None:
    device = Device(make(roots=authority.pem, policy="iothub-tls12"))
    with pytest.raises(ssl.SSLError) as caught:
        device.client.connect("localhost", strict.port)
    assert getattr(caught.value, "code", "CLIENT_CERTIFICATE_REQUIRED") == "CLIENT_CERTIFICATE_REQUIRED"


def test_a_device_without_a_certificate_gets_nowhere_in_tls_1_3(
    make: Make, authority: Authority, strict: Broker
) -> None:
    device = Device(make(roots=authority.pem))
    # The server refuses it after the client's handshake: paho 2 returns an error, paho 1 lets the exception through.
    with contextlib.suppress(OSError):
        device.client.connect("localhost", strict.port)
        assert device.loop_until(device.connected.is_set) != 0
    assert not device.connected.is_set()


def test_a_device_with_a_strangers_certificate_is_refused(
    make: Make, authority: Authority, rsa_authority: Authority, strict: Broker
) -> None:
    identity = rsa_authority.files(rsa_authority.issue("device-1"))
    device = Device(make(roots=authority.pem, identity=identity, policy="iothub-tls12"))
    with pytest.raises(ssl.SSLError):
        device.client.connect("localhost", strict.port)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_untrustworthy_broker_is_refused(
    make: Make, authority: Authority, faulty: dict[str, int], fault: str
) -> None:
    with pytest.raises(ssl.SSLError) as caught:
        Device(make(roots=authority.pem)).client.connect("localhost", faulty[fault])
    assert says(caught.value, fault)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "127.1"])
def test_another_way_to_write_the_address_is_not_the_name_in_the_certificate(
    make: Make, authority: Authority, port: int, host: str
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="CERTIFICATE_VERIFY_FAILED"):
        Device(make(roots=authority.pem)).client.connect(host, port)


def test_a_name_that_cannot_be_verified_is_not_retried_without_one(authority: Authority) -> None:
    names: list[object] = []

    class Watched(hubtls.SSLContext):
        def wrap_socket(self, *arguments: Any, **options: Any) -> Any:
            names.append(options.get("server_hostname"))
            return super().wrap_socket(*arguments, **options)

    with listening(lambda accepted: None) as port, pytest.raises(ssl.SSLError) as caught:
        Device(Watched(roots=authority.pem)).client.connect("2130706433", port)
    assert (names, getattr(caught.value, "code", None)) == (["2130706433"], "INVALID_SERVER_NAME")


def test_a_device_that_reconnects_by_itself_goes_on_being_refused(
    make: Make, authority: Authority, faulty: dict[str, int]
) -> None:
    device, refused = Device(make(roots=authority.pem)), threading.Semaphore(0)
    device.client.on_connect_fail = lambda *_: refused.release()
    device.client.reconnect_delay_set(min_delay=1, max_delay=1)
    device.client.connect_async("localhost", faulty["a_wrong_root"])
    device.client.loop_start()
    try:
        assert refused.acquire(timeout=PATIENCE)
        assert refused.acquire(timeout=PATIENCE)
        assert not device.connected.is_set()
    finally:
        device.client.disconnect()
        device.client.loop_stop()


def test_a_broker_that_vanishes_is_told(make: Make, authority: Authority, tmp_path: Path) -> None:
    device = Device(make(roots=authority.pem))
    with mosquitto(tmp_path, *authority.files(authority.issue("localhost"))) as broker:
        device.client.connect("localhost", broker.port)
        device.loop_until(device.connected.is_set)
    assert device.loop_until(device.lost.is_set) == mqtt.MQTT_ERR_CONN_LOST
