"""The policy on Python's own TLS: a standard ``ssl.SSLContext`` on OpenSSL that stays hardened."""

from __future__ import annotations

import functools
import ssl
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator

from ._callers import ForNextConnection, PolicysRoots, is_library
from ._ciphers import named
from ._context import _CURVES
from ._errors import HubTlsError, HubTlsWarning, refuse, refuse_connection
from ._flags import (
    checked_class,
    checked_options,
    checked_verify_flags,
    must_leave_a_version,
    refuse_later_setters,
    widened,
)
from ._harden import HOST_FLAGS, VERSIONS, alpn_list, bounds, checked, cipher_list, harden, limits, prepare, set_group
from ._hubtls import Config
from ._native_socket import NativeObject, NativeSession, NativeSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any

    _File = str | bytes | os.PathLike[str] | os.PathLike[bytes]
    _Password = Callable[[], str | bytes | bytearray] | str | bytes | bytearray | None

__all__ = ["NativeContext", "harden", "native_context"]

# The setters of `ssl` itself: those of NativeContext are for others.
_stdlib: Any = ssl.SSLContext


def _fixed(name: str, value: Any, read: Callable[[Any], Any], doc: str) -> Any:
    """An attribute that may be set to what it is."""

    def setter(self: NativeContext, new: Any) -> None:
        if read(new) != value:
            raise widened(f"{name}={new!r}")

    return property(lambda self: read(getattr(super(NativeContext, self), name)), setter, doc=doc)


def _free(name: str, doc: str) -> Any:
    """An attribute that weakens nothing, whatever it is set to."""
    return property(
        lambda self: getattr(super(NativeContext, self), name), lambda self, new: self._put(name, new), doc=doc
    )


