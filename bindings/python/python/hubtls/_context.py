"""``hubtls.SSLContext``: an ``ssl.SSLContext`` whose connections are hubtls's own."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable, Iterable

from ._callers import ForNextConnection, PolicysRoots, is_library
from ._ciphers import descriptions, named
from ._engine import MemoryEngine, SocketEngine
from ._errors import HubTlsError, refuse, refuse_connection
from ._fixed import FixedContext
from ._flags import checked_class, checked_options, checked_verify_flags, refuse_later_setters
from ._flags import widened as _widened
from ._hubtls import Config, Identity, Roots
from ._socket import SSLObject, SSLSession, SSLSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

_new = ssl._ssl._SSLContext.__new__  # type: ignore[attr-defined]

_VERSIONS = {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}

#: OpenSSL's names of groups that differ from IANA's.
_CURVES = {"prime256v1": "secp256r1", "P-256": "secp256r1", "P-384": "secp384r1", "X25519": "X25519"}


def identity_from_files(certfile: Any, keyfile: Any, password: Any) -> Identity:
    """What ``load_cert_chain`` loads, ``password`` in each of its forms."""
    with open(certfile, "rb") as file:
        chain = file.read()
    key = chain
    if keyfile is not None:
        with open(keyfile, "rb") as file:
            key = file.read()
    try:
        return Identity.from_pem(chain, key, None if callable(password) else password)
    except HubTlsError as error:
        if callable(password) and error.code == "PASSPHRASE_REQUIRED":
            return Identity.from_pem(chain, key, password())
        raise


class SSLContext(PolicysRoots, FixedContext):
    """An ``ssl.SSLContext`` for clients of Azure IoT Hub, to be used wherever one is expected.

    ``SSLContext(policy="iothub-ecc", identity=("device.pem", "device.key"))`` takes the options of ``hubtls.Config``, or a ``Config``.
    Its connections are hubtls's own (rustls), not OpenSSL's. Setters may narrow what it offers; what would weaken it raises POLICY_WIDENED.
    """

    sslsocket_class = SSLSocket
    sslobject_class = SSLObject

    _base: Config
    _config: Config
    _settings: dict[str, Any]
    _versions: list[ssl.TLSVersion]
    _narrowed_options: ssl.Options
    _next_alpn: ForNextConnection
    _lock: threading.Lock

    def __new__(cls, config: Config | int | None = None, **options: Any) -> SSLContext:
        self: SSLContext = _new(cls, ssl.PROTOCOL_TLS_CLIENT)
        return self

    def __init__(self, config: Config | int | None = None, **options: Any) -> None:
        if isinstance(config, int):
            # As in ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).
            if config not in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS):
                raise refuse("INVALID_ARGUMENT", "hubtls is for clients of TLS 1.2 and later", "leave the protocol out")
            config = None
        key_log = None
        if config is None:
            # As if it were set: it can be taken back.
            key_log = options.pop("key_log", None)
            config = Config(**options)
        elif not isinstance(config, Config):
            raise TypeError(f"config is {type(config).__name__}, not hubtls.Config")
        elif options:
            raise refuse("INVALID_ARGUMENT", "there is a Config and options too", "use config.replace(...)")
        # Not by `__setattr__`, which checks what users set.
        vars(self).update(
            _base=config,
            _config=config,
            _settings={},
            _versions=[ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.MAXIMUM_SUPPORTED],
            _narrowed_options=ssl.Options(0),
            _next_alpn=ForNextConnection(),
            _lock=threading.Lock(),
        )
        if key_log is not None:
            self._set(key_log=key_log)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("sslsocket_class", "sslobject_class"):
            checked_class(name, value, getattr(type(self), name))
        elif name == "__class__":
            raise _widened("another __class__")
        super().__setattr__(name, value)

    @property
    def config(self) -> Config:
        """What the next connection is made with."""
        return self._config

    def replace_roots(self, roots: Roots | bytes | str | os.PathLike[str]) -> None:
        """Trusts these instead, from the next connection on; open ones go on, and no session is resumed. NO_ROOTS leaves it as it was."""
        if not isinstance(roots, Roots):
            # Read once: both trust the same.
            roots = Config(roots=roots).roots
        with self._lock:
            self._base = self._base.with_roots(roots)
            self._config = self._config.with_roots(roots)

    def _set(self, **settings: Any) -> None:
        """Narrows the configuration, or leaves it as it is and raises."""
        with self._lock:
            settings = {**self._settings, **settings}
            arguments = dict(settings)
            policy = self._base.policy
            if suites := arguments.pop("suites", None):
                policy = policy.only_suites(suites)
            if groups := arguments.pop("groups", None):
                policy = policy.only_groups(groups)
            if versions := arguments.pop("versions", None):
                policy = policy.only_versions(versions)
            self._config = self._base.replace(policy=policy, **arguments)
            self._settings = settings

    # Connections.

    if TYPE_CHECKING:

        def wrap_socket(
            self,
            sock: socket.socket,
            server_side: bool = False,
            do_handshake_on_connect: bool = True,
            suppress_ragged_eofs: bool = True,
            server_hostname: str | bytes | None = None,
            session: Any = None,
        ) -> SSLSocket: ...
        def wrap_bio(
            self,
            incoming: ssl.MemoryBIO,
            outgoing: ssl.MemoryBIO,
            server_side: bool = False,
            server_hostname: str | bytes | None = None,
            session: Any = None,
        ) -> SSLObject: ...

    def _wrap_socket(
        self,
        sock: ssl.SSLSocket,
        server_side: bool,
        server_hostname: str | None = None,
        *,
        owner: object = None,
        session: object = None,
    ) -> SocketEngine:
        config = self._for_connection(server_side, server_hostname, session)
        engine = SocketEngine(config, server_hostname or "", sock)
        engine.context = self
        return engine

    def _wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool,
        server_hostname: str | None = None,
        *,
        owner: object = None,
        session: object = None,
    ) -> MemoryEngine:
        for bio in (incoming, outgoing):
            if not isinstance(bio, ssl.MemoryBIO):
                raise TypeError(f"a ssl.MemoryBIO is needed, not {type(bio).__name__}")
        config = self._for_connection(server_side, server_hostname, session)
        engine = MemoryEngine(config, server_hostname or "", incoming, outgoing)
        engine.context, engine.server_hostname = self, server_hostname or ""
        return engine

    def _for_connection(self, server_side: bool, server_hostname: str | None, session: object) -> Config:
        once = self._next_alpn.take()
        if server_side:
            raise ValueError("hubtls is for clients: a server needs an ssl.SSLContext")
        if not server_hostname:
            raise ValueError("check_hostname requires server_hostname")
        self._check_session(session)
        # Unless the configuration was changed since.
        return once[1] if once and once[0] is self._config else self._config

    def _session(self) -> SSLSession:
        return SSLSession(self)

    def _check_session(self, session: object) -> None:
        if session is None:
            return
        if not isinstance(session, SSLSession):
            raise TypeError("Value is not a SSLSession.")
        if session._context is not self:
            raise ValueError("Session refers to a different SSLContext.")

    def _encode_hostname(self, hostname: str | bytes | None) -> str | None:
        try:
            return super()._encode_hostname(hostname)  # type: ignore[misc,no-any-return]
        except UnicodeError as error:
            raise refuse_connection(
                "INVALID_SERVER_NAME", f"{hostname!r} is no host name: {error}", "give a DNS name or an IP address"
            ) from error

    # What may be narrowed.

    def set_ciphers(self, cipherlist: str, /) -> None:
        """Narrows the suites of TLS 1.2 to those of the policy that are named, by OpenSSL's or IANA's names or OpenSSL's rules.

        A single suite that the policy does not have raises POLICY_WIDENED; of what a rule like ``ECDHE+AESGCM`` stands for, the policy's
        suites are taken. The suites of TLS 1.3 stay, as in ``ssl``.
        """
        try:
            wanted = named(cipherlist, self._base.policy)
        except HubTlsError as error:
            raise refuse_connection(error.code, error.message, error.hint) from None
        self._set(suites=wanted)

    def get_ciphers(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The suites that are offered, most wanted first."""
        return descriptions(self._config.policy)

    def set_ecdh_curve(self, name: str | bytes, /) -> None:
        """Narrows the groups to this one."""
        text = name.decode() if isinstance(name, bytes) else name
        self._set(groups=[_CURVES.get(text, text)])

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Offers these protocols, most wanted first.

        What urllib3 and the like set for a connection of theirs is for that connection alone: a later one, of MQTT say, does not get it.
        """
        protocols = [alpn_protocols] if isinstance(alpn_protocols, str) else list(alpn_protocols)
        if is_library(1):
            self._next_alpn.put((self._config, self._config.replace(alpn=protocols)))
        else:
            self._set(alpn=protocols)

    def load_cert_chain(
        self,
        certfile: str | bytes | os.PathLike[str] | os.PathLike[bytes],
        keyfile: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None = None,
        password: Callable[[], str | bytes | bytearray] | str | bytes | bytearray | None = None,
    ) -> None:
        """The client's certificate chain and key, as PEM files. An ``ssl.SSLError`` if they cannot be used."""
        try:
            identity = identity_from_files(certfile, keyfile, password)
        except HubTlsError as error:
            raise refuse_connection(error.code, error.message, error.hint) from None
        self._set(identity=identity)

    @property
    def minimum_version(self) -> ssl.TLSVersion:
        """TLS 1.2, or 1.3 if it was narrowed to that."""
        return ssl.TLSVersion.TLSv1_2 if "TLSv1.2" in self._config.policy.versions else ssl.TLSVersion.TLSv1_3

    @minimum_version.setter
    def minimum_version(self, value: int) -> None:
        version = ssl.TLSVersion(value)
        if version not in _VERSIONS and version != ssl.TLSVersion.MAXIMUM_SUPPORTED:
            raise _widened(f"minimum_version={version.name}")
        self._set_versions([version, self._versions[1]], self._narrowed_options)

    @property
    def maximum_version(self) -> ssl.TLSVersion:
        """TLS 1.3, or 1.2 if it was narrowed to that."""
        return ssl.TLSVersion.TLSv1_3 if "TLSv1.3" in self._config.policy.versions else ssl.TLSVersion.TLSv1_2

    @maximum_version.setter
    def maximum_version(self, value: int) -> None:
        version = ssl.TLSVersion(value)
        if version not in _VERSIONS and version != ssl.TLSVersion.MAXIMUM_SUPPORTED:
            raise _widened(f"maximum_version={version.name}")
        self._set_versions([self._versions[0], version], self._narrowed_options)

    @property
    def options(self) -> ssl.Options:
        """The options that mean something here: ``OP_NO_TLSv1_2`` and ``OP_NO_TLSv1_3``, beside those that always hold."""
        always = ssl.OP_NO_SSLv2 | ssl.OP_NO_SSLv3 | ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1 | ssl.OP_NO_COMPRESSION
        return always | self._narrowed_options

    @options.setter
    def options(self, value: int) -> None:
        narrowed = ssl.Options(checked_options(value)) & (ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3)
        self._set_versions(self._versions, narrowed)

    def _set_versions(self, bounds: list[ssl.TLSVersion], narrowed: ssl.Options) -> None:
        least = bounds[0] if bounds[0] in _VERSIONS else ssl.TLSVersion.TLSv1_2
        if bounds[0] == ssl.TLSVersion.MAXIMUM_SUPPORTED:
            least = ssl.TLSVersion.TLSv1_3
        most = bounds[1] if bounds[1] in _VERSIONS else ssl.TLSVersion.TLSv1_3
        off = {ssl.TLSVersion.TLSv1_2: ssl.OP_NO_TLSv1_2, ssl.TLSVersion.TLSv1_3: ssl.OP_NO_TLSv1_3}
        wanted = [
            name for version, name in _VERSIONS.items() if least <= version <= most and not narrowed & off[version]
        ]
        versions = [name for name in self._base.policy.versions if name in wanted]
        if not versions:
            raise refuse("POLICY_EMPTY", "no TLS version is left", "allow TLS 1.2 or TLS 1.3")
        self._set(versions=versions)
        self._versions, self._narrowed_options = bounds, narrowed

    @property  # type: ignore[override]
    def keylog_filename(self) -> str | None:
        """The file that the connections' secrets are written to, for debugging."""
        name: str | None = self._settings.get("key_log")
        return name

    @keylog_filename.setter
    def keylog_filename(self, value: str | None) -> None:
        self._set(key_log=value)

    @property
    def verify_flags(self) -> ssl.VerifyFlags:
        """What always holds. Setting flags changes nothing, but for those that ask for revocation lists: give these as options."""
        return ssl.VerifyFlags.VERIFY_X509_STRICT | ssl.VerifyFlags.VERIFY_X509_TRUSTED_FIRST

    @verify_flags.setter
    def verify_flags(self, value: int) -> None:
        if checked_verify_flags(value) & ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN:
            self._set(require_revocation_status=True)

    def get_ca_certs(self, binary_form: bool = False) -> list[Any]:
        """The trusted roots, as dictionaries or in DER."""
        pems = [root.pem for root in self._config.roots if root.pem is not None]
        ders = [ssl.PEM_cert_to_DER_cert(pem) for pem in pems]
        if binary_form:
            return ders
        from ._hubtls import Certificate

        return [Certificate.from_der(der).to_dict() for der in ders]

    def cert_store_stats(self) -> dict[str, int]:
        """How many roots are trusted."""
        count = len(self._config.roots)
        return {"x509": count, "crl": 0, "x509_ca": count}

    def __reduce__(self) -> Any:
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")

    def __repr__(self) -> str:
        return f"<hubtls.SSLContext {self._config.policy.name}>"


refuse_later_setters(SSLContext)
