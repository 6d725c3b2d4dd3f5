"""A connected socket of hubtls answers as one of `ssl` does: what was agreed, and how it ends."""

from __future__ import annotations

import copy
import functools
import gc
import os
import pickle
import socket
import ssl
import warnings
import weakref
from typing import Any

import pytest
from likeness import Arena, Question, asking, attempt, compare, connect, exactly, told

#: Where hubtls answers otherwise, and why.
DIFFERENCES = {
    "channel_binding_of_tls_12": "there is none: it would be of no use in TLS 1.3, and weak in TLS 1.2 (RFC 9266)",
    "send_after_detach": "the system's error for a descriptor that is none, and not an SSLError without a number",
    "post_handshake_verification_by_a_client": "a ValueError, since the call is at fault and not the connection",
}

QUESTIONS: list[Question] = []
of = functools.partial(asking, QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda it: it.__name__)
def test_the_answer_is_that_of_ssl(question: Question, arena: Arena) -> None:
    compare(question, arena, DIFFERENCES)


# What was agreed.


@of()
def certificate_as_a_dictionary(connection: Any) -> Any:
    return connection.getpeercert(), connection.getpeercert(False), connection.getpeercert(binary_form=False)


@of()
def certificate_in_der(connection: Any) -> Any:
    return connection.getpeercert(True), connection.getpeercert(binary_form=True)


@of("old")
def suite_of_tls_12(connection: Any) -> Any:
    return connection.version(), connection.cipher()[1:]


@of()
def version_of_tls_13(connection: Any) -> Any:
    return connection.version(), connection.cipher()[1], connection.compression(), connection.selected_alpn_protocol()


@of()
def next_protocol(connection: Any) -> Any:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        return connection.selected_npn_protocol(), [it.category for it in seen]


@of()
def shared_ciphers_of_a_client(connection: Any) -> Any:
    return connection.shared_ciphers() is None


@of("old")
def channel_binding_of_tls_12(connection: Any) -> Any:
    return type(connection.get_channel_binding("tls-unique"))


@of()
def channel_binding_that_is_unknown(connection: Any) -> Any:
    return connection.get_channel_binding("no such thing")


@of()
def post_handshake_verification_by_a_client(connection: Any) -> Any:
    return connection.verify_client_post_handshake()


@of()
def what_it_is(connection: Any) -> Any:
    kinds = (isinstance(connection, socket.socket), isinstance(connection, ssl.SSLSocket))
    names = (connection.server_side, connection.server_hostname, connection.session_reused)
    return kinds, names, connection.family, connection.type, connection.proto, connection.gettimeout()


# Ending.


@of()
def unwrap_gives_the_socket_back(connection: Any) -> Any:
    plain = connection.unwrap()
    return plain is connection, plain.version(), attempt(connection.unwrap), attempt(lambda: connection.read(5))


@of("polite")
def a_polite_end(connection: Any) -> Any:
    return exactly(connection, 5), connection.recv(5), connection.recv(5), connection.recv_into(bytearray(5))


@of("rude")
def a_rude_end_is_an_end_by_default(connection: Any) -> Any:
    told(connection, b"?")
    return exactly(connection, 5), connection.recv(5), connection.recv_into(bytearray(5))


@of("rude", suppress_ragged_eofs=False)
def a_rude_end_is_an_error_on_demand(connection: Any) -> Any:
    told(connection, b"?")
    return exactly(connection, 5), attempt(lambda: connection.recv(5)), attempt(lambda: connection.recv(5))


@of()
def use_after_close(connection: Any) -> Any:
    connection.close()
    calls = [lambda: connection.recv(1), lambda: connection.send(b"x"), lambda: connection.sendall(b"x")]
    calls += [connection.pending, connection.version, connection.cipher, connection.fileno, connection.unwrap]
    calls += [connection.getpeercert, connection.compression, connection.selected_alpn_protocol, connection.close]
    calls += [lambda: connection.read(1), lambda: connection.write(b"x"), lambda: connection.recv_into(bytearray(1))]
    return [attempt(call) for call in calls]


@of("old")
def shutdown_of_both_ways(connection: Any) -> Any:
    connection.shutdown(socket.SHUT_RDWR)
    return connection.version(), connection.pending()


@of()
def shutdown_of_no_way(connection: Any) -> Any:
    return connection.shutdown(7)


@of()
def detach_gives_the_descriptor(connection: Any) -> Any:
    descriptor = connection.fileno()
    detached = connection.detach()
    os.close(detached)
    return detached == descriptor, connection.fileno()


@of()
def send_after_detach(connection: Any) -> Any:
    os.close(connection.detach())
    return connection.send(b"x")


@of()
def duplicates_of_a_socket(connection: Any) -> Any:
    calls = (lambda it: it.dup(), copy.copy, copy.deepcopy, pickle.dumps)
    return [attempt(lambda call=call: call(connection)) for call in calls]


@of()
def a_file_outlives_the_socket(connection: Any) -> Any:
    file = connection.makefile("rb")
    told(connection, b"one\ntwo\n")
    connection.close()
    lines = file.readline(), file.readline(), connection.fileno() >= 0
    file.close()
    return lines, connection.fileno()


@of()
def files_of_each_mode(connection: Any) -> Any:
    with connection.makefile("rwb") as both, connection.makefile("w", encoding="utf-8", newline="\n") as text:
        both.write(b"one\n")
        both.flush()
        text.write("two\n")
        text.flush()
        return both.readline(), both.readline(), type(both).__name__, type(text).__name__


@of()
def an_unbuffered_file(connection: Any) -> Any:
    file = connection.makefile("rwb", buffering=0)
    return file.write(b"hello"), file.read(5), file.fileno() == connection.fileno(), file.readable(), file.seekable()


@of()
def the_constructor(connection: Any) -> Any:
    return attempt(type(connection))


def no_cycle_keeps_a_socket(context: ssl.SSLContext, arena: Arena) -> Any:
    gc.disable()
    try:
        connection = connect(context, arena.echo)
        told(connection).recv(5)
        gone = weakref.ref(connection)
        connection.close()
        del connection
        return gone()
    finally:
        gc.enable()


def an_unclosed_socket_is_told_of(context: ssl.SSLContext, arena: Arena) -> Any:
    connection = connect(context, arena.echo)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        del connection
    return [it.category for it in seen]


QUESTIONS += [no_cycle_keeps_a_socket, an_unclosed_socket_is_told_of]


def test_every_difference_is_asked_about() -> None:
    assert DIFFERENCES.keys() <= {question.__name__ for question in QUESTIONS}