class NativeContext(PolicysRoots, ssl.SSLContext):
    """A standard ``ssl.SSLContext`` on OpenSSL that was hardened by a policy and stays so: what would weaken it raises
    POLICY_WIDENED.

    Made by ``hubtls.native_context``. Sessions are resumed by passing the ``session`` of an earlier connection to the
    same name, as in ``ssl``, and to no other name.
    """

    sslsocket_class = NativeSocket
    sslobject_class = NativeObject

    _config: Config
    #: What it was made with beside that, and what was set since.
    _options: dict[str, Any]
    _settings: dict[str, tuple[Any, ...]]
    #: For Azure's own names, if roots were added that must not vouch for these.
    _for_azure: ssl.SSLContext | None
    _alpn: bytes
    _next_alpn: ForNextConnection
    _lock: threading.Lock

    def __new__(cls, *arguments: Any, **options: Any) -> NativeContext:
        raise TypeError(f"{cls.__name__} has no public constructor: hubtls.native_context(...) makes one")

    @property
    def config(self) -> Config:
        """What it was made from."""
        return self._config

    @property
    def _has_identity(self) -> bool:
        return self._options.get("identity") is not None or "load_cert_chain" in self._settings

    def _each(self) -> Iterator[ssl.SSLContext]:
        return filter(None, [self, self._for_azure])

    def _put(self, name: str, *values: Any) -> None:
        """Sets an attribute of ``ssl.SSLContext``, or calls a method, wherever it counts."""
        member = getattr(ssl.SSLContext, name)
        for context in self._each():
            member(context, *values) if callable(member) else member.__set__(context, *values)
        self._settings[name] = values

    def _with(self, identity: tuple[Any, Any, Any] | None, cipherlist: str) -> NativeContext:
        """One that is set as this one is, but for the client certificate, and offers only these of its suites."""
        made = _made(self._config, {**self._options, "identity": identity} if identity else self._options)
        for name, values in self._settings.items():
            if name != "load_cert_chain" or identity is None:
                made._put(name, *values)
        made.__dict__["_alpn"] = self._alpn
        if cipherlist:
            policy = self._config.policy
            if "set_ciphers" in self._settings:
                policy = policy.only_suites(named(self._settings["set_ciphers"][0].partition(":@")[0], policy))
            made._put("set_ciphers", cipher_list(made, policy.only_suites(named(cipherlist, policy))))
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("sslsocket_class", "sslobject_class"):
            checked_class(name, value, getattr(type(self), name))
        elif name not in _SETTABLE and (hasattr(type(self), name) or name in type(self).__annotations__):
            raise widened(f"another {name}")
        super().__setattr__(name, value)

    def __reduce__(self) -> Any:
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")

    def __repr__(self) -> str:
        return f"<hubtls.NativeContext {self._config.policy.name}>"

    # Connections.

    def _wrap_socket(
        self,
        sock: Any,
        server_side: bool,
        server_hostname: str | None = None,
        *,
        owner: Any = None,
        session: Any = None,
    ) -> Any:
        return self._wrap(_stdlib._wrap_socket, (sock,), server_side, server_hostname, owner, session)

    def _wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool,
        server_hostname: str | None = None,
        *,
        owner: Any = None,
        session: Any = None,
    ) -> Any:
        return self._wrap(_stdlib._wrap_bio, (incoming, outgoing), server_side, server_hostname, owner, session)

    def _wrap(
        self, wrap: Any, ends: tuple[Any, ...], server_side: bool, name: str | None, owner: Any, session: Any
    ) -> Any:
        once = self._next_alpn.take()
        if server_side:
            raise ValueError("hubtls is for clients: a server needs an ssl.SSLContext")
        if not name:
            # OpenSSL would verify no name at all.
            raise ValueError("check_hostname requires server_hostname")
        context: Any = self
        if self._for_azure is not None and len(self._config.roots.believed_about(name)) < len(self._config.roots):
            context = self._for_azure
        raw = self._raw_session(session, name)
        with self._lock:
            # A connection has the protocols that its context has just now.
            if once is not None:
                _stdlib._set_alpn_protocols(context, once)
            try:
                return wrap(context, *ends, False, name, owner=owner, session=raw)
            finally:
                if once is not None:
                    _stdlib._set_alpn_protocols(context, self._alpn)

    def _raw_session(self, session: object, name: str) -> ssl.SSLSession | None:
        if session is None:
            return None
        if not isinstance(session, NativeSession):
            raise TypeError("Value is not a SSLSession.")
        if session._name != name.lower():
            raise ValueError("Session refers to a different server: its certificate is not verified again.")
        if self._options.get("resumption") is False:
            raise refuse("INVALID_ARGUMENT", "resumption=False, and there is a session", "leave session out")
        return session._session

    # What cannot be changed, and what may be changed at will.

    check_hostname = _fixed("check_hostname", True, bool, "Always.")
    verify_mode = _fixed("verify_mode", ssl.CERT_REQUIRED, ssl.VerifyMode, "Always ``CERT_REQUIRED``.")
    hostname_checks_common_name = _fixed("hostname_checks_common_name", False, bool, "Never.")
    _host_flags = _fixed("_host_flags", HOST_FLAGS, int, "How names are matched.")

    keylog_filename = _free("keylog_filename", "The file that secrets are written to, for debugging.")
    post_handshake_auth = _free(
        "post_handshake_auth", "Whether a server may ask for the client's certificate after the handshake."
    )
    _msg_callback = _free("_msg_callback", "Is shown the messages of handshakes.")

    # What can be narrowed.

    @property
    def minimum_version(self) -> ssl.TLSVersion:
        """The oldest version that is offered: may be raised, and lowered to the policy's."""
        return ssl.TLSVersion(super().minimum_version)

    @minimum_version.setter
    def minimum_version(self, value: int) -> None:
        least, most = bounds(self._config.policy)
        version = ssl.TLSVersion(value)
        if version == ssl.TLSVersion.MAXIMUM_SUPPORTED:
            version = most
        if version not in VERSIONS.values():
            raise widened(f"minimum_version={version.name}")
        version = max(version, least)
        must_leave_a_version(version, self.maximum_version, self.options)
        self._put("minimum_version", version)

    @property
    def maximum_version(self) -> ssl.TLSVersion:
        """The newest version that is offered: may be lowered, and raised to the policy's."""
        return ssl.TLSVersion(super().maximum_version)

    @maximum_version.setter
    def maximum_version(self, value: int) -> None:
        _, most = bounds(self._config.policy)
        version = ssl.TLSVersion(value)
        if version == ssl.TLSVersion.MAXIMUM_SUPPORTED:
            version = most
        if version not in VERSIONS.values():
            raise widened(f"maximum_version={version.name}")
        version = min(version, most)
        must_leave_a_version(self.minimum_version, version, self.options)
        self._put("maximum_version", version)

    @property
    def options(self) -> ssl.Options:
        """OpenSSL's options; compression, old renegotiation and whatever else may weaken is refused."""
        return ssl.Options(super().options)

    @options.setter
    def options(self, value: int) -> None:
        options = checked_options(value)
        must_leave_a_version(self.minimum_version, self.maximum_version, options)
        self._put("options", options)

    @property
    def verify_flags(self) -> ssl.VerifyFlags:
        """OpenSSL's flags; what would trust more is refused. Those for revocation lists refuse every server, since no
        list can be loaded."""
        return ssl.VerifyFlags(super().verify_flags)

    @verify_flags.setter
    def verify_flags(self, value: int) -> None:
        self._put("verify_flags", checked_verify_flags(value))

    def set_ciphers(self, cipherlist: str, /) -> None:
        """As ``hubtls.SSLContext.set_ciphers``."""
        try:
            policy = self._config.policy.only_suites(named(cipherlist, self._config.policy))
        except HubTlsError as error:
            raise refuse_connection(error.code, error.message, error.hint) from None
        self._put("set_ciphers", cipher_list(self, policy))

    def set_ecdh_curve(self, name: str | bytes, /) -> None:
        """One of the policy's groups, alone."""
        text = name.decode() if isinstance(name, bytes) else name
        (group,) = self._config.policy.only_groups([_CURVES.get(text, text)]).groups
        for context in self._each():
            set_group(context, group)
        self._settings["set_ecdh_curve"] = ({"secp256r1": "prime256v1"}.get(group, group),)

    def load_cert_chain(self, certfile: _File, keyfile: _File | None = None, password: _Password = None) -> None:
        """As in ``ssl``."""
        # Nobody is to be asked twice.
        self._put("load_cert_chain", certfile, keyfile, functools.cache(password) if callable(password) else password)

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """As in ``ssl``, but what urllib3 and the like set for a connection of theirs is for that connection alone."""
        library = is_library(1)
        protocols = [bytes(protocol, "ascii") for protocol in alpn_protocols]
        if any(not 0 < len(protocol) < 256 for protocol in protocols):
            raise ssl.SSLError("ALPN protocols must be 1 to 255 in length")
        encoded = alpn_list(protocols)
        if library:
            self._next_alpn.put(encoded)
        else:
            self._set_alpn_protocols(encoded)

    def _set_alpn_protocols(self, protocols: bytes, /) -> None:
        self._put("_set_alpn_protocols", protocols)
        self.__dict__["_alpn"] = protocols

    def set_psk_client_callback(self, callback: object) -> None:
        """There are no pre-shared keys in the policy."""
        if callback is not None:
            raise widened("a pre-shared key")


