"""The engine over a socket: what ``_ssl._SSLSocket`` is for OpenSSL, beneath ``ssl.SSLSocket``.

One thread receives and another may send meanwhile. Whoever comes second waits; a signal handler that comes second in its own thread gets IN_USE.
"""

from __future__ import annotations

import _socket
import atexit
import select
import ssl
from _thread import LockType, allocate_lock, get_ident
from contextlib import contextmanager, suppress
from time import monotonic
from weakref import ref

from ._errors import HubTlsError, refuse_connection
from ._hubtls import Config, Engine, interpreter_ends

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from typing_extensions import Buffer

    from ._context import SSLContext
    from ._socket import SSLSession

atexit.register(interpreter_ends)

# Those beneath the methods that `ssl.SSLSocket` overrides.
_recv = _socket.socket.recv
_send = _socket.socket.send

#: What is taken from the network at once, at most.
_CHUNK = 65_536


def _want_read() -> ssl.SSLWantReadError:
    return ssl.SSLWantReadError(2, "The operation did not complete (read)")


def _want_write() -> ssl.SSLWantWriteError:
    return ssl.SSLWantWriteError(3, "The operation did not complete (write)")


class MemoryEngine(Engine):
    """The engine over two ``ssl.MemoryBIO``, with what ``ssl.SSLObject`` asks it for."""

    __slots__ = ("context", "server_hostname")

    context: SSLContext
    server_hostname: str
    server_side = False

    @property
    def session(self) -> SSLSession | None:
        """None before the handshake is complete."""
        return None if self.is_handshaking else self.context._session()


