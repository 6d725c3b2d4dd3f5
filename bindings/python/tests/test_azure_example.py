"""The sample device on azure-iot-device, which knows port 8883 alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Authority
from hub import playing_hub
from programs import EXAMPLES, run
from servers import Broker, mosquitto

DEVICE = EXAMPLES / "device_azure.py"


@pytest.fixture
def identity(authority: Authority) -> tuple[Path, Path]:
    """The chain and the key of a device."""
    return authority.files(authority.ca.issue_cert("device-01", common_name="device-01"))


@pytest.fixture
def broker(authority: Authority, tmp_path: Path) -> Iterator[Broker]:
    """A broker that demands a client certificate."""
    lines = ("require_certificate true", f"cafile {authority.path}", "use_identity_as_username true")
    with mosquitto(tmp_path, *authority.files(authority.issue("localhost")), *lines, port=8883) as broker:
        yield broker


def test_the_device_on_the_sdk_delivers_its_telemetry(
    authority: Authority, broker: Broker, identity: tuple[Path, Path]
) -> None:
    with playing_hub(broker.plain) as hub:
        ended = run(DEVICE, "localhost", "device-01", *identity, authority.path)
        assert (ended.returncode, ended.stdout) == (0, "telemetry delivered\n")
        assert hub.next_telemetry() == ("device-01", b'{"temperature":21.5}')


def test_the_device_on_the_sdk_does_not_trust_an_unknown_root(broker: Broker, identity: tuple[Path, Path]) -> None:
    ended = run(DEVICE, "localhost", "device-01", *identity)
    assert ended.returncode == 1
    assert "UNKNOWN_ROOT: " in ended.stderr


def test_the_device_on_the_sdk_that_is_told_too_little_says_what_it_needs() -> None:
    ended = run(DEVICE, "localhost")
    assert ended.returncode == 1
    assert ended.stderr == "usage: device_azure.py HOST DEVICE CERTIFICATE KEY [ROOT]\n"
