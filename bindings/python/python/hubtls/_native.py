"""The policy on Python's own TLS: a standard ``ssl.SSLContext`` on OpenSSL, hardened."""

from __future__ import annotations

import os
import ssl
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from ._ciphers import named
from ._context import _PER_CONNECTION, _caller, _widened
from ._errors import HubTlsError, HubTlsWarning, refuse, refuse_connection
from ._hubtls import Config, Policy, Roots

_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}

#: Options of `hubtls.Config` that OpenSSL behind `ssl` has no setter for: asking for them is an error.
_IMPOSSIBLE = ("revocation_lists", "require_revocation_status", "time", "sni", "refuse_invalid_identity")

_OPTIONS = ("policy", "roots", "add_roots", "pins", "identity", "alpn", "key_log", "resumption", "post_quantum", "fragment_length")


def _config_of(config: Config | None, options: dict[str, Any]) -> tuple[Config, dict[str, Any]]:
    if config is not None and options:
        raise refuse("INVALID_ARGUMENT", "there is a Config and options too", "use config.replace(...)")
    for name in _IMPOSSIBLE:
        if options.get(name) is not None:
            raise refuse(
                "UNSUPPORTED_BY_ENGINE",
                f"Python's ssl cannot express {name}",
                "leave it out, or use hubtls.SSLContext, which can",
            )
    checked = Config(**options) if config is None else config
    if checked.identity is not None and not isinstance(options.get("identity"), tuple):
        raise refuse(
            "UNSUPPORTED_BY_ENGINE",
            "Python's ssl reads a client's certificate and key from files alone",
            "give identity=(chain file, key file), or use hubtls.SSLContext",
        )
    return checked, options


def _warn(message: str) -> None:
    warnings.warn(message, HubTlsWarning, stacklevel=4)


def _tell_limits(policy: Policy, options: dict[str, Any]) -> None:
    """Says what OpenSSL behind `ssl` will do otherwise than the policy says."""
    mode = policy.fragment_length
    if mode.required:
        raise refuse(
            "UNSUPPORTED_BY_ENGINE",
            "Python's ssl cannot negotiate a fragment length, which is required",
            "use hubtls.SSLContext, which can",
        )
    if mode.bytes is not None:
        _warn("Python's ssl cannot ask for a fragment length: it is left out; hubtls.SSLContext can")
    if options.get("post_quantum"):
        _warn("Python's ssl cannot be told to offer X25519MLKEM768: its OpenSSL decides; hubtls.SSLContext can")
    if "TLSv1.3" in policy.versions and not hasattr(ssl.SSLContext, "set_ciphersuites"):
        _warn(
            "this Python cannot choose the suites of TLS 1.3: TLS_CHACHA20_POLY1305_SHA256 is offered too; "
            "use the policy iothub-tls12, or hubtls.SSLContext"
        )
    if policy.is_narrowed and set(policy.groups) != set(Policy.named(policy.name).groups) and len(policy.groups) > 1:
        _warn("this Python can choose one key exchange group or none: OpenSSL's own are offered")


def _apply(context: ssl.SSLContext, policy: Policy) -> None:
    """Versions, suites, a single group, and the checks of name and chain."""
    # The setters of `ssl` itself: those of NativeContext would ask for leave.
    stdlib: Any = ssl.SSLContext
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    context.hostname_checks_common_name = False
    versions = sorted(_VERSIONS[name] for name in policy.versions)
    if context.protocol in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS):
        stdlib.minimum_version.__set__(context, versions[0])
        stdlib.maximum_version.__set__(context, versions[-1])
    elif context.protocol != ssl.PROTOCOL_TLSv1_2 or ssl.TLSVersion.TLSv1_2 not in versions:
        raise refuse(
            "INVALID_ARGUMENT",
            f"a context of {ssl._SSLMethod(context.protocol).name} cannot be hardened",  # type: ignore[attr-defined]
            "make it with ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)",
        )
    stdlib.options.__set__(context, ssl.SSLContext.options.fget(context) | ssl.OP_NO_COMPRESSION)  # type: ignore[attr-defined]
    if policy.openssl_cipher_list:
        stdlib.set_ciphers(context, policy.openssl_cipher_list)
    if policy.openssl_ciphersuites and hasattr(stdlib, "set_ciphersuites"):
        stdlib.set_ciphersuites(context, policy.openssl_ciphersuites)
    if len(policy.groups) == 1:
        stdlib.set_ecdh_curve(context, {"secp256r1": "prime256v1"}.get(policy.groups[0], policy.groups[0]))


