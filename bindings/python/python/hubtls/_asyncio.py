"""Streams of asyncio over hubtls."""

from __future__ import annotations

from ._context import SSLContext
from ._errors import refuse
from ._native import NativeContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import Any


def must_be_own(context: object) -> None:
    """A context that nobody hardened would be used as if somebody had."""
    if not isinstance(context, (SSLContext, NativeContext)):
        raise refuse(
            "INVALID_ARGUMENT",
            f"the context is a {type(context).__module__}.{type(context).__qualname__}, which hubtls did not make",
            "pass hubtls.SSLContext(...) or hubtls.native_context(...)",
        )


async def open_connection(
    host: str,
    port: int,
    *,
    context: SSLContext | NativeContext | None = None,
    server_hostname: str | None = None,
    timeout: float | None = 30.0,
    shutdown_timeout: float | None = None,
    limit: int = 65_536,
    **kwargs: Any,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connects and shakes hands; returns the standard streams.

    Without a ``context``, which many connections can share, there is one of the policy ``iothub``. ``server_hostname`` is the name to verify; ``host``
    if left out. ``timeout`` bounds name resolution, TCP and TLS together, ``shutdown_timeout`` the end, in seconds. Whatever else
    ``asyncio.open_connection`` takes is passed on. ``writer.get_extra_info("ssl_object").negotiated`` tells what was agreed.

    Raises ``TimeoutError``, ``OSError`` if the address cannot be resolved or reached, and the errors of hubtls.
    """
    import asyncio

    if context is None:
        context = SSLContext()
    must_be_own(context)
    if "sock" not in kwargs:
        kwargs |= {"host": host, "port": port}
    if shutdown_timeout is not None:
        kwargs["ssl_shutdown_timeout"] = shutdown_timeout
    try:
        async with asyncio.timeout(timeout):
            return await asyncio.open_connection(
                ssl=context,
                server_hostname=server_hostname or host,
                # asyncio's own limit, 60 s, would come first if this one is longer.
                ssl_handshake_timeout=24 * 3600.0 if timeout is None else timeout + 1.0,
                limit=limit,
                **kwargs,
            )
    except TimeoutError as error:
        if error.errno is not None:
            # TCP's own: the network gave up.
            raise
        raise TimeoutError(
            f"no TLS connection to {host}:{port} within {timeout} s: is the address right, and is it a TLS port?"
        ) from None
