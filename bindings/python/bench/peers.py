"""The contexts that are compared, and the ways to use them: in memory, and over loopback."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import trustme

import hubtls

try:
    import rtls
except ImportError:
    rtls = None


@dataclass
class Peer:
    """A client's context and what it is made of."""

    name: str
    context: ssl.SSLContext


class Authority:
    """One root and a server's certificate with an ECDSA key."""

    def __init__(self) -> None:
        self.ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.leaf = self.ca.issue_cert("localhost", key_type=trustme.KeyType.ECDSA)
        self.pem = self.ca.cert_pem.bytes()

    def server(self, version: ssl.TLSVersion) -> ssl.SSLContext:
        """Python's own server, of one version."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.leaf.configure_cert(context)
        context.minimum_version = context.maximum_version = version
        # What both clients offer first: the comparison is of the same suite.
        context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        return context

    def clients(self, **options: Any) -> list[Peer]:
        """hubtls, `ssl` and, if it is installed, rtls, with the same root."""
        peers = [Peer("hubtls", hubtls.SSLContext(roots=self.pem, **options))]
        for module in filter(None, [ssl, rtls]):
            context = module.SSLContext(module.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=self.pem.decode())
            peers.append(Peer(module.__name__, context))
        return peers


class Pair:
    """A client and a server joined by memory."""

    def __init__(self, client: ssl.SSLContext, server: ssl.SSLContext) -> None:
        self.to_client, self.to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(self.to_client, self.to_server, server_hostname="localhost")
        self.server = server.wrap_bio(self.to_server, self.to_client, server_side=True)

    def shake_hands(self, of_client: Callable[[Callable[[], None]], None] = lambda step: step()) -> None:
        """Both sides; `of_client` runs each step of the client, and may time it."""
        waiting = {"client", "server"}

        def client() -> None:
            try:
                self.client.do_handshake()
                waiting.discard("client")
            except ssl.SSLWantReadError:
                pass

        while waiting:
            if "client" in waiting:
                of_client(client)
            if "server" in waiting:
                try:
                    self.server.do_handshake()
                    waiting.discard("server")
                except ssl.SSLWantReadError:
                    pass
        # Tickets.
        self.server.write(b"x")
        of_client(lambda: self.client.read(1) and None)
