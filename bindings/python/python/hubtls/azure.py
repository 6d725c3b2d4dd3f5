"""hubtls for azure-iot-device, Microsoft's SDK for devices.

    with hubtls.azure.use(hubtls.SSLContext()):
        client = IoTHubDeviceClient.create_from_x509_certificate(...)

The SDK makes its own ``ssl.SSLContext`` and takes no other. ``use`` makes it take one of hubtls. ``arguments`` needs
no such hook: it tells the policy to the SDK in the SDK's own words, as far as these reach.
"""

from __future__ import annotations

import importlib
import inspect
import os
import ssl
import threading
import warnings
from types import TracebackType
from typing import Any

from ._asyncio import must_be_own
from ._ciphers import named
from ._context import SSLContext, identity_from_files
from ._errors import HubTlsError, HubTlsWarning, refuse
from ._hubtls import Config, Identity, Policy, Roots
from ._native import NativeContext

__all__ = ["KNOWN_VERSIONS", "Use", "arguments", "use"]

#: The versions of azure-iot-device that ``use`` was tested with, and works with.
KNOWN_VERSIONS = ("2.14.0",)

#: Where the SDK makes its contexts, and what `use` reads of what a client was given.
_SEAMS = {
    "azure.iot.device.common.mqtt_transport": "MQTTTransport",
    "azure.iot.device.common.http_transport": "HTTPTransport",
}
_METHOD = "_create_ssl_context"
_GIVEN = ("server_verification_cert", "x509_cert", "cipher")


def arguments(
    policy: Policy | str = "iothub", roots: Roots | bytes | str | os.PathLike[str] | None = None
) -> dict[str, str]:
    """Keywords for the ``create_from_...`` methods of azure-iot-device as it is: ``cipher`` and
    ``server_verification_cert``.

    ``IoTHubDeviceClient.create_from_connection_string(text, **hubtls.azure.arguments())`` restricts the SDK to the
    policy's suites and its roots, or ``roots`` if given, and no more than that. The SDK speaks TLS 1.2 alone, on
    Python's OpenSSL: key exchange groups, signature schemes and errors are OpenSSL's, and there are no pins, no
    fragment length, no revocation lists and no change of roots in a running program. All of that needs ``use``.

    Raises UNSUPPORTED_BY_ENGINE for a policy without TLS 1.2, for a required fragment length, and for roots that have
    no certificate.
    """
    config = Config(policy=policy, roots=roots)
    policy, pem = config.policy, config.roots.pem()
    if not policy.openssl_cipher_list:
        raise refuse(
            "UNSUPPORTED_BY_ENGINE",
            "azure-iot-device speaks TLS 1.2 alone, and the policy does not allow it",
            "use a policy with TLS 1.2, or hubtls.azure.use",
        )
    if policy.fragment_length.required:
        raise refuse(
            "UNSUPPORTED_BY_ENGINE",
            "azure-iot-device cannot negotiate a fragment length, which is required",
            "use hubtls.azure.use, which can",
        )
    if any(root.pem is None for root in config.roots):
        # Without any, the SDK would trust those of the system.
        raise refuse(
            "UNSUPPORTED_BY_ENGINE",
            "azure-iot-device takes roots as certificates, and of some of these only name and key are known",
            "give them as PEM, or use hubtls.azure.use",
        )
    if policy.fragment_length.bytes is not None:
        warnings.warn(
            "azure-iot-device cannot ask for a fragment length: it is left out; hubtls.azure.use can",
            HubTlsWarning,
            stacklevel=2,
        )
    return {"cipher": policy.openssl_cipher_list, "server_verification_cert": pem}


class Use:
    """What ``use`` did, and how to undo it: ``restore``, or the end of a ``with`` block."""

    def __init__(self, context: SSLContext | NativeContext) -> None:
        self._context = context

    @property
    def context(self) -> SSLContext | NativeContext:
        """What the SDK's clients are given."""
        return self._context

    def restore(self) -> None:
        """New clients get what they got before. Those that exist keep their context. A second call does nothing."""
        with _lock:
            if self in _active:
                _active.remove(self)
            if not _active:
                _unhook()

    def __enter__(self) -> Use:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.restore()


def use(context: SSLContext | NativeContext) -> Use:
    """From now on, clients of azure-iot-device connect with ``context``: over MQTT, MQTT over WebSockets and HTTPS,
    provisioning included.

    Call it before ``create_from_...``: a client takes its context then, and keeps it for all its connections. It
    holds for the whole process, until ``restore`` of what it returns, or the end of a ``with`` block. If there are
    several, the last one that is not yet restored counts.

    What a client is given besides holds for that client alone. Its ``x509`` is shown instead of the context's
    identity, so that many devices can share one context; one that names no files, ``X509(None, None)``, stands for
    the context's identity, which may sign elsewhere. Its ``cipher`` narrows the suites. Its
    ``server_verification_cert`` changes nothing: the roots are the context's, and a ``HubTlsWarning`` says so if it
    names others.

    There is no public way to do this. It replaces ``MQTTTransport._create_ssl_context`` and
    ``HTTPTransport._create_ssl_context``.

    Raises INVALID_ARGUMENT for a context that hubtls did not make, UNSUPPORTED_BY_ENGINE if the SDK is not of
    ``KNOWN_VERSIONS`` or is made otherwise, and ``ModuleNotFoundError`` if it is not installed.
    """
    must_be_own(context)
    classes = _transports()
    made = Use(context)
    with _lock:
        for transport in classes:
            if transport not in _originals:
                _hook(transport)
        _active.append(made)
    return made