def _pinned(roots: Roots, pins: Iterable[str]) -> str:
    """The PEM of those that a pin names, or of all if there is no pin."""
    wanted = set(pins)
    return "".join(root.pem or "" for root in roots if not wanted or root.pin in wanted)


class NativeContext(ssl.SSLContext):
    """A standard ``ssl.SSLContext`` on OpenSSL that was hardened by a policy and stays so: what would weaken it raises POLICY_WIDENED.

    Made by ``hubtls.native_context``.
    """

    _config: Config
    #: For Azure's own names, if other roots were added that must not vouch for these.
    _for_azure: ssl.SSLContext | None
    #: Its setters may do anything until then.
    _ready = False

    def __new__(cls) -> NativeContext:
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    @property
    def config(self) -> Config:
        """What it was made from."""
        return self._config

    # Connections.

    def _wrap_socket(self, sock: ssl.SSLSocket, server_side: bool, server_hostname: str | None = None, **more: Any) -> Any:
        return self._of_name(server_side, server_hostname)._wrap_socket(sock, server_side, server_hostname, **more)

    def _wrap_bio(self, incoming: Any, outgoing: Any, server_side: bool, server_hostname: str | None = None, **more: Any) -> Any:
        return self._of_name(server_side, server_hostname)._wrap_bio(
            incoming, outgoing, server_side=server_side, server_hostname=server_hostname, **more
        )

    def _of_name(self, server_side: bool, name: str | None) -> Any:
        if server_side:
            raise ValueError("hubtls is for clients: a server needs an ssl.SSLContext")
        if not name:
            # OpenSSL would verify no name at all.
            raise ValueError("check_hostname requires server_hostname")
        azure = self._for_azure
        if azure is not None and len(self._config.roots.believed_about(name)) < len(self._config.roots):
            return azure
        return super()

    # Setters.

    @property
    def check_hostname(self) -> bool:
        """Always."""
        return bool(super().check_hostname)

    @check_hostname.setter
    def check_hostname(self, value: bool) -> None:
        if not value:
            raise _widened("check_hostname=False")
        ssl.SSLContext.check_hostname.__set__(self, True)  # type: ignore[attr-defined]

    @property
    def verify_mode(self) -> ssl.VerifyMode:
        """Always ``CERT_REQUIRED``."""
        return ssl.VerifyMode(super().verify_mode)

    @verify_mode.setter
    def verify_mode(self, value: int) -> None:
        if value != ssl.CERT_REQUIRED:
            raise _widened(f"verify_mode={ssl.VerifyMode(value).name}")
        ssl.SSLContext.verify_mode.__set__(self, ssl.CERT_REQUIRED)  # type: ignore[attr-defined]

    @property
    def hostname_checks_common_name(self) -> bool:  # type: ignore[override]
        """Never."""
        return bool(super().hostname_checks_common_name)

    @hostname_checks_common_name.setter
    def hostname_checks_common_name(self, value: bool) -> None:
        if value:
            raise _widened("hostname_checks_common_name=True")
        ssl.SSLContext.hostname_checks_common_name.__set__(self, False)  # type: ignore[attr-defined]

    @property
    def minimum_version(self) -> ssl.TLSVersion:
        """The oldest version of the policy; may be raised."""
        return ssl.TLSVersion(super().minimum_version)

    @minimum_version.setter
    def minimum_version(self, value: int) -> None:
        self._set_version("minimum_version", ssl.TLSVersion(value), ssl.TLSVersion.MAXIMUM_SUPPORTED)

    @property
    def maximum_version(self) -> ssl.TLSVersion:
        """The newest version of the policy; may be lowered."""
        return ssl.TLSVersion(super().maximum_version)

    @maximum_version.setter
    def maximum_version(self, value: int) -> None:
        newest = max(_VERSIONS[name] for name in self._config.policy.versions)
        version = newest if value == ssl.TLSVersion.MAXIMUM_SUPPORTED else ssl.TLSVersion(value)
        self._set_version("maximum_version", version, None)

    def _set_version(self, which: str, version: ssl.TLSVersion, other: ssl.TLSVersion | None) -> None:
        allowed = [_VERSIONS[name] for name in self._config.policy.versions]
        if version not in allowed and version != other:
            raise _widened(f"{which}={version.name}")
        getattr(ssl.SSLContext, which).__set__(self, version)

    @property
    def options(self) -> ssl.Options:
        """OpenSSL's options; what would allow compression or old renegotiation is refused."""
        return ssl.Options(super().options)

    @options.setter
    def options(self, value: int) -> None:
        if not value & ssl.OP_NO_COMPRESSION or value & 0x00040004:
            # OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION and OP_LEGACY_SERVER_CONNECT.
            raise _widened(f"options={value:#x}")
        ssl.SSLContext.options.__set__(self, value)  # type: ignore[attr-defined]

    @property
    def verify_flags(self) -> ssl.VerifyFlags:
        """OpenSSL's flags; ``VERIFY_ALLOW_PROXY_CERTS`` and ``VERIFY_X509_PARTIAL_CHAIN`` would trust more."""
        return ssl.VerifyFlags(super().verify_flags)

    @verify_flags.setter
    def verify_flags(self, value: int) -> None:
        if value & (ssl.VerifyFlags.VERIFY_ALLOW_PROXY_CERTS | ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN):
            raise _widened(f"verify_flags={value:#x}")
        for context in filter(None, [self, self._for_azure]):
            ssl.SSLContext.verify_flags.__set__(context, value)  # type: ignore[attr-defined]

    def set_ciphers(self, cipherlist: str, /) -> None:
        """As ``hubtls.SSLContext.set_ciphers``."""
        try:
            suites = self._config.policy.only_suites(named(cipherlist, self._config.policy))
        except HubTlsError as error:
            raise refuse_connection(error.code, error.message, error.hint) from None
        for context in filter(None, [self, self._for_azure]):
            ssl.SSLContext.set_ciphers(context, suites.openssl_cipher_list)

    def set_ecdh_curve(self, name: str, /) -> None:
        """One of the policy's groups."""
        from ._context import _CURVES

        policy = self._config.policy.only_groups([_CURVES.get(name, name)])
        for context in filter(None, [self, self._for_azure]):
            _set_group(context, policy)

    def load_cert_chain(
        self,
        certfile: str | bytes | os.PathLike[str] | os.PathLike[bytes],
        keyfile: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None = None,
        password: Callable[[], str | bytes | bytearray] | str | bytes | bytearray | None = None,
    ) -> None:
        """As in ``ssl``."""
        for context in filter(None, [self, self._for_azure]):
            ssl.SSLContext.load_cert_chain(context, certfile, keyfile, password)

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """As in ``ssl``."""
        protocols = list(alpn_protocols)
        for context in filter(None, [self, self._for_azure]):
            ssl.SSLContext.set_alpn_protocols(context, protocols)

    def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        """Changes nothing: the roots are those of the policy, or ``roots=`` and ``add_roots=``."""
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        _roots_stay("load_verify_locations", _caller())

    def load_default_certs(self, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH) -> None:
        """Changes nothing: see ``load_verify_locations``."""
        _roots_stay("load_default_certs", _caller())

    def set_default_verify_paths(self) -> None:
        """Changes nothing: see ``load_verify_locations``."""
        _roots_stay("set_default_verify_paths", _caller())

    def set_psk_client_callback(self, callback: object) -> None:
        """There are no pre-shared keys in the policy."""
        if callback is not None:
            raise _widened("a pre-shared key")


