'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');
const test = require('node:test');

const { Authority } = require('./authority.js');
const { Hub } = require('./hub.js');
const { freePort, listening, mosquitto } = require('./servers.js');
const { EXAMPLES, run, workshop } = require('./workshop.js');

const TELEMETRY = '{"temperature":21.5}';

/** A folder with a device's files and this program. */
async function device(t, name, authority) {
  const { cert, key } = await authority.issue(['device-01']);
  const files = { 'device.pem': cert, 'device.key': key, 'root.pem': authority.ca };
  return workshop(t, { ...files, [name]: fs.readFileSync(path.join(EXAMPLES, name)) });
}

/** A broker that demands a client certificate, and a hub behind it. */
async function broker(t, authority) {
  const made = workshop(t, { 'root.pem': authority.ca });
  const lines = ['require_certificate true', `cafile ${path.join(made, 'root.pem')}`, 'use_identity_as_username true'];
  const broker = await mosquitto(t, await authority.issue(), lines);
  return { ...broker, hub: await Hub.playing(t, broker) };
}

test('the device on mqtt.js delivers its telemetry', async (t) => {
  const authority = await Authority.make();
  const { port, hub } = await broker(t, authority);
  const made = await device(t, 'device-mqtt.mjs', authority);
  const ended = await run(made, 'device-mqtt.mjs', `localhost:${port}`, 'device-01', 'device.pem', 'device.key', 'root.pem');
  const stdout = 'connected: TLSv1.3, TLS_AES_256_GCM_SHA384\ntelemetry delivered\n';
  assert.deepEqual(ended, { code: 0, stdout, stderr: '' });
  assert.deepEqual(await hub.telemetry.take(), ['device-01', TELEMETRY]);
});

test('the device on mqtt.js says what is wrong', async (t) => {
  const authority = await Authority.make();
  const { port } = await broker(t, authority);
  const made = await device(t, 'device-mqtt.mjs', authority);
  const untrusted = await run(made, 'device-mqtt.mjs', `localhost:${port}`, 'device-01', 'device.pem', 'device.key');
  assert.equal(untrusted.code, 1);
  assert.match(untrusted.stderr, /^UNKNOWN_ROOT: /);
  const away = await run(made, 'device-mqtt.mjs', `localhost:${await freePort()}`, 'device-01', 'device.pem', 'device.key');
  assert.equal(away.code, 1);
  assert.match(away.stderr, /^not delivered: /);
});

test('the device on https delivers its telemetry', async (t) => {
  const authority = await Authority.make();
  const asked = [];
  const options = { ...(await authority.issue()), ca: authority.ca, requestCert: true };
  const server = https.createServer(options, async (request, answer) => {
    let body = '';
    for await (const piece of request) body += piece;
    asked.push([request.socket.getPeerCertificate().subject.CN, request.method, request.url, body]);
    answer.writeHead(204).end();
  });
  const port = await listening(t, server);
  const made = await device(t, 'device-https.mjs', authority);
  const ended = await run(made, 'device-https.mjs', `localhost:${port}`, 'device-01', 'device.pem', 'device.key', 'root.pem');
  assert.deepEqual(ended, { code: 0, stdout: 'telemetry delivered: 204\n', stderr: '' });
  assert.deepEqual(asked, [['device-01', 'POST', '/devices/device-01/messages/events?api-version=2020-03-13', TELEMETRY]]);
  const untrusted = await run(made, 'device-https.mjs', `localhost:${port}`, 'device-01', 'device.pem', 'device.key');
  assert.equal(untrusted.code, 1);
  assert.match(untrusted.stderr, /^not delivered: .*certificate/);
});

test('the device on azure-iot-device delivers its telemetry', async (t) => {
  const authority = await Authority.make();
  const { port, hub } = await broker(t, authority);
  const made = await device(t, 'device-azure.mjs', authority);
  // The SDK knows no port but 8883.
  const elsewhere = `const net = require('node:net');
const { connect } = net;
net.connect = (options, ...rest) => connect({ ...options, port: options.port === 8883 ? ${port} : options.port }, ...rest);`;
  fs.writeFileSync(path.join(made, 'elsewhere.js'), elsewhere);
  const given = ['localhost', 'device-01', 'device.pem', 'device.key'];
  const ended = await run(made, '--require', './elsewhere.js', 'device-azure.mjs', ...given, 'root.pem');
  assert.deepEqual({ code: ended.code, stdout: ended.stdout }, { code: 0, stdout: 'telemetry delivered\n' }, ended.stderr);
  assert.deepEqual(await hub.telemetry.take(), ['device-01', TELEMETRY]);
  const untrusted = await run(made, '--require', './elsewhere.js', 'device-azure.mjs', ...given);
  assert.equal(untrusted.code, 1);
  assert.match(untrusted.stderr, /UNKNOWN_ROOT: /);
});

for (const name of ['device-mqtt.mjs', 'device-https.mjs', 'device-azure.mjs']) {
  test(`${name} says what it needs and what is wrong with its key`, async (t) => {
    const authority = await Authority.make();
    const made = await device(t, name, authority);
    const told = await run(made, name, 'localhost');
    assert.equal(told.code, 1);
    assert.match(told.stderr, new RegExp(`^usage: ${name} HOST(\\[:PORT\\])? DEVICE CERTIFICATE KEY \\[ROOT\\]\n$`));
    fs.writeFileSync(path.join(made, 'device.key'), (await authority.issue()).key);
    const wrong = await run(made, name, 'localhost', 'device-01', 'device.pem', 'device.key');
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /^KEY_MISMATCH: /);
  });
}
