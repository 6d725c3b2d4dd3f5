"""TLS as Azure IoT Hub demands it.

    context = hubtls.SSLContext()                  # wherever an ssl.SSLContext is expected
    context = hubtls.native_context()              # the same policy on Python's own OpenSSL
    reader, writer = await hubtls.open_connection("my-hub.azure-devices.net", 8883)

``SSLContext`` offers what the policy has (``Policy``), trusts its roots (``Roots``), shows a client certificate (``Identity``) and tells what was
agreed (``Negotiated``). A policy can be narrowed, never widened, and nothing switches verification off. Every error is a ``HubTlsError`` with a
``code`` and a ``hint``, and an exception of Python's own too. ``Connection`` is for programs that move the bytes themselves.
"""

from ._asyncio import open_connection
from ._context import SSLContext
from ._errors import (
    HubTlsCertificateError,
    HubTlsConfigError,
    HubTlsEOFError,
    HubTlsError,
    HubTlsSSLError,
    HubTlsWarning,
)
from ._hubtls import (
    Certificate,
    Config,
    Connection,
    FragmentLength,
    Identity,
    Negotiated,
    Policy,
    Readiness,
    Root,
    Roots,
    __version__,
)
from ._native import NativeContext, harden, native_context
from ._socket import SSLObject, SSLSession, SSLSocket

__all__ = [
    "Certificate",
    "Config",
    "Connection",
    "FragmentLength",
    "HubTlsCertificateError",
    "HubTlsConfigError",
    "HubTlsEOFError",
    "HubTlsError",
    "HubTlsSSLError",
    "HubTlsWarning",
    "Identity",
    "NativeContext",
    "Negotiated",
    "Policy",
    "Readiness",
    "Root",
    "Roots",
    "SSLContext",
    "SSLObject",
    "SSLSession",
    "SSLSocket",
    "__version__",
    "harden",
    "native_context",
    "open_connection",
]
