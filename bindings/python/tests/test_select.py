"""Programs that wait with `select` and never ask `pending`, as the threads of websockets.

With OpenSSL they get by: it takes one record at a time from the socket and leaves the rest for `select` to see.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
from collections.abc import Callable, Iterator

import pytest
from conftest import Authority
from servers import connect, listening
from traffic import bulk

Make = Callable[..., ssl.SSLContext]

#: Seconds that data on loopback never takes.
LONG = 2.0


@contextlib.contextmanager
def sending(authority: Authority, *records: bytes) -> Iterator[int]:
    """A server that sends these, each a record of its own, in one piece with the end of its handshake."""
    context = authority.server_context()

    def handle(accepted: socket.socket) -> None:
        heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(heard, said, server_side=True)
        while True:
            try:
                server.do_handshake()
                break
            except ssl.SSLWantReadError:
                accepted.sendall(said.read())
                heard.write(accepted.recv(65_536))
        for record in records:
            server.write(record)
        accepted.sendall(said.read())
        while accepted.recv(65_536):
            pass

    with listening(handle) as port:
        yield port


def receive(connection: ssl.SSLSocket, size: int, most: int) -> bytes:
    """This many bytes, each `recv` once the socket is readable, as a loop over a selector does."""
    received = b""
    while len(received) < size:
        readable, _, _ = select.select([connection], [], [], LONG)
        assert readable, f"{len(received)} of {size} bytes came, and the rest is not told"
        received += connection.recv(most)
    return received


@pytest.mark.parametrize("policy", ["iothub", "iothub-tls12"])
@pytest.mark.parametrize(
    ("record", "most"), [(100, 1_024), (1_000, 1_024), (1_000, 65_536), (16_384, 16_384), (16_384, 65_536)]
)
def test_records_that_come_together_are_all_told(
    make: Make, authority: Authority, policy: str, record: int, most: int
) -> None:
    records = [bulk(record, seed) for seed in range(12)]
    context = make(roots=authority.pem, policy=policy)
    with sending(authority, *records) as port, connect(context, port) as connection:
        assert receive(connection, 12 * record, most) == b"".join(records)


@pytest.mark.parametrize("policy", ["iothub", "iothub-tls12"])
def test_a_greeting_that_comes_with_the_handshake_is_told(make: Make, authority: Authority, policy: str) -> None:
    context = make(roots=authority.pem, policy=policy)
    with sending(authority, b"220 ready") as port, connect(context, port) as connection:
        assert receive(connection, 9, 1_024) == b"220 ready"
