"""aiohttp's client and its websockets over hubtls."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web
from conftest import Authority
from faults import FAULTS, says
from servers import PATIENCE, connect
from traffic import bulk, mixed

import hubtls

Make = Callable[..., ssl.SSLContext]

LARGE = 5_000_003
LIMIT = aiohttp.ClientTimeout(PATIENCE)


async def _bulk(request: web.Request) -> web.Response:
    return web.Response(body=bulk(int(request.match_info["size"])))


async def _digest(request: web.Request) -> web.Response:
    digest = hashlib.sha256()
    async for chunk in request.content.iter_any():
        digest.update(chunk)
    return web.Response(text=digest.hexdigest())


async def _echo(request: web.Request) -> web.WebSocketResponse:
    connection = web.WebSocketResponse(max_msg_size=0)
    await connection.prepare(request)
    async for message in connection:
        await connection.send_bytes(message.data)
    return connection


@pytest.fixture
async def site(authority: Authority) -> AsyncIterator[str]:
    """The address of a site for `localhost`, without `https:` or `wss:`."""
    application = web.Application(client_max_size=2 * LARGE)
    application.add_routes(
        [web.get("/bulk/{size}", _bulk), web.post("/digest", _digest), web.get("/echo", _echo)],
    )
    runner = web.AppRunner(application)
    await runner.setup()
    assert runner.server is not None
    server = await asyncio.get_running_loop().create_server(
        runner.server, "127.0.0.1", 0, ssl=authority.server_context()
    )
    try:
        yield f"//localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await runner.cleanup()


@pytest.fixture
async def session(make: Make, authority: Authority) -> AsyncIterator[aiohttp.ClientSession]:
    """A session whose connector has a context of each kind."""
    connector = aiohttp.TCPConnector(ssl=make(roots=authority.pem))
    async with aiohttp.ClientSession(connector=connector, timeout=LIMIT) as session:
        yield session


@pytest.mark.parametrize("size", [0, 500, 16_384, LARGE])
async def test_a_body_comes(session: aiohttp.ClientSession, site: str, size: int) -> None:
    async with session.get(f"https:{site}/bulk/{size}") as response:
        assert await response.read() == bulk(size)


@pytest.mark.parametrize("size", [1, 16_385, LARGE])
async def test_a_body_goes(session: aiohttp.ClientSession, site: str, size: int) -> None:
    async with session.post(f"https:{site}/digest", data=bulk(size)) as response:
        assert await response.text() == hashlib.sha256(bulk(size)).hexdigest()


async def test_a_context_of_a_single_request_is_used(make: Make, authority: Authority, site: str) -> None:
    async with (
        aiohttp.ClientSession(timeout=LIMIT) as session,
        session.get(f"https:{site}/bulk/9", ssl=make(roots=authority.pem)) as response,
    ):
        assert await response.read() == bulk(9)


async def test_fifty_requests_at_once(session: aiohttp.ClientSession, site: str) -> None:
    async def get(size: int) -> bytes:
        async with session.get(f"https:{site}/bulk/{size}") as response:
            return await response.read()

    sizes = range(16_360, 16_410)
    assert await asyncio.gather(*map(get, sizes)) == [bulk(size) for size in sizes]


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_untrustworthy_server_is_refused(
    session: aiohttp.ClientSession, faulty: dict[str, int], fault: str
) -> None:
    with pytest.raises(aiohttp.ClientConnectorError) as caught:
        await session.get(f"https://localhost:{faulty[fault]}/")
    assert says(caught.value, fault)


async def test_a_certificate_error_is_aiohttps_own_kind(session: aiohttp.ClientSession, faulty: dict[str, int]) -> None:
    with pytest.raises(aiohttp.ClientConnectorCertificateError) as caught:
        await session.get(f"https://localhost:{faulty['a_wrong_host']}/")
    assert isinstance(caught.value.certificate_error, ssl.SSLCertVerificationError)


async def test_no_protocol_is_left_for_a_later_connection(context: hubtls.SSLContext, site: str, port: int) -> None:
    async with aiohttp.ClientSession(timeout=LIMIT) as session, session.get(f"https:{site}/bulk/9", ssl=context):
        pass
    with connect(context, port) as later:
        assert later.negotiated.alpn is None


async def test_websocket_messages_all_come_back(session: aiohttp.ClientSession, site: str) -> None:
    messages = mixed()
    async with session.ws_connect(f"wss:{site}/echo", max_msg_size=0) as connection:

        async def give() -> None:
            for message in messages:
                await connection.send_bytes(message)

        giving = asyncio.create_task(give())
        assert [await connection.receive_bytes() for _ in messages] == messages
        await giving


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_websocket_to_an_untrustworthy_server_is_refused(
    session: aiohttp.ClientSession, faulty: dict[str, int], fault: str
) -> None:
    with pytest.raises(aiohttp.ClientConnectorError) as caught:
        await session.ws_connect(f"wss://localhost:{faulty[fault]}/")
    assert says(caught.value, fault)
