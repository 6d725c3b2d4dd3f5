"""A policy on a plain ``ssl.SSLContext``, as far as OpenSSL behind ``ssl`` can be told of it."""

from __future__ import annotations

import os
import ssl
import warnings
from collections.abc import Sequence

from ._errors import HubTlsError, HubTlsWarning, refuse
from ._flags import hardened_options, hardened_verify_flags, must_leave_a_version
from ._hubtls import Config, Policy, Roots

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}

#: No name of the subject, and no wildcard that is a part of a label.
HOST_FLAGS: int = ssl._ssl.HOSTFLAG_NEVER_CHECK_SUBJECT | ssl._ssl.HOSTFLAG_NO_PARTIAL_WILDCARDS  # type: ignore[attr-defined]

#: Options of `hubtls.Config` that OpenSSL behind `ssl` has no setter for, and what they may be all the same.
_IMPOSSIBLE = {"revocation_lists": None, "require_revocation_status": False, "time": None, "sni": True}

#: The groups that `ssl.SSLContext.set_ecdh_curve` knows by other names.
_CURVES = {"secp256r1": "prime256v1"}

#: What 112 bits of security are to OpenSSL: no RSA below 2048 bits, no SHA-1.
_SECURITY_LEVEL = 2


def checked(config: object, options: dict[str, Any]) -> tuple[Config, dict[str, Any]]:
    """The configuration, and the options with those read that can be read but once."""
    if config is not None:
        raise refuse(
            "UNSUPPORTED_BY_ENGINE",
            f"Python's ssl cannot take over a {type(config).__name__}, which does not tell what it was made from",
            "give its options as keywords, or use hubtls.SSLContext, which takes a hubtls.Config",
        )
    for name, harmless in _IMPOSSIBLE.items():
        value = options.get(name)
        if value is not None and value is not harmless:
            raise refuse(
                "UNSUPPORTED_BY_ENGINE",
                f"Python's ssl cannot express {name}",
                "leave it out, or use hubtls.SSLContext, which can",
            )
    if options.get("alpn") is not None and not isinstance(options["alpn"], (str, bytes)):
        options = {**options, "alpn": list(options["alpn"])}
    made = Config(**options)
    if made.identity is not None and not isinstance(options.get("identity"), tuple):
        raise refuse(
            "UNSUPPORTED_BY_ENGINE",
            "Python's ssl reads a client's certificate and key from files alone",
            "give identity=(chain file, key file), or use hubtls.SSLContext",
        )
    if made.policy.fragment_length.required:
        raise refuse(
            "UNSUPPORTED_BY_ENGINE",
            "Python's ssl cannot negotiate a fragment length, which is required",
            "use hubtls.SSLContext, which can",
        )
    return made, options


def limits(policy: Policy, options: dict[str, Any]) -> list[str]:
    """What OpenSSL behind ``ssl`` will do otherwise than it was wished, a sentence each."""
    told = []
    if policy.fragment_length.bytes is not None:
        told.append("Python's ssl cannot ask for a fragment length: it is left out; hubtls.SSLContext can")
    if options.get("post_quantum"):
        told.append(
            "Python's ssl cannot be told to offer X25519MLKEM768: its OpenSSL decides; hubtls.SSLContext can be told"
        )
    if "TLSv1.3" in policy.versions and not hasattr(ssl.SSLContext, "set_ciphersuites"):
        told.append(
            "this Python cannot choose the suites of TLS 1.3: TLS_CHACHA20_POLY1305_SHA256 is offered too; "
            "use the policy iothub-tls12, or hubtls.SSLContext"
        )
    narrowed = policy.groups != Policy.named(policy.name).groups
    if narrowed and len(policy.groups) > 1 and not hasattr(ssl.SSLContext, "set_groups"):
        told.append(
            "this Python can choose one key exchange group or none: OpenSSL's own are offered; "
            "narrow the policy to one, or use hubtls.SSLContext"
        )
    return told


def bounds(policy: Policy) -> tuple[ssl.TLSVersion, ssl.TLSVersion]:
    """The oldest and the newest version of ``policy``."""
    versions = [VERSIONS[name] for name in policy.versions]
    return min(versions), max(versions)


def cipher_list(context: ssl.SSLContext, policy: Policy) -> str:
    """The suites of TLS 1.2 for ``set_ciphers``, and the least security that is not too little."""
    # If TLS 1.2 is off none is used, but OpenSSL wants some.
    suites = policy.openssl_cipher_list or Policy.named(policy.name).openssl_cipher_list
    return suites if context.security_level >= _SECURITY_LEVEL else f"{suites}:@SECLEVEL={_SECURITY_LEVEL}"


def apply_policy(context: ssl.SSLContext, policy: Policy) -> None:
    """Versions, suites, groups, and the checks of name and chain. If versions of the context and of the policy have
    nothing in common it stays as it was: POLICY_EMPTY."""
    # The setters of `ssl` itself: those of NativeContext refuse.
    stdlib: Any = ssl.SSLContext
    least, most = bounds(policy)
    fixed = context.protocol == ssl.PROTOCOL_TLSv1_2
    if fixed:
        must_leave_a_version(max(least, ssl.TLSVersion.TLSv1_2), min(most, ssl.TLSVersion.TLSv1_2), context.options)
    else:
        # What was narrowed stays so.
        least = max(least, stdlib.minimum_version.__get__(context))
        limit = stdlib.maximum_version.__get__(context)
        most = most if limit == ssl.TLSVersion.MAXIMUM_SUPPORTED else min(most, limit)
        must_leave_a_version(least, most, stdlib.options.__get__(context))
        stdlib.minimum_version.__set__(context, least)
        stdlib.maximum_version.__set__(context, most)
    stdlib.verify_mode.__set__(context, ssl.CERT_REQUIRED)
    stdlib.check_hostname.__set__(context, True)
    stdlib._host_flags.__set__(context, HOST_FLAGS)
    stdlib.options.__set__(context, hardened_options(stdlib.options.__get__(context)))
    stdlib.verify_flags.__set__(context, hardened_verify_flags(stdlib.verify_flags.__get__(context)))
    stdlib.set_ciphers(context, cipher_list(context, policy))
    if policy.openssl_ciphersuites and hasattr(stdlib, "set_ciphersuites"):
        stdlib.set_ciphersuites(context, policy.openssl_ciphersuites)
    if hasattr(stdlib, "set_groups"):
        stdlib.set_groups(context, policy.openssl_groups)
    elif len(policy.groups) == 1:
        set_group(context, policy.groups[0])


