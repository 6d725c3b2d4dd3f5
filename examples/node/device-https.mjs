// @ts-check
/**
 * A small device on Node.js's own TLS: sends one telemetry message to Azure IoT Hub over HTTPS.
 *
 * `npm install hubtls`, then
 * `node device-https.mjs my-hub.azure-devices.net device-01 device-01.pem device-01.key [private-root.pem]`.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';

import { HubTlsError, tlsOptions } from 'hubtls';

const USAGE = 'usage: device-https.mjs HOST[:PORT] DEVICE CERTIFICATE KEY [ROOT]';
const PATIENCE = 10_000;

/** @param {string[]} given */
async function main([address, device, certificate, key, root]) {
  const [host, port] = address.split(':');
  // The policy `iothub` is the default: versions, cipher suites and roots as Azure IoT Hub demands them.
  // `new hubtls.Agent({ ...the same })` makes the connections with hubtls's own TLS instead.
  const agent = new https.Agent(
    tlsOptions({
      cert: readFileSync(certificate),
      key: readFileSync(key),
      addCa: root ? readFileSync(root) : undefined,
    }),
  );
  const request = https.request({
    agent,
    host,
    port: Number(port ?? 443),
    method: 'POST',
    path: `/devices/${device}/messages/events?api-version=2020-03-13`,
    headers: { 'Content-Type': 'application/json' },
    signal: AbortSignal.timeout(PATIENCE),
  });
  request.end('{"temperature":21.5}');
  const [answer] = await once(request, 'response');
  answer.resume();
  if (answer.statusCode >= 300) throw new Error(`the hub answered ${answer.statusCode}`);
  console.log(`telemetry delivered: ${answer.statusCode}`);
}

const given = process.argv.slice(2);
if (given.length < 4 || given.length > 5) {
  console.error(USAGE);
  process.exit(1);
}
try {
  await main(given);
} catch (error) {
  // What goes wrong in Node.js's own TLS has Node.js's own codes.
  if (error instanceof HubTlsError) console.error(`${error.code}: ${error.message}`);
  else console.error(`not delivered: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
