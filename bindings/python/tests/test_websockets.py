"""The clients of websockets, of asyncio and of threads, over hubtls."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import websockets.asyncio.client
import websockets.sync.client
import websockets.sync.server
from conftest import Authority
from faults import FAULTS, says
from servers import PATIENCE
from traffic import bulk, mixed
from websockets.exceptions import ConnectionClosed

Make = Callable[..., ssl.SSLContext]

#: No pings that would wake up who has missed something.
OPTIONS: dict[str, Any] = {
    "max_size": None,
    "compression": None,
    "proxy": None,
    "open_timeout": PATIENCE,
    "ping_interval": None,
}


@pytest.fixture(scope="module")
def site(authority: Authority) -> Iterator[str]:
    """Sends each message back."""

    def echo(connection: websockets.sync.server.ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            for message in connection:
                connection.send(message)

    with websockets.sync.server.serve(
        echo, "127.0.0.1", 0, ssl=authority.server_context(), max_size=None, compression=None, ping_interval=None
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"wss://localhost:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join(PATIENCE)


@pytest.fixture
def context(make: Make, authority: Authority) -> ssl.SSLContext:
    """Of each kind, trusting `authority`."""
    return make(roots=authority.pem)


async def test_mixed_messages_all_come_back_with_asyncio(context: ssl.SSLContext, site: str) -> None:
    messages = mixed()
    async with websockets.asyncio.client.connect(site, ssl=context, **OPTIONS) as connection:

        async def give() -> None:
            for message in messages:
                await connection.send(message)

        giving = asyncio.create_task(give())
        assert [await connection.recv() for _ in messages] == messages
        await giving


def test_mixed_messages_all_come_back_with_threads(context: ssl.SSLContext, site: str) -> None:
    messages = mixed()
    with websockets.sync.client.connect(site, ssl=context, **OPTIONS) as connection:
        giving = threading.Thread(target=lambda: [connection.send(message) for message in messages])
        giving.start()
        assert [connection.recv(timeout=PATIENCE) for _ in messages] == messages
        giving.join(PATIENCE)


async def test_a_large_message_comes_back_with_asyncio(context: ssl.SSLContext, site: str) -> None:
    async with websockets.asyncio.client.connect(site, ssl=context, **OPTIONS) as connection:
        await connection.send(bulk(5_000_003))
        assert await connection.recv() == bulk(5_000_003)


def test_a_large_message_comes_back_with_threads(context: ssl.SSLContext, site: str) -> None:
    with websockets.sync.client.connect(site, ssl=context, **OPTIONS) as connection:
        connection.send(bulk(5_000_003))
        assert connection.recv(timeout=PATIENCE) == bulk(5_000_003)


async def test_a_ping_is_answered_with_asyncio(context: ssl.SSLContext, site: str) -> None:
    async with websockets.asyncio.client.connect(site, ssl=context, **OPTIONS) as connection:
        await asyncio.wait_for(await connection.ping(), PATIENCE)


def test_a_ping_is_answered_with_threads(context: ssl.SSLContext, site: str) -> None:
    with websockets.sync.client.connect(site, ssl=context, **OPTIONS) as connection:
        assert connection.ping().wait(PATIENCE)


async def test_the_end_is_an_orderly_one_with_asyncio(context: ssl.SSLContext, site: str) -> None:
    connection = await websockets.asyncio.client.connect(site, ssl=context, **OPTIONS)
    await connection.close()
    assert connection.close_code == 1000


def test_the_end_is_an_orderly_one_with_threads(context: ssl.SSLContext, site: str) -> None:
    with websockets.sync.client.connect(site, ssl=context, **OPTIONS) as connection:
        connection.close()
    assert connection.protocol.close_code == 1000


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_untrustworthy_server_is_refused_with_asyncio(
    context: ssl.SSLContext, faulty: dict[str, int], fault: str
) -> None:
    with pytest.raises(ssl.SSLError) as caught:
        await websockets.asyncio.client.connect(f"wss://localhost:{faulty[fault]}", ssl=context, **OPTIONS)
    assert says(caught.value, fault)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_untrustworthy_server_is_refused_with_threads(
    context: ssl.SSLContext, faulty: dict[str, int], fault: str
) -> None:
    with pytest.raises(ssl.SSLError) as caught:
        websockets.sync.client.connect(f"wss://localhost:{faulty[fault]}", ssl=context, **OPTIONS)
    assert says(caught.value, fault)
