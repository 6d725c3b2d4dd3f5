"""Threads, signals, fork and the interpreter's end; and what 10,000 connections leave behind."""

from __future__ import annotations

import gc
import os
import signal
import ssl
import subprocess
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Authority
from servers import PATIENCE, connect, stdlib_server

import hubtls


def test_one_thread_reads_while_another_writes(context: hubtls.SSLContext, port: int) -> None:
    message = os.urandom(1 << 20) * 8
    received = bytearray()
    with connect(context, port) as connection:
        writer = threading.Thread(target=connection.sendall, args=(message,))
        writer.start()
        while len(received) < len(message):
            received += connection.recv(65_536)
        writer.join(PATIENCE)
    assert received == message


def test_a_writer_is_not_held_up_by_a_reader_that_waits(context: hubtls.SSLContext, port: int) -> None:
    with connect(context, port) as connection:
        got = []
        reader = threading.Thread(target=lambda: got.append(connection.recv(100)))
        reader.start()
        connection.sendall(b"wake up")
        reader.join(PATIENCE)
        assert got == [b"wake up"]


def test_a_connection_can_be_handed_to_another_thread(context: hubtls.SSLContext, port: int) -> None:
    connection = connect(context, port)
    results = []

    def use() -> None:
        connection.sendall(b"there")
        results.append(connection.recv(5))
        connection.unwrap().close()

    thread = threading.Thread(target=use)
    thread.start()
    thread.join(PATIENCE)
    assert results == [b"there"]


def test_many_threads_share_a_context(context: hubtls.SSLContext, port: int) -> None:
    failures, done = [], []

    def use(number: int) -> None:
        try:
            for _ in range(5):
                with connect(context, port) as connection:
                    connection.sendall(bytes([number]) * 20_000)
                    received = b""
                    while len(received) < 20_000:
                        received += connection.recv(65_536)
                    assert received == bytes([number]) * 20_000
            done.append(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE * 3)
    assert failures == []
    assert len(done) == 16


def test_many_threads_write_whole_records(context: hubtls.SSLContext, port: int) -> None:
    """Nothing is lost or torn: each message is one record and comes back in one piece of the stream."""
    with connect(context, port) as connection:
        messages = [bytes([65 + number]) * 100 for number in range(8)]
        threads = [
            threading.Thread(target=lambda m=message: [connection.send(m) for _ in range(50)]) for message in messages
        ]
        for thread in threads:
            thread.start()
        received = b""
        while len(received) < 8 * 50 * 100:
            received += connection.recv(65_536)
        for thread in threads:
            thread.join(PATIENCE)
    pieces = [received[at : at + 100] for at in range(0, len(received), 100)]
    assert sorted(pieces) == sorted(messages * 50)