def set_group(context: ssl.SSLContext, group: str) -> None:
    """This group alone. OpenSSL before 3.0 knows no X25519 here: UNSUPPORTED_BY_ENGINE."""
    try:
        ssl.SSLContext.set_ecdh_curve(context, _CURVES.get(group, group))
    except (ssl.SSLError, ValueError):
        raise refuse(
            "UNSUPPORTED_BY_ENGINE",
            f"this Python cannot choose the group {group}",
            "choose secp256r1 or secp384r1, or use hubtls.SSLContext",
        ) from None


def prepare(context: ssl.SSLContext, config: Config, roots: Roots, options: dict[str, Any]) -> None:
    """The policy, these roots as far as they are pinned, and the options."""
    stdlib: Any = ssl.SSLContext
    wanted = [root for root in roots if not config.pins or root.pin in config.pins]
    if any(root.pem is None for root in wanted):
        raise refuse(
            "UNSUPPORTED_BY_ENGINE",
            "Python's ssl takes roots as certificates, and of some of these only name and key are known",
            "give them as PEM, or use hubtls.SSLContext",
        )
    apply_policy(context, config.policy)
    if hasattr(stdlib, "set_psk_client_callback"):
        # There are no pre-shared keys in a policy.
        stdlib.set_psk_client_callback(context, None)
    if wanted:
        stdlib.load_verify_locations(context, cadata="".join(root.pem or "" for root in wanted))
    if identity := options.get("identity"):
        stdlib.load_cert_chain(context, *identity)
    if options.get("alpn") is not None:
        stdlib._set_alpn_protocols(context, alpn_list(options["alpn"]))
    if options.get("key_log") is not None:
        stdlib.keylog_filename.__set__(context, os.fspath(options["key_log"]))
    if options.get("resumption") is False:
        stdlib.options.__set__(context, stdlib.options.__get__(context) | ssl.OP_NO_TICKET)


def alpn_list(protocols: Sequence[str | bytes]) -> bytes:
    """As they are on the wire."""
    names = [name if isinstance(name, bytes) else name.encode() for name in protocols]
    return b"".join(bytes([len(name)]) + name for name in names)


def harden(context: ssl.SSLContext, config: object = None, /, **options: Any) -> None:
    """Applies the policy to a client's plain ``ssl.SSLContext``: versions, suites, host name and chain, flags, roots.

    It takes the options of ``native_context``. Versions that were off stay off. The setters of ``ssl`` can weaken the
    context again: one of ``native_context`` cannot be weakened, and is the better choice where there is one.

    What it trusts already it goes on trusting, since ``ssl`` cannot take a root away: a ``HubTlsWarning`` says so, and
    ``roots=`` or ``pins=`` is UNSUPPORTED_BY_ENGINE then. (Of a directory of roots, as ``load_default_certs`` may have
    found, nothing is seen: harden a context that was told of none.) Private roots are UNSUPPORTED_BY_ENGINE unless they
    may vouch for Azure's names (``Roots.vouching_for_azure``), since a plain context cannot tell names apart.
    """
    if not isinstance(context, ssl.SSLContext):
        raise TypeError(f"the context is a {type(context).__name__}, not an ssl.SSLContext")
    if type(context) is not ssl.SSLContext:
        # Its setters are not those of `ssl`, and what they do is not known.
        kind = f"{type(context).__module__}.{type(context).__qualname__}"
        raise refuse(
            "INVALID_ARGUMENT",
            f"the context is a {kind}, not a plain ssl.SSLContext",
            "use hubtls's own as they are, or make one with ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)",
        )
    if context.protocol not in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS, ssl.PROTOCOL_TLSv1_2):
        raise refuse(
            "INVALID_ARGUMENT",
            f"a context of {context.protocol.name} cannot be hardened",
            "make it with ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)",
        )
    made, options = checked(config, options)
    told = limits(made.policy, options)
    if len(made.roots.believed_about("any.azure-devices.net")) < len(made.roots):
        raise _cannot("keep private roots from vouching for Azure's names", "give Roots.vouching_for_azure()")
    if context.cert_store_stats()["x509"] > 0:
        for name in ("roots", "pins"):
            if options.get(name) is not None:
                raise _cannot(f"obey {name}=: it trusts other roots already", "give a new ssl.SSLContext")
        told.append("the context trusts other roots already, and goes on doing so: use hubtls.native_context")
    prepare(context, made, made.roots, options)
    for sentence in told:
        warnings.warn(sentence, HubTlsWarning, stacklevel=2)


def _cannot(what: str, instead: str) -> HubTlsError:
    return refuse("UNSUPPORTED_BY_ENGINE", f"a plain context cannot {what}", f"{instead}, or use hubtls.native_context")
