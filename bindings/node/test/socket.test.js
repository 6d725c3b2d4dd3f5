'use strict';
/** `TLSSocket` as a stream, beside Node's own. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const { getEventListeners, once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { Duplex, PassThrough, Readable } = require('node:stream');
const { finished, pipeline } = require('node:stream/promises');
const test = require('node:test');
const tls = require('node:tls');

const hubtls = require('..');
const { Authority } = require('./authority.js');
const { duplexPair } = require('./pairs.js');
const { PATIENCE, echoServer, freePort, listening, tcpServer, tlsServer } = require('./servers.js');

let authority;
let leaf;
const rejections = [];
process.on('unhandledRejection', (error) => rejections.push(error));
test.before(async () => {
  authority = await Authority.make();
  leaf = await authority.issue();
});
test.after(() => assert.deepEqual(rejections, []));

const to = (port, more = {}) => ({ host: '127.0.0.1', port, servername: 'localhost', ca: authority.ca, ...more });
const over = (socket, more = {}) => ({ socket, servername: 'localhost', ca: authority.ca, ...more });
const closed = (socket) => new Promise((resolve) => socket.once('close', resolve));
const turn = () => new Promise(setImmediate);

/** All that comes until its end; an iteration would also destroy what is still writing. */
async function collected(stream) {
  const pieces = [];
  for await (const piece of stream.iterator({ destroyOnReturn: false })) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The next `count` bytes. */
async function read(socket, count) {
  const pieces = [];
  for (let missing = count; missing > 0; ) {
    const data = socket.read();
    if (data === null) {
      await once(socket, 'readable');
      continue;
    }
    if (data.length > missing) socket.unshift(data.subarray(missing));
    pieces.push(data.subarray(0, missing));
    missing -= Math.min(data.length, missing);
  }
  return Buffer.concat(pieces);
}

/** Lets the event loop turn until `condition` holds. */
async function until(condition) {
  const end = Date.now() + PATIENCE;
  while (!condition()) {
    assert(Date.now() < end, `${condition}`);
    await turn();
  }
}

/** Node's server with its side of one connection. */
async function sides(t, options = {}, more = {}) {
  let arrived;
  const server = new Promise((resolve) => (arrived = resolve));
  const port = await tlsServer(t, { ...leaf, ...options }, arrived);
  const client = await hubtls.connectAsync(to(port, more));
  t.after(() => client.destroy());
  // In the turn of its handshake Node.js sends no close_notify with TLS 1.3.
  await Promise.all([server, turn()]).then(turn);
  return { client, server: await server, port };
}

const BIG = crypto.randomBytes(4 << 20);

test('the events come in the order of Node.js', async (t) => {
  const port = await tlsServer(t, leaf);
  const seen = {};
  for (const [name, connect] of [['hubtls', hubtls.connect], ['node', tls.connect]]) {
    const events = (seen[name] = []);
    const socket = connect(to(port), () => events.push('listener'));
    for (const event of ['connect', 'ready', 'secureConnect', 'end', 'finish', 'timeout', 'error']) socket.on(event, () => events.push(event));
    socket.once('close', (hadError) => events.push(`close ${hadError}`));
    socket.end('hello');
    socket.resume();
    await closed(socket);
  }
  const order = (events, names) => events.filter((event) => names.includes(event));
  for (const names of [['connect', 'ready', 'secureConnect', 'finish', 'close false'], ['secureConnect', 'end', 'close false']]) {
    assert.deepEqual(order(seen.hubtls, names), order(seen.node, names));
  }
  assert.deepEqual(seen.hubtls.filter((event) => event === 'listener'), ['listener']);
});

test('an error comes before close, which says that there was one', async (t) => {
  const port = await tlsServer(t, leaf);
  for (const connect of [hubtls.connect, tls.connect]) {
    const events = [];
    const socket = connect(to(port, { servername: 'other.test' }));
    socket.on('error', () => events.push('error'));
    socket.on('close', (hadError) => events.push(hadError));
    socket.on('secureConnect', () => events.push('secureConnect'));
    await closed(socket);
    assert.deepEqual(events, ['error', true]);
    assert.equal(socket.authorized, false);
  }
});

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  for (const kind of ['ecdsa', 'rsa']) {
    test(`what is told of a connection is what Node.js tells with ${version} and ${kind}`, async (t) => {
      const other = await Authority.make(kind);
      const { cert, key } = await other.issue();
      // Of TLS_AES_128_GCM_SHA256 alone, for the two have orders of their own.
      const narrow = { minVersion: version, maxVersion: version, ALPNProtocols: ['x', 'mqtt'] };
      narrow.ciphers = `TLS_AES_128_GCM_SHA256:ECDHE-${kind.toUpperCase()}-AES128-GCM-SHA256`;
      const port = await tlsServer(t, { cert, key, ...narrow });
      const told = [];
      for (const connect of [hubtls.connect, tls.connect]) {
        const socket = connect(to(port, { ca: other.ca, ALPNProtocols: ['mqtt'] }));
        assert.equal(socket.getProtocol(), connect === hubtls.connect ? null : socket.getProtocol());
        assert.deepEqual(socket.getPeerCertificate(), connect === hubtls.connect ? {} : socket.getPeerCertificate());
        await once(socket, 'secureConnect');
        // Node.js 20 gives {} for the plain one after the detailed one.
        const plain = socket.getPeerCertificate();
        const detailed = socket.getPeerCertificate(true);
        told.push({
          authorized: socket.authorized,
          authorizationError: socket.authorizationError,
          encrypted: socket.encrypted,
          servername: socket.servername,
          alpnProtocol: socket.alpnProtocol,
          protocol: socket.getProtocol(),
          cipher: socket.getCipher(),
          reused: socket.isSessionReused(),
          plain: { ...plain },
          detailed: { ...detailed, issuerCertificate: undefined },
          issuer: { ...detailed.issuerCertificate, issuerCertificate: undefined },
          selfIssued: detailed.issuerCertificate.issuerCertificate === detailed.issuerCertificate,
          x509: socket.getPeerX509Certificate().fingerprint256,
          addresses: [socket.remoteAddress, socket.remotePort, socket.remoteFamily, socket.localAddress, socket.localFamily],
          address: { ...socket.address(), port: socket.address().port === socket.localPort },
          state: [socket.connecting, socket.pending, socket.readyState, socket.destroyed, socket.readable, socket.writable],
          checked: tls.checkServerIdentity('localhost', plain),
        });
        assert.equal(socket.setNoDelay(true), socket);
        assert.equal(socket.setKeepAlive(true, 1_000), socket);
        assert.equal(socket.unref(), socket);
        assert.equal(socket.ref(), socket);
        assert(socket.bytesRead > 0 || connect === tls.connect);
        assert(socket.bytesWritten > 0 || connect === tls.connect);
        socket.destroy();
      }
      assert.deepEqual(told[0], told[1]);
      assert.equal(told[0].alpnProtocol, 'mqtt');
    });
  }
}

