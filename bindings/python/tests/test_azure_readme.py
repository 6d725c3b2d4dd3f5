"""The samples of azure-iot-device in the documentation run; the SDK knows port 8883 alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Authority
from hub import playing_hub
from programs import Sample, run, samples
from servers import mosquitto

SAMPLES = [sample for sample in samples() if sample.needs_sdk]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.place)
def test_samples_of_the_sdk_deliver_their_telemetry(sample: Sample, authority: Authority, tmp_path: Path) -> None:
    chain, key = authority.files(authority.ca.issue_cert("device-01", common_name="device-01"))
    for name, file in (("device.pem", chain), ("device.key", key), ("root.pem", authority.path)):
        (tmp_path / name).write_bytes(file.read_bytes())
    lines = ("require_certificate true", f"cafile {authority.path}", "use_identity_as_username true")
    files = authority.files(authority.issue("localhost"))
    with mosquitto(tmp_path, *files, *lines, port=8883) as broker, playing_hub(broker.plain) as hub:
        ended = run("-c", sample.on_loopback(8883), directory=tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert hub.next_telemetry() == ("device-01", b'{"temperature":21.5}')
