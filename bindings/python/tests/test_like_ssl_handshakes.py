"""A socket of hubtls shakes hands as one of `ssl` does: sessions, time limits, without waiting."""

from __future__ import annotations

import functools
import select
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from likeness import Arena, Question, attempt, compare, connect, exactly

#: Where hubtls answers otherwise, and why.
DIFFERENCES = {
    "another_context_for_a_connection": "it is refused: the roots of the other one may be others",
    "a_session_set_after_the_handshake": "nothing is there to be done, and nothing is refused",
}

QUESTIONS: list[Question] = []


def ask(question: Question) -> Question:
    """Registers a question."""
    QUESTIONS.append(question)
    return question


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda it: it.__name__)
def test_the_answer_is_that_of_ssl(question: Question, arena: Arena) -> None:
    compare(question, arena, DIFFERENCES)


def plain(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 20)


# Handshakes.


@ask
def before_the_handshake(context: ssl.SSLContext, arena: Arena) -> Any:
    with connect(context, arena.echo, do_handshake_on_connect=False) as connection:
        calls = [connection.version, connection.cipher, connection.selected_alpn_protocol, connection.pending]
        calls += [connection.getpeercert, lambda: connection.session, lambda: connection.session_reused]
        before = [attempt(call) for call in calls]
        connection.do_handshake()
        return before, connection.version(), connection.do_handshake()


@ask
def a_read_shakes_hands(context: ssl.SSLContext, arena: Arena) -> Any:
    with connect(context, arena.polite, do_handshake_on_connect=False) as connection:
        return connection.recv(5), connection.version()


@ask
def a_write_shakes_hands(context: ssl.SSLContext, arena: Arena) -> Any:
    with connect(context, arena.echo, do_handshake_on_connect=False) as connection:
        return connection.send(b"hello"), connection.recv(5), connection.version()


@ask
def the_socket_is_taken_over(context: ssl.SSLContext, arena: Arena) -> Any:
    sock = plain(arena.echo)
    with context.wrap_socket(sock, server_hostname="localhost") as connection:
        return sock.fileno(), connection.gettimeout(), connection.fileno() >= 0


@ask
def the_socket_is_closed_if_hands_are_not_shaken(context: ssl.SSLContext, arena: Arena) -> Any:
    sock = plain(arena.echo)
    return attempt(lambda: context.wrap_socket(sock, server_hostname="other.example")), sock.fileno()


@ask
def arguments_by_position(context: ssl.SSLContext, arena: Arena) -> Any:
    with context.wrap_socket(plain(arena.echo), False, False, False, "localhost", None) as connection:
        return connection.do_handshake_on_connect, connection.suppress_ragged_eofs, connection.version()


@ask
def what_is_no_socket(context: ssl.SSLContext, arena: Arena) -> Any:
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with datagrams:
        wrap = context.wrap_socket
        things: list[Any] = [datagrams, None, 7, "socket"]
        return [attempt(lambda thing=thing: wrap(thing, server_hostname="localhost")) for thing in things]


@ask
def a_server_with_a_name(context: ssl.SSLContext, arena: Arena) -> Any:
    with plain(arena.echo) as sock:
        return attempt(lambda: context.wrap_socket(sock, server_side=True, server_hostname="localhost"))


@ask
def another_context_for_a_connection(context: ssl.SSLContext, arena: Arena) -> Any:
    with connect(context, arena.echo) as connection:
        before = connection.context is context
        return before, attempt(lambda: setattr(connection, "context", ssl.create_default_context()))


@ask
def next_protocols(context: ssl.SSLContext, arena: Arena) -> Any:
    context.set_alpn_protocols(["x", "mqtt"])
    with connect(context, arena.speaking) as one, connect(context, arena.echo) as other:
        return one.selected_alpn_protocol(), other.selected_alpn_protocol()


# Sockets that connect later.


@ask
def a_socket_that_connects_later(context: ssl.SSLContext, arena: Arena) -> Any:
    with context.wrap_socket(socket.socket(), server_hostname="localhost") as connection:
        connection.settimeout(20)
        calls = [connection.version, connection.cipher, connection.pending, connection.unwrap, connection.getpeercert]
        calls += [connection.do_handshake, lambda: connection.session, lambda: connection.get_channel_binding()]
        calls += [lambda: connection.recv(1), lambda: connection.read(1), lambda: connection.write(b"x")]
        before = [attempt(call) for call in calls]
        connection.connect(("127.0.0.1", arena.echo))
        connection.sendall(b"hello")
        again = attempt(lambda: connection.connect(("127.0.0.1", arena.echo)))
        return before, exactly(connection, 5), connection.version(), again


@ask
def connect_ex_of_a_port(context: ssl.SSLContext, arena: Arena) -> Any:
    with context.wrap_socket(socket.socket(), server_hostname="localhost") as connection:
        connection.settimeout(20)
        return connection.connect_ex(("127.0.0.1", arena.echo)), connection.version()