def _set_group(context: ssl.SSLContext, policy: Policy) -> None:
    """Python before 3.13 (OpenSSL's old call) knows no X25519 here: all of OpenSSL's groups stay."""
    name = {"secp256r1": "prime256v1"}.get(policy.groups[0], policy.groups[0])
    try:
        ssl.SSLContext.set_ecdh_curve(context, name)
    except (ssl.SSLError, ValueError):
        warnings.warn(f"this Python cannot choose the group {name}: OpenSSL's own are offered", HubTlsWarning, stacklevel=3)


def _roots_stay(method: str, caller: str) -> None:
    if caller not in _PER_CONNECTION:
        warnings.warn(
            f"{method} changes nothing: the roots are the policy's; pass roots= or add_roots=", HubTlsWarning, stacklevel=3
        )


def native_context(config: Config | None = None, **options: Any) -> NativeContext:
    """A standard ``ssl.SSLContext`` on Python's own OpenSSL that the policy has hardened: versions, suites, roots, client identity, host name.

    Takes the options of ``hubtls.Config``, ``identity`` as paths (chain, key) or (chain, key, passphrase). What ``ssl`` cannot express is a
    ``HubTlsWarning`` if it is merely wished for, as a fragment length, and UNSUPPORTED_BY_ENGINE if it is demanded.
    """
    checked, options = _config_of(config, options)
    _tell_limits(checked.policy, options)
    context = NativeContext()
    context._config, context._for_azure = checked, None
    believed = checked.roots.believed_about("any.azure-devices.net")
    _prepare(context, checked, checked.roots, options)
    if len(believed) < len(checked.roots):
        azure = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _prepare(azure, checked, believed, options)
        context._for_azure = azure
    return context


