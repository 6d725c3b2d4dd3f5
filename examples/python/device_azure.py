"""A small device on Microsoft's SDK: sends one telemetry message to Azure IoT Hub.

`pip install hubtls azure-iot-device==2.14.0`, then
`python device_azure.py my-hub.azure-devices.net device-01 device-01.pem device-01.key [private-root.pem]`.
"""

from __future__ import annotations

import sys

from azure.iot.device import X509, IoTHubDeviceClient

import hubtls
import hubtls.azure

USAGE = "usage: device_azure.py HOST DEVICE CERTIFICATE KEY [ROOT]"


def main(host: str, device: str, certificate: str, key: str, root: str | None = None) -> None:
    # The policy `iothub` is the default: versions, cipher suites and roots as Azure IoT Hub demands them.
    # Every client that is made from now on connects with this context, each with its own certificate.
    hubtls.azure.use(hubtls.SSLContext(add_roots=root))

    client = IoTHubDeviceClient.create_from_x509_certificate(X509(certificate, key), host, device)
    try:
        client.connect()
        client.send_message('{"temperature":21.5}')
    finally:
        client.shutdown()


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        sys.exit(USAGE)
    try:
        main(*sys.argv[1:])
    except Exception as error:
        # The error of hubtls is the cause of the SDK's.
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, hubtls.HubTlsError):
            cause = cause.__cause__
        if cause is None:
            raise
        sys.exit(f"{cause.code}: {cause.message} ({cause.hint})")
    print("telemetry delivered")
