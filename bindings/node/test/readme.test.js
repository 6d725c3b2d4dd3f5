'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');
const test = require('node:test');

const { WebSocketServer } = require('ws');

const hubtls = require('..');
const { Authority } = require('./authority.js');
const { Hub } = require('./hub.js');
const { listening, mosquitto, tlsServer } = require('./servers.js');
const { PACKAGE, ROOT, run, workshop } = require('./workshop.js');

const PAGE = fs.readFileSync(path.join(PACKAGE, 'README.md'), 'utf8');
const SAMPLES = ['README.md', 'bindings/node/README.md', 'bindings/node/bench/README.md'].flatMap((page) =>
  [...fs.readFileSync(path.join(ROOT, page), 'utf8').matchAll(/^```js\n(.*?)^```/gms)].map(([, text], index) => ({ name: `${page}:${index + 1}`, text })),
);
const having = (word, ...not) => SAMPLES.filter(({ text }) => text.includes(word) && !not.some((other) => text.includes(other)));

/** What stands for hardware in the sample of a signer. */
const TOKEN = `
import { createPrivateKey, sign as signed } from 'node:crypto';
const token = { sign: (_scheme, message) => signed('sha256', message, createPrivateKey(readFileSync('device.key'))) };
`;

/** The sample with a server of loopback's in the hub's place, whose root is vouched for. */
function onLoopback(text, { mqtt = 8883, web = 443 }) {
  return text
    .replaceAll('https://my-hub.azure-devices.net', `https://localhost:${web}`)
    .replaceAll('wss://my-hub.azure-devices.net', `wss://localhost:${web}`)
    .replaceAll('my-hub.azure-devices.net', 'localhost')
    .replaceAll('8883', String(mqtt));
}

async function reader(t, authority, text) {
  const { cert, key } = await authority.issue(['device-01']);
  return workshop(t, { 'device.pem': cert, 'device.key': key, 'root.pem': authority.ca, 'sample.mjs': text });
}