refuse_later_setters(NativeContext)

_SETTABLE = {"num_tickets", "sni_callback"} | {
    name for name, member in vars(NativeContext).items() if isinstance(member, property) and member.fset
}


def native_context(config: object = None, /, **options: Any) -> NativeContext:
    """A standard ``ssl.SSLContext`` on Python's own OpenSSL that the policy has hardened: versions, suites, roots,
    client identity, host name. Nothing that is set on it afterwards weakens it.

    Takes the options of ``hubtls.Config`` as keywords, ``identity`` as paths (chain, key) or (chain, key, passphrase).
    What ``ssl`` cannot express is a ``HubTlsWarning`` if it is merely wished for, as a fragment length is, and
    UNSUPPORTED_BY_ENGINE if it is demanded, as ``time`` or ``revocation_lists`` is, or a whole ``Config``. Signature
    schemes are OpenSSL's at its security level 2, and so are groups if the policy has more than one.
    """
    made, options = checked(config, options)
    for sentence in limits(made.policy, options):
        warnings.warn(sentence, HubTlsWarning, stacklevel=2)
    return _made(made, options)


def _made(config: Config, options: dict[str, Any]) -> NativeContext:
    context: NativeContext = ssl._ssl._SSLContext.__new__(NativeContext, ssl.PROTOCOL_TLS_CLIENT)  # type: ignore[attr-defined]
    believed = config.roots.believed_about("any.azure-devices.net")
    azure = None
    if len(believed) < len(config.roots):
        azure = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        prepare(azure, config, believed, options)
    prepare(context, config, config.roots, options)
    context.__dict__.update(
        _config=config,
        _options=options,
        _settings={},
        _for_azure=azure,
        _alpn=alpn_list(options.get("alpn") or []),
        _next_alpn=ForNextConnection(),
        _lock=threading.Lock(),
    )
    return context