@ask
def connect_ex_of_no_port(context: ssl.SSLContext, arena: Arena) -> Any:
    with socket.socket() as taken, context.wrap_socket(socket.socket(), server_hostname="localhost") as connection:
        # Bound and not listening: whoever connects is refused.
        taken.bind(("127.0.0.1", 0))
        code = connection.connect_ex(taken.getsockname())
        return code, connection.version()


@ask
def connect_without_hands(context: ssl.SSLContext, arena: Arena) -> Any:
    sock = socket.socket()
    with context.wrap_socket(sock, do_handshake_on_connect=False, server_hostname="localhost") as connection:
        connection.settimeout(20)
        connection.connect(("127.0.0.1", arena.echo))
        return connection.version(), connection.do_handshake(), connection.version()


# Sessions.


@ask
def a_session_is_resumed(context: ssl.SSLContext, arena: Arena) -> Any:
    with connect(context, arena.old) as first:
        kept = first.session
    with connect(context, arena.old, session=kept) as second:
        return kept is not None, first.session_reused, second.session_reused


@ask
def what_is_no_session(context: ssl.SSLContext, arena: Arena) -> Any:
    return [attempt(lambda it=it: connect(context, arena.old, session=it)) for it in ("session", 7, object())]


@ask
def a_session_of_another_context(context: ssl.SSLContext, arena: Arena) -> Any:
    other = arena.plain() if type(context) is ssl.SSLContext else arena.engine()
    with connect(other, arena.old) as connection:
        kept = connection.session
    return attempt(lambda: connect(context, arena.old, session=kept))


@ask
def a_session_set_after_the_handshake(context: ssl.SSLContext, arena: Arena) -> Any:
    with connect(context, arena.old) as connection:
        return attempt(lambda: setattr(connection, "session", connection.session))


# Time limits.


@ask
def the_limit_of_a_handshake(context: ssl.SSLContext, arena: Arena) -> Any:
    with connect(context, arena.silent, do_handshake_on_connect=False) as connection:
        connection.settimeout(0.05)
        return attempt(connection.do_handshake), connection.gettimeout()


@ask
def the_limit_of_a_read(context: ssl.SSLContext, arena: Arena) -> Any:
    with connect(context, arena.echo) as connection:
        connection.settimeout(0.05)
        first = attempt(lambda: connection.recv(5))
        connection.settimeout(20)
        connection.sendall(b"hello")
        return first, connection.recv(5)


@ask
def the_limit_of_a_write(context: ssl.SSLContext, arena: Arena) -> Any:
    arena.gate.clear()
    with connect(context, arena.slow) as connection:
        connection.settimeout(0.05)
        result = attempt(lambda: [connection.send(bytes(16_384)) for _ in range(10_000)])
    arena.gate.set()
    return result


# Without waiting.


def until_done(connection: Any, call: Callable[[], Any]) -> Any:
    """Waits as a program with `select` does."""
    while True:
        try:
            return call()
        except ssl.SSLWantReadError:
            assert select.select([connection], [], [], 20)[0]
        except ssl.SSLWantWriteError:
            assert select.select([], [connection], [], 20)[1]


@ask
def hands_are_not_shaken_at_once_without_waiting(context: ssl.SSLContext, arena: Arena) -> Any:
    sock = plain(arena.echo)
    sock.setblocking(False)
    return attempt(lambda: context.wrap_socket(sock, server_hostname="localhost")), sock.fileno()


@ask
def hands_are_shaken_without_waiting(context: ssl.SSLContext, arena: Arena) -> Any:
    with connect(context, arena.silent, do_handshake_on_connect=False) as silent:
        silent.setblocking(False)
        first = attempt(silent.do_handshake)
    with connect(context, arena.echo, do_handshake_on_connect=False) as connection:
        connection.setblocking(False)
        until_done(connection, connection.do_handshake)
        return first, connection.version(), attempt(lambda: connection.recv(1)), connection.getblocking()


@ask
def a_handshake_may_wait_on_demand(context: ssl.SSLContext, arena: Arena) -> Any:
    with connect(context, arena.echo, do_handshake_on_connect=False) as connection:
        connection.setblocking(False)
        connection.do_handshake(block=True)
        return connection.version(), connection.gettimeout()


@ask
def a_write_that_would_wait_is_repeated(context: ssl.SSLContext, arena: Arena) -> Any:
    chunk, count = bytes(16_384), 0
    arena.gate.clear()
    with connect(context, arena.slow) as connection:
        send = functools.partial(connection.send, chunk)
        connection.setblocking(False)
        full = again = None
        # The kernel may find room once more between the two.
        while isinstance(full := attempt(send), int) or isinstance(again := attempt(send), int):
            count += full if isinstance(full, int) else again
        arena.gate.set()
        count += until_done(connection, send)
        last = until_done(connection, lambda: connection.send(b"!"))
        connection.settimeout(20)
        return full, again, last, int(exactly(connection, 8)) == count + last


def test_every_difference_is_asked_about() -> None:
    assert DIFFERENCES.keys() <= {question.__name__ for question in QUESTIONS}
