"""A web server on Python's own TLS, and what it saw."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import ssl
from collections.abc import Iterator
from typing import Any

from servers import stdlib_server
from traffic import bulk


class Website:
    """Where it is, and the protocol that each connection agreed to with ALPN."""

    def __init__(self) -> None:
        self.port = 0
        self.protocols: list[str | None] = []

    def url(self, path: str) -> str:
        return f"https://localhost:{self.port}{path}"


class _Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = None

    def do_GET(self) -> None:
        """`/bulk/1000`: as many bytes."""
        self.answer(bulk(int(self.path.rpartition("/")[2])))

    def do_POST(self) -> None:
        """`/digest`: what came, and how much; `/echo`: what came."""
        body = self.body()
        if self.path == "/digest":
            body = json.dumps({"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}).encode()
        self.answer(body)

    def body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers["content-length"]))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Quiet."""


@contextlib.contextmanager
def website(context: ssl.SSLContext, *protocols: str) -> Iterator[Website]:
    """A site that knows these protocols for ALPN."""
    context.set_alpn_protocols(list(protocols))
    site = Website()

    def handle(connection: ssl.SSLSocket) -> None:
        site.protocols.append(connection.selected_alpn_protocol())
        _Pages(connection, ("127.0.0.1", 0), None)  # type: ignore[arg-type]

    with stdlib_server(context, handle) as site.port:
        yield site
