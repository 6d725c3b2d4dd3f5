"""Moves the engine's bytes: what ``_ssl._SSLSocket`` is for OpenSSL, beneath ``ssl.SSLSocket`` and ``ssl.SSLObject``.

One thread receives and another may send meanwhile. Whoever comes second waits; a signal handler that comes second in its own thread gets IN_USE.
"""

from __future__ import annotations

import _socket
import atexit
import select
import ssl
from _thread import allocate_lock, get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import ref

from ._errors import HubTlsError, refuse_connection
from ._hubtls import Config, interpreter_ends
from ._hubtls import Engine as _Engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    from ._context import SSLContext
    from ._socket import SSLSession

atexit.register(interpreter_ends)

# Those beneath the methods that `ssl.SSLSocket` overrides.
_recv = _socket.socket.recv
_send = _socket.socket.send

#: What is taken from a MemoryBIO at once.
_CHUNK = 65_536


def _want_read() -> ssl.SSLWantReadError:
    return ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "The operation did not complete (read)")


def _want_write() -> ssl.SSLWantWriteError:
    return ssl.SSLWantWriteError(ssl.SSL_ERROR_WANT_WRITE, "The operation did not complete (write)")


def _in_use() -> HubTlsError:
    return refuse_connection(
        "IN_USE",
        "the connection is in use by this very thread: a signal handler called it again",
        "let signal handlers leave the connection alone",
    )


