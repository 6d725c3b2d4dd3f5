"""Libraries that treat a context of yours as their own, and what they set for a connection of theirs alone."""

from __future__ import annotations

import sys
import warnings
from contextvars import ContextVar
from weakref import WeakKeyDictionary

from ._errors import HubTlsWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from typing import Any

#: They set ALPN and roots for each of their connections.
_SETTERS = frozenset({"urllib3", "requests", "httpcore", "httpx", "pip"})

#: They make such a connection: httpcore leaves it to the last two.
_MAKERS = _SETTERS | {"anyio", "trio"}


class _Turn:
    """Between a library's setting of something and its making of the connection."""


#: Of a task and not of a thread: anyio makes the connection in another one, to which it hands the task's variables.
_turn: ContextVar[_Turn | None] = ContextVar("hubtls_turn", default=None)


def _package(frame: Any) -> str:
    parts: list[str] = frame.f_globals.get("__name__", "").split(".")
    return parts[2] if parts[:2] == ["pip", "_vendor"] and len(parts) > 2 else parts[0]


def is_library(depth: int) -> bool:
    """Whether the caller, so many frames up, is a library that sets things for each of its connections."""
    return _package(sys._getframe(depth + 1)) in _SETTERS


def _maker() -> str:
    """The top-level package of whoever is making a connection, beneath ``ssl`` and this package."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = _package(frame)
        if name not in ("ssl", "hubtls"):
            return name
        frame = frame.f_back
    return ""


class ForNextConnection:
    """What a library sets for its next connection."""

    _waiting: WeakKeyDictionary[_Turn, Any] | None = None

    def put(self, value: object) -> None:
        """Keeps ``value`` for the next connection of this task."""
        if self._waiting is None:
            self._waiting = WeakKeyDictionary()
        turn = _Turn()
        self._waiting[turn] = value
        _turn.set(turn)

    def take(self) -> Any:
        """What was kept for the connection that is being made, once; None if nothing was."""
        turn = _turn.get() if self._waiting else None
        if self._waiting is None or turn is None or _maker() not in _MAKERS:
            return None
        return self._waiting.pop(turn, None)


class PolicysRoots:
    """The methods of a context that load roots: they change nothing, whatever a library loads."""

    __slots__ = ()

    def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        """Changes nothing: the roots are the policy's, or ``roots=`` and ``add_roots=``. Warns, unless a library calls it."""
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        _roots_stay("load_verify_locations")

    def load_default_certs(self, purpose: ssl.Purpose | None = None) -> None:
        """Changes nothing: see ``load_verify_locations``."""
        _roots_stay("load_default_certs")

    def set_default_verify_paths(self) -> None:
        """Changes nothing: see ``load_verify_locations``."""
        _roots_stay("set_default_verify_paths")


def _roots_stay(method: str) -> None:
    if not is_library(2):
        warnings.warn(
            f"{method} changes nothing: the roots are the policy's; make the context with roots= or add_roots=",
            HubTlsWarning,
            stacklevel=3,
        )
