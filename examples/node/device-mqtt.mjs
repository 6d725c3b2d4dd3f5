// @ts-check
/**
 * A small device on mqtt.js: sends one telemetry message to Azure IoT Hub, or to any MQTT 3.1.1 broker.
 *
 * `npm install hubtls mqtt`, then
 * `node device-mqtt.mjs my-hub.azure-devices.net device-01 device-01.pem device-01.key [private-root.pem]`.
 */

import { readFileSync } from 'node:fs';

import { createConfig, HubTlsError, mqttStream } from 'hubtls';
import { MqttClient } from 'mqtt';

const USAGE = 'usage: device-mqtt.mjs HOST[:PORT] DEVICE CERTIFICATE KEY [ROOT]';

/** @param {string[]} given */
async function main([address, device, certificate, key, root]) {
  const [host, port] = address.split(':');
  // The policy `iothub` is the default: versions, cipher suites and roots as Azure IoT Hub demands them.
  // A program makes it once and shares it by all its connections.
  const config = createConfig({
    cert: readFileSync(certificate),
    key: readFileSync(key),
    addCa: root ? readFileSync(root) : undefined,
  });
  for (const warning of config.warnings) console.error(`warning: ${warning}`);

  const open = mqttStream({ host, port: Number(port ?? 8883), config });
  const client = new MqttClient(
    (client) => {
      const socket = open(client);
      socket.once('secureConnect', () => console.log(`connected: ${socket.negotiated?.version}, ${socket.negotiated?.cipherSuite}`));
      return socket;
    },
    { clientId: device, username: `${host}/${device}/?api-version=2021-04-12`, reconnectPeriod: 0 },
  );
  await new Promise((resolve, reject) => client.once('connect', resolve).on('error', reject));
  // Quality of service 1: the hub confirms that it has the message.
  await client.publishAsync(`devices/${device}/messages/events/`, '{"temperature":21.5}', { qos: 1 });
  await client.endAsync();
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
  if (error instanceof HubTlsError) console.error(`${error.code}: ${error.message}`);
  else console.error(`not delivered: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
