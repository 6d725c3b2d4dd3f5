"""The scenario table of tests/scenarios.json on Python's own OpenSSL: tests/README.md says what each row means."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from scenarios import ROWS, options_of
from servers import PATIENCE, connect, scenario_server

import hubtls

#: What `hubtls.native_context` refuses, and why.
INEXPRESSIBLE = {
    "Revocation lists that do not name the certificate let it pass": "ssl loads no revocation lists from memory",
    "A revoked certificate is refused": "ssl loads no revocation lists from memory",
    "A device whose clock stands in 1970 is told so": "ssl takes no time for verification",
    "An expired certificate is valid to a device whose clock stands in 2020": "ssl takes no time for verification",
}

#: A row's errors that are a certificate's.
OF_CERTIFICATES = {
    "UNKNOWN_ROOT",
    "HOST_NAME_MISMATCH",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_NOT_YET_VALID",
    "PIN_MISMATCH",
    "ROOT_NOT_FOR_AZURE",
}

#: Seconds for OpenSSL to wait for the fifth byte of a record's header: the broker's answer has four.
LIMITS = {"A broker that answers in plain MQTT is no TLS server": 0.5}

#: What `ssl` tells of a connection, in the words of the table. It does not tell the group.
AGREED = {
    "version": lambda connection: connection.version(),
    "cipher_suite_openssl": lambda connection: connection.cipher()[0],
    "alpn": lambda connection: connection.selected_alpn_protocol(),
    "resumed": lambda connection: connection.session_reused,
}


def converse(
    context: ssl.SSLContext, server: dict[str, Any], client: dict[str, Any], session: Any = None
) -> tuple[dict[str, Any], Any]:
    """Connects, holds the conversation of the row, and tells what was agreed and the session."""
    name = client.get("server_name", "localhost")
    with connect(context, server["port"], name, do_handshake_on_connect=False, session=session) as connection:
        connection.settimeout(client["handshake_timeout_ms"] / 1000)
        connection.do_handshake()
        connection.settimeout(PATIENCE)
        connection.sendall(bytes.fromhex(server["send"]))
        expected, received = bytes.fromhex(server["receive"]), b""
        while len(received) < len(expected):
            data = connection.recv(65_536)
            if not data:
                # OpenSSL may tell a refusal as an end.
                raise ConnectionResetError("the server ended the conversation")
            received += data
        assert received[: len(expected)] == expected
        agreed = {key: read(connection) for key, read in AGREED.items()}
        session = connection.session
        connection.unwrap().close()
        return agreed, session


@pytest.mark.parametrize("name", [name for name in ROWS if name not in INEXPRESSIBLE])
def test_the_outcome_is_that_of_the_table(name: str) -> None:
    client, expect = dict(ROWS[name].get("client", {})), ROWS[name]["expect"]
    client.setdefault("handshake_timeout_ms", LIMITS.get(name, PATIENCE) * 1000)
    with scenario_server(name) as server:
        context = hubtls.native_context(**options_of(client, Path(server["directory"])))
        if "error" in expect:
            kind = ssl.SSLCertVerificationError if expect["error"] in OF_CERTIFICATES else OSError
            with pytest.raises(kind):
                converse(context, server, client)
            return
        session = converse(context, server, client)[1] if client.get("resume") else None
        agreed, _ = converse(context, server, client, session)
    wanted = {key: value for key, value in expect.items() if key in AGREED}
    assert {key: agreed[key] for key in wanted} == wanted


@pytest.mark.parametrize("name", INEXPRESSIBLE)
def test_what_is_named_here_cannot_be_expressed(name: str, tmp_path: Path) -> None:
    options = options_of({"trust": "embedded", **ROWS[name].get("client", {})} | {"trust": "embedded"}, tmp_path)
    with pytest.raises(hubtls.HubTlsConfigError) as raised:
        hubtls.native_context(**options)
    assert raised.value.code == "UNSUPPORTED_BY_ENGINE"
