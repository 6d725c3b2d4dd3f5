"""Throwaway certificates, and servers that many tests share."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
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
            now = datetime.datetime.now(datetime.timezone.utc)
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


@pytest.fixture
def context(authority: Authority) -> hubtls.SSLContext:
    """The engine, trusting `authority`."""
    return hubtls.SSLContext(roots=authority.pem)


@pytest.fixture(params=["engine", "native"])
def make(request: pytest.FixtureRequest) -> Callable[..., ssl.SSLContext]:
    """Makes a context of each kind from the same options."""
    return hubtls.SSLContext if request.param == "engine" else hubtls.native_context
