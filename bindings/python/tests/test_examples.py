"""The sample devices on paho-mqtt and aiohttp."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Authority
from hub import playing_https, playing_hub
from programs import EXAMPLES, run
from servers import Broker, free_port, mosquitto

PAHO, AIOHTTP = EXAMPLES / "device_paho.py", EXAMPLES / "device_aiohttp.py"


@pytest.fixture(scope="module")
def identity(authority: Authority) -> tuple[Path, Path]:
    """The chain and the key of a device."""
    return authority.files(authority.ca.issue_cert("device-01", common_name="device-01"))


@pytest.fixture(scope="module")
def broker(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that demands a client certificate."""
    lines = ("require_certificate true", f"cafile {authority.path}", "use_identity_as_username true")
    files = authority.files(authority.issue("localhost"))
    with mosquitto(tmp_path_factory.mktemp("broker"), *files, *lines) as broker:
        yield broker


def test_the_device_on_paho_delivers_its_telemetry(
    authority: Authority, broker: Broker, identity: tuple[Path, Path]
) -> None:
    with playing_hub(broker.plain) as hub:
        ended = run(PAHO, f"localhost:{broker.port}", "device-01", *identity, authority.path)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert hub.next_telemetry() == ("device-01", b'{"temperature":21.5}')
    assert ended.stdout == "connected: TLSv1.3, TLS_AES_256_GCM_SHA384\ntelemetry delivered\n"


def test_the_device_on_paho_says_why_a_broker_did_not_accept_it(
    authority: Authority, tmp_path: Path, identity: tuple[Path, Path]
) -> None:
    files = authority.files(authority.issue("localhost"))
    passwords = tmp_path / "passwords"
    passwords.touch(0o600)
    with mosquitto(tmp_path, *files, f"password_file {passwords}") as broker:
        ended = run(PAHO, f"localhost:{broker.port}", "device-01", *identity, authority.path)
    assert ended.returncode == 1
    assert ended.stderr == "not accepted: Not authorized\n"


def test_the_device_on_aiohttp_delivers_its_telemetry(authority: Authority, identity: tuple[Path, Path]) -> None:
    with playing_https(authority.server_context(client_certificate=True)) as https:
        ended = run(AIOHTTP, f"localhost:{https.port}", "device-01", *identity, authority.path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "telemetry delivered: 204\n"
    assert https.asked.get_nowait() == ("device-01", "/devices/device-01/messages/events", {"temperature": 21.5})


@pytest.mark.parametrize("device", [PAHO, AIOHTTP])
def test_a_device_does_not_trust_an_unknown_root(device: Path, broker: Broker, identity: tuple[Path, Path]) -> None:
    ended = run(device, f"localhost:{broker.port}", "device-01", *identity)
    assert ended.returncode == 1
    assert ended.stderr.startswith("UNKNOWN_ROOT: ")


@pytest.mark.parametrize("device", [PAHO, AIOHTTP])
def test_a_device_says_what_is_wrong_with_its_key(device: Path, authority: Authority) -> None:
    chain, _ = authority.files(authority.issue("device-01"))
    _, key = authority.files(authority.issue("device-02"))
    ended = run(device, f"localhost:{free_port()}", "device-01", chain, key)
    assert ended.returncode == 1
    assert ended.stderr.startswith("KEY_MISMATCH: ")


@pytest.mark.parametrize("device", [PAHO, AIOHTTP])
def test_a_device_that_is_told_too_little_says_what_it_needs(device: Path) -> None:
    ended = run(device, "localhost")
    assert ended.returncode == 1
    assert ended.stderr == f"usage: {device.name} HOST[:PORT] DEVICE CERTIFICATE KEY [ROOT]\n"
