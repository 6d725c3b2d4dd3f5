"""An object of hubtls over two `ssl.MemoryBIO` answers as one of `ssl` does."""

from __future__ import annotations

import array
import copy
import gc
import pickle
import ssl
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Authority
from likeness import attempt, raised

import hubtls

#: Where hubtls answers otherwise, and why.
DIFFERENCES = {
    "no_name": "it is refused at once, and not when hands are shaken",
    "a_read_after_a_record_that_was_changed": "what went wrong is told again, and not an end that there was not",
    "a_write_after_the_end_of_the_outgoing_buffer": "nobody would read it: it is refused, as ssl.MemoryBIO refuses it",
}


class Pair:
    """A client and a server of Python's own, joined by buffers."""

    def __init__(self, context: ssl.SSLContext, server: ssl.SSLContext, name: Any = "localhost") -> None:
        self.context = context
        self.to_client, self.to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client: Any = context.wrap_bio(self.to_client, self.to_server, server_hostname=name)
        self.server = server.wrap_bio(self.to_server, self.to_client, server_side=True)

    def shaken(self) -> Pair:
        """With hands shaken, and what comes after that read."""
        done = [False, False]
        while not all(done):
            for index, side in enumerate((self.client, self.server)):
                try:
                    side.do_handshake()
                    done[index] = True
                except ssl.SSLWantReadError:
                    pass
        attempt(lambda: self.client.read(1))
        return self


Question = Callable[[Pair], Any]
QUESTIONS: list[Question] = []


def ask(question: Question) -> Question:
    """Registers a question."""
    QUESTIONS.append(question)
    return question


@pytest.fixture(scope="module", params=["TLSv1_2", "TLSv1_3"])
def server(request: pytest.FixtureRequest, authority: Authority) -> ssl.SSLContext:
    """Of each version."""
    context = authority.server_context()
    context.maximum_version = ssl.TLSVersion[request.param]
    return context


def outcome(question: Question, context: ssl.SSLContext, server: ssl.SSLContext) -> Any:
    try:
        return question(Pair(context, server))
    except Exception as error:
        return raised(error)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda it: it.__name__)
def test_the_answer_is_that_of_ssl(question: Question, authority: Authority, server: ssl.SSLContext) -> None:
    plain = ssl.create_default_context(cadata=authority.pem.decode())
    answers = [outcome(question, context, server) for context in (plain, hubtls.SSLContext(roots=authority.pem))]
    same = answers[0] == answers[1]
    assert same == (question.__name__ not in DIFFERENCES), f"ssl: {answers[0]!r}; hubtls: {answers[1]!r}"


# Handshakes.


@ask
def the_first_step_of_a_handshake(pair: Pair) -> Any:
    return attempt(pair.client.do_handshake), pair.to_server.pending > 0, pair.client.version(), pair.client.cipher()


@ask
def what_is_told_before_the_handshake(pair: Pair) -> Any:
    client = pair.client
    calls = [client.getpeercert, client.pending, client.selected_alpn_protocol, client.compression]
    calls += [lambda: client.session, lambda: client.session_reused, lambda: client.read(0)]
    return [attempt(call) for call in calls]


@ask
def a_handshake_byte_by_byte(pair: Pair) -> Any:
    wire, done = ssl.MemoryBIO(), False
    waits: set[str] = set()
    pair.client = pair.context.wrap_bio(wire, pair.to_server, server_hostname="localhost")
    for _ in range(100_000):
        wanted = attempt(pair.client.do_handshake)
        if wanted is None:
            break
        waits.add(str(wanted))
        if not pair.to_client.pending and not done:
            done = attempt(pair.server.do_handshake) is None
        wire.write(pair.to_client.read(1))
    return waits, pair.client.version() is not None


@ask
def an_end_in_mid_handshake(pair: Pair) -> Any:
    attempt(pair.client.do_handshake)
    pair.to_client.write_eof()
    return attempt(pair.client.do_handshake)


@ask
def an_end_before_the_handshake(pair: Pair) -> Any:
    pair.to_client.write_eof()
    return attempt(pair.client.do_handshake)


@ask
def no_tls_in_mid_handshake(pair: Pair) -> Any:
    attempt(pair.client.do_handshake)
    pair.to_client.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    return attempt(pair.client.do_handshake)


@ask
def a_handshake_twice(pair: Pair) -> Any:
    return pair.shaken().client.do_handshake(), pair.client.do_handshake()


@ask
def what_is_agreed(pair: Pair) -> Any:
    client = pair.shaken().client
    return client.version(), client.getpeercert(), client.getpeercert(True), client.selected_alpn_protocol()


@ask
def what_it_is(pair: Pair) -> Any:
    client = pair.client
    own = client.context is pair.context, isinstance(client, ssl.SSLObject)
    return own, client.server_side, client.server_hostname, attempt(type(client))


@ask
def names_as_bytes_and_as_text(pair: Pair) -> Any:
    names: list[Any] = [b"localhost", "LocalHost", "bücher.example", "127.0.0.1"]
    made = [pair.context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name) for name in names]
    return [it.server_hostname for it in made]


@ask
def no_name(pair: Pair) -> Any:
    wrap = pair.context.wrap_bio
    names: list[Any] = [None, "", b""]
    return [attempt(lambda name=name: wrap(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name)) for name in names]


