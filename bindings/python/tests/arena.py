"""The servers of likeness.py."""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

from likeness import Arena
from servers import PATIENCE, listening, stdlib_server


def _polite(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"hello")


def _rude(connection: ssl.SSLSocket) -> None:
    # What is read makes sure that the client is there; what is not read would reset the connection.
    connection.recv(1)
    connection.sendall(b"hello")


def _slow(gate: threading.Event, connection: ssl.SSLSocket) -> None:
    gate.wait(PATIENCE)
    count = 0
    while data := connection.recv(65_536):
        count += len(data)
        if data.endswith(b"!"):
            break
    connection.sendall(b"%08d" % count)


def _mute(accepted: socket.socket) -> None:
    while accepted.recv(65_536):
        pass


@contextlib.contextmanager
def opened(authority: Any) -> Iterator[Arena]:
    """The servers while they run."""
    old = authority.server_context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    speaking = authority.server_context()
    speaking.set_alpn_protocols(["mqtt"])
    new = authority.server_context("localhost", "127.0.0.1", "*.wild.example", "xn--bcher-kva.example")
    gate = threading.Event()
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        yield Arena(
            echo=enter(stdlib_server(new)),
            old=enter(stdlib_server(old)),
            polite=enter(stdlib_server(new, _polite)),
            rude=enter(stdlib_server(old, _rude, unwrap=False)),
            silent=enter(listening(_mute)),
            slow=enter(stdlib_server(new, functools.partial(_slow, gate))),
            gate=gate,
            speaking=enter(stdlib_server(speaking)),
            root=authority.pem.decode(),
        )
