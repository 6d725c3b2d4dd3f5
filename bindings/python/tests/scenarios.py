"""The scenario table of tests/scenarios.json: tests/README.md says what each row means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hubtls

ROWS = {row["name"]: row for row in json.loads((Path(__file__).parents[3] / "tests" / "scenarios.json").read_text())}


def options_of(client: dict[str, Any], directory: Path) -> dict[str, Any]:
    """The options that a row asks for."""
    policy = hubtls.Policy.named(client.get("policy", "iothub"))
    for key, narrow in [("versions", "only_versions"), ("suites", "only_suites"), ("groups", "only_groups")]:
        if key in client:
            policy = getattr(policy, narrow)(client[key])
    options: dict[str, Any] = {"policy": policy, "alpn": client.get("alpn"), "time": client.get("time")}
    trust = client.get("trust", "replaced")
    if trust != "embedded":
        name = "unrelated.pem" if trust == "unrelated" else "roots.pem"
        roots = hubtls.Roots.from_file(directory / name)
        if client.get("vouching_for_azure"):
            roots = roots.vouching_for_azure()
        options["add_roots" if trust == "added" else "roots"] = roots
    if "pin" in client:
        options["pins"] = [(directory / f"{client['pin']}-root.pem").read_bytes()]
    if client.get("revocation_lists"):
        options["revocation_lists"] = directory / "revocation.pem"
    if "identity" in client:
        options["identity"] = (directory / "identity.chain", directory / "identity.key")
    return options
