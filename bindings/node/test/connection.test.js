'use strict';
/** The sans-IO `Connection` against Node's own server in memory. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const test = require('node:test');
const tls = require('node:tls');

const hubtls = require('..');
const { Authority } = require('./authority.js');
const { duplexPair } = require('./pairs.js');

let authority;
let leaf;
test.before(async () => {
  authority = await Authority.make();
  leaf = await authority.issue();
});

const code = (code) => (error) => error instanceof hubtls.HubTlsError && error.code === code;

/** A connection, the wire to a server of Node's in memory, and its side. */
function joined(options = {}, config = hubtls.createConfig({ ca: authority.ca })) {
  const [wire, far] = duplexPair();
  const server = new tls.TLSSocket(far, { isServer: true, ...leaf, ...options });
  server.on('error', () => undefined);
  return { connection: new hubtls.Connection(config, 'localhost'), wire, server };
}

/** Moves ciphertext both ways until `done`. */
async function drive({ connection, wire }, done) {
  for (;;) {
    if (connection.wantsTransmit) wire.write(connection.transmit());
    if (done()) return;
    const piece = wire.read();
    if (piece === null) {
      await once(wire, 'readable');
      continue;
    }
    for (let taken = 0; taken < piece.length; ) {
      const count = connection.receive(piece.subarray(taken));
      taken += count;
      // It wants to be read first.
      if (count === 0 && done()) return wire.unshift(piece.subarray(taken));
    }
  }
}

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  test(`hands are shaken and data goes both ways with ${version}`, async () => {
    const all = joined({ minVersion: version, maxVersion: version });
    const { connection, server, wire } = all;
    server.on('data', (data) => server.write(data));
    assert.throws(() => connection.negotiated, code('HANDSHAKE_NOT_COMPLETE'));
    assert.equal(connection.isHandshaking, true);
    assert.equal(connection.write(Buffer.from('early')), 0);
    await drive(all, () => !connection.isHandshaking);
    assert.equal(connection.negotiated.version, version);
    const sent = Buffer.alloc(50_000, 'hubtls');
    for (let taken = 0; taken < sent.length; ) {
      const count = connection.write(sent.subarray(taken));
      assert(count <= 16_384);
      // Too much waits.
      if (count === 0) wire.write(connection.transmit());
      taken += count;
    }
    let received = Buffer.alloc(0);
    await drive(all, () => {
      received = Buffer.concat([received, connection.read()]);
      return received.length >= sent.length;
    });
    assert.deepEqual(received, sent);
    assert.equal(connection.readableBytes(), 0);
    assert.equal(connection.isEnded, false);
    server.end();
    await drive(all, () => connection.read().length === 0 && connection.isEnded);
    connection.receiveEnd();
    connection.finish();
    assert.throws(() => connection.write(Buffer.from('late')), code('WRITE_AFTER_FINISH'));
    assert(connection.transmit().length > 0);
  });
}

test('ciphertext may be cut anywhere', async () => {
  const { connection, wire, server } = joined();
  server.end('hello');
  let received = '';
  while (!connection.isEnded) {
    while (connection.wantsTransmit) wire.write(connection.transmit(7));
    const byte = wire.read(1);
    if (byte === null) await once(wire, 'readable');
    else {
      assert.equal(connection.receive(byte), 1);
      received += connection.read(2).toString();
    }
  }
  assert.equal(received, 'hello');
});

test('an end in the handshake and one without close_notify are told', async () => {
  const early = joined();
  assert.throws(() => early.connection.receiveEnd(), code('CLOSED_IN_HANDSHAKE'));
  const late = joined();
  await drive(late, () => !late.connection.isHandshaking);
  assert.throws(() => late.connection.receiveEnd(), code('TRUNCATED'));
});

test('after a failure each call throws it again and the alert is still to be sent', async () => {
  const all = joined({}, hubtls.createConfig({ ca: (await Authority.make()).ca }));
  const { connection } = all;
  await assert.rejects(
    drive(all, () => !connection.isHandshaking),
    code('UNKNOWN_ROOT'),
  );
  assert.throws(() => connection.receive(Buffer.alloc(1)), code('UNKNOWN_ROOT'));
  assert.throws(() => connection.write(Buffer.alloc(1)), code('UNKNOWN_ROOT'));
  const alert = connection.transmit();
  assert(alert.length > 0);
  const heard = once(all.server, 'error');
  all.wire.write(alert);
  assert.match(String((await heard)[0].code), /UNKNOWN_CA/);
});

test('a second connection of one configuration resumes the session of the first', async () => {
  const config = hubtls.createConfig({ ca: authority.ca });
  const secureContext = tls.createSecureContext(leaf);
  const resumed = [];
  for (let round = 0; round < 2; round++) {
    const all = joined({ secureContext }, config);
    all.server.end('x');
    await drive(all, () => {
      all.connection.read();
      return all.connection.isEnded;
    });
    resumed.push(all.connection.negotiated.resumed);
  }
  assert.deepEqual(resumed, [false, true]);
});

test('a name that is none is refused when the connection is made', () => {
  const config = hubtls.createConfig({ ca: authority.ca });
  assert.throws(() => new hubtls.Connection(config, 'no name'), code('INVALID_SERVER_NAME'));
});
