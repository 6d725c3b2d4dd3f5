'use strict';
/** Keys held elsewhere, and other threads. */

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { once } = require('node:events');
const path = require('node:path');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { Readable } = require('node:stream');
const test = require('node:test');
const tls = require('node:tls');
const vm = require('node:vm');
const { Worker } = require('node:worker_threads');

const hubtls = require('..');
const { Authority } = require('./authority.js');
const { duplexPair } = require('./pairs.js');
const { tlsServer } = require('./servers.js');

const HASHES = {
  ecdsa_secp256r1_sha256: 'sha256',
  rsa_pss_rsae_sha256: 'sha256',
  rsa_pss_rsae_sha384: 'sha384',
  rsa_pss_rsae_sha512: 'sha512',
};

let authority;
let leaf;
let device;
test.before(async () => {
  authority = await Authority.make();
  leaf = await authority.issue();
  device = await authority.issue(['device-1']);
});

function signed(scheme, message, key = device.key) {
  const options = scheme.startsWith('rsa_pss')
    ? { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST }
    : { key, dsaEncoding: 'der' };
  return crypto.sign(HASHES[scheme], message, options);
}

/** A server that demands a certificate and says whose it got. */
function demanding(t, options) {
  return tlsServer(t, { ...leaf, requestCert: true, ca: authority.ca, ...options }, (socket) =>
    // In the turn of its handshake Node.js sends no close_notify with TLS 1.3.
    setImmediate(() => socket.end(socket.getPeerCertificate().subject.CN)),
  );
}

const to = (port, identity, more = {}) => ({ host: '127.0.0.1', port, servername: 'localhost', ca: authority.ca, identity, ...more });

/** Whom the server saw. */
async function seen(options) {
  const socket = hubtls.connect(options);
  let text = '';
  for await (const piece of socket) text += piece;
  return text;
}

async function read(socket) {
  let text = '';
  for await (const piece of socket) text += piece;
  return text;
}

/** A signer that works the first time, which is when the identity is made, and then does as `later`. */
function laterwards(later) {
  let calls = 0;
  return (scheme, message) => (calls++ === 0 ? signed(scheme, message) : later(scheme, message));
}

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  test(`a function signs with ${version}`, async (t) => {
    const port = await demanding(t, { minVersion: version, maxVersion: version });
    const schemes = [];
    const identity = await hubtls.identityFromSigner(device.cert, (scheme, message) => {
      schemes.push(scheme);
      assert(Buffer.isBuffer(message));
      return signed(scheme, message);
    });
    assert.equal(identity.subject, 'device-1');
    assert.equal(await seen(to(port, identity)), 'device-1');
    assert.deepEqual(schemes, ['ecdsa_secp256r1_sha256', 'ecdsa_secp256r1_sha256']);
  });

  test(`a function that promises signs with ${version}`, async (t) => {
    const port = await demanding(t, { minVersion: version, maxVersion: version });
    const identity = await hubtls.identityFromSigner(
      device.cert,
      (scheme, message) => new Promise((resolve) => setImmediate(() => resolve(signed(scheme, message)))),
    );
    assert.equal(await seen(to(port, identity)), 'device-1');
  });
}

test('an RSA key signs', async (t) => {
  const rsa = await authority.issue(['device-rsa'], { kind: 'rsa' });
  const port = await demanding(t);
  const identity = await hubtls.identityFromSigner(rsa.cert, (scheme, message) => signed(scheme, message, rsa.key), ['rsa_pss_rsae_sha256']);
  assert.equal(await seen(to(port, identity)), 'device-rsa');
});

const FAILING = {
  'throws': () => {
    throw new Error('the token is gone');
  },
  'rejects': () => Promise.reject(new Error('the token is gone')),
  'returns no bytes': () => 'the token is gone',
  'returns another signature': () => Buffer.from('the token is gone'),
};

for (const [what, fail] of Object.entries(FAILING)) {
  test(`no identity is made of a signer that ${what}`, async () => {
    await assert.rejects(hubtls.identityFromSigner(device.cert, fail), (error) => {
      assert.equal(error.code, 'SIGNER_FAILED', error.stack);
      assert(error instanceof hubtls.HubTlsError);
      if (!what.startsWith('returns')) assert.match(error.message, /the token is gone/);
      return true;
    });
  });
}

for (const what of ['throws', 'rejects', 'returns no bytes']) {
  test(`a handshake whose signer ${what} fails with the reason`, async (t) => {
    const port = await demanding(t);
    const identity = await hubtls.identityFromSigner(device.cert, laterwards(FAILING[what]));
    await assert.rejects(seen(to(port, identity)), (error) => {
      assert.equal(error.code, 'SIGNER_FAILED', error.stack);
      assert.match(error.message, what === 'returns no bytes' ? /no bytes/ : /the token is gone/);
      return true;
    });
  });
}

