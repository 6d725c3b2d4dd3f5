"""Which of OpenSSL's flags may be set: lists of those that weaken nothing, since a flag of a later OpenSSL may."""

from __future__ import annotations

import ssl

from ._errors import HubTlsError, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Without which servers may renegotiate as before RFC 5746 (1.1.1 sets one by itself).
_LEGACY_RENEGOTIATION = 0x0000_0004 | 0x0004_0000

#: Revocation lists, strictness, certificate policies, Suite B, the order in which chains are looked for.
_VERIFY_FLAGS = 0x4 | 0x8 | 0x20 | 0x80 | 0x100 | 0x200 | 0x400 | 0x4000 | 0x8000 | 0x1_0000 | 0x2_0000 | 0x10_0000

_OFF = {ssl.TLSVersion.TLSv1_2: ssl.OP_NO_TLSv1_2, ssl.TLSVersion.TLSv1_3: ssl.OP_NO_TLSv1_3}


def widened(what: str) -> HubTlsError:
    """What raises whoever would weaken the policy."""
    return refuse(
        "POLICY_WIDENED",
        f"{what} would weaken the policy",
        "leave it: a policy can be narrowed, never widened, and verification cannot be switched off",
    )


def _options() -> int:
    names = (
        *("OP_ALL", "OP_NO_COMPRESSION", "OP_NO_TICKET", "OP_NO_RENEGOTIATION", "OP_CIPHER_SERVER_PREFERENCE"),
        *("OP_NO_SSLv2", "OP_NO_SSLv3", "OP_NO_TLSv1", "OP_NO_TLSv1_1", "OP_NO_TLSv1_2", "OP_NO_TLSv1_3"),
        *("OP_SINGLE_DH_USE", "OP_SINGLE_ECDH_USE", "OP_ENABLE_MIDDLEBOX_COMPAT", "OP_ENABLE_KTLS"),
    )
    # A new context's too: programs write back what they have read.
    allowed = _unsigned(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).options)
    for name in names:
        allowed |= _unsigned(getattr(ssl, name, 0))
    return allowed & ~_LEGACY_RENEGOTIATION


def _unsigned(options: int) -> int:
    """Some releases of Python have a negative ``OP_ALL``."""
    return int(options) & 0xFFFF_FFFF if options < 0 else int(options)


def checked_options(value: int) -> int:
    """``value`` if it weakens nothing; POLICY_WIDENED."""
    options = _unsigned(value)
    if options & ~_options() or not options & ssl.OP_NO_COMPRESSION:
        raise widened(f"options={options:#x}")
    return options


def hardened_options(value: int) -> int:
    """``value`` without what weakens."""
    return _unsigned(value) & _options() | ssl.OP_NO_COMPRESSION


def checked_verify_flags(value: int) -> int:
    """``value`` if it weakens nothing; POLICY_WIDENED."""
    if value & ~_VERIFY_FLAGS:
        raise widened(f"verify_flags={int(value):#x}")
    return int(value)


def hardened_verify_flags(value: int) -> int:
    """``value`` without what weakens."""
    return int(value) & _VERIFY_FLAGS


def must_leave_a_version(least: int, most: int, options: int) -> None:
    """POLICY_EMPTY if these bounds and options leave none."""
    if not any(least <= version <= most and not options & off for version, off in _OFF.items()):
        raise refuse("POLICY_EMPTY", "no TLS version is left", "allow TLS 1.2 or TLS 1.3")


def checked_class(name: str, value: object, own: type) -> None:
    """``wrap_socket`` and ``wrap_bio`` may make a subclass of what they make, and nothing else."""
    if not (isinstance(value, type) and issubclass(value, own)):
        raise widened(f"{name}={value!r}")


#: For servers alone: `ssl` refuses them for clients.
_OF_SERVERS = {"set_npn_protocols", "set_servername_callback", "set_psk_server_callback"}


def refuse_later_setters(context: type[ssl.SSLContext]) -> None:
    """What a later Python may set beside what ``context`` knows would not do what it says."""
    for name in dir(ssl.SSLContext):
        inherited = getattr(context, name) is getattr(ssl.SSLContext, name)
        if name.startswith("set_") and name not in _OF_SERVERS and inherited:
            setattr(context, name, _not_here(name))


def _not_here(name: str) -> Callable[..., None]:
    def method(self: ssl.SSLContext, *arguments: object, **options: object) -> None:
        raise refuse("UNSUPPORTED_BY_ENGINE", f"{name} is not known to narrow", "give a narrowed policy=")

    return method
