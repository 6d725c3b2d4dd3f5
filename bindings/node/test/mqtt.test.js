'use strict';
/** mqtt.js of both major versions, on hubtls's TLS and on Node's own with `tlsOptions`. */

const assert = require('node:assert/strict');
const { EventEmitter, once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const hubtls = require('..');
const { Authority } = require('./authority.js');
const { PATIENCE, directory, freePort, mosquitto, tcpServer } = require('./servers.js');
const { mixed } = require('./traffic.js');

const VERSIONS = [
  ['mqtt.js 4', require('mqtt4')],
  ['mqtt.js 5', require('mqtt')],
];
const KINDS = ['ecdsa', 'rsa'];

const authorities = {};
test.before(async () => {
  for (const kind of KINDS) authorities[kind] = await Authority.make(kind);
});

/** The two ways to connect: a client that does not connect anew unless told to. */
const WAYS = [
  [
    'the engine',
    (mqtt, { port, host = 'localhost', ...options }, more = {}) =>
      new mqtt.MqttClient(hubtls.mqttStream({ host, port, ...options }), { reconnectPeriod: 0, ...more }),
  ],
  [
    "Node's own TLS",
    (mqtt, { port, host = 'localhost', ...options }, more = {}) =>
      mqtt.connect(`mqtts://${host}:${port}`, { ...hubtls.tlsOptions(options), reconnectPeriod: 0, ...more }),
  ],
];

function ending(t, client) {
  t.after(() => new Promise((resolve) => client.end(true, {}, resolve)));
  return client;
}

async function connected(t, client) {
  ending(t, client);
  await once(client, 'connect', { signal: AbortSignal.timeout(PATIENCE) });
  return client;
}

/** That event, whatever errors come before. */
function event(emitter, name) {
  return new Promise((resolve) => emitter.once(name, resolve));
}

function subscribed(client, topic, qos = 1) {
  return new Promise((resolve, reject) => client.subscribe(topic, { qos }, (error) => (error ? reject(error) : resolve())));
}

/** The first `count` messages that come. */
function messages(client, count) {
  return new Promise((resolve) => {
    const all = [];
    client.on('message', function take(_topic, payload) {
      all.push(payload);
      if (all.length < count) return;
      client.removeListener('message', take);
      resolve(all);
    });
  });
}

/** What the client says of its end: its errors, once it is closed. */
async function failure(client) {
  const errors = [];
  client.on('error', (error) => errors.push(error));
  await event(client, 'close');
  await new Promise((resolve) => client.end(true, {}, resolve));
  return errors;
}

for (const [version, mqtt] of VERSIONS) {
  for (const [way, connect] of WAYS) {
    for (const kind of KINDS) {
      test(`${version} over ${way} loses none of sixty messages to a broker with ${kind}`, { timeout: 2 * PATIENCE }, async (t) => {
        const broker = await mosquitto(t, await authorities[kind].issue());
        const options = { port: broker.port, ca: authorities[kind].ca };
        const one = await connected(t, connect(mqtt, options));
        const other = await connected(t, connect(mqtt, options));
        await Promise.all([subscribed(one, 'to/one'), subscribed(other, 'to/other')]);
        const sent = mixed(60);
        const arrived = Promise.all([messages(one, sent.length), messages(other, sent.length)]);
        for (const message of sent) {
          one.publish('to/other', message, { qos: 1 });
          other.publish('to/one', message, { qos: 1 });
        }
        for (const received of await arrived) {
          assert.deepEqual(received.map((it) => it.length), sent.map((it) => it.length));
          assert(received.every((it, index) => it.equals(sent[index])));
        }
      });
    }

    test(`${version} over ${way} shows the client's certificate`, async (t) => {
      const authority = authorities.ecdsa;
      const ca = path.join(directory(t), 'ca.pem');
      fs.writeFileSync(ca, authority.ca);
      const lines = [`cafile ${ca}`, 'require_certificate true', 'use_identity_as_username true'];
      const broker = await mosquitto(t, await authority.issue(), lines);
      const { cert, key } = await authority.issue(['device-1']);
      const client = await connected(t, connect(mqtt, { port: broker.port, ca: authority.ca, cert, key }));
      await subscribed(client, 'back');
      const arrived = messages(client, 1);
      client.publish('back', 'and forth');
      assert.equal(String(await arrived), 'and forth');
    });

    test(`${version} over ${way} connects to a broker by its address`, async (t) => {
      const broker = await mosquitto(t, await authorities.ecdsa.issue(['127.0.0.1']));
      await connected(t, connect(mqtt, { host: '127.0.0.1', port: broker.port, ca: authorities.ecdsa.ca }));
    });

    test(`${version} over ${way} emits one error for a wrong host name and ends`, async (t) => {
      const broker = await mosquitto(t, await authorities.ecdsa.issue(['other.example']));
      const errors = await failure(connect(mqtt, { port: broker.port, ca: authorities.ecdsa.ca }));
      if (way === 'the engine') assert.equal(errors.length, 1);
      assert.equal(errors[0].code, way === 'the engine' ? 'HOST_NAME_MISMATCH' : 'ERR_TLS_CERT_ALTNAME_INVALID');
    });

    test(`${version} over ${way} emits one error for an unknown root and ends`, async (t) => {
      const broker = await mosquitto(t, await authorities.ecdsa.issue());
      const errors = await failure(connect(mqtt, { port: broker.port, ca: authorities.rsa.ca }));
      if (way === 'the engine') assert.deepEqual(errors.map(({ code }) => code), ['UNKNOWN_ROOT']);
      else assert.match(errors[0].code, /SELF_SIGNED|UNABLE_TO/);
    });

    test(`${version} over ${way} connects anew when the broker was restarted`, async (t) => {
      const certificate = await authorities.ecdsa.issue();
      const port = await freePort();
      const undoes = [];
      const both = { after: (undo) => (undoes.unshift(undo), t.after(undo)) };
      await mosquitto(both, certificate, [], port);
      const client = await connected(t, connect(mqtt, { port, ca: authorities.ecdsa.ca }, { reconnectPeriod: 20 }));
      client.on('error', (error) => assert.match(error.code, /ECONN|TRUNCATED/));
      const closed = event(client, 'close');
      for (const undo of undoes) await undo();
      await closed;
      const again = event(client, 'connect');
      await mosquitto(t, certificate, [], port);
      await again;
      await subscribed(client, 'back');
      const arrived = messages(client, 1);
      client.publish('back', 'still here', { qos: 1 });
      assert.equal(String(await arrived), 'still here');
    });
  }

  test(`${version} over the engine resumes its session when it connects anew`, async (t) => {
    const broker = await mosquitto(t, await authorities.ecdsa.issue());
    const build = hubtls.mqttStream({ host: 'localhost', port: broker.port, ca: authorities.ecdsa.ca });
    const streams = [];
    const stream = (client) => streams[streams.push(build(client)) - 1];
    const client = await connected(t, new mqtt.MqttClient(stream, { reconnectPeriod: 1 }));
    await subscribed(client, 'back');
    streams[0].destroy();
    await once(client, 'connect');
    assert.deepEqual(streams.map((it) => it.isSessionReused()), [false, true]);
    assert.equal(client.listenerCount(EventEmitter.errorMonitor), 1);
  });

  test(`${version} over the engine emits the error of a server that speaks no TLS`, async (t) => {
    const port = await tcpServer(t, (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    const errors = await failure(new mqtt.MqttClient(hubtls.mqttStream({ host: 'localhost', port }), { reconnectPeriod: 0 }));
    assert.equal(errors.length, 1);
    assert(errors[0] instanceof hubtls.HubTlsError, String(errors[0]));
  });

  test(`${version} over the engine emits a refused connection once`, async (t) => {
    const port = await freePort();
    const errors = await failure(new mqtt.MqttClient(hubtls.mqttStream({ host: '127.0.0.1', port }), { reconnectPeriod: 0 }));
    assert.deepEqual(errors.map(({ code }) => code), ['ECONNREFUSED']);
  });
}

test('a client that keeps errors to itself emits them all the same, before it closes', async (t) => {
  const broker = await mosquitto(t, await authorities.ecdsa.issue());
  const client = new EventEmitter();
  const stream = hubtls.mqttStream({ host: 'localhost', port: broker.port, ca: authorities.rsa.ca })(client);
  stream.on('error', () => undefined);
  const events = [];
  client.on('error', ({ code }) => events.push(code));
  stream.on('close', () => events.push('close'));
  await event(stream, 'close');
  assert.deepEqual(events, ['UNKNOWN_ROOT', 'close']);
  assert.equal(client.listenerCount(EventEmitter.errorMonitor), 0);
});

test('wrong options are refused before anything connects', () => {
  assert.throws(() => hubtls.mqttStream({ host: 'localhost', ca: 'x' }), { code: 'NO_CERTIFICATE' });
  assert.throws(() => hubtls.mqttStream({ hostname: 'localhost' }), { code: 'INVALID_ARGUMENT' });
});

test('a stream that cannot be made is an exception and nothing more', async (t) => {
  const uncaught = [];
  const listener = (error) => uncaught.push(error);
  process.on('uncaughtException', listener);
  t.after(() => process.removeListener('uncaughtException', listener));
  assert.throws(() => new (require('mqtt').MqttClient)(hubtls.mqttStream({ host: 'no name' }), {}), { code: 'INVALID_SERVER_NAME' });
  assert.throws(() => new (require('mqtt').MqttClient)(hubtls.mqttStream({ host: 'localhost', port: 99_999 }), {}), { code: 'ERR_SOCKET_BAD_PORT' });
  await new Promise(setImmediate);
  assert.deepEqual(uncaught, []);
});
