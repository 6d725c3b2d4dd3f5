"""The connections of `hubtls.native_context`: names, sessions, contexts, ALPN."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import Authority
from servers import PATIENCE, connect, listening, stdlib_server

import hubtls

NO_NAME: list[Any] = [None, "", b""]


@pytest.fixture
def native(authority: Authority) -> hubtls.NativeContext:
    """One that trusts `authority`."""
    return hubtls.native_context(roots=authority.pem)


@pytest.fixture
def old(authority: Authority) -> Iterator[int]:
    """A server of TLS 1.2 for two names: its sessions are there as soon as the handshake is over."""
    context = authority.server_context("localhost", "other.example")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with stdlib_server(context) as port:
        yield port


# Names.


@pytest.mark.parametrize("name", NO_NAME)
def test_a_socket_needs_a_name(native: hubtls.NativeContext, port: int, name: Any) -> None:
    with pytest.raises(ValueError, match="check_hostname requires server_hostname"):
        connect(native, port, name)


@pytest.mark.parametrize("name", NO_NAME)
def test_a_memory_bio_needs_a_name(native: hubtls.NativeContext, name: Any) -> None:
    with pytest.raises(ValueError, match="check_hostname requires server_hostname"):
        native.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name)


def test_a_socket_that_connects_later_needs_a_name(native: hubtls.NativeContext) -> None:
    with socket.socket() as sock, pytest.raises(ValueError, match="check_hostname requires server_hostname"):
        native.wrap_socket(sock)


@pytest.mark.parametrize("name", [None, ""])
def test_asyncio_needs_a_name_to_start_tls(native: hubtls.NativeContext, name: str | None) -> None:
    async def start() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await writer.start_tls(native, server_hostname=name)
        finally:
            writer.close()

    with listening(lambda accepted: accepted.recv(1)) as port, pytest.raises(ValueError, match="server_hostname"):
        asyncio.run(asyncio.wait_for(start(), PATIENCE))


def test_it_makes_no_server(native: hubtls.NativeContext) -> None:
    with pytest.raises(ValueError, match="for clients"):
        native.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)


# Sessions: OpenSSL verifies no certificate when it resumes one.


def session_of(context: ssl.SSLContext, port: int, name: str) -> Any:
    with connect(context, port, name) as connection:
        return connection.session


def test_a_session_is_resumed_for_the_same_name(native: hubtls.NativeContext, old: int) -> None:
    session = session_of(native, old, "localhost")
    with connect(native, old, "LocalHost", session=session) as connection:
        assert connection.session_reused


def test_a_session_is_not_resumed_for_another_name(native: hubtls.NativeContext, old: int) -> None:
    session = session_of(native, old, "localhost")
    with pytest.raises(ValueError, match="different server"):
        connect(native, old, "other.example", session=session)


def test_a_session_cannot_be_set_for_another_name(native: hubtls.NativeContext, old: int) -> None:
    session = session_of(native, old, "localhost")
    with (
        connect(native, old, "other.example", do_handshake_on_connect=False) as connection,
        pytest.raises(ValueError, match="different server"),
    ):
        connection.session = session


def test_a_session_can_be_set_for_the_same_name(native: hubtls.NativeContext, old: int) -> None:
    session = session_of(native, old, "localhost")
    with connect(native, old, do_handshake_on_connect=False) as connection:
        connection.session = session
        connection.do_handshake()
        assert connection.session_reused


def test_a_session_of_a_plain_context_is_refused(native: hubtls.NativeContext, authority: Authority, old: int) -> None:
    plain = ssl.create_default_context(cadata=authority.pem.decode())
    session = session_of(plain, old, "localhost")
    with pytest.raises(TypeError):
        connect(native, old, session=session)


def test_a_session_of_another_context_is_refused(native: hubtls.NativeContext, authority: Authority, old: int) -> None:
    session = session_of(hubtls.native_context(roots=authority.pem), old, "localhost")
    with pytest.raises(ValueError, match="different SSLContext"):
        connect(native, old, session=session)


def test_no_session_is_resumed_if_none_may_be(authority: Authority, old: int) -> None:
    context = hubtls.native_context(roots=authority.pem, resumption=False)
    session = session_of(context, old, "localhost")
    with pytest.raises(ValueError, match="resumption=False"):
        connect(context, old, session=session)


def test_a_session_tells_what_one_of_ssl_tells(native: hubtls.NativeContext, old: int) -> None:
    assert session_of(native, old, "localhost").has_ticket


# Contexts.


def weak(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=authority.pem.decode())
    return context


def test_a_socket_keeps_its_context(authority: Authority, rsa_authority: Authority, port: int) -> None:
    native = hubtls.native_context(roots=rsa_authority.pem)
    with connect(native, port, do_handshake_on_connect=False) as connection:
        with pytest.raises(hubtls.HubTlsConfigError):
            connection.context = weak(authority)
        with pytest.raises(ssl.SSLCertVerificationError):
            connection.do_handshake()


def test_an_object_keeps_its_context(native: hubtls.NativeContext, authority: Authority) -> None:
    wrapped = native.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
    with pytest.raises(hubtls.HubTlsConfigError):
        wrapped.context = weak(authority)


@pytest.mark.parametrize("name", ["localhost", "hub1.azure-devices.net"])
def test_an_object_shows_the_context_that_made_it(authority: Authority, name: str) -> None:
    native = hubtls.native_context(add_roots=authority.pem)
    assert native.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name).context is native


# ALPN.


def offered_by_library(context: ssl.SSLContext, port: int) -> Any:
    """What a library for HTTP does with a context of yours."""
    code = "context.set_alpn_protocols(['http/1.1'])\nmade = context.wrap_socket(sock, server_hostname='localhost')"
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
    variables: dict[str, Any] = {"__name__": "urllib3.connection", "context": context, "sock": sock}
    exec(code, variables)
    return variables["made"]


@pytest.fixture
def speaking(authority: Authority) -> Iterator[int]:
    """A server that speaks two protocols."""
    context = authority.server_context()
    context.set_alpn_protocols(["http/1.1", "mqtt"])
    with stdlib_server(context) as port:
        yield port


def test_a_library_for_http_gets_its_protocol(native: hubtls.NativeContext, speaking: int) -> None:
    with offered_by_library(native, speaking) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("mine", ["mqtt", None])
def test_its_protocol_is_not_left_for_others(native: hubtls.NativeContext, speaking: int, mine: str | None) -> None:
    native.set_alpn_protocols([mine] if mine else [])
    offered_by_library(native, speaking).close()
    with connect(native, speaking) as connection:
        assert connection.selected_alpn_protocol() == mine


def test_a_subclass_of_the_socket_may_be_made(native: hubtls.NativeContext, port: int) -> None:
    class Counting(native.sslsocket_class):  # type: ignore[misc, name-defined]
        seen = SimpleNamespace(bytes=0)

        def recv(self, *arguments: Any) -> bytes:
            data: bytes = super().recv(*arguments)
            self.seen.bytes += len(data)
            return data

    native.sslsocket_class = Counting
    with connect(native, port) as connection:
        connection.sendall(b"hello")
        connection.recv(5)
        assert connection.seen.bytes == 5
