"""A small device on paho-mqtt: sends one telemetry message to Azure IoT Hub, or to any MQTT 3.1.1 broker.

`pip install hubtls "paho-mqtt>=2"`, then
`python device_paho.py my-hub.azure-devices.net device-01 device-01.pem device-01.key [private-root.pem]`.
"""

from __future__ import annotations

import queue
import sys

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

import hubtls

USAGE = "usage: device_paho.py HOST[:PORT] DEVICE CERTIFICATE KEY [ROOT]"
PATIENCE = 10.0


def main(address: str, device: str, certificate: str, key: str, root: str | None = None) -> str | None:
    """What went wrong, or None."""
    host, _, port = address.partition(":")
    # The policy `iothub` is the default: versions, cipher suites and roots as Azure IoT Hub demands them.
    # A program makes it once and shares it by all its connections.
    context = hubtls.SSLContext(identity=(certificate, key), add_roots=root)
    for warning in context.config.warnings:
        print(f"warning: {warning}", file=sys.stderr)

    outcome: queue.Queue[str | None] = queue.Queue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, device)
    client.username_pw_set(f"{host}/{device}/?api-version=2021-04-12")
    client.tls_set_context(context)
    client.on_connect = lambda _client, _data, _flags, reason, _properties: (
        outcome.put(f"not accepted: {reason}") if reason.is_failure else None
    )
    # Quality of service 1: the hub confirms that it has the message.
    client.on_publish = lambda *_: outcome.put(None)

    client.connect(host, int(port or 8883))
    socket = client.socket()
    assert isinstance(socket, hubtls.SSLSocket)
    print(f"connected: {socket.negotiated.version}, {socket.negotiated.cipher_suite}")
    client.loop_start()
    try:
        client.publish(f"devices/{device}/messages/events/", '{"temperature":21.5}', qos=1)
        return outcome.get(timeout=PATIENCE)
    except queue.Empty:
        return "not delivered: no answer came"
    finally:
        client.disconnect()
        client.loop_stop()


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        sys.exit(USAGE)
    try:
        problem = main(*sys.argv[1:])
    except hubtls.HubTlsError as error:
        problem = f"{error.code}: {error.message} ({error.hint})"
    if problem is None:
        print("telemetry delivered")
    sys.exit(problem)
