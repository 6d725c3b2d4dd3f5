"""A small device on aiohttp: sends one telemetry message to Azure IoT Hub over HTTPS.

`pip install hubtls aiohttp`, then
`python device_aiohttp.py my-hub.azure-devices.net device-01 device-01.pem device-01.key [private-root.pem]`.
"""

from __future__ import annotations

import asyncio
import sys

import aiohttp

import hubtls

USAGE = "usage: device_aiohttp.py HOST[:PORT] DEVICE CERTIFICATE KEY [ROOT]"
PATIENCE = aiohttp.ClientTimeout(10.0)


async def main(address: str, device: str, certificate: str, key: str, root: str | None = None) -> None:
    # The policy `iothub` is the default: versions, cipher suites and roots as Azure IoT Hub demands them.
    # A program makes it once and shares it by all its sessions.
    context = hubtls.SSLContext(identity=(certificate, key), add_roots=root)
    for warning in context.config.warnings:
        print(f"warning: {warning}", file=sys.stderr)

    url = f"https://{address}/devices/{device}/messages/events?api-version=2020-03-13"
    connector = aiohttp.TCPConnector(ssl=context)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=PATIENCE, raise_for_status=True) as session,
        session.post(url, json={"temperature": 21.5}) as answer,
    ):
        print(f"telemetry delivered: {answer.status}")


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        sys.exit(USAGE)
    try:
        asyncio.run(main(*sys.argv[1:]))
    except hubtls.HubTlsError as error:
        sys.exit(f"{error.code}: {error.message} ({error.hint})")
    except aiohttp.ClientError as error:
        # The error of hubtls is the cause of aiohttp's.
        cause = error.__cause__
        if not isinstance(cause, hubtls.HubTlsError):
            sys.exit(f"not delivered: {error}")
        sys.exit(f"{cause.code}: {cause.message} ({cause.hint})")
