'use strict';
/** azure-iot-device over hubtls, against a broker and a client behind it that play a hub. The ports of the SDK are fixed: 8883 and 443. */

const assert = require('node:assert/strict');
const { createPrivateKey, sign } = require('node:crypto');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const https = require('node:https');
const net = require('node:net');
const path = require('node:path');
const test = require('node:test');

const hubtls = require('..');
const azure = require('hubtls/azure');
const { NoRetry } = require('azure-iot-common');
const { Client, Message } = require('azure-iot-device');
const { Authority } = require('./authority.js');
const { Hub, Queue } = require('./hub.js');
const { PATIENCE, directory, mosquitto } = require('./servers.js');

const WITH_KEY = 'HostName=localhost;DeviceId=device-01;SharedAccessKey=c2VjcmV0';
const WITH_CERTIFICATE = 'HostName=localhost;DeviceId=device-01;x509=true';
const WAYS = [
  ['the engine', azure.mqttTransport],
  ["Node's own TLS", azure.nativeMqttTransport],
];
/** For what would not end otherwise. */
const LIMIT = { timeout: PATIENCE };

let authority;
let stranger;
test.before(async () => {
  authority = await Authority.make();
  stranger = await Authority.make();
});

/** A broker for `localhost` that asks for no client certificate. */
async function broker(t, names = ['localhost'], lines = [], port = 8883) {
  return mosquitto(t, await authority.issue(names), lines, port);
}

/** A broker that lets devices send by the name alone that is in their certificate. */
function strict(t) {
  const made = directory(t);
  fs.writeFileSync(path.join(made, 'ca.pem'), authority.ca);
  fs.writeFileSync(path.join(made, 'rights'), 'pattern readwrite devices/%u/messages/#\npattern readwrite $iothub/#\n');
  return broker(t, ['localhost'], [
    'require_certificate true',
    `cafile ${path.join(made, 'ca.pem')}`,
    'use_identity_as_username true',
    `acl_file ${path.join(made, 'rights')}`,
  ]);
}

/** A client that does not connect anew by itself: it would go on with the next test's broker. */
function clientOf(t, text, transport) {
  const client = Client.fromConnectionString(text, transport);
  client.setRetryPolicy(new NoRetry());
  t.after(() => client.close());
  return client;
}

/** Telemetry, twin, a message from the cloud and a direct method. */
async function doesAllThatAHubOffers(client, hub) {
  await client.open();
  await client.sendEvent(new Message('{"temperature":21.5}'));
  assert.deepEqual(await hub.telemetry.take(), ['device-01', '{"temperature":21.5}']);

  const twin = await client.getTwin();
  assert.equal(twin.properties.desired.interval, 5);
  await new Promise((resolve, reject) => twin.properties.reported.update({ firmware: '1.2' }, (error) => (error ? reject(error) : resolve())));
  assert.deepEqual(await hub.reported.take(), { firmware: '1.2' });
  const patches = new Queue();
  const enabled = subscription(client, 'enableTwinDesiredPropertiesUpdates');
  twin.on('properties.desired', (patch) => patches.put(patch));
  assert.equal((await patches.take()).interval, 5);
  await enabled;
  await hub.desire({ interval: 10 });
  assert.equal((await patches.take()).interval, 10);

  const messages = new Queue();
  const listening = subscription(client, 'enableC2D');
  client.on('message', (message) => {
    messages.put(String(message.data));
    client.complete(message, () => undefined);
  });
  await listening;
  await hub.send('device-01', 'from the cloud');
  assert.equal(await messages.take(), 'from the cloud');

  const callable = subscription(client, 'enableMethods');
  client.onDeviceMethod('restart', (request, response) => {
    response.send(200, { got: request.payload }, () => undefined);
  });
  await callable;
  assert.deepEqual(await hub.call('restart', { after: 3 }), ['200', { got: { after: 3 } }]);
}

/** The SDK subscribes when somebody listens, and tells nobody when it has: the transport knows. */
function subscription(client, method) {
  const transport = client._transport;
  const original = transport[method];
  return new Promise((resolve, reject) => {
    transport[method] = (callback) => {
      transport[method] = original;
      original.call(transport, (error) => {
        callback(error);
        if (error) reject(error);
        else resolve();
      });
    };
  });
}

/** The SDK's error. */
async function refused(client) {
  let refusal;
  await assert.rejects(client.open(), (error) => {
    refusal = error;
    return true;
  });
  return refusal;
}