class SocketEngine(Engine):
    """The engine over a socket, which is not kept alive."""

    __slots__ = ("_owed", "_reader", "_receiving", "_sending", "_sock", "_unsent", "_writer", "context")

    context: SSLContext
    _sock: Callable[[], Any]
    # The turns to receive and to send, and the threads that have them.
    _receiving: LockType
    _sending: LockType
    _reader: int
    _writer: int
    #: Ciphertext that must leave before any other.
    _unsent: bytes
    #: Of a write that could not leave in full: it counts when it is repeated, as with OpenSSL.
    _owed: int

    def __new__(cls, config: Config, server_name: str, sock: ssl.SSLSocket) -> SocketEngine:
        self = super().__new__(cls, config, server_name)
        self._sock = ref(sock)
        self._receiving, self._sending = allocate_lock(), allocate_lock()
        self._reader = self._writer = self._owed = 0
        self._unsent = b""
        return self

    @property
    def session(self) -> SSLSession | None:
        """None before the handshake is complete."""
        return None if self.is_handshaking else self.context._session()

    # What `ssl` calls. `read` and `write` are spelt out, since they are called for each message.

    def read(self, len: int = 1024, buffer: Buffer | None = None) -> Any:
        if not (lock := self._receiving).acquire(False):
            self._await_turn(lock, self._reader)
        self._reader = get_ident()
        try:
            result = self.take(len, buffer)
            while True:
                if result.__class__ is int and result < 0:
                    if self._unsent or self.wants_transmit:
                        self._leave()
                    result = self.take(len, buffer, _recv(self._sock(), -result))
                elif result is None:
                    self._shake_hands()
                    result = self.take(len, buffer)
                else:
                    return result
        except BlockingIOError:
            raise _want_read() from None
        except TimeoutError as error:
            raise _in_words(error, "read") from None
        except HubTlsError:
            self._say_why()
            raise
        finally:
            self._reader = 0
            lock.release()

    def write(self, data: Buffer) -> int:
        if not (lock := self._sending).acquire(False):
            self._await_turn(lock, self._writer)
        self._writer = get_ident()
        try:
            if self._unsent or self._owed:
                self._flush()
                if self._owed:
                    return self._repeated(data)
            encrypted = self.encrypt(data)
            if encrypted is not None:
                # Unsent and owed until it has left.
                self._owed, self._unsent = encrypted
                count = self._owed
                sent = _send(self._sock(), self._unsent)
                if sent == len(self._unsent):
                    self._unsent = b""
                else:
                    self._unsent = self._unsent[sent:]
                    self._flush()
                self._owed = 0
                return count
        except BlockingIOError:
            raise _want_write() from None
        except TimeoutError as error:
            raise _in_words(error, "write") from None
        except (ConnectionResetError, BrokenPipeError):
            if self._receiving.acquire(False):
                try:
                    self._raise_refusal()
                finally:
                    self._receiving.release()
            raise
        except HubTlsError:
            with suppress(OSError):
                self._flush()
            raise
        finally:
            self._writer = 0
            lock.release()
        self.do_handshake()
        return self.write(data)

    def do_handshake(self) -> None:
        if self.is_handshaking:
            with self._turn_to_receive():
                self._shake_hands()

    def shutdown(self) -> Any:
        """Says that nothing more is written, waits for the peer to say the same, and gives the socket back."""
        self.finish()
        with self._turn_to_send():
            self._flush()
        # What still comes, the application has said that it does not want.
        while self.read(_CHUNK):
            pass
        return self._sock()

    # Turns.

    def _await_turn(self, lock: Any, holder: int) -> None:
        if holder == get_ident():
            raise refuse_connection(
                "IN_USE",
                "the connection is in use by this very thread: a signal handler called it again",
                "let signal handlers leave the connection alone",
            )
        lock.acquire()

    @contextmanager
    def _turn_to_receive(self) -> Iterator[None]:
        if not self._receiving.acquire(False):
            self._await_turn(self._receiving, self._reader)
        self._reader = get_ident()
        try:
            yield
        finally:
            self._reader = 0
            self._receiving.release()

    @contextmanager
    def _turn_to_send(self) -> Iterator[None]:
        if not self._sending.acquire(False):
            self._await_turn(self._sending, self._writer)
        self._writer = get_ident()
        try:
            yield
        finally:
            self._writer = 0
            self._sending.release()

    # For whoever has the turn to send.

    def _flush(self) -> None:
        """Sends what must leave; what cannot leave now is kept."""
        while pending := self._unsent or self.outgoing():
            self._unsent = pending
            try:
                sent = _send(self._sock(), pending)
            except BlockingIOError:
                raise _want_write() from None
            self._unsent = pending[sent:]

    def _repeated(self, data: Buffer) -> int:
        """A write that could not leave, repeated: now it counts."""
        owed = self._owed
        if memoryview(data).nbytes < owed:
            raise refuse_connection(
                "INVALID_ARGUMENT",
                "a write that could not be completed was not repeated: other data came instead",
                "after SSLWantWriteError or a time limit, call again with the same data",
            )
        self._owed = 0
        return owed

    # For whoever has the turn to receive.

    def _leave(self) -> None:
        """Sends what an earlier write left, and answers of the connection's own."""
        if not self._sending.acquire(False):
            # Whoever is sending sends these too.
            return
        self._writer = get_ident()
        try:
            self._flush()
        except (ssl.SSLWantWriteError, TimeoutError):
            # It leaves later; and reading goes on.
            pass
        except OSError:
            # The reader may still find why.
            if not self._has_arrived():
                raise
        finally:
            self._writer = 0
            self._sending.release()

    def _shake_hands(self) -> None:
        limit = self._sock().gettimeout()
        ends = monotonic() + limit if limit else None
        # The server's first answer ends where it waits for the client: nothing can follow it that must stay in the socket.
        at_once = _CHUNK
        try:
            while True:
                self._flush_handshake()
                if not self.is_handshaking:
                    return
                # The limit is for the whole: a peer that sends a byte at a time must not stretch it.
                if ends is not None and monotonic() > ends:
                    raise TimeoutError
                self.feed(_recv(self._sock(), at_once or self.handshake_limit()))
                at_once = 0
        except BlockingIOError:
            raise _want_read() from None
        except TimeoutError as error:
            raise _in_words(error, "handshake") from None
        except HubTlsError:
            self._say_why()
            raise

    def _flush_handshake(self) -> None:
        with self._turn_to_send():
            try:
                self._flush()
            except (ConnectionResetError, BrokenPipeError):
                self._raise_refusal()
                raise

    def _say_why(self) -> None:
        """After a failure: the alert should leave, but what went wrong is told in any case."""
        with suppress(OSError):
            self._leave()

    def _has_arrived(self) -> bool:
        """Whether the socket has something to receive, without waiting."""
        poll = select.poll()
        poll.register(self._sock(), select.POLLIN)
        return bool(poll.poll(0))

    def _raise_refusal(self) -> None:
        """A peer that refuses says why and hangs up: raises that, if it has arrived although nothing can be sent any more."""
        try:
            # Plaintext that waits is no refusal.
            while not self.probe() and self._has_arrived():
                data = _recv(self._sock(), self.handshake_limit())
                self.feed(data)
                if not data:
                    return
        except HubTlsError as reason:
            if reason.number // 100 == 3:
                raise
        except OSError:
            pass


def _in_words(error: TimeoutError, what: str) -> TimeoutError:
    """The time limit of the socket in the words of ``ssl``; the network's own has a number and stays."""
    if error.errno is not None or str(error) not in ("", "timed out"):
        return error
    return TimeoutError(f"The {what} operation timed out")
