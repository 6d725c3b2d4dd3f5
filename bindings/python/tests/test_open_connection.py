"""`hubtls.open_connection`: streams of asyncio with one limit of time for everything."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import Authority
from faults import FAULTS, says
from servers import PATIENCE, free_port, listening
from traffic import bulk, mixed

import hubtls

Make = Callable[..., Any]

pytestmark = [
    pytest.mark.usefixtures("quiet"),
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore:this Python cannot choose the suites"),
]


@pytest.fixture
def context(make: Make, authority: Authority) -> Any:
    """Of each kind, trusting `authority`."""
    return make(roots=authority.pem)


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


async def test_mixed_messages_all_come_back(context: Any, port: int) -> None:
    messages = mixed()
    reader, writer = await hubtls.open_connection("localhost", port, context=context)

    async def give() -> None:
        for message in messages:
            writer.write(message)
            await writer.drain()

    giving = asyncio.create_task(give())
    assert [await reader.readexactly(len(message)) for message in messages] == messages
    await giving
    await close(writer)


async def test_what_was_agreed_is_told(authority: Authority, port: int) -> None:
    _, writer = await hubtls.open_connection("localhost", port, context=hubtls.SSLContext(roots=authority.pem))
    assert writer.get_extra_info("ssl_object").negotiated.version == "TLSv1.3"
    await close(writer)


async def test_without_a_context_the_roots_are_the_policys(port: int) -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        await hubtls.open_connection("localhost", port)
    assert says(caught.value, "a_wrong_root")


async def test_a_context_of_somebody_else_is_refused(port: int) -> None:
    with pytest.raises(hubtls.HubTlsConfigError) as caught:
        await hubtls.open_connection("localhost", port, context=ssl.create_default_context())  # type: ignore[arg-type]
    assert caught.value.code == "INVALID_ARGUMENT"


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_untrustworthy_server_is_refused(context: Any, faulty: dict[str, int], fault: str) -> None:
    with pytest.raises(ssl.SSLError) as caught:
        await hubtls.open_connection("localhost", faulty[fault], context=context)
    assert says(caught.value, fault)


async def test_the_name_to_verify_may_be_another_than_the_address(context: Any, port: int) -> None:
    _, writer = await hubtls.open_connection("127.0.0.1", port, context=context, server_hostname="localhost")
    await close(writer)


async def test_the_address_is_the_name_to_verify_without_another(context: Any, port: int) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await hubtls.open_connection("127.0.0.1", port, context=context)


async def test_a_connected_socket_is_taken(context: Any, port: int) -> None:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setblocking(False)
    reader, writer = await hubtls.open_connection("localhost", port, context=context, sock=sock)
    writer.write(b"mine")
    assert await reader.readexactly(4) == b"mine"
    await close(writer)


async def test_the_name_is_verified_on_a_connected_socket_too(context: Any, port: int) -> None:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setblocking(False)
    with pytest.raises(ssl.SSLCertVerificationError):
        await hubtls.open_connection("other.test", port, context=context, sock=sock)


async def test_the_readers_limit_is_passed_on(context: Any, port: int) -> None:
    reader, writer = await hubtls.open_connection("localhost", port, context=context, limit=100)
    writer.write(bulk(1_000).replace(b"\n", b"-"))
    with pytest.raises(asyncio.LimitOverrunError):
        await reader.readuntil(b"\n")
    await close(writer)


async def test_a_port_where_nobody_listens_is_an_oserror(context: Any) -> None:
    with pytest.raises(OSError, match="Connect call failed"):
        await hubtls.open_connection("localhost", free_port(), context=context)


async def test_a_name_that_nobody_has_is_an_oserror(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(socket.gaierror):
        await hubtls.open_connection("hub.invalid", 8883, context=context)


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """Answers each client's first words with this, and then listens until it goes."""

    def handle(accepted: socket.socket) -> None:
        accepted.recv(65_536)
        accepted.sendall(answer)
        while accepted.recv(65_536):
            pass

    with listening(handle) as port:
        yield port


async def test_a_plaintext_peer_is_told_from_a_tls_one(context: Any) -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port, pytest.raises(ssl.SSLError) as caught:
        await hubtls.open_connection("localhost", port, context=context)
    assert (caught.value.reason, getattr(caught.value, "code", "NOT_TLS")) == ("WRONG_VERSION_NUMBER", "NOT_TLS")


async def test_a_peer_that_goes_in_mid_handshake_is_a_connection_that_was_reset(context: Any) -> None:
    with listening(lambda accepted: accepted.recv(65_536)) as port, pytest.raises(ConnectionResetError):
        await hubtls.open_connection("localhost", port, context=context)


async def test_a_silent_peer_is_given_up_in_time(context: Any, silent: tuple[int, asyncio.Event]) -> None:
    with pytest.raises(TimeoutError, match=rf"localhost:{silent[0]} within 0\.2 s"):
        await hubtls.open_connection("localhost", silent[0], context=context, timeout=0.2)


async def test_a_peer_that_stalls_in_mid_record_is_given_up_in_time(context: Any) -> None:
    with (
        answering(b"\x16\x03\x03\x00\x7a\x02\x00") as port,
        pytest.raises(TimeoutError, match=r"no TLS connection to .* within 0\.2 s"),
    ):
        await hubtls.open_connection("localhost", port, context=context, timeout=0.2)


async def test_no_limit_of_time_is_one_too(context: Any, port: int) -> None:
    _, writer = await hubtls.open_connection("localhost", port, context=context, timeout=None)
    await close(writer)


async def test_cancellation_in_mid_handshake_is_no_time_limit(context: Any, silent: tuple[int, asyncio.Event]) -> None:
    connecting = asyncio.create_task(hubtls.open_connection("localhost", silent[0], context=context))
    await asyncio.wait_for(silent[1].wait(), PATIENCE)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting


async def test_a_limit_of_the_callers_own_is_the_callers(context: Any, silent: tuple[int, asyncio.Event]) -> None:
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(0.2):
            await hubtls.open_connection("localhost", silent[0], context=context)
    assert "no TLS connection" not in str(caught.value)


async def test_a_peer_that_does_not_say_goodbye_is_given_up_in_time(context: Any, authority: Authority) -> None:
    server = authority.server_context()

    def deaf(accepted: socket.socket) -> None:
        connection = server.wrap_socket(accepted, server_side=True)
        with socket.socket(fileno=connection.detach()) as plain:
            plain.settimeout(PATIENCE)
            while plain.recv(65_536):
                pass

    with listening(deaf) as port:
        _, writer = await hubtls.open_connection("localhost", port, context=context, shutdown_timeout=0.2)
        writer.close()
        with pytest.raises(TimeoutError, match="shutdown"):
            await asyncio.wait_for(writer.wait_closed(), PATIENCE)


async def test_a_hundred_connections_at_once_share_a_context(context: Any, port: int) -> None:
    async def visit(number: int) -> bytes:
        reader, writer = await hubtls.open_connection("localhost", port, context=context)
        writer.write(bulk(20_000, number))
        echoed = await reader.readexactly(20_000)
        await close(writer)
        return echoed

    assert await asyncio.gather(*map(visit, range(100))) == [bulk(20_000, number) for number in range(100)]