/** Adds the root wherever a sample gives options. */
function trusting(text) {
  const root = "addCa: (await import('node:fs')).readFileSync('root.pem'), ";
  return text
    .replace(/(createConfig|connectAsync|mqttTransport|undiciConnector|createSecureConnection|new Agent)\(\{ (?!connect:)/, `$1({ ${root}`)
    .replace('tlsOptions({', `tlsOptions({ ${root}`);
}

/** Runs a sample to its end. */
async function ran(t, authority, { text }, ports, flags = []) {
  const made = await reader(t, authority, trusting(onLoopback(text, ports)));
  return run(made, ...flags, 'sample.mjs');
}

test('each page has samples', () => {
  assert(SAMPLES.filter(({ name }) => name.startsWith('README')).length >= 1);
  assert(SAMPLES.filter(({ name }) => name.startsWith('bindings/node/README')).length >= 9);
});

for (const { name, text } of SAMPLES) {
  test(`${name} is JavaScript`, async (t) => {
    const made = workshop(t, { 'sample.mjs': text });
    assert.deepEqual(await run(made, '--check', 'sample.mjs'), { code: 0, stdout: '', stderr: '' });
  });
}

for (const sample of [...having('mqttStream'), ...having('mqttTransport')]) {
  test(`${sample.name} delivers its telemetry over MQTT`, async (t) => {
    const authority = await Authority.make();
    const root = path.join(await reader(t, authority, ''), 'root.pem');
    const broker = await mosquitto(t, await authority.issue(), ['require_certificate true', `cafile ${root}`, 'use_identity_as_username true']);
    const hub = await Hub.playing(t, broker);
    // The SDK knows no port but 8883.
    const elsewhere = `const net = require('node:net'); const { connect } = net;
net.connect = (options, ...rest) => connect({ ...options, port: options.port === 8883 ? ${broker.port} : options.port }, ...rest);`;
    const made = await reader(t, authority, trusting(onLoopback(sample.text, { mqtt: broker.port })));
    fs.writeFileSync(path.join(made, 'elsewhere.cjs'), elsewhere);
    const ended = await run(made, '--require', './elsewhere.cjs', 'sample.mjs');
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await hub.telemetry.take(), ['device-01', '{"temperature":21.5}']);
  });
}

for (const sample of [...having('https.request('), ...having('fetch(')]) {
  test(`${sample.name} delivers its telemetry over HTTPS`, async (t) => {
    const authority = await Authority.make();
    const asked = [];
    const server = https.createServer({ ...(await authority.issue()), ca: authority.ca, requestCert: true }, async (request, answer) => {
      let body = '';
      for await (const piece of request) body += piece;
      asked.push([request.socket.getPeerCertificate().subject.CN, request.method, body]);
      answer.writeHead(204).end();
    });
    const ended = await ran(t, authority, sample, { web: await listening(t, server) });
    assert.deepEqual([ended.code, ended.stdout, ended.stderr], [0, '204\n', '']);
    assert.deepEqual(asked, [['device-01', 'POST', '{"temperature":21.5}']]);
  });
}

for (const sample of having('new WebSocket(')) {
  test(`${sample.name} opens a WebSocket`, async (t) => {
    const authority = await Authority.make();
    const server = https.createServer(await authority.issue());
    const opened = new Promise((resolve) => new WebSocketServer({ server }).on('connection', (_socket, request) => resolve(request.url)));
    const ended = await ran(t, authority, sample, { web: await listening(t, server) });
    assert.deepEqual(ended, { code: 0, stdout: '', stderr: '' });
    assert.equal(await opened, '/$iothub/websocket');
  });
}

for (const sample of [...having('connectAsync(', 'catch'), ...having('tls.connect(')]) {
  test(`${sample.name} connects and tells what was agreed`, async (t) => {
    const authority = await Authority.make();
    const ended = await ran(t, authority, sample, { mqtt: await tlsServer(t, await authority.issue()) });
    assert.deepEqual([ended.code, ended.stderr], [0, '']);
    assert.match(ended.stdout, /^TLSv1.3\b/);
  });
}

for (const sample of having('catch (error)')) {
  test(`${sample.name} shows the error`, async (t) => {
    const authority = await Authority.make();
    const port = await tlsServer(t, await authority.issue());
    const ended = await run(await reader(t, authority, onLoopback(sample.text, { mqtt: port })), 'sample.mjs');
    assert.deepEqual([ended.code, ended.stderr], [0, '']);
    assert.match(ended.stdout, /^UNKNOWN_ROOT\n(.*\n)+unknown_ca false\n$/);
  });
}

for (const sample of having('identityFromSigner')) {
  test(`${sample.name} signs`, async (t) => {
    const authority = await Authority.make();
    const made = await reader(t, authority, sample.text.replace('const sign', `${TOKEN}const sign`));
    const ended = await run(made, 'sample.mjs');
    assert.deepEqual([ended.code, ended.stderr], [0, '']);
  });
}

test('the codes that are named exist', () => {
  const named = [...PAGE.matchAll(/`([A-Z]+(?:_[A-Z0-9]+)+)`/g)].map(([, name]) => name).filter((name) => !name.startsWith('NODE_'));
  const known = hubtls.errorCodes().map(({ name }) => name);
  assert(named.length > 5);
  assert.deepEqual(named.filter((name) => !known.includes(name)), []);
});

test('the options are those of the table', () => {
  const table = PAGE.slice(PAGE.indexOf('| option | what'), PAGE.indexOf('| policy | stands'));
  const told = table.split('\n').flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
  assert.throws(
    () => hubtls.createConfig({ none: 1 }),
    ({ hint }) => assert.deepEqual(hint.replace('the options are ', '').split(', ').sort(), told.sort()) ?? true,
  );
});

test('the policies are those of the table', () => {
  const rows = [...PAGE.matchAll(/^\| `(iothub[\w-]*)` \| `([\w-]+)` \|/gm)].map(([, name, standsFor]) => ({ name, standsFor }));
  assert.deepEqual(rows, hubtls.Policy.aliases());
});
