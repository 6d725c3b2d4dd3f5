'use strict';
/** The scenario table of tests/scenarios.json: tests/README.md says what each row means. */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const hubtls = require('..');
const { PATIENCE, PROGRAMS, scenarioServer } = require('./servers.js');

const ROWS = JSON.parse(fs.readFileSync(path.join(__dirname, '../../../tests/scenarios.json'), 'utf8'));

/** The configuration that a row asks for. */
function configOf(client, directory) {
  const read = (name) => fs.readFileSync(path.join(directory, name));
  let policy = hubtls.Policy.named(client.policy ?? 'iothub');
  if (client.versions) policy = policy.onlyVersions(client.versions);
  if (client.suites) policy = policy.onlySuites(client.suites);
  if (client.groups) policy = policy.onlyGroups(client.groups);
  const options = { policy, ALPNProtocols: client.alpn, time: client.time };
  const trust = client.trust ?? 'replaced';
  if (trust !== 'embedded') {
    let roots = hubtls.Roots.from(read(trust === 'unrelated' ? 'unrelated.pem' : 'roots.pem'));
    if (client.vouching_for_azure) roots = roots.vouchingForAzure();
    options[trust === 'added' ? 'addCa' : 'ca'] = roots;
  }
  if (client.pin) options.pins = [read(`${client.pin}-root.pem`)];
  if (client.revocation_lists) options.crl = read('revocation.pem');
  if (client.identity) options.identity = hubtls.Identity.fromPem(read('identity.chain'), read('identity.key'));
  return hubtls.createConfig(options);
}

/** Connects, holds the conversation of the row and tells what was agreed. */
async function converse(config, server, client) {
  const socket = await hubtls.connectAsync({
    host: server.host,
    port: server.port,
    servername: client.server_name ?? 'localhost',
    config,
    handshakeTimeout: client.handshake_timeout_ms ?? PATIENCE,
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  try {
    socket.write(Buffer.from(server.send, 'hex'));
    const expected = Buffer.from(server.receive, 'hex');
    let received = Buffer.alloc(0);
    while (received.length < expected.length) {
      const piece = socket.read();
      if (piece !== null) received = Buffer.concat([received, piece]);
      else await Promise.race([once(socket, 'readable'), closed.then(() => assert.fail('the server ended the conversation'))]);
    }
    assert.deepEqual(received.subarray(0, expected.length), expected);
    return JSON.parse(socket.negotiated.toJson());
  } finally {
    socket.end();
    socket.resume();
    if (!socket.destroyed) await closed.catch(() => undefined);
  }
}

/** The same code in every language. */
function compareError(error, expect) {
  assert(error instanceof hubtls.HubTlsError, String(error?.stack));
  assert.equal(error.code, expect.error);
  assert(error.hint);
  if ('alert' in expect) assert.equal(error.alert, expect.alert);
  if ('says' in expect) assert(error.message.toLowerCase().includes(expect.says.toLowerCase()), error.message);
  return true;
}

for (const { name, client = {}, expect } of ROWS) {
  test(name, async (t) => {
    const server = await scenarioServer(t, name);
    const config = configOf(client, server.directory);
    if (expect.error) {
      await assert.rejects(converse(config, server, client), (error) => compareError(error, expect));
      return;
    }
    if (client.resume) await converse(config, server, client);
    const agreed = await converse(config, server, client);
    for (const key of Object.keys(expect)) assert.deepEqual(agreed[key], expect[key], key);
  });
}

test('every row of the program is run here', () => {
  const listed = execFileSync(path.join(PROGRAMS, 'scenario-server'), ['--list'], { encoding: 'utf8' });
  assert.deepEqual(
    listed.trimEnd().split('\n'),
    ROWS.map(({ name }) => name),
  );
});
