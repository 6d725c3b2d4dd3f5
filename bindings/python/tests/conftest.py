"""Throwaway certificates, and servers that many tests share."""

from __future__ import annotations

import asyncio
import datetime
import gc
import ssl
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from arena import opened
from faults import faulty_servers
from likeness import Arena
from servers import echo_server, stdlib_server

import hubtls


class Authority:
    """A root, and the certificates that it issues, as objects and as files."""

    def __init__(self, directory: Path, key_type: trustme.KeyType = trustme.KeyType.ECDSA) -> None:
        self._directory = directory
        self._key_type = key_type
        self._count = 0
        self.ca = trustme.CA(key_type=key_type)
        self.pem: bytes = self.ca.cert_pem.bytes()
        self.path = directory / "root.pem"
        self.path.write_bytes(self.pem)

    def issue(self, *names: str, expired: bool = False, key_type: trustme.KeyType | None = None) -> trustme.LeafCert:
        """A certificate for these names."""
        validity = {}
        if expired:
            now = datetime.datetime.now(datetime.UTC)
            validity = {"not_before": now - datetime.timedelta(days=30), "not_after": now - datetime.timedelta(days=1)}
        return self.ca.issue_cert(*names, key_type=key_type or self._key_type, **validity)

    def files(self, leaf: trustme.LeafCert) -> tuple[Path, Path]:
        """Its chain and its key as PEM files."""
        self._count += 1
        chain, key = (self._directory / f"{self._count}.{kind}" for kind in ("pem", "key"))
        chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        key.write_bytes(leaf.private_key_pem.bytes())
        return chain, key

    def server_context(self, *names: str, client_certificate: bool = False, **options: bool) -> ssl.SSLContext:
        """A server of Python's own for these names; `client_certificate`: it demands one of this authority's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.issue(*(names or ("localhost",)), **options).configure_cert(context)
        if client_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=self.pem.decode())
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority with ECDSA keys."""
    return Authority(tmp_path_factory.mktemp("ecdsa"))


@pytest.fixture(scope="session")
def rsa_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority with RSA keys."""
    return Authority(tmp_path_factory.mktemp("rsa"), trustme.KeyType.RSA)


@pytest.fixture(scope="session")
def port(authority: Authority) -> Iterator[int]:
    """Python's own server for `localhost`, which sends back what comes."""
    with stdlib_server(authority.server_context()) as port:
        yield port


@pytest.fixture(scope="session")
def echoing() -> Iterator[tuple[int, Path]]:
    """The port of a server that takes any number of clients, and the file of its root."""
    with echo_server() as server:
        yield server["port"], Path(server["directory"]) / "roots.pem"


@pytest.fixture(scope="session")
def faulty(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """The port of a server with each of the faults of faults.py."""
    with faulty_servers(authority, tmp_path_factory.mktemp("faulty")) as ports:
        yield ports


@pytest.fixture
async def silent() -> AsyncIterator[tuple[int, asyncio.Event]]:
    """The port of a server that never says a word, and what is set when it has heard one."""
    heard = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            heard.set()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


@pytest.fixture
async def quiet() -> AsyncIterator[None]:
    """Fails a test whose event loop is told of an exception that nobody has taken."""
    said: list[dict[str, Any]] = []
    with warnings.catch_warnings():
        # What earlier tests have left is not this one's.
        warnings.simplefilter("ignore")
        gc.collect()
    asyncio.get_running_loop().set_exception_handler(lambda _, told: said.append(told))
    yield
    gc.collect()
    assert said == []


@pytest.fixture(scope="session")
def arena(authority: Authority) -> Iterator[Arena]:
    """Servers to compare hubtls with `ssl` on."""
    with opened(authority) as arena:
        yield arena


@pytest.fixture
def context(authority: Authority) -> hubtls.SSLContext:
    """The engine, trusting `authority`."""
    return hubtls.SSLContext(roots=authority.pem)


@pytest.fixture(params=["engine", "native"])
def make(request: pytest.FixtureRequest) -> Callable[..., ssl.SSLContext]:
    """Makes a context of each kind from the same options."""
    return hubtls.SSLContext if request.param == "engine" else hubtls.native_context
