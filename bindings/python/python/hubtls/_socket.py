"""The socket and the object that ``hubtls.SSLContext`` wraps: those of ``ssl``, on hubtls's engine."""

from __future__ import annotations

import ssl

from ._errors import refuse
from ._hubtls import Negotiated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._context import SSLContext


class SSLSession:
    """A handle of the sessions that a context resumes by itself: it can be compared and passed to ``wrap_socket``, and holds no secret."""

    __slots__ = ("_context",)

    def __init__(self, context: SSLContext) -> None:
        self._context = context

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SSLSession) and other._context is self._context

    def __hash__(self) -> int:
        return id(self._context)

    def __repr__(self) -> str:
        return "<hubtls.SSLSession>"


class _Agreed:
    """What both classes tell beyond those of ``ssl``."""

    _sslobj: Any
    __slots__ = ()

    @property
    def negotiated(self) -> Negotiated:
        """What was agreed: version, suite, group, fragment length, chain, root. HANDSHAKE_NOT_COMPLETE before that."""
        if self._sslobj is None:
            raise refuse(
                "HANDSHAKE_NOT_COMPLETE", "nothing is agreed: there is no TLS", "connect and shake hands first"
            )
        negotiated: Negotiated = self._sslobj.negotiated
        return negotiated

    def get_unverified_chain(self) -> list[bytes]:
        """The certificates that the peer sent, its own first, in DER."""
        return self._sslobj.peer_chain() if self._sslobj is not None else []

    def get_verified_chain(self) -> list[bytes]:
        """The certificates that the peer sent and the root that they end in, in DER."""
        chain = self.get_unverified_chain()
        root = self._sslobj.negotiated.root if chain else None
        if root is not None and root.pem is not None:
            der = ssl.PEM_cert_to_DER_cert(root.pem)
            if der not in chain:
                chain.append(der)
        return chain


def _same_context(current: ssl.SSLContext, new: object) -> None:
    if new is not current:
        raise refuse(
            "INVALID_ARGUMENT",
            "the context of a connection cannot be changed",
            "make a new connection with the other context",
        )


class SSLSocket(_Agreed, ssl.SSLSocket):
    """``ssl.SSLSocket`` on hubtls's engine; made by ``hubtls.SSLContext.wrap_socket``."""

    _context: SSLContext

    @property
    def context(self) -> SSLContext:
        """The context that made it."""
        return self._context

    @context.setter
    def context(self, new: ssl.SSLContext) -> None:
        _same_context(self._context, new)

    @property
    def session(self) -> Any:
        """A handle of the context's sessions; None before the handshake is complete."""
        return self._sslobj.session if self._sslobj is not None else None

    @session.setter
    def session(self, new: object) -> None:
        self._context._check_session(new)


class SSLObject(_Agreed, ssl.SSLObject):
    """``ssl.SSLObject`` on hubtls's engine; made by ``hubtls.SSLContext.wrap_bio``."""

    @property
    def context(self) -> SSLContext:
        """The context that made it."""
        context: SSLContext = self._sslobj.context
        return context

    @context.setter
    def context(self, new: ssl.SSLContext) -> None:
        _same_context(self._sslobj.context, new)

    @property
    def session(self) -> Any:
        """A handle of the context's sessions; None before the handshake is complete."""
        return self._sslobj.session

    @session.setter
    def session(self, new: object) -> None:
        self._sslobj.context._check_session(new)
