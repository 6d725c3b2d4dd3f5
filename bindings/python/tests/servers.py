"""Real servers on loopback, each ended by whoever started it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Seconds after which a test gives up on what takes milliseconds on an idle machine.
PATIENCE = 20.0

#: Where `scenario-server` and `echo-server` of tests/ were built.
PROGRAMS = Path(os.environ.get("HUBTLS_PROGRAMS", Path(__file__).parents[3] / "target" / "debug"))


@contextlib.contextmanager
def program(*command: str | Path) -> Iterator[dict[str, Any]]:
    """A server of tests/ that prints a line of JSON and serves until its standard input ends."""
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, f"{command[0]} did not start"
        yield json.loads(line)
    finally:
        process.stdin.close()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def scenario_server(name: str) -> contextlib.AbstractContextManager[dict[str, Any]]:
    """The server of a row of tests/scenarios.json."""
    return program(PROGRAMS / "scenario-server", name)


def echo_server() -> contextlib.AbstractContextManager[dict[str, Any]]:
    """Sends back what comes, to any number of clients: `host`, `port` and `directory` with roots.pem and unrelated.pem."""
    return program(PROGRAMS / "echo-server")


@contextlib.contextmanager
def listening(handle: Callable[[socket.socket], object]) -> Iterator[int]:
    """A TCP server, a thread for each connection, which `handle` has to itself; yields the port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    threads: list[threading.Thread] = []
    open_sockets: set[socket.socket] = set()

    def serve(accepted: socket.socket) -> None:
        # What a client does to a server is the client's business.
        with contextlib.suppress(OSError), accepted:
            handle(accepted)
        open_sockets.discard(accepted)

    def accept() -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            accepted.settimeout(PATIENCE)
            open_sockets.add(accepted)
            thread = threading.Thread(target=serve, args=(accepted,), daemon=True)
            threads.append(thread)
            thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        # `close` alone leaves `accept` waiting.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(PATIENCE)
        for accepted in list(open_sockets):
            with contextlib.suppress(OSError):
                accepted.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(PATIENCE)


def echo(connection: ssl.SSLSocket) -> None:
    """Sends back what comes until the client finishes."""
    while data := connection.recv(65_536):
        connection.sendall(data)


@contextlib.contextmanager
def stdlib_server(
    context: ssl.SSLContext, handle: Callable[[ssl.SSLSocket], None] = echo, *, unwrap: bool = True
) -> Iterator[int]:
    """Python's own TLS server; `unwrap`: it finishes as TLS demands."""

    def wrapped(accepted: socket.socket) -> None:
        with context.wrap_socket(accepted, server_side=True) as connection:
            handle(connection)
            if unwrap:
                connection.unwrap().close()

    with listening(wrapped) as port:
        yield port


@contextlib.contextmanager
def openssl_server(*arguments: str | Path) -> Iterator[int]:
    """`openssl s_server` at a port that the kernel chooses."""
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1000", *map(str, arguments)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    assert process.stdout is not None
    assert process.stdin is not None
    seen = []
    try:
        for line in process.stdout:
            seen.append(line)
            if match := re.match(r"ACCEPT 127\.0\.0\.1:(\d+)", line):
                break
        else:
            raise AssertionError("openssl s_server did not start: " + "".join(seen))
        # Whoever does not read lets it hang once the pipe is full.
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        yield int(match.group(1))
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        drain.join(PATIENCE)
        process.stdout.close()


def free_port() -> int:
    """A port that the kernel has just chosen, for servers that cannot ask for one."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Broker:
    """A mosquitto with TLS at `port`, and without at `plain` for what plays a hub behind it."""

    port: int
    plain: int


@contextlib.contextmanager
def mosquitto(
    directory: Path, certificate: Path, key: Path, *lines: str, websockets: bool = False, port: int | None = None
) -> Iterator[Broker]:
    """Debian's mosquitto; `lines` go to the TLS listener's configuration. `port`: for clients that know but one."""
    path = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    for _ in range(5):
        broker = Broker(port or free_port(), free_port())
        configuration = directory / f"mosquitto-{broker.port}.conf"
        text = [
            "per_listener_settings true",
            # Or it gives up its rights, if it has any, and cannot read the key.
            "user root",
            "log_dest stderr",
            f"listener {broker.plain} 127.0.0.1",
            "allow_anonymous true",
            f"listener {broker.port} 127.0.0.1",
            "allow_anonymous true",
            f"certfile {certificate}",
            f"keyfile {key}",
            "tls_version tlsv1.2",
            *(["protocol websockets"] if websockets else []),
            *lines,
        ]
        configuration.write_text("\n".join(text) + "\n")
        process = subprocess.Popen(
            [path, "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if re.search(r"mosquitto version \S+ running", line):
                break
        else:
            process.wait()
        if process.poll() is None:
            break
        # Somebody else took the port meanwhile.
        process.stderr.close()
    else:
        raise AssertionError("mosquitto did not start: " + "".join(said))
    drain = threading.Thread(target=process.stderr.read, daemon=True)
    drain.start()
    try:
        yield broker
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        drain.join(PATIENCE)
        process.stderr.close()


def connect(context: ssl.SSLContext, port: int, name: str = "localhost", **options: Any) -> Any:
    """A connection to loopback, shaken hands unless `options` say otherwise."""
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
    try:
        return context.wrap_socket(sock, server_hostname=name, **options)
    except BaseException:
        sock.close()
        raise