test('connectAsync takes a signer in the place of a key, and the others say where it goes', async (t) => {
  const port = await demanding(t);
  const options = { host: '127.0.0.1', port, servername: 'localhost', ca: authority.ca, cert: device.cert };
  const socket = await hubtls.connectAsync({ ...options, signer: async (scheme, message) => signed(scheme, message) });
  assert.equal(String(await read(socket)), 'device-1');
  const signer = (scheme, message) => signed(scheme, message);
  const makes = [() => hubtls.connect({ ...options, signer }), () => hubtls.mqttStream({ ...options, signer }), () => hubtls.createConfig({ cert: device.cert, signer })];
  for (const make of makes) {
    assert.throws(make, ({ code, hint }) => code === 'INVALID_ARGUMENT' && hint.includes('identityFromSigner'));
  }
  await assert.rejects(hubtls.connectAsync({ ...options, cert: undefined, signer }), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(hubtls.connectAsync({ ...options, signer: 'x' }), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(hubtls.connectAsync({ ...options, key: device.key, signer }), { code: 'INVALID_ARGUMENT' });
});

test('a signer may throw what it likes', async (t) => {
  const rejections = [];
  const listener = (error) => rejections.push(error);
  process.on('unhandledRejection', listener);
  t.after(() => process.removeListener('unhandledRejection', listener));
  const odd = [
    Object.create(null),
    Object.assign(new Error('x'), { message: Object.create(null) }),
    Object.defineProperty(new Error('x'), 'message', { get: () => assert.fail('nobody may look') }),
    Symbol('x'),
    undefined,
  ];
  for (const thrown of odd) {
    const sign = () => {
      throw thrown;
    };
    await assert.rejects(hubtls.identityFromSigner(device.cert, sign), { code: 'SIGNER_FAILED' });
  }
  await new Promise(setImmediate);
  assert.deepEqual(rejections, []);
});

test('a signer of another realm signs', async () => {
  const other = vm.runInNewContext('(bytes) => Uint8Array.from(bytes)');
  await hubtls.identityFromSigner(device.cert, (scheme, message) => other(signed(scheme, message)));
});

test('what is no function is refused', async () => {
  await assert.rejects(hubtls.identityFromSigner(device.cert, 'x'), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(hubtls.identityFromSigner('x', () => Buffer.alloc(0)), { code: 'EMPTY_CHAIN' });
  await assert.rejects(hubtls.identityFromSigner(device.cert, () => Buffer.alloc(0), ['x']), hubtls.HubTlsError);
});

test('the event loop goes on while a signature is waited for', async (t) => {
  const port = await demanding(t);
  const delay = monitorEventLoopDelay({ resolution: 2 });
  const identity = await hubtls.identityFromSigner(
    device.cert,
    laterwards((scheme, message) => {
      delay.enable();
      return new Promise((resolve) =>
        setTimeout(() => {
          delay.disable();
          resolve(signed(scheme, message));
        }, 500),
      );
    }),
  );
  assert.equal(await seen(to(port, identity)), 'device-1');
  // A stalled loop would be one sample of 500 ms; other programs on the machine make single ones late.
  assert(delay.count > 20, `${delay.count} turns`);
  assert(delay.percentile(90) < 20e6, `${delay.percentile(90) / 1e6} ms`);
});

test('two handshakes wait for their signatures at once', async (t) => {
  const port = await demanding(t);
  const waiting = [];
  const identity = await hubtls.identityFromSigner(
    device.cert,
    laterwards(
      (scheme, message) =>
        new Promise((resolve) => {
          waiting.push(() => resolve(signed(scheme, message)));
          if (waiting.length === 2) for (const sign of waiting.reverse()) sign();
        }),
    ),
  );
  const config = hubtls.createConfig({ ca: authority.ca, identity });
  const options = { host: '127.0.0.1', port, servername: 'localhost', config };
  assert.deepEqual(await Promise.all([seen(options), seen(options)]), ['device-1', 'device-1']);
});

/** A handshake that waits for a signature; `sign()` gives it. */
async function held(t, more, options) {
  const port = await demanding(t, options);
  let asked;
  const asking = new Promise((resolve) => (asked = resolve));
  const identity = await hubtls.identityFromSigner(
    device.cert,
    laterwards((scheme, message) => new Promise((resolve) => asked(() => resolve(signed(scheme, message))))),
  );
  const socket = hubtls.connect(to(port, identity, more));
  return { socket, sign: await asking };
}

test('a connection is destroyed while a signature is waited for', async (t) => {
  const { socket, sign } = await held(t);
  const closed = once(socket, 'close');
  socket.destroy();
  assert.deepEqual(await closed, [false]);
  sign();
});

test('the time limit holds while a signature is waited for', async (t) => {
  const { socket, sign } = await held(t, { handshakeTimeout: 300 });
  const [error] = await once(socket, 'error');
  assert.equal(error.code, 'TIMEOUT');
  sign();
});

test('what is written before the signature arrives after it', async (t) => {
  const port = await tlsServer(t, { ...leaf, requestCert: true, ca: authority.ca });
  const identity = await hubtls.identityFromSigner(device.cert, async (scheme, message) => signed(scheme, message));
  const socket = hubtls.connect(to(port, identity));
  socket.end('hello');
  assert.equal(await new Response(Readable.toWeb(socket)).text(), 'hello');
});

test('a stream that closes while a signature is waited for is told', async (t) => {
  const [near, far] = duplexPair();
  const server = new tls.TLSSocket(far, { isServer: true, ...leaf, requestCert: true, ca: authority.ca });
  server.on('error', () => undefined);
  let sign;
  const identity = await hubtls.identityFromSigner(
    device.cert,
    laterwards((scheme, message) => {
      near.destroy();
      return new Promise((resolve) => (sign = () => resolve(signed(scheme, message))));
    }),
  );
  const socket = hubtls.connect({ socket: near, servername: 'localhost', ca: authority.ca, identity });
  const [error] = await once(socket, 'error');
  assert.equal(error.code, 'CLOSED_IN_HANDSHAKE');
  sign();
});

test('receive() says that it cannot wait for JavaScript and receiveLater() waits', async () => {
  const identity = await hubtls.identityFromSigner(device.cert, signed);
  const config = hubtls.createConfig({ ca: authority.ca, identity, resumption: false });
  for (const later of [true, false]) {
    const [wire, far] = duplexPair();
    const server = new tls.TLSSocket(far, { isServer: true, ...leaf, requestCert: true, ca: authority.ca });
    server.on('error', () => undefined);
    const connection = new hubtls.Connection(config, 'localhost');
    wire.write(connection.transmit());
    const shake = async () => {
      while (connection.isHandshaking) {
        const piece = wire.read();
        if (piece === null) await once(wire, 'readable');
        else if (later) {
          const promise = connection.receiveLater(piece);
          await promise;
          wire.write(connection.transmit());
        } else connection.receive(piece);
      }
    };
    if (later) await shake();
    else await assert.rejects(shake(), { code: 'SIGNER_FAILED', message: /receiveLater/ });
  }
});

const WORK = `
  const { parentPort, workerData } = require('node:worker_threads');
  const crypto = require('node:crypto');
  const hubtls = require(workerData.library);
  (async () => {
    const { port, ca, cert, key } = workerData;
    const identity = await hubtls.identityFromSigner(cert, async (_scheme, message) => crypto.sign('sha256', message, key));
    const options = { host: '127.0.0.1', port, servername: 'localhost', ca, identity };
    let text = '';
    for await (const piece of hubtls.connect(options)) text += piece;
    let code = null;
    try { hubtls.createConfig({ ca: 'x' }); } catch (error) { code = error instanceof hubtls.HubTlsError && error.code; }
    parentPort.postMessage({ text, code });
  })();
`;

test('three worker threads load the library and connect at once, and end', async (t) => {
  const port = await demanding(t);
  const workerData = { library: path.join(__dirname, '..'), port, ca: authority.ca, ...device };
  const workers = [1, 2, 3].map(() => new Worker(WORK, { eval: true, workerData }));
  const answers = await Promise.all(
    workers.map(async (worker) => {
      const [[answer], [status]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
      return { ...answer, status };
    }),
  );
  for (const answer of answers) assert.deepEqual(answer, { text: 'device-1', code: 'NO_CERTIFICATE', status: 0 });
});

test('a worker thread is ended while its handshake waits for a signature', async (t) => {
  const port = await demanding(t);
  const work = `
    const { parentPort, workerData } = require('node:worker_threads');
    const crypto = require('node:crypto');
    const hubtls = require(workerData.library);
    const { port, ca, cert, key } = workerData;
    let calls = 0;
    const sign = (_scheme, message) => {
      if (calls++ === 0) return crypto.sign('sha256', message, key);
      parentPort.postMessage('asked');
      return new Promise(() => undefined);
    };
    hubtls.identityFromSigner(cert, sign).then((identity) =>
      hubtls.connect({ host: '127.0.0.1', port, servername: 'localhost', ca, identity }));
  `;
  const worker = new Worker(work, { eval: true, workerData: { library: path.join(__dirname, '..'), port, ca: authority.ca, ...device } });
  assert.deepEqual(await once(worker, 'message'), ['asked']);
  await worker.terminate();
});
