"""A connected socket of hubtls answers as one of `ssl` does: reading and writing."""

from __future__ import annotations

import array
import functools
import io
import socket
import ssl
import tempfile
from typing import Any

import pytest
from likeness import Arena, Question, asking, attempt, compare, connect, exactly, told

#: Where hubtls answers otherwise, and why.
DIFFERENCES = {
    "send_of_a_megabyte": "a call encrypts and sends two records before it returns, and not one",
}

QUESTIONS: list[Question] = []
of = functools.partial(asking, QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda it: it.__name__)
def test_the_answer_is_that_of_ssl(question: Question, arena: Arena) -> None:
    compare(question, arena, DIFFERENCES)


# Reading.


@of()
def recv_of_what_is_there(connection: Any) -> Any:
    return told(connection).recv(5), connection.pending()


@of()
def recv_of_less_than_is_there(connection: Any) -> Any:
    return told(connection).recv(2), connection.pending(), connection.recv(10), connection.pending()


@of()
def recv_by_default(connection: Any) -> Any:
    return told(connection).recv()


@of()
def recv_of_nothing(connection: Any) -> Any:
    return told(connection).recv(0), connection.recv(5)


@of()
def recv_with_wrong_arguments(connection: Any) -> Any:
    sizes: list[Any] = [-1, 1.5, "5", None]
    return [attempt(lambda size=size: connection.recv(size)) for size in sizes]


@of()
def recv_with_flags(connection: Any) -> Any:
    return connection.recv(5, socket.MSG_PEEK)


@of()
def recv_into_each_kind_of_buffer(connection: Any) -> Any:
    wide = array.array("I", [0, 0])
    plain, part = bytearray(8), bytearray(8)
    told(connection, b"12345678" * 3)
    counts = [connection.recv_into(plain), connection.recv_into(memoryview(part)[2:6]), connection.recv_into(wide)]
    return counts, plain, part, wide.tobytes()


@of()
def recv_into_with_a_count(connection: Any) -> Any:
    buffer = bytearray(8)
    told(connection, b"12345678")
    counts = [connection.recv_into(buffer, 2), connection.recv_into(buffer, nbytes=100), connection.pending()]
    return counts, buffer


@of()
def recv_into_with_no_count_means_all(connection: Any) -> Any:
    buffer = bytearray(4)
    told(connection, b"1234")
    return connection.recv_into(buffer, 0), buffer


@of()
def recv_into_an_empty_buffer(connection: Any) -> Any:
    told(connection)
    return connection.recv_into(bytearray()), connection.recv(5)


@of()
def recv_into_what_cannot_be_written(connection: Any) -> Any:
    buffers: list[Any] = [b"12345", memoryview(b"12345"), "12345", 5]
    return [attempt(lambda it=it: told(connection).recv_into(it)) for it in buffers]


@of()
def recv_into_nothing_is_a_read(connection: Any) -> Any:
    return told(connection).recv_into(None)


@of()
def recv_into_with_flags(connection: Any) -> Any:
    return connection.recv_into(bytearray(5), 5, 1)


@of()
def read_in_its_forms(connection: Any) -> Any:
    buffer = bytearray(3)
    told(connection, b"123456789abc")
    return connection.read(3), connection.read(3, buffer), buffer, connection.read(len=3), connection.read()


@of()
def read_of_a_negative_length(connection: Any) -> Any:
    buffer = bytearray(3)
    return attempt(lambda: connection.read(-1)), told(connection, b"123").read(-1, buffer), buffer


@of()
def what_datagrams_have(connection: Any) -> Any:
    return [
        attempt(lambda: connection.recvfrom(5)),
        attempt(lambda: connection.recvfrom_into(bytearray(5))),
        attempt(lambda: connection.recvmsg(5)),
        attempt(lambda: connection.recvmsg_into([bytearray(5)])),
        attempt(lambda: connection.sendto(b"x", ("127.0.0.1", 1))),
        attempt(lambda: connection.sendmsg([b"x"])),
    ]


# Writing.


@of()
def send_of_each_kind_of_buffer(connection: Any) -> Any:
    kinds = [b"12345", bytearray(b"12345"), memoryview(b"12345"), array.array("I", [1, 2]), memoryview(b"12345")[1:3]]
    sent = [connection.send(it) for it in kinds]
    return sent, exactly(connection, sum(sent))


@of()
def send_of_nothing(connection: Any) -> Any:
    return connection.send(b""), connection.write(b""), connection.sendall(b""), told(connection).recv(5)


@of()
def send_of_what_is_no_buffer(connection: Any) -> Any:
    things: list[Any] = ["12345", 5, None, [1, 2]]
    calls = (connection.send, connection.sendall, connection.write)
    return [attempt(lambda it=it, call=call: call(it)) for it in things for call in calls]


@of()
def send_of_every_second_byte(connection: Any) -> Any:
    return attempt(lambda: connection.send(memoryview(b"123456")[::2])), told(connection).recv(5)


@of()
def send_with_flags(connection: Any) -> Any:
    return attempt(lambda: connection.send(b"x", 1)), attempt(lambda: connection.sendall(b"x", 1))


@of()
def send_of_a_megabyte(connection: Any) -> Any:
    return connection.send(bytes(1_000_000))


def sendall_of_a_megabyte(context: ssl.SSLContext, arena: Arena) -> Any:
    arena.gate.set()
    with connect(context, arena.slow) as connection:
        return connection.sendall(bytes(999_999) + b"!"), exactly(connection, 8)


@of()
def write_in_its_forms(connection: Any) -> Any:
    return connection.write(b"123"), connection.write(data=b"45"), exactly(connection, 5)


@of()
def sendfile_of_a_part(connection: Any) -> Any:
    with tempfile.TemporaryFile() as file:
        file.write(b"0123456789")
        file.flush()
        return connection.sendfile(file, 2, 5), file.tell(), exactly(connection, 5)


@of()
def sendfile_of_all(connection: Any) -> Any:
    return connection.sendfile(io.BytesIO(b"0123456789")), exactly(connection, 10)


QUESTIONS.append(sendall_of_a_megabyte)


def test_every_difference_is_asked_about() -> None:
    assert DIFFERENCES.keys() <= {question.__name__ for question in QUESTIONS}
