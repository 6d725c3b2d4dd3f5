"""What a context of ``hubtls.SSLContext`` is and stays."""

from __future__ import annotations

import ssl

from ._errors import HubTlsError, refuse
from ._flags import widened as _widened


class FixedContext(ssl.SSLContext):
    """The attributes that can be set to what they are, or not at all, and what is for servers."""

    @property
    def check_hostname(self) -> bool:
        """Always."""
        return True

    @check_hostname.setter
    def check_hostname(self, value: bool) -> None:
        if not value:
            raise _widened("check_hostname=False")

    @property
    def verify_mode(self) -> ssl.VerifyMode:
        """Always ``CERT_REQUIRED``."""
        return ssl.CERT_REQUIRED

    @verify_mode.setter
    def verify_mode(self, value: int) -> None:
        if value != ssl.CERT_REQUIRED:
            raise _widened(f"verify_mode={ssl.VerifyMode(value).name}")

    @property
    def hostname_checks_common_name(self) -> bool:
        """Never."""
        return False

    @hostname_checks_common_name.setter
    def hostname_checks_common_name(self, value: bool) -> None:
        if value:
            raise _widened("hostname_checks_common_name=True")

    @property
    def post_handshake_auth(self) -> bool:
        """Never: the client's certificate is sent in the handshake."""
        return False

    @post_handshake_auth.setter
    def post_handshake_auth(self, value: bool) -> None:
        if value:
            raise refuse(
                "UNSUPPORTED_BY_ENGINE",
                "a client certificate cannot be asked for after the handshake",
                "let the server ask for it in the handshake",
            )

    # What is for servers, or for what hubtls does not do.

    @property
    def sni_callback(self) -> None:
        """For servers alone."""
        return None

    @sni_callback.setter
    def sni_callback(self, value: object) -> None:
        if value is not None:
            raise _for_servers("sni_callback")

    def set_servername_callback(self, server_name_callback: object) -> None:
        """For servers alone."""
        self.sni_callback = server_name_callback

    def load_dh_params(self, path: object, /) -> None:
        """For servers alone."""
        raise _for_servers("load_dh_params")

    def set_psk_client_callback(self, callback: object) -> None:
        """There are no pre-shared keys in the policy."""
        if callback is not None:
            raise _widened("a pre-shared key")


def _for_servers(what: str) -> HubTlsError:
    return refuse("INVALID_ARGUMENT", f"{what} is for servers, and hubtls for clients", "leave it out")
