"""A socket of hubtls takes names and judges certificates as one of `ssl` does."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
from conftest import Authority
from likeness import Arena, Question, attempt, compare, connect, raised

#: Where hubtls answers otherwise, and why.
DIFFERENCES = {
    "a_name_that_idna_refuses": "no ValueError: programs that take one for a missing name would go on without it",
    "a_name_with_a_leading_dot": "no ValueError: programs that take one for a missing name would go on without it",
    "a_name_with_a_nul": "no ValueError: programs that take one for a missing name would go on without it",
    "a_name_that_ends_in_a_dot": "it is the same name (RFC 1034, section 3.1)",
    "addresses_of_no_certificate": "verify_code is that of names: an address is one",
}

QUESTIONS: list[Question] = []


def ask(question: Question) -> Question:
    """Registers a question."""
    QUESTIONS.append(question)
    return question


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda it: it.__name__)
def test_the_answer_is_that_of_ssl(question: Question, arena: Arena) -> None:
    compare(question, arena, DIFFERENCES)


def named(context: ssl.SSLContext, arena: Arena, name: Any) -> Any:
    """What comes of connecting to that name."""

    def call() -> Any:
        with connect(context, arena.echo, name) as connection:
            return connection.server_hostname, connection.version()

    return attempt(call)


# Names.


@ask
def names_of_the_certificate(context: ssl.SSLContext, arena: Arena) -> Any:
    names: list[Any] = ["localhost", "LOCALHOST", b"localhost", "127.0.0.1", "one.wild.example", "bücher.example"]
    return [named(context, arena, name) for name in names]


@ask
def names_of_no_certificate(context: ssl.SSLContext, arena: Arena) -> Any:
    names: list[Any] = ["wild.example", "a.b.wild.example", "other.example", b"other.example"]
    return [named(context, arena, name) for name in names]


@ask
def addresses_of_no_certificate(context: ssl.SSLContext, arena: Arena) -> Any:
    return [named(context, arena, name) for name in ("127.0.0.2", "::1")]


@ask
def a_long_name(context: ssl.SSLContext, arena: Arena) -> Any:
    return named(context, arena, ".".join(["a" * 50] * 4))


@ask
def a_name_with_an_underline(context: ssl.SSLContext, arena: Arena) -> Any:
    return named(context, arena, "my_hub.example")


@ask
def no_name(context: ssl.SSLContext, arena: Arena) -> Any:
    return [named(context, arena, name) for name in (None, "", b"")]


@ask
def a_name_that_idna_refuses(context: ssl.SSLContext, arena: Arena) -> Any:
    return named(context, arena, "a" * 64 + ".example")


@ask
def a_name_with_a_leading_dot(context: ssl.SSLContext, arena: Arena) -> Any:
    return named(context, arena, b".localhost")


@ask
def a_name_with_a_nul(context: ssl.SSLContext, arena: Arena) -> Any:
    return named(context, arena, b"localhost\0.example")


@ask
def a_name_that_ends_in_a_dot(context: ssl.SSLContext, arena: Arena) -> Any:
    return named(context, arena, "localhost.")


@ask
def a_name_that_is_no_text(context: ssl.SSLContext, arena: Arena) -> Any:
    return named(context, arena, 127)


# Certificates.


@ask
def a_root_that_is_not_trusted(context: ssl.SSLContext, arena: Arena) -> Any:
    return attempt(lambda: connect(type(context)(ssl.PROTOCOL_TLS_CLIENT), arena.echo))


def refused(context: ssl.SSLContext, port: int) -> Any:
    try:
        connect(context, port)
    except ssl.SSLError as error:
        return raised(error), type(error.args[1]), error.library, error.reason, "CERTIFICATE_VERIFY" in str(error)
    return None


@pytest.mark.parametrize("fault", ["a_wrong_host", "a_wrong_root", "an_expired_certificate"])
def test_a_fault_is_told_as_ssl_tells_it(arena: Arena, faulty: dict[str, int], fault: str) -> None:
    assert refused(arena.engine(), faulty[fault]) == refused(arena.plain(), faulty[fault])


@pytest.mark.parametrize(
    "names",
    [
        ["localhost"],
        ["localhost", "*.example", "127.0.0.1", "::1"],
        ["localhost", "xn--bcher-kva.example", "2001:db8::ff00:42:8329"],
    ],
)
@pytest.mark.parametrize("kind", ["authority", "rsa_authority"])
def test_the_certificate_is_told_as_ssl_tells_it(
    names: list[str], kind: str, request: pytest.FixtureRequest, arena: Arena
) -> None:
    from dataclasses import replace

    from servers import stdlib_server

    authority: Authority = request.getfixturevalue(kind)
    theirs = replace(arena, root=authority.pem.decode())
    with stdlib_server(authority.server_context(*names)) as port:
        told = []
        for context in (theirs.plain(), theirs.engine()):
            with connect(context, port) as connection:
                told.append((connection.getpeercert(), connection.getpeercert(True)))
    assert told[1] == told[0]


def test_every_difference_is_asked_about() -> None:
    assert DIFFERENCES.keys() <= {question.__name__ for question in QUESTIONS}