def test_a_signal_handler_that_reads_again_is_told_so(context: hubtls.SSLContext, port: int) -> None:
    codes = []
    with connect(context, port) as connection:

        def handler(number: int, frame: object) -> None:
            try:
                connection.recv(1)
            except ssl.SSLError as error:
                codes.append(error.code)
            connection.sendall(b"x")

        before = signal.signal(signal.SIGALRM, handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            assert connection.recv(1) == b"x"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    assert codes == ["IN_USE"]


def test_an_interrupted_read_can_go_on(context: hubtls.SSLContext, port: int) -> None:
    class Interrupted(Exception):
        pass

    def handler(number: int, frame: object) -> None:
        raise Interrupted

    with connect(context, port) as connection:
        before = signal.signal(signal.SIGALRM, handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(Interrupted):
                connection.recv(1)
        finally:
            signal.signal(signal.SIGALRM, before)
        connection.sendall(b"still here")
        assert connection.recv(100) == b"still here"


class Interrupted(Exception):
    """What a signal handler raises."""


def interrupted_often(work: Callable[[], int], times: int) -> int:
    """Does `work` again and again, while a signal handler raises wherever it can; how often it did."""
    raised, done, working = 0, 0, False

    def handler(number: int, frame: object) -> None:
        nonlocal raised, working
        if working:
            raised, working = raised + 1, False
            raise Interrupted

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0004)
    try:
        while done < times:
            try:
                working = True
                done += work()
                working = False
            except Interrupted:
                pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return raised


def test_a_signal_handler_that_raises_tears_nothing_that_is_received(
    authority: Authority, context: hubtls.SSLContext
) -> None:
    def pour(connection: ssl.SSLSocket) -> None:
        while True:
            connection.sendall(bytes(3000))

    with stdlib_server(authority.server_context(), pour, unwrap=False) as port, connect(context, port) as connection:
        assert interrupted_often(lambda: len(connection.recv(5000)), 20_000_000) > 50


def test_a_signal_handler_that_raises_tears_nothing_that_is_sent(
    authority: Authority, context: hubtls.SSLContext
) -> None:
    ended = []

    def drain(connection: ssl.SSLSocket) -> None:
        while connection.recv(65_536):
            pass
        ended.append(True)

    with stdlib_server(authority.server_context(), drain) as port, connect(context, port) as connection:
        assert interrupted_often(lambda: connection.send(bytes(3000)), 20_000_000) > 50
        connection.unwrap().close()
    assert ended == [True]


def test_a_handler_registered_before_hubtls_may_wait_for_a_thread_that_uses_it(port: int, authority: Authority) -> None:
    code = f"""
import atexit, socket, threading
stop = threading.Event()
atexit.register(lambda: (stop.set(), thread.join()))
import hubtls
context = hubtls.SSLContext(roots={authority.pem.decode()!r})
sock = socket.create_connection(("127.0.0.1", {port}))
connection = context.wrap_socket(sock, server_hostname="localhost")
def work():
    while not stop.is_set():
        connection.sendall(bytes(20_000))
        connection.recv(20_000)
thread = threading.Thread(target=work, daemon=True)
thread.start()
"""
    ended = subprocess.run([sys.executable, "-c", code], timeout=30, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_child_process_goes_on_with_a_connection_and_makes_its_own(context: hubtls.SSLContext, port: int) -> None:
    connection = connect(context, port)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            connection.sendall(b"from the child")
            if connection.recv(100) == b"from the child":
                with connect(context, port) as other:
                    other.sendall(b"more")
                    status = 0 if other.recv(4) == b"more" else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    connection.close()


@pytest.mark.parametrize("work", ["connection.recv(1)", "busy(connection)"])
@pytest.mark.parametrize("ending", ["", "sys.exit(3)", "raise SystemExit(3)"])
def test_the_interpreter_ends_while_daemon_threads_work(
    ending: str, work: str, port: int, authority: Authority
) -> None:
    """As paho's are. Python ends them wherever they happen to want it back: that must not be in the middle of Rust."""
    code = f"""
import socket, sys, threading
import hubtls
context = hubtls.SSLContext(roots={authority.pem.decode()!r})
def busy(connection):
    while True:
        connection.sendall(bytes(20_000))
        connection.recv(20_000)
def use(ready):
    sock = socket.create_connection(("127.0.0.1", {port}))
    connection = context.wrap_socket(sock, server_hostname="localhost")
    ready.release()
    {work}
ready = threading.Semaphore(0)
for _ in range(4):
    threading.Thread(target=use, args=(ready,), daemon=True).start()
for _ in range(4):
    ready.acquire()
{ending}
"""
    for _ in range(5):
        ended = subprocess.run([sys.executable, "-c", code], timeout=60, capture_output=True, text=True)
        assert (ended.returncode, ended.stderr) == (3 if ending else 0, "")


def test_a_connection_dies_with_its_last_reference(context: hubtls.SSLContext, port: int) -> None:
    gc.collect()
    gc.disable()
    try:
        connection = connect(context, port)
        gone = weakref.ref(connection)
        connection.close()
        del connection
        assert gone() is None
        object_ = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
        gone = weakref.ref(object_)
        del object_
        assert gone() is None
    finally:
        gc.enable()


def resident() -> int:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def in_memory(context: hubtls.SSLContext, server: ssl.SSLContext) -> None:
    """A whole connection without sockets, as they would cost far more than TLS."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname="localhost")
    peer = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, peer]
    while waiting:
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                pass
    client.write(b"hello")
    assert peer.read(5) == b"hello"
    peer.write(b"world")
    assert client.read(5) == b"world"


def test_ten_thousand_connections_leave_nothing_behind(authority: Authority) -> None:
    context, server = hubtls.SSLContext(roots=authority.pem), authority.server_context()
    for _ in range(500):
        in_memory(context, server)
    gc.collect()
    tracemalloc.start()
    before, memory = tracemalloc.take_snapshot(), resident()
    for _ in range(10_000):
        in_memory(context, server)
    gc.collect()
    after = tracemalloc.take_snapshot()
    tracemalloc.stop()
    grown = sum(line.size_diff for line in after.compare_to(before, "filename") if "hubtls" in str(line.traceback))
    assert grown < 100_000
    assert resident() - memory < 20 << 20


def test_failures_leave_nothing_behind(authority: Authority) -> None:
    stranger, server = hubtls.SSLContext(), authority.server_context()

    def fail() -> None:
        with pytest.raises(ssl.SSLError):
            in_memory(stranger, server)

    for _ in range(200):
        fail()
    gc.collect()
    memory = resident()
    for _ in range(2000):
        fail()
    gc.collect()
    assert resident() - memory < 20 << 20