test('alpnProtocol is false if nothing was agreed', async (t) => {
  const { client } = await sides(t);
  assert.equal(client.alpnProtocol, false);
});

test('a session is reused by the next connection of the same configuration', async (t) => {
  const port = await tlsServer(t, leaf, (socket) => setImmediate(() => socket.end('x')));
  const config = hubtls.createConfig({ ca: authority.ca });
  const reused = [];
  for (let round = 0; round < 2; round++) {
    const socket = await hubtls.connectAsync({ host: '127.0.0.1', port, servername: 'localhost', config });
    reused.push(socket.isSessionReused());
    await collected(socket);
  }
  assert.deepEqual(reused, [false, true]);
});

test('what is written before the handshake arrives in order after it', async (t) => {
  const socket = hubtls.connect(to(await tlsServer(t, leaf)));
  const done = [];
  for (const word of ['one ', 'two ', 'three']) socket.write(word, () => done.push(word));
  socket.end();
  assert.equal(String(await collected(socket)), 'one two three');
  assert.deepEqual(done, ['one ', 'two ', 'three']);
});

test('the server goes on after the client has ended', async (t) => {
  const { client, server } = await sides(t, { allowHalfOpen: true });
  client.end('question');
  assert.equal(String(await collected(server)), 'question');
  server.end(BIG);
  assert.deepEqual(await collected(client), BIG);
});

test('the client goes on after the server has ended if half-open is allowed', async (t) => {
  let arrived;
  const accepted = new Promise((resolve) => (arrived = resolve));
  const port = await tlsServer(t, { ...leaf, allowHalfOpen: true }, arrived);
  const client = await hubtls.connectAsync(to(port, { allowHalfOpen: true }));
  const server = await accepted;
  await turn();
  server.end('question');
  assert.equal(String(await collected(client)), 'question');
  assert.equal(client.destroyed, false);
  const heard = collected(server);
  client.end(BIG);
  assert.deepEqual(await heard, BIG);
});