_lock = threading.RLock()
_active: list[Use] = []
#: What was replaced, and by what.
_originals: dict[type, tuple[Any, Any]] = {}


def _transports() -> list[type]:
    """The SDK's two classes, if they are what they are known to be."""
    try:
        version = importlib.import_module("azure.iot.device.constant").VERSION
    except ModuleNotFoundError as error:
        if error.name not in ("azure", "azure.iot", "azure.iot.device"):
            raise
        raise ModuleNotFoundError(
            f"azure-iot-device is not installed: pip install azure-iot-device=={KNOWN_VERSIONS[-1]}",
            name="azure.iot.device",
        ) from None
    if version not in KNOWN_VERSIONS:
        raise _unknown(f"azure-iot-device {version} is not known to work with hubtls")
    return [_transport(module, name) for module, name in _SEAMS.items()]


def _transport(module: str, name: str) -> type:
    try:
        found = getattr(importlib.import_module(module), name)
        method = list(inspect.signature(getattr(found, _METHOD)).parameters)
        given = inspect.signature(found.__init__).parameters
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise _unknown(f"azure-iot-device is not made as expected: {error}") from error
    if len(method) != 1 or not all(argument in given for argument in _GIVEN):
        raise _unknown(f"azure-iot-device is not made as expected: {name} takes other arguments")
    transport: type = found
    return transport


def _unknown(message: str) -> HubTlsError:
    return refuse(
        "UNSUPPORTED_BY_ENGINE",
        message,
        f"install azure-iot-device=={KNOWN_VERSIONS[-1]}, or pass hubtls.azure.arguments() to the SDK as it is",
    )


def _hook(transport: Any) -> None:
    original = getattr(transport, _METHOD)

    def create(self: Any) -> ssl.SSLContext:
        with _lock:
            context = _active[-1].context if _active else None
        # Somebody may have kept it beyond its time.
        made: ssl.SSLContext = original(self) if context is None else _for_client(context, self)
        return made

    setattr(transport, _METHOD, create)
    _originals[transport] = (original, create)


def _unhook() -> None:
    for transport, (original, create) in _originals.items():
        # Whatever somebody else put in its place stays.
        if getattr(transport, _METHOD) is create:
            setattr(transport, _METHOD, original)
    _originals.clear()


def _for_client(context: SSLContext | NativeContext, transport: Any) -> ssl.SSLContext:
    """``context`` itself, or one of its own for a client that was given something of its own."""
    x509, cipher = transport._x509_cert, _cipher_list(transport._cipher)
    _tell_roots(context, transport._server_verification_cert)
    files = None
    if x509 is not None and x509.certificate_file is not None:
        files = (x509.certificate_file, x509.key_file, x509.pass_phrase)
    elif x509 is not None and not _has_identity(context):
        raise refuse(
            "INVALID_ARGUMENT",
            "the client's X509 names no files, and the context has no identity",
            "give X509(cert_file, key_file), or make the context with identity=",
        )
    if files is None and not cipher:
        return context
    if isinstance(context, NativeContext):
        return context._with(files, cipher)
    return _Narrowed(context, identity_from_files(*files) if files else None, cipher)


def _cipher_list(sanitized: str | None) -> str:
    """With IANA's names, whose underlines the SDK makes hyphens, as they are."""
    words = (sanitized or "").split(":")
    return ":".join(word.replace("-", "_") if word.startswith("TLS-") else word for word in words)


def _has_identity(context: SSLContext | NativeContext) -> bool:
    return context._has_identity if isinstance(context, NativeContext) else context.config.identity is not None


def _tell_roots(context: SSLContext | NativeContext, pem: str | None) -> None:
    if not pem:
        return
    trusted = {root.pin for root in context.config.roots}
    try:
        ignored = any(root.pin not in trusted for root in Roots.from_pem(pem))
    except HubTlsError:
        ignored = True
    if ignored:
        warnings.warn(
            "server_verification_cert changes nothing: the roots are the context's; make it with roots= or add_roots=",
            HubTlsWarning,
            stacklevel=4,
        )


class _Narrowed(SSLContext):
    """The context of one client: as the shared one is at each connection, but for the client's own certificate and
    suites."""

    def __new__(cls, shared: SSLContext, identity: Identity | None, cipher: str) -> _Narrowed:
        self = super().__new__(cls)
        assert isinstance(self, cls)
        return self

    def __init__(self, shared: SSLContext, identity: Identity | None, cipher: str) -> None:
        self._shared, self._identity, self._cipher = shared, identity, cipher
        self._seen = shared.config
        super().__init__(self._narrow(self._seen))

    def _narrow(self, config: Config) -> Config:
        policy = config.policy
        if self._cipher:
            policy = policy.only_suites(named(self._cipher, policy))
        return config.replace(policy=policy, identity=self._identity)

    def _for_connection(self, server_side: bool, server_hostname: str | None, session: object) -> Config:
        with self._lock:
            if self._shared.config is not self._seen:
                self._seen = self._shared.config
                self._base = self._config = self._narrow(self._seen)
        return super()._for_connection(server_side, server_hostname, session)
