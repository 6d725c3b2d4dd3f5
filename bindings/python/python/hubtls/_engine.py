"""The engine over a socket: what ``_ssl._SSLSocket`` is for OpenSSL, beneath ``ssl.SSLSocket``.

One thread receives and another may send meanwhile. Whoever comes second waits; a signal handler that comes second in its own thread gets IN_USE.
"""

from __future__ import annotations

import _socket
import atexit
import select
import ssl
from _thread import RLock
from contextlib import suppress
from time import monotonic
from weakref import ref

from ._errors import HubTlsError, refuse_connection
from ._hubtls import Config, Engine, interpreter_ends

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from typing_extensions import Buffer

    from ._context import SSLContext
    from ._socket import SSLSession

_ending = False


@atexit.register
def _end() -> None:
    """Last of all handlers, although it was not registered first: an earlier one may join a thread that uses a connection."""
    global _ending
    if not _ending:
        _ending = True
        atexit._run_exitfuncs()
        interpreter_ends()


# Those beneath the methods that `ssl.SSLSocket` overrides.
_recv = _socket.socket.recv
_send = _socket.socket.send

#: What is taken from the network at once, at most.
_CHUNK = 65_536


def _want_read() -> ssl.SSLWantReadError:
    return ssl.SSLWantReadError(2, "The operation did not complete (read)")


def _want_write() -> ssl.SSLWantWriteError:
    return ssl.SSLWantWriteError(3, "The operation did not complete (write)")


class _EngineOfContext(Engine):
    """The engine with the context that made it."""

    __slots__ = ("context",)

    context: SSLContext

    @property
    def session(self) -> SSLSession | None:
        """None before the handshake is complete."""
        return None if self.is_handshaking else self.context._session()


class MemoryEngine(_EngineOfContext):
    """The engine over two ``ssl.MemoryBIO``, with what ``ssl.SSLObject`` asks it for."""

    __slots__ = ("server_hostname",)

    server_hostname: str
    server_side = False


class SocketEngine(_EngineOfContext):
    """The engine over a socket, which is not kept alive.

    A signal handler may raise between any two calls of Python's. So what is received goes on to the engine, and how much was
    sent, by way of `map`: from one C function to the next, with nothing between that a handler could interrupt.
    """

    __slots__ = ("_owed", "_receiving", "_sending", "_sock")

    _sock: Callable[[], Any]
    # The turns to receive and to send: of type RLock, whose `_is_owned` the stubs do not know.
    _receiving: Any
    _sending: Any
    #: Of a write that could not leave in full: it counts when it is repeated, as with OpenSSL.
    _owed: int

    def __new__(cls, config: Config, server_name: str, sock: ssl.SSLSocket) -> SocketEngine:
        self = super().__new__(cls, config, server_name)
        self._sock = ref(sock)
        self._receiving, self._sending = RLock(), RLock()
        self._owed = 0
        return self

    # What `ssl` calls.

    def read(self, len: int = 1024, buffer: Buffer | None = None) -> Any:
        turn = self._receiving
        if turn._is_owned():
            raise _in_use()
        with turn:
            try:
                result = self.take(len, buffer)
                while True:
                    if result.__class__ is int and result < 0:
                        if self.wants_transmit:
                            self._leave()
                        result = next(map(self.take, (len,), (buffer,), map(_recv, (self._sock(),), (-result,))))
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

    def write(self, data: Buffer) -> int:
        if self.is_handshaking:
            self.do_handshake()
        turn = self._sending
        if turn._is_owned():
            raise _in_use()
        with turn:
            count = 0
            try:
                if self._owed:
                    self._flush()
                    return self._repeated(data)
                # What waited before leaves with it.
                encrypted = self.encrypt(data)
                assert encrypted is not None
                count, waiting = encrypted
                if waiting and next(map(self.sent, map(_send, (self._sock(),), (waiting,)))):
                    self._flush()
                return count
            except BlockingIOError:
                self._owed = self._owed or count
                raise _want_write() from None
            except TimeoutError as error:
                self._owed = self._owed or count
                raise _in_words(error, "write") from None
            except (ConnectionResetError, BrokenPipeError):
                self._raise_refusal()
                raise
            except HubTlsError:
                with suppress(OSError):
                    self._flush()
                raise

    def do_handshake(self) -> None:
        if self.is_handshaking or self.wants_transmit:
            turn = self._receiving
            if turn._is_owned():
                raise _in_use()
            with turn:
                self._shake_hands()

    def shutdown(self) -> Any:
        """Says that nothing more is written, waits for the peer to say the same, and gives the socket back."""
        self.finish()
        if self._sending._is_owned():
            raise _in_use()
        with self._sending:
            try:
                self._flush()
            except BlockingIOError:
                raise _want_write() from None
        # What still comes, the application has said that it does not want.
        while self.read(_CHUNK):
            pass
        return self._sock()

    # For whoever has the turn to send.

    def _flush(self) -> None:
        """Sends what waits; what cannot leave now goes on waiting."""
        while waiting := self.waiting():
            next(map(self.sent, map(_send, (self._sock(),), (waiting,))))

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
        """Sends what an earlier write left, and answers of the connection's own, unless another thread is sending, which sends these too."""
        turn = self._sending
        if turn._is_owned():
            return
        try:
            if turn.acquire(False):
                self._flush()
        except (BlockingIOError, TimeoutError):
            # It leaves later; and reading goes on.
            pass
        except OSError:
            # The reader may still find why.
            if not self._has_arrived():
                raise
        finally:
            if turn._is_owned():
                turn.release()

    def _shake_hands(self) -> None:
        limit = self._sock().gettimeout()
        ends = monotonic() + limit if limit else None
        try:
            while True:
                with self._sending:
                    try:
                        self._flush()
                    except BlockingIOError:
                        raise _want_write() from None
                    except (ConnectionResetError, BrokenPipeError):
                        self._raise_refusal()
                        raise
                if not self.is_handshaking:
                    return
                # The limit is for the whole: a peer that sends a byte at a time must not stretch it.
                if ends is not None and monotonic() > ends:
                    raise TimeoutError
                # A record at a time: data may follow the server's last one, and whoever waits for the socket must see it.
                next(map(self.feed, map(_recv, (self._sock(),), (self.handshake_limit(),))))
        except BlockingIOError:
            raise _want_read() from None
        except TimeoutError as error:
            raise _in_words(error, "handshake") from None
        except HubTlsError:
            self._say_why()
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
        turn = self._receiving
        mine = turn._is_owned()
        try:
            # Whoever is receiving finds it.
            if not mine and not turn.acquire(False):
                return
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
        finally:
            if not mine and turn._is_owned():
                turn.release()


def _in_use() -> HubTlsError:
    return refuse_connection(
        "IN_USE",
        "the connection is in use by this very thread: a signal handler called it again",
        "let signal handlers leave the connection alone",
    )


def _in_words(error: TimeoutError, what: str) -> TimeoutError:
    """The time limit of the socket in the words of ``ssl``; the network's own has a number and stays."""
    if error.errno is not None or str(error) not in ("", "timed out"):
        return error
    return TimeoutError(f"The {what} operation timed out")
