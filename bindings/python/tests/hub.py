"""What a hub does with its devices, played by a client behind a broker and by a web server."""

from __future__ import annotations

import contextlib
import http.server
import itertools
import json
import queue
import re
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as mqtt
from servers import PATIENCE


def paho_client(name: str = "") -> Any:
    """Of either major version of paho."""
    versions = getattr(mqtt, "CallbackAPIVersion", None)
    make: Any = mqtt.Client
    return make(name) if versions is None else make(versions.VERSION2, name)


class Hub:
    """Keeps one twin for all devices, and what they sent."""

    def __init__(self) -> None:
        self.client = paho_client()
        self.telemetry: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.reported: queue.Queue[dict[str, Any]] = queue.Queue()
        self.responses: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.twin = {"desired": {"interval": 5, "$version": 2}, "reported": {"$version": 1}}
        self.subscribed = threading.Event()
        self._numbers = itertools.count(1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = lambda _client, _data, message: self._take(message.topic, message.payload)

    def _take(self, topic: str, payload: bytes) -> None:
        if match := re.fullmatch(r"\$iothub/twin/GET/\?\$rid=(.*)", topic):
            self.client.publish(f"$iothub/twin/res/200/?$rid={match[1]}", json.dumps(self.twin), 1)
        elif match := re.fullmatch(r"\$iothub/twin/PATCH/properties/reported/\?\$rid=(.*)", topic):
            self.reported.put(json.loads(payload))
            self.client.publish(f"$iothub/twin/res/204/?$rid={match[1]}&$version=2", b"", 1)
        elif match := re.fullmatch(r"\$dps/registrations/PUT/iotdps-register/\?\$rid=(.*)", topic):
            device = json.loads(payload)["registrationId"]
            state = {"assignedHub": "hub.example", "deviceId": device, "substatus": "initialAssignment"}
            answer = {"operationId": "1", "status": "assigned", "registrationState": state}
            self.client.publish(f"$dps/registrations/res/200/?$rid={match[1]}", json.dumps(answer), 1)
        elif match := re.fullmatch(r"\$iothub/methods/res/(\d+)/\?\$rid=.*", topic):
            self.responses.put((match[1], json.loads(payload)))
        elif match := re.fullmatch(r"devices/(.*?)/messages/events/.*", topic):
            self.telemetry.put((match[1], payload))

    def next_telemetry(self) -> tuple[str, bytes]:
        """The device that sent it, and what it sent."""
        return self.telemetry.get(timeout=PATIENCE)

    def send(self, device: str, payload: bytes) -> None:
        """A message from the cloud to the device."""
        self.client.publish(f"devices/{device}/messages/devicebound/%24.mid=1", payload, 1)

    def desire(self, **properties: Any) -> None:
        """A patch of the twin's desired properties."""
        patch = json.dumps({**properties, "$version": 3})
        self.client.publish("$iothub/twin/PATCH/properties/desired/?$version=3", patch, 1)

    def call(self, method: str, payload: Any) -> tuple[str, Any]:
        """Calls a direct method; the status and what the device answered."""
        self.client.publish(f"$iothub/methods/POST/{method}/?$rid={next(self._numbers)}", json.dumps(payload), 1)
        return self.responses.get(timeout=PATIENCE)


@contextlib.contextmanager
def playing_hub(plain: int) -> Iterator[Hub]:
    """A hub behind the broker whose listener without TLS is at `plain`."""
    hub = Hub()
    hub.client.connect("127.0.0.1", plain)
    hub.client.loop_start()
    try:
        topics = ("devices/+/messages/events/#", "$iothub/twin/GET/#", "$iothub/twin/PATCH/properties/reported/#")
        answers = ("$iothub/methods/res/#", "$dps/registrations/PUT/#")
        hub.client.subscribe([(topic, 1) for topic in (*topics, *answers)])
        assert hub.subscribed.wait(PATIENCE)
        yield hub
    finally:
        hub.client.disconnect()
        hub.client.loop_stop()


class Https:
    """The port of a hub's HTTPS half, and what was asked: whose certificate was shown, the path, and the body."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: queue.Queue[tuple[str | None, str, Any]] = queue.Queue()


@contextlib.contextmanager
def playing_https(context: ssl.SSLContext, port: int = 0) -> Iterator[Https]:
    """Takes telemetry, and says where files may be put. `port`: for clients that know but one."""
    https = Https()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert isinstance(self.connection, ssl.SSLSocket)
            peer: Any = self.connection.getpeercert() or {}
            subject = dict(pair for part in peer.get("subject", ()) for pair in part)
            path, body = self.path.partition("?")[0], self.rfile.read(int(self.headers["content-length"]))
            https.asked.put((subject.get("commonName"), path, json.loads(body)))
            answer = b"" if path.endswith("/messages/events") else b'{"hostName": "storage.example"}'
            self.send_response(200 if answer else 204)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Quiet."""

    class Server(http.server.HTTPServer):
        def handle_error(self, *_: Any) -> None:
            """What a client does to a server is the client's business."""

    with Server(("127.0.0.1", port), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        https.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield https
        finally:
            server.shutdown()
            thread.join(PATIENCE)
