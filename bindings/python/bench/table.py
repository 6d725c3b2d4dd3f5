"""The benchmark of the Python package: every figure is a ratio to `ssl` in the same run, alternated with it.

`python bench/table.py` prints the table, `--write` puts it into bench/README.md.
"""

from __future__ import annotations

import argparse
import compileall
import gc
import os
import platform
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peers import Authority, Pair, Peer, rtls

import hubtls

try:
    import awscrt.io
except ImportError:
    awscrt = None

ROUNDS = 9
AUTHORITY = Authority()
#: What, the TLS version, the ratio to `ssl` of each peer, and the target of hubtls.
Row = tuple[str, str, dict[str, float], str]


def alternated(works: dict[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """The best of several rounds each; taken in turns, so that a slow moment hits all."""
    results: dict[str, list[float]] = {name: [] for name in works}
    gc.collect()
    for _ in range(rounds):
        for name, work in works.items():
            results[name].append(work())
    return {name: min(values) for name, values in results.items()}


def spent(work: Callable[[], object], times: int) -> Callable[[], float]:
    """Seconds of CPU of this thread for one of `times` calls."""

    def measure() -> float:
        begun = time.thread_time()
        for _ in range(times):
            work()
        return (time.thread_time() - begun) / times

    return measure


def contexts() -> list[Row]:
    roots = hubtls.Roots.azure().pem()

    def loaded(module: Any = ssl) -> object:
        context = module.SSLContext(module.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=roots)
        return context

    works = {
        "hubtls": spent(hubtls.SSLContext, 300),
        "empty": spent(lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), 300),
        "ssl": spent(loaded, 300),
    }
    if rtls is not None:
        works["rtls"] = spent(lambda: loaded(rtls), 300)
    if awscrt is not None:
        works["awscrt"] = spent(lambda: awscrt_context(roots), 300)
    seconds = alternated(works)
    empty = {"hubtls": seconds["hubtls"] / seconds.pop("empty")}
    return [
        ("context, time against an empty `ssl.SSLContext`", "", empty, "at most 1.25"),
        ("context, speed against one with two roots", "", ratios(seconds), "at least 2"),
    ]


def awscrt_context(roots: str) -> object:
    options = awscrt.io.TlsContextOptions()
    options.override_default_trust_store(roots.encode())
    return awscrt.io.ClientTlsContext(options)


def ratios(seconds: dict[str, float]) -> dict[str, float]:
    """How many times as fast as `ssl`."""
    return {name: seconds["ssl"] / took for name, took in seconds.items()}


def handshakes(version: ssl.TLSVersion, resumed: bool) -> list[Row]:
    server = AUTHORITY.server(version)

    def cpu_of(peer: Peer) -> Callable[[], float]:
        def measure() -> float:
            total = 0.0

            def timed(step: Callable[[], None]) -> None:
                nonlocal total
                begun = time.thread_time()
                step()
                total += time.thread_time() - begun

            for _ in range(200):
                Pair(peer.context, server).shake_hands(timed)
            return total / 200

        return measure

    clients = AUTHORITY.clients(resumption=resumed)
    seconds = alternated({peer.name: cpu_of(peer) for peer in clients}, 5)
    return [("full handshakes, client's CPU", version.name, ratios(seconds), "at least 2")]


def bulk(version: ssl.TLSVersion, size: int) -> list[Row]:
    server = AUTHORITY.server(version)
    message, into = bytes(size), bytearray(size)
    times = max(1, (2 << 20) // max(size, 2048))

    def pair_of(peer: Peer) -> Pair:
        pair = Pair(peer.context, server)
        pair.shake_hands()
        return pair

    def sending(peer: Peer) -> Callable[[], float]:
        pair = pair_of(peer)

        def measure() -> float:
            begun = time.thread_time()
            for _ in range(times):
                pair.client.write(message)
            seconds = time.thread_time() - begun
            pair.to_server.read()
            return seconds / times

        # The server never sees it: its state does not matter.
        return measure

    def receiving(peer: Peer) -> Callable[[], float]:
        pair = pair_of(peer)

        def measure() -> float:
            seconds = 0.0
            # No more at once than a program would take from the network.
            batch = max(1, 65_536 // size)
            for _ in range(0, times, batch):
                for _ in range(batch):
                    pair.server.write(message)
                begun = time.thread_time()
                for _ in range(batch):
                    pair.client.read(size, into)
                seconds += time.thread_time() - begun
            return seconds

        return measure

    rows = []
    for name, work in (("send", sending), ("receive", receiving)):
        seconds = alternated({peer.name: work(peer) for peer in AUTHORITY.clients()})
        label = f"{name} {size // 1024} KB" if size >= 1024 else f"{name} {size} B"
        rows.append((f"{label}, in memory", version.name, ratios(seconds), "at least 1"))
    return rows


class Loopback:
    """A server of Python's own in another process, so that the client has a processor to itself."""

    def __init__(self, version: ssl.TLSVersion) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.child = os.fork()
        if self.child == 0:
            try:
                self._serve(AUTHORITY.server(version))
            finally:
                os._exit(0)
        self.listener.close()

    def _serve(self, context: ssl.SSLContext) -> None:
        def one(accepted: socket.socket) -> None:
            try:
                with context.wrap_socket(accepted, server_side=True) as connection:
                    while data := connection.recv(65_536):
                        connection.sendall(data)
                    connection.unwrap().close()
            except OSError:
                pass

        while True:
            accepted, _ = self.listener.accept()
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=one, args=(accepted,), daemon=True).start()

    def __enter__(self) -> Loopback:
        return self

    def __exit__(self, *error: object) -> None:
        os.kill(self.child, 9)
        os.waitpid(self.child, 0)

    def connect(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        sock = socket.create_connection(("127.0.0.1", self.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return context.wrap_socket(sock, server_hostname="localhost")


def loopback(version: ssl.TLSVersion) -> list[Row]:
    rows = []
    with Loopback(version) as server:
        clients = AUTHORITY.clients(resumption=False)

        def connecting(peer: Peer) -> Callable[[], float]:
            def once() -> None:
                with server.connect(peer.context) as connection:
                    connection.sendall(b"hello")
                    connection.recv(100)

            return spent(once, 100)

        seconds = alternated({peer.name: connecting(peer) for peer in clients}, 5)
        rows.append(("a connection over loopback, client's CPU", version.name, ratios(seconds), ""))

        def talking(peer: Peer, size: int) -> Callable[[], float]:
            connection = server.connect(peer.context)
            message, into = bytes(size), bytearray(65_536)

            def once() -> None:
                connection.sendall(message)
                got = 0
                while got < size:
                    got += connection.recv_into(into)

            return spent(once, 500)

        for size in (128, 16_384):
            seconds = alternated({peer.name: talking(peer, size) for peer in clients})
            label = f"{size // 1024} KB" if size >= 1024 else f"{size} B"
            rows.append((f"{label} there and back over loopback, client's CPU", version.name, ratios(seconds), ""))
    return rows


def memory() -> list[Row]:
    """Resident memory of 1,000 idle connections in a process of its own: over memory, so that no socket counts."""
    kilobytes = {}
    for name in [peer.name for peer in AUTHORITY.clients()]:
        ran = subprocess.run([sys.executable, __file__, "--memory", name], capture_output=True, text=True, check=True)
        kilobytes[name] = float(ran.stdout)
    label = (
        f"1,000 idle connections, resident memory ({kilobytes['hubtls']:.1f} KB each against {kilobytes['ssl']:.1f})"
    )
    return [(label, "", {name: value / kilobytes["ssl"] for name, value in kilobytes.items()}, "")]


def resident_kilobytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def measure_memory(name: str) -> None:
    server = AUTHORITY.server(ssl.TLSVersion.TLSv1_3)
    context = next(peer.context for peer in AUTHORITY.clients() if peer.name == name)

    def connection() -> object:
        # The server's half is dropped: the client's alone counts.
        pair = Pair(context, server)
        pair.shake_hands()
        return pair.client, pair.to_client, pair.to_server

    kept = [connection() for _ in range(100)]
    gc.collect()
    before = resident_kilobytes()
    kept += [connection() for _ in range(1000)]
    gc.collect()
    print((resident_kilobytes() - before) / 1000)


def importing() -> list[Row]:
    """Milliseconds that `import hubtls` adds to `import ssl`."""

    # As an installed package has it.
    compileall.compile_dir(Path(hubtls.__file__).parent, quiet=2)

    def run(code: str) -> Callable[[], float]:
        def measure() -> float:
            begun = time.monotonic()
            subprocess.run([sys.executable, "-c", code], check=True)
            return (time.monotonic() - begun) * 1000

        return measure

    took = alternated({"hubtls": run("import ssl, hubtls"), "ssl": run("import ssl")}, 15)
    return [
        ("`import hubtls` above `import ssl`, milliseconds", "", {"hubtls": took["hubtls"] - took["ssl"]}, "at most 15")
    ]


def table() -> list[str]:
    rows = contexts()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        rows += handshakes(version, resumed=False)
        rows += bulk(version, 16_384) + bulk(version, 128)
        rows += loopback(version)
    rows += memory() + importing()
    lines = ["| what | TLS | hubtls | rtls | awscrt | target |", "| --- | --- | --- | --- | --- | --- |"]
    for what, version, of, target in rows:
        digits = 1 if "milliseconds" in what else 2
        cells = [f"{of[name]:.{digits}f}" if name in of else "-" for name in ("hubtls", "rtls", "awscrt")]
        lines.append(f"| {what} | {version.replace('TLSv1_', '1.')} | {' | '.join(cells)} | {target} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    parser.add_argument("--memory", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        return measure_memory(options.memory)
    lines = table()
    print("\n".join(lines))
    if options.write:
        path = Path(__file__).parent / "README.md"
        before, rest = path.read_text().split("<!-- table -->\n", 1)
        _, after = rest.split("<!-- end -->", 1)
        machine = f"CPython {platform.python_version()}, {ssl.OPENSSL_VERSION}, Linux on x86-64, two cores."
        path.write_text(f"{before}<!-- table -->\n{machine}\n\n" + "\n".join(lines) + f"\n<!-- end -->{after}")
    return None


if __name__ == "__main__":
    main()