test('the client ends when the server has ended', async (t) => {
  const { client, server } = await sides(t);
  const heard = collected(server);
  client.resume();
  const end = closed(client);
  server.end();
  assert.equal(await end, false);
  assert.equal((await heard).length, 0);
});

test('a reader that comes late loses nothing of a connection that has ended', async (t) => {
  const small = BIG.subarray(0, 30_000);
  const { client, server } = await sides(t);
  client.end();
  server.end(small);
  await closed(server);
  assert.deepEqual(await collected(client), small);
});

test('a reader that comes late loses nothing over a stream that has closed', async (t) => {
  const small = BIG.subarray(0, 30_000);
  const port = await tlsServer(t, leaf, (socket) => setImmediate(() => socket.end(small)));
  const raw = net.connect(port, '127.0.0.1');
  const [rawEnded, rawClosed] = [once(raw, 'end'), closed(raw)];
  const client = await hubtls.connectAsync(over(raw));
  await rawEnded;
  raw.destroy();
  await rawClosed;
  assert.deepEqual(await collected(client), small);
});

test('a reader over a stream may answer the end of the server', async (t) => {
  let heard;
  const port = await tlsServer(t, { ...leaf, allowHalfOpen: true }, (socket) => {
    heard = collected(socket);
    setImmediate(() => socket.end('unread'));
  });
  for (const make of [to, (port) => over(net.connect(port, '127.0.0.1'), { allowHalfOpen: true })]) {
    const client = await hubtls.connectAsync(make(port, { allowHalfOpen: true }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(String(await collected(client)), 'unread');
    client.end('answer');
    await finished(client);
    assert.equal(String(await heard), 'answer');
  }
});

test('what arrived before an end without close_notify is read before the error', async (t) => {
  const port = await tlsServer(t, leaf, (socket) => {
    socket.on('error', () => undefined);
    socket.write(BIG.subarray(0, 5_000), () => setImmediate(() => socket.destroy()));
  });
  const client = await hubtls.connectAsync(to(port));
  const failed = closed(client);
  let error;
  client.on('error', (it) => (error = it));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(error, undefined);
  assert.deepEqual(await read(client, 5_000), BIG.subarray(0, 5_000));
  await failed;
  assert.equal(error.code, 'TRUNCATED');
});

test('a stream that its owner had paused flows', async (t) => {
  const raw = net.connect(await tlsServer(t, leaf), '127.0.0.1').pause();
  (await hubtls.connectAsync(over(raw))).destroy();
});

test('a stream that gives no bytes is refused', async (t) => {
  const port = await tlsServer(t, leaf);
  for (const spoil of [(raw) => raw.setEncoding('utf8'), (raw) => raw.once('connect', () => raw.emit('data', { bytes: 1 }))]) {
    const raw = net.connect(port, '127.0.0.1');
    spoil(raw);
    await assert.rejects(hubtls.connectAsync(over(raw)), { code: 'INVALID_ARGUMENT' });
  }
});

test('a listener that throws costs neither what was written nor what was read', async (t) => {
  const program = `
    const hubtls = require('.');
    const { port, ca } = JSON.parse(process.argv[1]);
    process.on('uncaughtException', (error) => process.stdout.write(error.message + ' '));
    const socket = hubtls.connect({ host: '127.0.0.1', port, servername: 'localhost', ca }, () => { throw new Error('thrown'); });
    socket.write('written early');
    socket.on('data', (data) => { process.stdout.write(String(data)); socket.destroy(); });
  `;
  const port = await tlsServer(t, leaf, (socket) => socket.once('data', (data) => socket.write(data)));
  const child = spawn(process.execPath, ['-e', program, JSON.stringify({ port, ca: authority.ca })], { cwd: path.join(__dirname, '..') });
  t.after(() => child.kill());
  assert.equal(String(await collected(child.stdout)), 'thrown written early');
});

test('plaintext comes in the order of its records, though a write is answered in its turn', async (t) => {
  let server;
  const port = await tlsServer(t, { ...leaf, maxVersion: 'TLSv1.2' }, (socket) => (server = socket));
  const raw = net.connect(port, '127.0.0.1');
  const held = [];
  let [flights, answer] = [0, null];
  raw.on('data', (data) => (flights < 2 ? between.push(data) : held.push(data)));
  const between = new Duplex({
    read() {},
    write(data, _encoding, callback) {
      // The client's write in 'secureConnect', which comes with data in one piece.
      if (answer !== null) this.push(answer);
      else raw.write(data);
      flights += 1;
      callback();
    },
  });
  const taken = async () => {
    const count = held.length;
    await until(() => held.length > count);
    return Buffer.concat(held.splice(0));
  };
  const client = hubtls.connect(over(between));
  client.once('secureConnect', () => client.write('x'));
  await until(() => server !== undefined && held.length > 0);
  server.write('FIRST ');
  const first = await taken();
  server.write('SECOND ');
  answer = await taken();
  between.push(first);
  assert.equal(String(await read(client, 13)), 'FIRST SECOND ');
  client.destroy();
  raw.destroy();
});

test('a small piece does not keep a large buffer', async (t) => {
  let server;
  const port = await tlsServer(t, leaf, (socket) => (server = socket));
  const client = await hubtls.connectAsync(to(port));
  const sizes = [];
  const done = new Promise((resolve) => {
    client.on('data', (data) => {
      sizes.push(data.buffer.byteLength);
      if (sizes.length === 20) resolve();
      else server.write('x');
    });
  });
  while (server === undefined) await turn();
  server.write('x');
  await done;
  client.destroy();
  assert(Math.max(...sizes) <= 65_536, String(sizes));
});

test('a process is not held by the time limit of a handshake', async (t) => {
  const program = `
    const { PassThrough } = require('node:stream');
    require('.').connect({ socket: new PassThrough({ read() {}, transform() {} }), servername: 'localhost' });
  `;
  const begun = Date.now();
  const child = spawn(process.execPath, ['-e', program], { cwd: path.join(__dirname, '..') });
  t.after(() => child.kill());
  await once(child, 'exit');
  assert(Date.now() - begun < PATIENCE / 2);
});

test('a slow reader stops the sender and memory stays bounded', async (t) => {
  const { client, server } = await sides(t);
  client.pause();
  let sent = 0;
  const more = () => {
    while (sent < 256 << 20 && server.write(BIG.subarray(0, 65_536))) sent += 65_536;
  };
  server.on('drain', more);
  more();
  // Until nothing moves: what the kernel and both sides hold.
  let still = 0;
  for (let before = -1; still < 200; await turn()) {
    still = before === client.bytesRead ? still + 1 : 0;
    before = client.bytesRead;
  }
  assert(client.readableLength <= 256 << 10, `${client.readableLength}`);
  assert(client.bytesRead < 1 << 20, `${client.bytesRead}`);
  assert(sent < 64 << 20);
  // And it goes on.
  client.resume();
  await until(() => client.bytesRead > 8 << 20);
});

test('a slow server stops the writer, and drain tells that it goes on', async (t) => {
  const { client, server } = await sides(t);
  server.pause();
  let sent = 0;
  while (client.write(BIG.subarray(0, 65_536))) await turn();
  assert.equal(client.writableNeedDrain, true);
  for (; sent < 16 << 20; sent += 65_536) if (!client.write(BIG.subarray(0, 65_536))) break;
  assert(client.writableLength <= 1 << 20);
  const drained = once(client, 'drain');
  server.resume();
  await drained;
  assert.equal(client.writableNeedDrain, false);
});

/** Messages of many sizes, on the borders of records too. */
const SIZES = [0, 1, 2, 100, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 100_000];

test('sixty messages of mixed sizes come back whole', async (t) => {
  const { client, server } = await sides(t);
  server.pipe(server);
  for (let index = 0; index < 60; index++) {
    const size = SIZES[index] ?? crypto.randomInt(100_001);
    const message = BIG.subarray(index, index + size);
    client.write(message);
    if (size > 0) assert.deepEqual(await read(client, size), message);
  }
});

test('sixty messages go both ways at once', async (t) => {
  const { client, server } = await sides(t);
  const messages = Array.from({ length: 60 }, (_, index) => BIG.subarray(index, index + (SIZES[index] ?? crypto.randomInt(100_001))));
  const heard = Promise.all([collected(client), collected(server)]);
  for (const message of messages) {
    client.write(message);
    server.write(message);
  }
  client.end();
  server.end();
  const whole = Buffer.concat(messages);
  for (const side of await heard) assert.deepEqual(side, whole);
});

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  test(`large transfers go both ways at once with ${version}`, async (t) => {
    const { client, server } = await sides(t, { minVersion: version, maxVersion: version });
    // More at once than an engine's call can tell the length of.
    const huge = Buffer.concat([BIG, BIG, BIG, BIG, BIG]);
    const heard = Promise.all([collected(client), collected(server)]);
    client.end(huge);
    server.end(huge);
    for (const side of await heard) assert(side.equals(huge));
  });
}

test('it may be destroyed at any moment', async (t) => {
  const port = await tlsServer(t, leaf);
  const moments = {
    'at once': (socket, destroy) => destroy(),
    'in the next tick': (socket, destroy) => process.nextTick(destroy),
    'at connect': (socket, destroy) => socket.once('connect', destroy),
    'in the handshake': (socket, destroy) => socket.once('connect', () => setImmediate(destroy)),
    'at secure': (socket, destroy) => socket.once('secure', destroy),
    'at secureConnect': (socket, destroy) => socket.once('secureConnect', destroy),
    'after a write': (socket, destroy) => socket.once('secureConnect', () => (socket.write('x'), destroy())),
    'in data': (socket, destroy) => (socket.write('x'), socket.once('data', destroy)),
    'in its end': (socket, destroy) => (socket.end('x'), socket.resume(), socket.once('finish', destroy)),
  };
  for (const [moment, when] of Object.entries(moments)) {
    for (const reason of [undefined, new Error('enough')]) {
      const socket = hubtls.connect(to(port));
      const errors = [];
      socket.on('error', (error) => errors.push(error));
      const end = closed(socket);
      when(socket, () => socket.destroy(reason));
      assert.equal(await end, reason !== undefined, moment);
      assert.deepEqual(errors, reason ? [reason] : [], moment);
      assert.equal(socket.destroyed, true);
    }
  }
});

test('a write that is never made is told so', async (t) => {
  const socket = hubtls.connect(to(await tcpServer(t, () => undefined)));
  const written = [0, 1].map(() => new Promise((resolve) => socket.write('x', resolve)));
  socket.destroy();
  const errors = await Promise.all(written);
  assert.equal(errors[0].code, 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION');
  assert(errors[1] instanceof Error);
});

test('an existing socket is used, connected or not', async (t) => {
  const port = await tlsServer(t, leaf);
  for (const wait of [false, true]) {
    const raw = net.connect(port, '127.0.0.1');
    if (wait) await once(raw, 'connect');
    const socket = hubtls.connect(over(raw));
    socket.end('hello');
    assert.equal(socket.connecting, !wait);
    assert.equal(String(await collected(socket)), 'hello');
    await closed(raw);
  }
});

test('a pair of streams in memory is used', async () => {
  const [near, far] = duplexPair();
  const server = new tls.TLSSocket(far, { isServer: true, ...leaf });
  server.pipe(server);
  const socket = await hubtls.connectAsync(over(near));
  assert.equal(socket.remoteAddress, undefined);
  socket.write(BIG);
  assert.deepEqual(await read(socket, 1 << 20), BIG.subarray(0, 1 << 20));
  const idle = once(socket, 'timeout');
  socket.pause();
  socket.setTimeout(20);
  assert.equal(socket.timeout, 20);
  await keepingAlive(idle);
  socket.destroy();
  assert.equal(near.destroyed, true);
});

/** Awaits what keeps no process alive. */
async function keepingAlive(promise) {
  const timer = setInterval(() => undefined, 1_000);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}

/** A proxy that knows CONNECT. */
async function proxy(t) {
  const server = http.createServer();
  server.on('connect', (request, socket) => {
    const beyond = net.connect(Number(request.url.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      beyond.pipe(socket).pipe(beyond);
    });
    for (const one of [beyond, socket]) one.on('error', () => undefined).on('close', () => (beyond.destroy(), socket.destroy()));
  });
  return listening(t, server);
}

test('a tunnel through an HTTP proxy is used', async (t) => {
  const port = await tlsServer(t, leaf);
  const request = http.request({ port: await proxy(t), host: '127.0.0.1', method: 'CONNECT', path: `localhost:${port}` }).end();
  const [, tunnel] = await once(request, 'connect');
  const socket = hubtls.connect(over(tunnel));
  socket.end(BIG);
  assert.deepEqual(await collected(socket), BIG);
});

test('TLS goes in TLS', async (t) => {
  const inner = await tlsServer(t, leaf);
  const outer = await tlsServer(t, leaf, (socket) => {
    const beyond = net.connect(inner, '127.0.0.1');
    beyond.on('error', () => undefined);
    socket.pipe(beyond).pipe(socket);
  });
  for (const connect of [hubtls.connect, tls.connect]) {
    const socket = hubtls.connect(over(connect(to(outer))));
    socket.write(BIG);
    assert.deepEqual(await read(socket, BIG.length), BIG);
    assert.equal(socket.remotePort, outer);
    const idle = once(socket, 'timeout');
    socket.setTimeout(20);
    await idle;
    socket.destroy();
  }
});

test('a signal that has aborted or aborts destroys', async (t) => {
  const port = await tlsServer(t, leaf);
  const aborted = { name: 'AbortError', code: 'ABORT_ERR' };
  await assert.rejects(hubtls.connectAsync(to(port, { signal: AbortSignal.abort() })), aborted);
  const early = new AbortController();
  const connecting = hubtls.connectAsync(to(await tcpServer(t, () => early.abort('why')), { signal: early.signal }));
  await assert.rejects(connecting, { ...aborted, cause: 'why' });
  const late = new AbortController();
  const socket = await hubtls.connectAsync(to(port, { signal: late.signal }));
  const failed = once(socket, 'error');
  late.abort();
  assert.equal((await failed)[0].code, 'ABORT_ERR');
});

test('a signal holds no listener of a socket that has closed', async (t) => {
  const port = await tlsServer(t, leaf);
  const { signal } = new AbortController();
  const socket = await hubtls.connectAsync(to(port, { signal }));
  assert.equal(getEventListeners(signal, 'abort').length, 1);
  socket.destroy();
  await closed(socket);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('options of the connection that are wrong are refused before anything is opened', async (t) => {
  let opened = 0;
  const port = await tcpServer(t, (socket) => socket.on('error', () => (opened += 1)).destroy(void (opened += 1)));
  const wrong = [
    { signal: {} },
    { signal: 'x' },
    { timeout: 'x' },
    { timeout: -1 },
    { handshakeTimeout: NaN },
    { handshakeTimeout: '5' },
    { socket: {} },
    { servername: 5 },
    { host: 5 },
  ];
  for (const options of wrong) {
    assert.throws(() => hubtls.connect(to(port, options)), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => new hubtls.Agent({ ca: authority.ca, ...options }), { code: 'INVALID_ARGUMENT' });
  }
  await turn();
  assert.equal(opened, 0);
});

test('null is the same as left out', async (t) => {
  const left = { signal: null, timeout: null, handshakeTimeout: null, socket: null, config: null, localAddress: null };
  const socket = await hubtls.connectAsync(to(await tlsServer(t, leaf), left));
  socket.destroy();
});

test('a time limit without end is none', async (t) => {
  for (const handshakeTimeout of [0, Infinity, 2 ** 31]) {
    const socket = await hubtls.connectAsync(to(await tlsServer(t, leaf), { handshakeTimeout, timeout: 2 ** 31 }));
    socket.destroy();
  }
});

test('the time limit of the handshake ends with the handshake', async (t) => {
  await assert.rejects(hubtls.connectAsync(to(await tcpServer(t, () => undefined), { handshakeTimeout: 30 })), { code: 'TIMEOUT' });
  const socket = await hubtls.connectAsync(to(await tlsServer(t, leaf), { handshakeTimeout: PATIENCE, timeout: 30 }));
  assert.equal(socket.timeout, 30);
  await once(socket, 'timeout');
  assert.equal(socket.destroyed, false);
  socket.setTimeout(0);
  socket.end('still there');
  assert.equal(String(await collected(socket)), 'still there');
});

test('setTimeout takes a listener and 0 takes it away', async (t) => {
  const { client } = await sides(t);
  const listener = () => assert.fail('it was taken away');
  client.setTimeout(1_000, listener);
  client.setTimeout(0, listener);
  assert.equal(client.listenerCount('timeout'), 0);
  await new Promise((resolve) => client.setTimeout(10, resolve));
});

test('connectAsync resolves after the handshake and rejects with its failure', async (t) => {
  const port = await tlsServer(t, leaf);
  const socket = await hubtls.connectAsync(to(port));
  assert.equal(socket.authorized, true);
  await new Promise(setImmediate);
  assert.equal(socket.listenerCount('error') + socket.listenerCount('close'), 0);
  socket.destroy();
  await assert.rejects(hubtls.connectAsync(to(port, { servername: 'other.test' })), { code: 'HOST_NAME_MISMATCH' });
  await assert.rejects(hubtls.connectAsync(to(port, { polic: 1 })), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(hubtls.connectAsync(to(await freePort())), { code: 'ECONNREFUSED' });
});

test('pause holds data back and resume gives it', async (t) => {
  const { client, server } = await sides(t);
  let text = '';
  client.on('data', (data) => (text += data));
  client.pause();
  server.write('hello');
  await until(() => client.readableLength === 5);
  assert.equal(text, '');
  client.resume();
  await until(() => text === 'hello');
});

test('pipeline carries both ways and fails with the socket', async (t) => {
  const socket = hubtls.connect(to(await tlsServer(t, leaf)));
  const out = new PassThrough();
  const [, data] = await Promise.all([pipeline(Readable.from([BIG]), socket, out), collected(out)]);
  assert.deepEqual(data, BIG);
  const wrong = hubtls.connect(to(await tlsServer(t, leaf), { servername: 'other.test' }));
  await assert.rejects(pipeline(Readable.from([BIG]), wrong, new PassThrough().resume()), { code: 'HOST_NAME_MISMATCH' });
});

test('an iteration that is left destroys the socket', async (t) => {
  const { client, server } = await sides(t);
  server.write('hello');
  for await (const piece of client) {
    assert.equal(String(piece), 'hello');
    break;
  }
  assert.equal(client.destroyed, true);
});

test('what is corked leaves as one record', async (t) => {
  const { client, server } = await sides(t);
  const pieces = [];
  server.on('data', (data) => pieces.push(String(data)));
  const before = client.bytesWritten;
  client.cork();
  for (const word of ['one ', 'two ', 'three']) client.write(word);
  await turn();
  assert.equal(client.bytesWritten, before);
  client.uncork();
  await until(() => pieces.length > 0);
  assert.deepEqual(pieces, ['one two three']);
  // One header of 5 bytes, a type of 1 and a tag of 16.
  assert.equal(client.bytesWritten - before, 13 + 22);
});

test('setEncoding gives whole characters', async (t) => {
  const { client, server } = await sides(t);
  client.setEncoding('utf8');
  const bytes = Buffer.from('Grüße €');
  let text = '';
  client.on('data', (data) => (text += data));
  for (const byte of bytes) server.write(Buffer.from([byte]));
  server.end();
  await once(client, 'end');
  assert.equal(text, 'Grüße €');
});

test('strings are written in the encoding that is named', async (t) => {
  const { client, server } = await sides(t);
  server.pipe(server);
  client.write('68656c6c6f', 'hex');
  assert.equal(String(await read(client, 5)), 'hello');
});

test('five hundred connections at once are served', async (t) => {
  const server = await echoServer(t);
  const config = hubtls.createConfig({ ca: fs.readFileSync(path.join(server.directory, 'roots.pem')) });
  const sockets = await Promise.all(
    Array.from({ length: 500 }, () => hubtls.connectAsync({ host: server.host, port: server.port, servername: 'localhost', config })),
  );
  const answers = await Promise.all(
    sockets.map(async (socket, index) => {
      socket.write(`I am ${String(index).padStart(3, '0')}`);
      const answer = String(await read(socket, 8));
      socket.destroy();
      return answer;
    }),
  );
  answers.forEach((answer, index) => assert.equal(answer, `I am ${String(index).padStart(3, '0')}`));
});

test('a socket without references lets the process end', async (t) => {
  const port = await tlsServer(t, leaf);
  // A server in another process than the one that waits.
  const work = `
    const hubtls = require(${JSON.stringify(path.join(__dirname, '..'))});
    const socket = hubtls.connect(JSON.parse(process.argv[1]));
    socket.once('secureConnect', () => { socket.unref(); console.log('unref'); });
  `;
  const child = spawn(process.execPath, ['-e', work, JSON.stringify(to(port))]);
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (data) => (text += data));
  const [status] = await once(child, 'close');
  assert.equal(status, 0);
  assert.equal(text, 'unref\n');
});
