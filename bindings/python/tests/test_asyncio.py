"""asyncio's streams, transports and protocols over hubtls."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Authority
from faults import FAULTS, says
from servers import PATIENCE, echo, listening, stdlib_server
from traffic import bulk, mixed

import hubtls

Make = Callable[..., ssl.SSLContext]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

# What is not closed, or dies unheard, is an error.
pytestmark = [
    pytest.mark.usefixtures("quiet"),
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore:this Python cannot choose the suites"),
]

LARGE = 4_000_037


@pytest.fixture
def context(make: Make, authority: Authority) -> ssl.SSLContext:
    """Of each kind, trusting `authority`."""
    return make(roots=authority.pem)


@contextlib.asynccontextmanager
async def streams(context: ssl.SSLContext, port: int) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_what_is_written_comes_back(context: ssl.SSLContext, port: int) -> None:
    async with streams(context, port) as (reader, writer):
        writer.write(b"there and back")
        assert await reader.readexactly(14) == b"there and back"


async def test_mixed_messages_all_come_back(context: ssl.SSLContext, port: int) -> None:
    messages = mixed()

    async def take(reader: asyncio.StreamReader) -> list[bytes]:
        return [await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big")) for _ in messages]

    async with streams(context, port) as (reader, writer):
        taking = asyncio.create_task(take(reader))
        for message in messages:
            writer.write(len(message).to_bytes(4, "big") + message)
            await writer.drain()
        assert await taking == messages


async def test_a_large_transfer_goes_both_ways_at_once(context: ssl.SSLContext, port: int) -> None:
    content = bulk(LARGE)
    async with streams(context, port) as (reader, writer):
        taking = asyncio.create_task(reader.readexactly(LARGE))
        writer.write(content)
        await writer.drain()
        assert await taking == content


async def test_the_end_of_the_stream_is_told(context: ssl.SSLContext, authority: Authority) -> None:
    with stdlib_server(authority.server_context(), lambda connection: connection.sendall(bulk(100_000))) as port:
        async with streams(context, port) as (reader, _):
            assert await reader.read() == bulk(100_000)


async def test_a_cut_stream_is_not_a_complete_one(context: ssl.SSLContext, authority: Authority) -> None:
    def cut(connection: ssl.SSLSocket) -> None:
        connection.sendall(b"half")
        socket.socket(fileno=connection.detach()).close()

    with stdlib_server(authority.server_context(), cut, unwrap=False) as port:
        async with streams(context, port) as (reader, _):
            with pytest.raises((ssl.SSLEOFError, asyncio.IncompleteReadError)):
                await reader.readexactly(5)


async def test_what_was_agreed_is_told(authority: Authority, port: int) -> None:
    async with streams(hubtls.SSLContext(roots=authority.pem), port) as (_, writer):
        told = writer.get_extra_info("ssl_object")
        assert writer.get_extra_info("cipher") == told.cipher()
        assert told.negotiated.version == "TLSv1.3"
        assert writer.get_extra_info("peercert")["subjectAltName"] == (("DNS", "localhost"),)


async def test_the_end_cannot_be_written_alone(context: ssl.SSLContext, port: int) -> None:
    async with streams(context, port) as (_, writer):
        assert not writer.can_write_eof()
        with pytest.raises(NotImplementedError):
            writer.write_eof()


class Collector(asyncio.Protocol):
    """Collects what comes until there is as much as expected."""

    def __init__(self, size: int) -> None:
        self.received = bytearray()
        self.complete = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        self._size = size

    def data_received(self, data: bytes) -> None:
        self.received += data
        if len(self.received) >= self._size and not self.complete.done():
            self.complete.set_result(None)

    def connection_lost(self, error: BaseException | None) -> None:
        self.lost.set_result(error)


class Filler(asyncio.BufferedProtocol):
    """The same in a buffer of its own, far smaller than a record."""

    def __init__(self, size: int) -> None:
        self._collector = Collector(size)
        self.complete, self.lost, self.received = (
            self._collector.complete,
            self._collector.lost,
            self._collector.received,
        )
        self._buffer = memoryview(bytearray(3_000))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        self._collector.data_received(bytes(self._buffer[:count]))

    def connection_lost(self, error: BaseException | None) -> None:
        self._collector.connection_lost(error)


@pytest.mark.parametrize("kind", [Collector, Filler])
async def test_a_protocol_gets_all(context: ssl.SSLContext, port: int, kind: Callable[[int], Any]) -> None:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(lambda: kind(LARGE), "localhost", port, ssl=context)
    transport.write(bulk(LARGE))
    await asyncio.wait_for(protocol.complete, PATIENCE)
    transport.close()
    assert await protocol.lost is None
    assert protocol.received == bulk(LARGE)


async def test_a_protocol_that_pauses_loses_nothing(context: ssl.SSLContext, port: int) -> None:
    class Pausing(Collector):
        transport: asyncio.Transport

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.pause_reading()
            asyncio.get_running_loop().call_soon(self.transport.resume_reading)

    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(lambda: Pausing(LARGE), "localhost", port, ssl=context)
    transport.write(bulk(LARGE))
    await asyncio.wait_for(protocol.complete, PATIENCE)
    transport.close()
    await protocol.lost
    assert protocol.received == bulk(LARGE)


async def test_an_aborted_transport_ends_at_once(context: ssl.SSLContext, port: int) -> None:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(lambda: Collector(1), "localhost", port, ssl=context)
    transport.write(bulk(LARGE))
    transport.abort()
    await asyncio.wait_for(protocol.lost, PATIENCE)


# From plain to TLS.


@pytest.fixture(scope="module")
def upgrading(authority: Authority) -> Iterator[int]:
    """A server that begins in plaintext, as those of STARTTLS do."""
    server = authority.server_context()

    def handle(accepted: socket.socket) -> None:
        accepted.sendall(accepted.recv(9) + b"now\n")
        with server.wrap_socket(accepted, server_side=True) as connection:
            echo(connection)
            connection.unwrap().close()

    with listening(handle) as port:
        yield port


async def test_streams_are_upgraded(context: ssl.SSLContext, upgrading: int) -> None:
    reader, writer = await asyncio.open_connection("localhost", upgrading)
    writer.write(b"STARTTLS\n")
    assert await reader.readexactly(13) == b"STARTTLS\nnow\n"
    await writer.start_tls(context, server_hostname="localhost")
    writer.write(bulk(100_000))
    assert await reader.readexactly(100_000) == bulk(100_000)
    writer.close()
    await writer.wait_closed()


async def test_a_transport_is_upgraded(context: ssl.SSLContext, upgrading: int) -> None:
    loop = asyncio.get_running_loop()
    plain, greeted = await loop.create_connection(lambda: Collector(13), "localhost", upgrading)
    plain.write(b"STARTTLS\n")
    await asyncio.wait_for(greeted.complete, PATIENCE)
    protocol = Collector(LARGE)
    transport = await loop.start_tls(plain, protocol, context, server_hostname="localhost")
    assert transport is not None
    transport.write(bulk(LARGE))
    await asyncio.wait_for(protocol.complete, PATIENCE)
    transport.close()
    await protocol.lost
    assert protocol.received == bulk(LARGE)


async def test_an_upgrade_without_a_name_is_refused(context: ssl.SSLContext, upgrading: int) -> None:
    loop = asyncio.get_running_loop()
    plain, greeted = await loop.create_connection(lambda: Collector(13), "localhost", upgrading)
    plain.write(b"STARTTLS\n")
    await asyncio.wait_for(greeted.complete, PATIENCE)
    with pytest.raises(ValueError, match="server_hostname"):
        await loop.start_tls(plain, Collector(1), context)
    plain.abort()


# Many, and none.


async def test_five_hundred_connections_at_once(make: Make, echoing: tuple[int, Path]) -> None:
    port, roots = echoing
    context = make(roots=roots.read_bytes())
    together = asyncio.Barrier(500)

    async def visit(number: int) -> bytes:
        async with streams(context, port) as (reader, writer):
            async with together:
                writer.write(bulk(1_000, number))
            return await reader.readexactly(1_000)

    assert await asyncio.gather(*map(visit, range(500))) == [bulk(1_000, number) for number in range(500)]


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_untrustworthy_server_is_refused(context: ssl.SSLContext, faulty: dict[str, int], fault: str) -> None:
    with pytest.raises(ssl.SSLError) as caught:
        await asyncio.open_connection("localhost", faulty[fault], ssl=context)
    assert says(caught.value, fault)


async def test_a_handshake_can_be_cancelled(context: ssl.SSLContext, silent: tuple[int, asyncio.Event]) -> None:
    port, heard = silent
    connecting = asyncio.create_task(asyncio.open_connection("localhost", port, ssl=context))
    await asyncio.wait_for(heard.wait(), PATIENCE)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting


async def test_a_cancelled_handshake_leaves_the_context_usable(
    context: ssl.SSLContext, silent: tuple[int, asyncio.Event], port: int
) -> None:
    connecting = asyncio.create_task(asyncio.open_connection("localhost", silent[0], ssl=context))
    await asyncio.wait_for(silent[1].wait(), PATIENCE)
    connecting.cancel()
    await asyncio.wait([connecting])
    async with streams(context, port) as (reader, writer):
        writer.write(b"on")
        assert await reader.readexactly(2) == b"on"


async def test_a_read_can_be_cancelled_and_nothing_is_lost(context: ssl.SSLContext, port: int) -> None:
    async with streams(context, port) as (reader, writer):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(1), 0.05)
        writer.write(b"late")
        assert await reader.readexactly(4) == b"late"


def test_a_write_into_memory_takes_all_of_it(context: ssl.SSLContext, authority: Authority) -> None:
    """As OpenSSL's does: anyio, and so httpx, does not ask how much was written."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(back, there, server_hostname="localhost")
    server = authority.server_context().wrap_bio(there, back, server_side=True)
    for side in (client, server, client, server):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert client.write(bulk(200_000)) == 200_000