def _prepare(context: ssl.SSLContext, config: Config, roots: Roots, options: dict[str, Any]) -> None:
    _apply(context, config.policy)
    if pem := _pinned(roots, config.pins):
        ssl.SSLContext.load_verify_locations(context, cadata=pem)
    if identity := options.get("identity"):
        ssl.SSLContext.load_cert_chain(context, identity[0], identity[1], identity[2] if len(identity) > 2 else None)
    if alpn := options.get("alpn"):
        names = [name.decode("ascii") if isinstance(name, bytes) else name for name in alpn]
        ssl.SSLContext.set_alpn_protocols(context, names)
    if key_log := options.get("key_log"):
        context.keylog_filename = os.fspath(key_log)
    if options.get("resumption") is False:
        ssl.SSLContext.options.__set__(context, context.options | ssl.OP_NO_TICKET)  # type: ignore[attr-defined]


def harden(context: ssl.SSLContext, config: Config | None = None, **options: Any) -> None:
    """Applies the policy to a standard client context: versions, suites, host name and chain, and roots if it has none.

    Roots that it has already stay trusted, since ``ssl`` cannot take one away: a ``HubTlsWarning`` says so. Unlike a context of
    ``native_context``, it can be weakened again by its setters.
    """
    if isinstance(context, NativeContext) or type(context).__module__.startswith("hubtls."):
        raise refuse("INVALID_ARGUMENT", "the context is hubtls's own, and hardened already", "use it as it is")
    if context.protocol == ssl.PROTOCOL_TLS_SERVER:
        raise refuse("INVALID_ARGUMENT", "the context is a server's", "give one for clients")
    checked, options = _config_of(config, options)
    _tell_limits(checked.policy, options)
    had_roots = context.cert_store_stats()["x509"] > 0
    if had_roots:
        _warn("the context trusts other roots already, and goes on doing so: make one with hubtls.native_context")
    _prepare(context, checked, Roots.from_pem(checked.roots.pem()) if not had_roots else checked.roots, options)
