"""Clients of azure-iot-device for tests, and what its transports make."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from azure.iot.device import X509, IoTHubDeviceClient
from azure.iot.device.common.http_transport import HTTPTransport
from azure.iot.device.common.mqtt_transport import MQTTTransport
from conftest import Authority

KEY = "HostName=localhost;DeviceId=device-01;SharedAccessKey=c2VjcmV0IG9mIHRoZSBkZXZpY2U="


@contextlib.contextmanager
def left_as_it_was() -> Iterator[None]:
    """Whoever uses the SDK leaves it as it was."""
    before = MQTTTransport._create_ssl_context, HTTPTransport._create_ssl_context
    yield
    assert (MQTTTransport._create_ssl_context, HTTPTransport._create_ssl_context) == before


def certificate(authority: Authority, device: str) -> X509:
    return X509(*map(str, authority.files(authority.ca.issue_cert(device, common_name=device))))


@contextlib.contextmanager
def created(make: Callable[[], Any]) -> Iterator[Any]:
    client = make()
    try:
        yield client
    finally:
        client.shutdown()


def with_certificate(x509: X509, device: str = "device-01", **options: Any) -> contextlib.AbstractContextManager[Any]:
    return created(
        lambda: IoTHubDeviceClient.create_from_x509_certificate(x509, "localhost", device_id=device, **options)
    )


def with_key(**options: Any) -> contextlib.AbstractContextManager[Any]:
    return created(lambda: IoTHubDeviceClient.create_from_connection_string(KEY, **options))


def made(transport: type, **options: Any) -> Any:
    """The context that a transport of the SDK's makes."""
    names = {"hostname": "localhost"} | ({"client_id": "1", "username": "1"} if transport is MQTTTransport else {})
    return transport(**names, **options)._create_ssl_context()