class Engine(_Engine):
    """A connection over a socket, which is not kept alive, or over two ``ssl.MemoryBIO``."""

    __slots__ = (
        "_incoming",
        "_outgoing",
        "_owed",
        "_reader",
        "_receiving",
        "_sending",
        "_sock",
        "_unsent",
        "_writer",
        "context",
        "owner",
        "server_hostname",
    )

    context: SSLContext
    owner: object
    server_hostname: str
    server_side = False

    def __new__(
        cls,
        config: Config,
        server_name: str,
        sock: ssl.SSLSocket | None,
        incoming: ssl.MemoryBIO | None = None,
        outgoing: ssl.MemoryBIO | None = None,
    ) -> Engine:
        self = super().__new__(cls, config, server_name)
        self._sock: Callable[[], Any] | None = None if sock is None else ref(sock)
        self._incoming: Any = incoming
        self._outgoing: Any = outgoing
        self._receiving = allocate_lock()
        self._sending = allocate_lock()
        self._reader = self._writer = 0
        #: Ciphertext that must leave before any other.
        self._unsent = b""
        #: Of a write that could not leave in full: it counts when it is repeated, as with OpenSSL.
        self._owed = 0
        return self

    def __init__(self, *arguments: Any) -> None:
        pass

    @property
    def session(self) -> SSLSession | None:
        """None before the handshake is complete."""
        from ._socket import SSLSession

        return None if self.is_handshaking else SSLSession(self.context)

    # The transport.

    def _received(self, limit: int) -> bytes:
        """What has arrived, at most so much that nothing is left behind unseen; empty at the end."""
        if self._sock is None:
            data: bytes = self._incoming.read(_CHUNK)
            if not data and not self._incoming.eof:
                raise _want_read()
            return data
        try:
            return _recv(self._sock(), self.receive_limit(limit))
        except BlockingIOError:
            raise _want_read() from None

    def _flush(self) -> None:
        """Sends what must leave; what cannot leave now is kept. For whoever has ``_sending``."""
        while pending := self._unsent or self.outgoing():
            if self._sock is None:
                self._outgoing.write(pending)
                self._unsent = b""
                continue
            # Kept first: sending may fail.
            self._unsent = pending
            try:
                sent = _send(self._sock(), pending)
            except BlockingIOError:
                raise _want_write() from None
            self._unsent = pending[sent:]

    def _flush_aside(self) -> None:
        """Sends the connection's own answers, unless another thread is sending, which sends them too."""
        if (self._unsent or self.wants_transmit) and self._sending.acquire(False):
            self._writer = get_ident()
            try:
                self._flush()
            finally:
                self._writer = 0
                self._sending.release()

    def _await_turn(self, lock: Any, holder: int) -> None:
        if holder == get_ident():
            raise _in_use()
        lock.acquire()

    def _has_arrived(self) -> bool:
        """Whether a socket has something to receive, without waiting."""
        if self._sock is None:
            return False
        poll = select.poll()
        poll.register(self._sock(), select.POLLIN)
        return bool(poll.poll(0))

    def _say_why(self) -> None:
        """After a failure: the alert should leave, but what went wrong is told in any case."""
        try:
            self._flush_aside()
        except OSError:
            pass

    def _raise_refusal(self) -> None:
        """A peer that refuses says why and hangs up: raises that, if it has arrived although nothing can be sent any more.

        For whoever receives.
        """
        try:
            while self._has_arrived():
                data = self._received(0)
                if self.is_handshaking:
                    self.feed(data)
                elif self.take(1, None, data) is not None:
                    # Data: not a refusal.
                    return
                if not data:
                    return
        except HubTlsError as reason:
            if reason.number // 100 == 3:
                raise
        except OSError:
            pass

    # What `ssl` calls.

    def do_handshake(self) -> None:
        if not self.is_handshaking:
            return
        if not (lock := self._receiving).acquire(False):
            self._await_turn(lock, self._reader)
        try:
            self._reader = get_ident()
            self._shake_hands()
        finally:
            self._reader = 0
            lock.release()

    def _shake_hands(self) -> None:
        limit = None if self._sock is None else self._sock().gettimeout()
        ends = monotonic() + limit if limit else None
        # The server's first answer ends where it waits for the client: no data can follow it.
        at_once = _CHUNK
        while True:
            try:
                self._flush_in_handshake()
                if not self.is_handshaking:
                    return
                # The limit is for the whole: a peer that sends a byte at a time must not stretch it.
                if ends is not None and monotonic() > ends:
                    raise TimeoutError
                self.feed(self._received(at_once))
                at_once = 0
            except TimeoutError:
                raise TimeoutError("The handshake operation timed out") from None
            except HubTlsError:
                self._say_why()
                raise

    def _flush_in_handshake(self) -> None:
        if not (lock := self._sending).acquire(False):
            self._await_turn(lock, self._writer)
        try:
            self._writer = get_ident()
            self._flush()
        except (ConnectionResetError, BrokenPipeError):
            self._raise_refusal()
            raise
        finally:
            self._writer = 0
            lock.release()

    def read(self, len: int = 1024, buffer: Buffer | None = None) -> Any:
        if not (lock := self._receiving).acquire(False):
            self._await_turn(lock, self._reader)
        try:
            self._reader = get_ident()
            result = self.take(len, buffer)
            if result is None:
                result = self._wait_and_take(len, buffer)
            return result
        except HubTlsError:
            self._say_why()
            raise
        finally:
            self._reader = 0
            lock.release()

    def _wait_and_take(self, len: int, buffer: Buffer | None) -> Any:
        result = None
        if self.is_handshaking:
            self._shake_hands()
            result = self.take(len, buffer)
        limit = len if buffer is None else min(len, memoryview(buffer).nbytes) if len > 0 else memoryview(buffer).nbytes
        while result is None:
            if self._unsent or self.wants_transmit:
                try:
                    self._flush_aside()
                except (ssl.SSLWantWriteError, TimeoutError):
                    # It leaves later.
                    pass
                except OSError:
                    # The reader may still find why.
                    if not self._has_arrived():
                        raise
            try:
                data = self._received(limit)
            except TimeoutError:
                raise TimeoutError("The read operation timed out") from None
            result = self.take(len, buffer, data)
        return result

    def write(self, data: Buffer) -> int:
        if self.is_handshaking:
            self.do_handshake()
        if not (lock := self._sending).acquire(False):
            self._await_turn(lock, self._writer)
        try:
            self._writer = get_ident()
            if self._unsent or self._owed:
                self._flush()
                if self._owed:
                    return self._repeated(data)
            count, self._unsent = self.encrypt(data)
            self._owed = count
            self._flush()
            self._owed = 0
            if self._sock is None:
                # Memory takes all: callers rely on it.
                view = memoryview(data).cast("B") if count < memoryview(data).nbytes else b""
                while count < view.__len__():
                    more, self._unsent = self.encrypt(view[count:])
                    count += more
                    self._flush()
            return count
        except TimeoutError:
            raise TimeoutError("The write operation timed out") from None
        except (ConnectionResetError, BrokenPipeError):
            if self._receiving.acquire(False):
                try:
                    self._raise_refusal()
                finally:
                    self._receiving.release()
            raise
        except HubTlsError:
            self._flush_after_failure()
            raise
        finally:
            self._writer = 0
            lock.release()

    def _flush_after_failure(self) -> None:
        try:
            self._flush()
        except OSError:
            pass

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

    def shutdown(self) -> Any:
        """Says that nothing more is written, waits for the peer to say the same, and gives the socket back."""
        self.finish()
        if not (lock := self._sending).acquire(False):
            self._await_turn(lock, self._writer)
        try:
            self._writer = get_ident()
            self._flush()
        finally:
            self._writer = 0
            lock.release()
        # What still comes, the application has said that it does not want.
        while self.read(_CHUNK):
            pass
        return None if self._sock is None else self._sock()

    # What there is not.

    def compression(self) -> None:
        return None

    def shared_ciphers(self) -> None:
        return None

    def get_channel_binding(self, cb_type: str = "tls-unique") -> None:
        raise ValueError(f"hubtls gives no {cb_type} channel binding: TLS 1.3 has none of that kind")

    def verify_client_post_handshake(self) -> None:
        raise ValueError("only a server can ask for a client certificate")
