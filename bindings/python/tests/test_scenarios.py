"""The scenario table of tests/scenarios.json through the engine: tests/README.md says what each row means."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from scenarios import ROWS, options_of
from servers import PATIENCE, PROGRAMS, scenario_server

import hubtls


def converse(
    context: hubtls.SSLContext, server: dict[str, Any], client: dict[str, Any], *, finish: bool
) -> hubtls.Negotiated:
    """Connects, holds the conversation of the row and tells what was agreed."""
    limit = client.get("handshake_timeout_ms", PATIENCE * 1000) / 1000
    with socket.create_connection((server["host"], server["port"]), PATIENCE) as sock:
        sock.settimeout(limit)
        with context.wrap_socket(sock, server_hostname=client.get("server_name", "localhost")) as connection:
            connection.settimeout(PATIENCE)
            connection.sendall(bytes.fromhex(server["send"]))
            expected = bytes.fromhex(server["receive"])
            received = b""
            while len(received) < len(expected):
                data = connection.recv(65_536)
                assert data, "the server ended the conversation"
                received += data
            assert received[: len(expected)] == expected
            negotiated = connection.negotiated
            if finish:
                connection.unwrap().close()
            return negotiated


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_outcome_is_that_of_the_table(row: dict[str, Any]) -> None:
    client, expect = row.get("client", {}), row["expect"]
    with scenario_server(row["name"]) as server:
        context = hubtls.SSLContext(**options_of(client, Path(server["directory"])))
        if "error" in expect:
            with pytest.raises((hubtls.HubTlsError, TimeoutError)) as raised:
                converse(context, server, client, finish=False)
            compare_error(raised.value, expect)
            return
        if client.get("resume"):
            converse(context, server, client, finish=True)
        agreed = json.loads(converse(context, server, client, finish=True).to_json())
    assert {key: agreed[key] for key in expect} == expect


def compare_error(error: BaseException, expect: dict[str, Any]) -> None:
    """The same code in every language; a time limit is Python's own."""
    if expect["error"] == "TIMEOUT":
        assert isinstance(error, TimeoutError)
        return
    assert isinstance(error, hubtls.HubTlsError)
    assert error.code == expect["error"]
    assert error.hint
    if "alert" in expect:
        assert error.alert == expect["alert"]
    if "says" in expect:
        assert expect["says"].lower() in f"{error.message} {error.hint}".lower()


def test_every_row_of_the_program_is_run_here() -> None:
    import subprocess

    listed = subprocess.run([PROGRAMS / "scenario-server", "--list"], capture_output=True, text=True, check=True)
    assert listed.stdout.splitlines() == list(ROWS)


def test_every_code_has_a_number_and_a_name_of_its_own() -> None:
    from hubtls._hubtls import error_codes

    snapshot = Path(__file__).parents[3] / "core" / "snapshots" / "errors.txt"
    lines = [line.split() for line in snapshot.read_text().splitlines() if not line.startswith("#")]
    assert error_codes() == [(name, int(number)) for number, name in lines]