@ask
def arguments_by_position(pair: Pair) -> Any:
    return pair.context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), False, "localhost", None).server_hostname


@ask
def what_is_no_memory_bio(pair: Pair) -> Any:
    things: list[Any] = [None, b"", bytearray(), object()]
    wrap = pair.context.wrap_bio
    return [attempt(lambda it=it: wrap(it, ssl.MemoryBIO(), server_hostname="localhost")) for it in things]


# Reading and writing.


@ask
def a_read_of_what_has_not_come(pair: Pair) -> Any:
    return [attempt(lambda: pair.shaken().client.read(5)), pair.client.pending()]


@ask
def reads_in_their_forms(pair: Pair) -> Any:
    client, buffer, wide = pair.shaken().client, bytearray(3), array.array("I", [0])
    pair.server.write(b"123456789abcdef")
    read = client.read(2), client.pending(), client.read(3, buffer), bytes(buffer), client.read(len=2)
    return read, client.read(100, wide), wide.tobytes(), client.read(0), client.read()


@ask
def reads_that_cannot_be(pair: Pair) -> Any:
    client = pair.shaken().client
    pair.server.write(b"12345")
    calls: list[Callable[[], Any]] = [
        lambda: client.read(-1),
        lambda: client.read("5"),
        lambda: client.read(5, b"12345"),
    ]
    calls += [lambda: client.read(5, "12345"), lambda: client.read(5, bytearray())]
    return [attempt(call) for call in calls], client.read(5)


@ask
def writes_of_each_kind_of_buffer(pair: Pair) -> Any:
    client = pair.shaken().client
    things = [b"12", bytearray(b"34"), memoryview(b"567")[1:], array.array("I", [1]), b""]
    return [client.write(it) for it in things], pair.server.read(100), attempt(lambda: client.write("text"))


@ask
def several_records_at_once(pair: Pair) -> Any:
    client = pair.shaken().client
    for data in (b"one", b"two", b"three"):
        pair.server.write(data)
    first = client.read(2)
    data = first
    while len(data) < 11:
        data += client.read(100)
    return data, attempt(lambda: client.read(1))


@ask
def a_record_in_parts(pair: Pair) -> Any:
    client = pair.shaken().client
    pair.server.write(b"hello")
    whole = pair.to_client.read()
    pair.to_client.write(whole[:7])
    first = attempt(lambda: client.read(5))
    pair.to_client.write(whole[7:])
    return first, client.read(5)


def changed(pair: Pair) -> Any:
    """A client to which a record has come that was changed."""
    client = pair.shaken().client
    pair.server.write(b"hello")
    whole = bytearray(pair.to_client.read())
    whole[-1] ^= 1
    pair.to_client.write(whole)
    return client


@ask
def a_record_that_was_changed(pair: Pair) -> Any:
    return changed(pair).read(5)


@ask
def a_read_after_a_record_that_was_changed(pair: Pair) -> Any:
    client = changed(pair)
    attempt(lambda: client.read(5))
    return client.read(5)


@ask
def a_write_after_the_end_of_the_outgoing_buffer(pair: Pair) -> Any:
    client = pair.shaken().client
    pair.to_server.write_eof()
    return attempt(lambda: client.write(b"hello"))


# Ending.


@ask
def an_end_without_a_word(pair: Pair) -> Any:
    client = pair.shaken().client
    pair.server.write(b"hello")
    pair.to_client.write_eof()
    return client.read(5), attempt(lambda: client.read(5)), attempt(lambda: client.read(5))


@ask
def an_end_by_the_server(pair: Pair) -> Any:
    client = pair.shaken().client
    pair.server.write(b"hello")
    ended = attempt(pair.server.unwrap)
    buffer = bytearray(5)
    return ended, client.read(5), client.read(5), client.read(5, buffer), client.unwrap(), pair.server.unwrap()


@ask
def an_end_by_the_client(pair: Pair) -> Any:
    client = pair.shaken().client
    first, sent = attempt(client.unwrap), pair.to_server.pending > 0
    told = pair.server.read(5)
    attempt(pair.server.unwrap)
    return first, sent, told, client.unwrap()


@ask
def an_end_without_an_answer(pair: Pair) -> Any:
    client = pair.shaken().client
    first = attempt(client.unwrap)
    pair.to_client.write_eof()
    return first, attempt(client.unwrap)


@ask
def a_write_after_the_end(pair: Pair) -> Any:
    client = pair.shaken().client
    attempt(client.unwrap)
    return attempt(lambda: client.write(b"hello"))


@ask
def an_end_before_hands_are_shaken(pair: Pair) -> Any:
    return attempt(pair.client.unwrap)


@ask
def duplicates(pair: Pair) -> Any:
    return [attempt(lambda call=call: call(pair.client._sslobj)) for call in (copy.copy, pickle.dumps)]


@ask
def no_cycle_keeps_an_object(pair: Pair) -> Any:
    gc.disable()
    try:
        gone = weakref.ref(pair.shaken().client)
        pair.client = None
        return gone()
    finally:
        gc.enable()


def test_every_difference_is_asked_about() -> None:
    assert DIFFERENCES.keys() <= {question.__name__ for question in QUESTIONS}
