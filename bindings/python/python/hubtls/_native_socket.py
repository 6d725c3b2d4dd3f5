"""The socket and the object that a ``hubtls.NativeContext`` wraps: those of ``ssl``, whose setters weaken nothing."""

from __future__ import annotations

import ssl

from ._socket import _same_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._native import NativeContext


class NativeSession:
    """A ``ssl.SSLSession`` with the name whose certificate was verified for it: in a resumed session OpenSSL verifies
    none."""

    __slots__ = ("_name", "_session")

    def __init__(self, session: ssl.SSLSession, name: str) -> None:
        self._session, self._name = session, name.lower()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NativeSession) and (self._session, self._name) == (other._session, other._name)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "<hubtls.NativeSession>"


def _named(session: ssl.SSLSession | None, name: str | None) -> NativeSession | None:
    return None if session is None else NativeSession(session, name or "")


class NativeSocket(ssl.SSLSocket):
    """``ssl.SSLSocket`` on OpenSSL; made by a context of ``hubtls.native_context``."""

    _context: NativeContext
    _sslobj: Any

    @property
    def context(self) -> NativeContext:
        """The context that made it."""
        return self._context

    @context.setter
    def context(self, new: ssl.SSLContext) -> None:
        # OpenSSL would verify with the roots of the new one.
        _same_context(self._context, new)

    @property
    def session(self) -> Any:
        """For ``session=`` of a later connection to the same name."""
        return _named(super().session, self.server_hostname)

    @session.setter
    def session(self, new: Any) -> None:
        raw = self._context._raw_session(new, self.server_hostname or "")
        self._session = new
        if self._sslobj is not None:
            self._sslobj.session = raw


class NativeObject(ssl.SSLObject):
    """``ssl.SSLObject`` on OpenSSL; made by a context of ``hubtls.native_context``."""

    _context: NativeContext
    _sslobj: Any

    @classmethod
    def _create(cls, *arguments: Any, context: NativeContext, **options: Any) -> NativeObject:
        self: NativeObject = super()._create(*arguments, context=context, **options)  # type: ignore[misc]
        self._context = context
        return self

    @property
    def context(self) -> NativeContext:
        """The context that made it."""
        return self._context

    @context.setter
    def context(self, new: ssl.SSLContext) -> None:
        _same_context(self._context, new)

    @property
    def session(self) -> Any:
        """For ``session=`` of a later connection to the same name."""
        return _named(super().session, self.server_hostname)

    @session.setter
    def session(self, new: Any) -> None:
        self._sslobj.session = self._context._raw_session(new, self.server_hostname or "")
