"""Programs of the documentation, run as a reader would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from servers import PATIENCE

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "python"

#: The Markdown with samples in Python, and the section that they are in.
PAGES = {
    ROOT / "bindings" / "python" / "README.md": None,
    ROOT / "README.md": "## In Python",
}


def run(*arguments: str | Path, directory: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Python with these arguments; a warning that the program does not expect is an error."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(
        [sys.executable, "-W", "error::UserWarning", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        env=environment,
        cwd=directory,
    )


@dataclass(frozen=True)
class Sample:
    """A block of Python in the documentation."""

    place: str
    text: str

    @property
    def needs_sdk(self) -> bool:
        """Whether it is for azure-iot-device."""
        return "azure.iot.device" in self.text

    @property
    def speaks_mqtt(self) -> bool:
        """Whether it connects to the port of MQTT."""
        return "8883" in self.text

    @property
    def speaks_https(self) -> bool:
        """Whether it posts telemetry."""
        return "https://my-hub" in self.text

    def on_loopback(self, port: int, *, trusted: bool = True) -> str:
        """The same for a hub at this port of loopback; `trusted`: whose root is in root.pem."""
        text = self.text.replace("https://my-hub.azure-devices.net", f"https://localhost:{port}")
        text = text.replace("my-hub.azure-devices.net", "localhost").replace("8883", str(port))
        if trusted:
            text = re.sub(r"(SSLContext|native_context)\(", r'\1(add_roots="root.pem", ', text)
            text = text.replace("azure.arguments(", 'azure.arguments(roots="root.pem"')
        return text


def samples() -> list[Sample]:
    """Every block of Python."""
    found = []
    for page, section in PAGES.items():
        text = page.read_text()
        start = 0 if section is None else text.index(section)
        end = len(text) if section is None else text.index("\n## ", start + 1)
        for match in re.finditer(r"^```python\n(.*?)^```$", text[start:end], re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, start + match.start()) + 1
            found.append(Sample(f"{page.relative_to(ROOT)}:{line}", match[1]))
    return found
