// @ts-check
/**
 * A small device on Microsoft's SDK: sends one telemetry message to Azure IoT Hub.
 *
 * `npm install hubtls azure-iot-device azure-iot-device-mqtt`, then
 * `node device-azure.mjs my-hub.azure-devices.net device-01 device-01.pem device-01.key [private-root.pem]`.
 */

import { readFileSync } from 'node:fs';

import sdk from 'azure-iot-device';
import { mqttTransport } from 'hubtls/azure';

const USAGE = 'usage: device-azure.mjs HOST DEVICE CERTIFICATE KEY [ROOT]';

/** @param {string[]} given */
async function main([host, device, certificate, key, root]) {
  // The policy `iothub` is the default: versions, cipher suites and roots as Azure IoT Hub demands them.
  const transport = mqttTransport({
    cert: readFileSync(certificate),
    key: readFileSync(key),
    addCa: root ? readFileSync(root) : undefined,
  });
  const client = sdk.Client.fromConnectionString(`HostName=${host};DeviceId=${device};x509=true`, transport);
  await client.open();
  await client.sendEvent(new sdk.Message('{"temperature":21.5}'));
  await client.close();
  console.log('telemetry delivered');
}

const given = process.argv.slice(2);
if (given.length < 4 || given.length > 5) {
  console.error(USAGE);
  process.exit(1);
}
try {
  await main(given);
} catch (error) {
  // The SDK's error has the code of what went wrong.
  const { code, message } = /** @type {Error & { code?: string }} */ (error);
  console.error(code === undefined ? `not delivered: ${message}` : `${code}: ${message}`);
  process.exit(1);
}
