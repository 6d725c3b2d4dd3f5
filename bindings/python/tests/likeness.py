"""The same question asked of a client of `ssl` and of one of hubtls."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from servers import connect

import hubtls


@dataclass(frozen=True)
class Arena:
    """Servers for `localhost`, and the root of their certificates."""

    #: Send back what comes: of TLS 1.3, and of TLS 1.2.
    echo: int
    old: int
    #: Says hello and finishes; is told something, says hello and hangs up.
    polite: int
    rude: int
    #: Takes a connection and says nothing.
    silent: int
    #: Reads nothing while the gate is shut, then all as far as an exclamation mark, and says how much it was.
    slow: int
    gate: threading.Event
    #: Speaks ALPN.
    speaking: int
    root: str

    def plain(self) -> ssl.SSLContext:
        """A context of Python's own."""
        return ssl.create_default_context(cadata=self.root)

    def engine(self) -> ssl.SSLContext:
        """A context of hubtls."""
        return hubtls.SSLContext(roots=self.root)


#: Where in its source CPython says it.
_LINE = re.compile(r" \(_ssl\.c:\d+\)|^_ssl\.c:\d+: ")

Question = Callable[[ssl.SSLContext, Arena], Any]


def raised(error: BaseException) -> tuple[Any, ...]:
    """What a program sees of an error: the class of Python's, its number, and the words that it may look for."""
    kind = next(kind for kind in type(error).__mro__ if not kind.__module__.startswith("hubtls"))
    number = int(error.errno) if isinstance(error, OSError) and error.errno is not None else None
    words: Any = None
    if isinstance(error, (ssl.SSLWantReadError, ssl.SSLWantWriteError)):
        words = [_LINE.sub("", str(word)) for word in error.args]
    elif isinstance(error, ssl.SSLCertVerificationError):
        words = error.verify_code
    elif isinstance(error, TimeoutError):
        words = _LINE.sub("", str(error))
    return "raises", kind.__name__, number, words


def outcome(question: Question, context: ssl.SSLContext, arena: Arena) -> Any:
    """The answer, or what was raised instead."""
    try:
        return question(context, arena)
    except Exception as error:
        return raised(error)


def compare(question: Question, arena: Arena, differences: dict[str, str]) -> None:
    """Both answer alike unless `differences` has the question's name, and then they do not."""
    answers = [outcome(question, context, arena) for context in (arena.plain(), arena.engine())]
    if question.__name__ in differences:
        assert answers[0] != answers[1], "no difference any more"
    else:
        assert answers[1] == answers[0], f"ssl: {answers[0]!r}; hubtls: {answers[1]!r}"


def attempt(call: Callable[[], Any]) -> Any:
    """The result of a step in a question, or what it raised."""
    try:
        return call()
    except Exception as error:
        return raised(error)


def exactly(connection: Any, count: int) -> bytes:
    """So many bytes, however they are cut."""
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        assert part, "an early end"
        data += part
    return data


def asking(
    questions: list[Question], server: str = "echo", **options: Any
) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Makes a question of a function of a connection to that server."""

    def add(asked: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def question(context: ssl.SSLContext, arena: Arena) -> Any:
            with connect(context, getattr(arena, server), **options) as connection:
                connection.settimeout(20)
                return asked(connection)

        question.__name__ = asked.__name__
        questions.append(question)
        return asked

    return add


def told(connection: Any, data: Any = b"hello") -> Any:
    """The connection, with something for the echo to send back."""
    connection.sendall(data)
    return connection


__all__ = ["Arena", "Question", "asking", "attempt", "compare", "connect", "exactly", "outcome", "raised", "told"]