for (const [way, transport] of WAYS) {
  test(`a device with a certificate does all that a hub offers over ${way}`, LIMIT, async (t) => {
    const hub = await Hub.playing(t, await strict(t));
    const client = clientOf(t, WITH_CERTIFICATE, transport({ ca: authority.ca }));
    await client.setOptions(await authority.issue(['device-01']));
    await doesAllThatAHubOffers(client, hub);
  });

  test(`a device with a symmetric key does all that a hub offers over ${way}`, LIMIT, async (t) => {
    const hub = await Hub.playing(t, await broker(t));
    await doesAllThatAHubOffers(clientOf(t, WITH_KEY, transport({ ca: authority.ca })), hub);
  });

  test(`a device with WebSockets does all that a hub offers over ${way}`, LIMIT, async (t) => {
    const hub = await Hub.playing(t, await broker(t, ['localhost'], ['protocol websockets'], 443));
    await doesAllThatAHubOffers(clientOf(t, WITH_KEY, transport({ ca: authority.ca, webSockets: true })), hub);
  });

  test(`an encrypted key is opened with its passphrase over ${way}`, LIMIT, async (t) => {
    const hub = await Hub.playing(t, await strict(t));
    const { cert, key } = await authority.issue(['device-01']);
    const locked = createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' });
    const client = clientOf(t, WITH_CERTIFICATE, transport({ ca: authority.ca }));
    await client.setOptions({ cert, key: locked, passphrase: 'sesame' });
    await client.sendEvent(new Message('opened'));
    assert.deepEqual(await hub.telemetry.take(), ['device-01', 'opened']);
  });

  test(`two devices on one transport show their own certificates over ${way}`, LIMIT, async (t) => {
    const hub = await Hub.playing(t, await strict(t));
    const shared = transport({ ca: authority.ca });
    for (const name of ['device-01', 'device-02']) {
      const client = clientOf(t, `HostName=localhost;DeviceId=${name};x509=true`, shared);
      await client.setOptions(await authority.issue([name]));
      await client.sendEvent(new Message(`from ${name}`));
      assert.deepEqual(await hub.telemetry.take(), [name, `from ${name}`]);
    }
  });

  test(`a device that is given no certificate shows that of the transport over ${way}`, LIMIT, async (t) => {
    const hub = await Hub.playing(t, await strict(t));
    const identity = await authority.issue(['device-01']);
    const client = clientOf(t, WITH_CERTIFICATE, transport({ ca: authority.ca, ...identity }));
    await client.sendEvent(new Message('shown'));
    assert.deepEqual(await hub.telemetry.take(), ['device-01', 'shown']);
  });

  test(`the ca of a client is trusted as well over ${way}`, LIMIT, async (t) => {
    const hub = await Hub.playing(t, await broker(t));
    const client = clientOf(t, WITH_KEY, transport());
    await client.setOptions({ ca: authority.ca });
    await client.sendEvent(new Message('through the gateway'));
    assert.deepEqual(await hub.telemetry.take(), ['device-01', 'through the gateway']);
  });

  for (const webSockets of [false, true]) {
    const where = `${webSockets ? 'WebSockets and ' : ''}${way}`;
    const lines = webSockets ? ['protocol websockets'] : [];
    const port = webSockets ? 443 : 8883;

    test(`an unknown root is the code and the cause of the SDK's error over ${where}`, LIMIT, async (t) => {
      await broker(t, ['localhost'], lines, port);
      const error = await refused(clientOf(t, WITH_KEY, transport({ ca: stranger.ca, webSockets })));
      assert.match(error.code, way === 'the engine' ? /^UNKNOWN_ROOT$/ : /SELF_SIGNED|UNABLE_TO/);
      assert.equal(error.cause.code, error.code);
    });

    test(`a wrong host name is the code and the cause of the SDK's error over ${where}`, LIMIT, async (t) => {
      await broker(t, ['other.example'], lines, port);
      const error = await refused(clientOf(t, WITH_KEY, transport({ ca: authority.ca, webSockets })));
      assert.equal(error.code, way === 'the engine' ? 'HOST_NAME_MISMATCH' : 'ERR_TLS_CERT_ALTNAME_INVALID');
      assert.equal(error.cause.code, error.code);
    });
  }

  test(`telemetry and the twin fail with the code, too, over ${way}`, LIMIT, async (t) => {
    await broker(t);
    for (const act of [(client) => client.sendEvent(new Message('x')), (client) => client.getTwin()]) {
      const client = clientOf(t, WITH_KEY, transport({ ca: stranger.ca }));
      await assert.rejects(act(client), { code: way === 'the engine' ? 'UNKNOWN_ROOT' : /SELF_SIGNED|UNABLE_TO/ });
    }
  });

  test(`a refused connection is the code of the SDK's error over ${way}`, LIMIT, async (t) => {
    const error = await refused(clientOf(t, WITH_KEY, transport({ ca: authority.ca })));
    assert.equal(error.code, 'ECONNREFUSED');
  });

  test(`a certificate without its key is refused when it is given, over ${way}`, async (t) => {
    const { cert } = await authority.issue(['device-01']);
    const { key } = await authority.issue(['device-01']);
    const client = clientOf(t, WITH_CERTIFICATE, transport({ ca: authority.ca }));
    await assert.rejects(async () => client.setOptions({ cert, key }), { code: 'KEY_MISMATCH' });
    assert.match((await refused(client)).message, /Invalid transport configuration/);
  });

  test(`wrong options are refused before there is a client, over ${way}`, () => {
    assert.throws(() => transport({ ca: 'x' }), { code: 'NO_CERTIFICATE' });
    assert.throws(() => transport({ cafile: 'x' }), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => transport({ host: 'localhost' }), { code: 'INVALID_ARGUMENT' });
  });

  test(`a client that listens connects anew by itself when its connection is lost over ${way}`, LIMIT, async (t) => {
    const place = await mosquitto(t, await authority.issue(['localhost']));
    const hub = await Hub.playing(t, place);
    // Between the device and its hub: what a network does.
    const sockets = new Set();
    const between = net.createServer((near) => {
      const far = net.connect(place.port, '127.0.0.1');
      for (const socket of [near, far]) socket.on('error', () => undefined);
      sockets.add(near.pipe(far).pipe(near));
    });
    await new Promise((resolve) => between.listen(8883, '127.0.0.1', resolve));
    t.after(() => between.close());
    const client = Client.fromConnectionString(WITH_KEY, transport({ ca: authority.ca }));
    t.after(() => client.close());
    const messages = new Queue();
    client.on('message', (message) => messages.put(String(message.data)));
    await client.open();
    for (const lose of ['destroy', 'end', 'resetAndDestroy']) {
      for (const socket of sockets) socket[lose]();
      sockets.clear();
      // Until it has subscribed anew, messages are lost.
      let arrived;
      messages.take().then((text) => (arrived = text));
      for (let n = 0; arrived === undefined && n < 100; n += 1) {
        await hub.send('device-01', `after ${lose}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      while (messages.size > 0) await messages.take();
      assert.equal(arrived, `after ${lose}`);
    }
  });

  test(`wrong options that come with a ca are refused when they are given, over ${way}`, LIMIT, async (t) => {
    const made = directory(t);
    const { cert } = await authority.issue(['device-01']);
    const { key } = await authority.issue(['device-01']);
    const file = path.join(made, 'ca.pem');
    fs.writeFileSync(file, authority.ca);
    const client = clientOf(t, WITH_CERTIFICATE, transport());
    await assert.rejects(client.setOptions({ ca: 'no certificate' }), { code: 'NO_CERTIFICATE' });
    await assert.rejects(client.setOptions({ ca: cert }), { code: 'NOT_A_CERTIFICATE_AUTHORITY' });
    await assert.rejects(client.setOptions({ ca: file, cert, key }), { code: 'KEY_MISMATCH' });
    // As the SDK has it, these are none.
    for (const ca of ['', null, undefined]) await client.setOptions({ ca });
  });

  test(`a client connects anew when its connection was lost over ${way}`, LIMIT, async (t) => {
    const certificate = await authority.issue(['localhost']);
    const undoes = [];
    const both = { after: (undo) => (undoes.unshift(undo), t.after(undo)) };
    await mosquitto(both, certificate, [], 8883);
    const client = clientOf(t, WITH_KEY, transport({ ca: authority.ca }));
    await client.open();
    const lost = new Promise((resolve) => client.once('disconnect', resolve));
    for (const undo of undoes) await undo();
    await lost;
    const hub = await Hub.playing(t, await mosquitto(t, certificate, [], 8883));
    await client.sendEvent(new Message('again'));
    assert.deepEqual(await hub.telemetry.take(), ['device-01', 'again']);
  });
}

test('a device whose key is held elsewhere signs with it', LIMIT, async (t) => {
  const hub = await Hub.playing(t, await strict(t));
  const { cert, key } = await authority.issue(['device-01']);
  const identity = await hubtls.identityFromSigner(cert, async (_scheme, message) => sign('sha256', message, key));
  const client = clientOf(t, WITH_CERTIFICATE, azure.mqttTransport({ ca: authority.ca, identity }));
  await client.sendEvent(new Message('signed elsewhere'));
  assert.deepEqual(await hub.telemetry.take(), ['device-01', 'signed elsewhere']);
});

test('a policy restricts the SDK', LIMIT, async (t) => {
  const rsa = await Authority.make('rsa');
  await mosquitto(t, await rsa.issue(['localhost']), [], 8883);
  for (const [, transport] of WAYS) {
    const error = await refused(clientOf(t, WITH_KEY, transport({ policy: 'iothub-ecc', ca: rsa.ca })));
    assert.match(`${error.code} ${error.message}`, /handshake.failure/i);
  }
});

test('files are uploaded over the agent', LIMIT, async (t) => {
  await broker(t);
  const asked = new Queue();
  const server = https.createServer(await authority.issue(['localhost']), (request, response) => {
    asked.put(request.url.split('?')[0]);
    response.statusCode = 404;
    response.end('{}');
  });
  await new Promise((resolve) => server.listen(443, '127.0.0.1', resolve));
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const client = clientOf(t, WITH_KEY, azure.mqttTransport({ ca: authority.ca }));
  await client.setOptions({ http: { agent: new hubtls.Agent({ ca: authority.ca }) } });
  // Its timer for new tokens ends with a connection alone.
  await client.open();
  await assert.rejects(client.getBlobSharedAccessSignature('log'));
  assert.equal(await asked.take(), '/devices/device-01/files');
});

test('an agent for WebSockets that would connect without hubtls is refused', async (t) => {
  const client = clientOf(t, WITH_KEY, azure.mqttTransport({ webSockets: true }));
  await assert.rejects(async () => client.setOptions({ mqtt: { webSocketAgent: new https.Agent() } }), { code: 'INVALID_ARGUMENT' });
});

test("an agent for WebSockets that says how to do TLS is refused on Node's own TLS", async (t) => {
  const client = clientOf(t, WITH_KEY, azure.nativeMqttTransport({ webSockets: true }));
  for (const lax of [{ rejectUnauthorized: false }, { maxVersion: 'TLSv1.2' }, { ciphers: 'ALL' }]) {
    await assert.rejects(async () => client.setOptions({ mqtt: { webSocketAgent: new https.Agent(lax) } }), { code: 'INVALID_ARGUMENT' });
  }
  await client.setOptions({ mqtt: { webSocketAgent: new https.Agent({ keepAlive: true }) } });
});

test('another name than that of the address is sent and verified', LIMIT, async (t) => {
  await broker(t, ['gateway.example']);
  for (const [, transport] of WAYS) {
    await clientOf(t, WITH_KEY, transport({ ca: authority.ca, servername: 'gateway.example' })).open();
    await assert.rejects(clientOf(t, WITH_KEY, transport({ ca: authority.ca })).open());
  }
});

test('an SDK that is made otherwise is refused', () => {
  class Kind {}
  class Base {
    connect() {}
    setOptions() {}
  }
  const mqtt = { connect() {}, MqttClient: Kind };
  const otherwise = [
    { Mqtt: Kind, MqttWs: Kind, MqttBase: Base, NotConnectedError: Kind, mqtt },
    { Mqtt: Kind, MqttWs: Kind, MqttBase: class extends Base { mqttProvider = 5; }, mqtt },
    { Mqtt: undefined, MqttWs: Kind, MqttBase: Base, mqtt },
    { Mqtt: Kind, MqttWs: Kind, MqttBase: Base, mqtt: {} },
  ];
  for (const sdk of otherwise) assert.throws(() => azure.checkSeam(sdk), { code: 'UNSUPPORTED_BY_ENGINE', number: 209 });
});

test('an SDK that is not installed is said to be', (t) => {
  const alone = directory(t);
  const root = path.join(__dirname, '..');
  for (const name of ['dist', 'native.js', 'package.json']) fs.cpSync(path.join(root, name), path.join(alone, name), { recursive: true });
  for (const name of fs.readdirSync(root)) if (name.endsWith('.node')) fs.symlinkSync(path.join(root, name), path.join(alone, name));
  const script = "try { require('./dist/azure.js').mqttTransport() } catch (error) { console.log(error.code, error.message) }";
  const text = execFileSync(process.execPath, ['-e', script], { cwd: alone, encoding: 'utf8' });
  assert.match(text, /^MODULE_NOT_FOUND azure-iot-device-mqtt is not installed: npm install /);
});
