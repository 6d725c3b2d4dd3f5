'use strict';
/** HTTPS and WebSocket clients, on hubtls's TLS and on Node's own with `tlsOptions`. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http2 = require('node:http2');
const https = require('node:https');
const net = require('node:net');
const path = require('node:path');
const test = require('node:test');

const hubtls = require('..');
const { Authority } = require('./authority.js');
const { PATIENCE, directory, freePort, listening, tcpServer } = require('./servers.js');
const { bulk, mixed } = require('./traffic.js');
const { WebSocket, WebSocketServer } = require('ws');

/** Those that run on this Node.js. */
const UNDICIS = [['undici 6', require('undici6')]];
if (Number(process.versions.node.split('.')[0]) >= 20) UNDICIS.push(['undici 7', require('undici')]);
const LARGE = bulk(3_000_000);

let authority;
let stranger;
test.before(async () => {
  authority = await Authority.make();
  stranger = await Authority.make();
});

/** A web server that echoes bodies at /echo, is silent at /silent, and else tells what it knows of the request. */
async function website(t, { names, ...options } = {}) {
  const sockets = new Set();
  const server = https.createServer({ ...(await authority.issue(names)), ...options }, (request, response) => {
    sockets.add(request.socket);
    if (request.url === '/silent') return;
    if (request.url === '/large') return void response.end(LARGE);
    if (request.url === '/echo') return void request.pipe(response);
    const { servername } = request.socket;
    const shown = request.socket.getPeerCertificate();
    const told = { connections: sockets.size, host: request.headers.host, servername, shown: shown?.subject?.CN, resumed: request.socket.isSessionReused() };
    response.end(JSON.stringify(told));
  });
  server.on('tlsClientError', () => undefined);
  return { server, port: await listening(t, server) };
}

function agentOf(t, options = {}, agentOptions = {}) {
  const agent = new hubtls.Agent({ ca: authority.ca, ...options }, agentOptions);
  t.after(() => agent.destroy());
  return agent;
}

/** Sends a request; the body that comes back. */
function ask(url, options = {}, body = undefined) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method: body === undefined ? 'GET' : 'POST', ...options }, async (response) => {
      try {
        const all = [];
        for await (const piece of response) all.push(piece);
        resolve({ body: Buffer.concat(all), request, response });
      } catch (error) {
        reject(error);
      }
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(Object.assign(new Error('no answer'), { code: 'NO_ANSWER' })));
    request.end(body);
  });
}

const told = async (...values) => JSON.parse((await ask(...values)).body);

// https

test('https.request over the agent reaches a server by its name and by its address', async (t) => {
  const { port } = await website(t);
  const agent = agentOf(t);
  assert.equal((await told(`https://localhost:${port}/`, { agent })).servername, 'localhost');
  assert.equal((await told(`https://127.0.0.1:${port}/`, { agent })).host, `127.0.0.1:${port}`);
});

test('an agent that keeps connections uses one for requests in turn', async (t) => {
  const { port } = await website(t);
  const agent = agentOf(t, {}, { keepAlive: true, maxSockets: 1 });
  const waiting = await Promise.all([1, 2, 3].map(() => told(`https://localhost:${port}/`, { agent })));
  assert.deepEqual(waiting.map(({ connections }) => connections), [1, 1, 1]);
  const { request } = await ask(`https://localhost:${port}/`, { agent });
  assert.equal(request.reusedSocket, true);
  const socket = Object.values(agent.freeSockets)[0][0];
  assert(socket instanceof hubtls.TLSSocket);
});

test('an agent that keeps none resumes the session of the connection before', async (t) => {
  const { port } = await website(t);
  const agent = agentOf(t, {}, { keepAlive: false });
  assert.equal((await told(`https://localhost:${port}/`, { agent })).resumed, false);
  assert.equal((await told(`https://localhost:${port}/`, { agent })).resumed, true);
});

test('bodies of megabytes go both ways over the agent', async (t) => {
  const { port } = await website(t);
  const agent = agentOf(t, {}, { keepAlive: true });
  for (let time = 0; time < 3; time++) {
    assert((await ask(`https://localhost:${port}/large`, { agent })).body.equals(LARGE));
    assert((await ask(`https://localhost:${port}/echo`, { agent }, LARGE)).body.equals(LARGE));
  }
});

test('many requests at once over the agent each get their own body', async (t) => {
  const { port } = await website(t);
  const agent = agentOf(t, {}, { keepAlive: true, maxSockets: 4 });
  const bodies = mixed(30);
  const answers = await Promise.all(bodies.map((body) => ask(`https://localhost:${port}/echo`, { agent }, body)));
  assert(answers.every(({ body }, index) => body.equals(bodies[index])));
});

test('the agent shows the client certificate', async (t) => {
  const { port } = await website(t, { ca: authority.ca, requestCert: true });
  const agent = agentOf(t, await authority.issue(['device-1']));
  assert.equal((await told(`https://localhost:${port}/`, { agent })).shown, 'device-1');
});

test('a request over the agent fails with the code of what is wrong', async (t) => {
  const { port } = await website(t, { names: ['other.example'] });
  const url = `https://localhost:${port}/`;
  await assert.rejects(ask(url, { agent: agentOf(t) }), { code: 'HOST_NAME_MISMATCH' });
  await assert.rejects(ask(url, { agent: agentOf(t, { ca: stranger.ca }) }), { code: 'UNKNOWN_ROOT' });
  await assert.rejects(ask(`https://127.0.0.1:${port}/`, { agent: agentOf(t) }), { code: 'HOST_NAME_MISMATCH' });
  await assert.rejects(ask('https://127.0.0.1:1/', { agent: agentOf(t) }), { code: 'ECONNREFUSED' });
  assert.equal((await told(url, { agent: agentOf(t, { servername: 'other.example' }) })).servername, 'other.example');
});

test('a request that waited for another fails with its own error', async (t) => {
  const { port } = await website(t);
  const agent = agentOf(t, {}, { maxTotalSockets: 1 });
  const first = ask(`https://localhost:${port}/`, { agent });
  const second = ask(`https://localhost:${port}/`, { agent, servername: 'no name' });
  await first;
  await assert.rejects(second, { code: 'INVALID_SERVER_NAME' });
});

test('the timeout of a request is emitted while the server is silent', async (t) => {
  const { port } = await website(t);
  await assert.rejects(ask(`https://localhost:${port}/silent`, { agent: agentOf(t), timeout: 50 }), { code: 'NO_ANSWER' });
});

test('the timeout of a request is emitted while hands are shaken', async (t) => {
  const port = await tcpServer(t, () => undefined);
  await assert.rejects(ask(`https://localhost:${port}/`, { agent: agentOf(t), timeout: 50 }), { code: 'NO_ANSWER' });
  await assert.rejects(ask(`https://localhost:${port}/`, { agent: agentOf(t, { handshakeTimeout: 50 }) }), { code: 'TIMEOUT' });
});

test('a request over the agent is aborted', async (t) => {
  const { port, server } = await website(t);
  const abort = new AbortController();
  const asked = ask(`https://localhost:${port}/silent`, { agent: agentOf(t), signal: abort.signal });
  server.once('request', () => abort.abort());
  await assert.rejects(asked, { name: 'AbortError' });
});

test('what a request says of its connection reaches it', async (t) => {
  const { port } = await website(t);
  const asked = [];
  const lookup = (host, { all }, callback) => {
    asked.push(host);
    if (all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
    else callback(null, '127.0.0.1', 4);
  };
  const agent = agentOf(t, { servername: 'localhost' });
  await ask(`https://hub.example:${port}/`, { agent, lookup });
  assert.deepEqual(asked, ['hub.example']);
});

test('a request over the agent reaches a server behind a Unix socket', async (t) => {
  const { server } = await website(t);
  const socketPath = path.join(directory(t), 'socket');
  const front = net.createServer((socket) => server.emit('connection', socket)).listen(socketPath);
  await once(front, 'listening');
  t.after(() => front.close());
  assert.equal((await told('https://localhost/', { agent: agentOf(t), socketPath })).servername, 'localhost');
});

test('what a request says of TLS is refused and not ignored', async (t) => {
  const { port } = await website(t);
  const agent = agentOf(t);
  for (const wrong of [{ ca: authority.ca }, { ciphers: 'ALL' }, { rejectUnauthorized: false }, { minVersion: 'TLSv1' }]) {
    await assert.rejects(ask(`https://localhost:${port}/`, { agent, ...wrong }), { code: 'INVALID_ARGUMENT' });
  }
  assert.throws(() => new hubtls.Agent({}, { rejectUnauthorized: false }), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => new hubtls.Agent({ ca: 'x' }), { code: 'NO_CERTIFICATE' });
});

test('https.request with tlsOptions is restricted by the policy and sends bodies of megabytes', async (t) => {
  const { port } = await website(t);
  const agent = new https.Agent({ ...hubtls.tlsOptions({ ca: authority.ca }), keepAlive: true });
  t.after(() => agent.destroy());
  assert((await ask(`https://localhost:${port}/echo`, { agent }, LARGE)).body.equals(LARGE));
  const { request } = await ask(`https://localhost:${port}/`, { agent });
  assert.equal(request.reusedSocket, true);
  const old = await website(t, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-CCM' });
  await assert.rejects(ask(`https://localhost:${old.port}/`, { agent }), { message: /handshake failure/ });
});

test('https.request with tlsOptions refuses a wrong name and an unknown root', async (t) => {
  const { port } = await website(t, { names: ['other.example'] });
  const url = `https://localhost:${port}/`;
  await assert.rejects(ask(url, hubtls.tlsOptions({ ca: authority.ca })), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  await assert.rejects(ask(url, hubtls.tlsOptions({ ca: stranger.ca })), { code: /SELF_SIGNED|UNABLE_TO/ });
});

// undici

for (const [version, undici] of UNDICIS) {
  const dispatcherOf = (t, options = {}) => {
    const dispatcher = new undici.Agent({ connections: 1, connect: hubtls.undiciConnector({ ca: authority.ca, ...options }) });
    t.after(() => dispatcher.destroy());
    return dispatcher;
  };

  test(`fetch of ${version} sends and receives megabytes on one connection`, async (t) => {
    const { port } = await website(t);
    const dispatcher = dispatcherOf(t);
    for (let time = 0; time < 3; time++) {
      const large = await undici.fetch(`https://localhost:${port}/large`, { dispatcher });
      assert(Buffer.from(await large.arrayBuffer()).equals(LARGE));
      const echo = await undici.fetch(`https://localhost:${port}/echo`, { dispatcher, method: 'POST', body: LARGE });
      assert(Buffer.from(await echo.arrayBuffer()).equals(LARGE));
    }
    const answer = await undici.fetch(`https://localhost:${port}/`, { dispatcher });
    const { connections, servername } = await answer.json();
    assert.deepEqual({ connections, servername }, { connections: 1, servername: 'localhost' });
  });

  test(`${version} reaches a server by its address and resumes sessions`, async (t) => {
    const { port } = await website(t);
    const dispatcher = dispatcherOf(t);
    const resumed = [];
    for (let time = 0; time < 2; time++) {
      const { body } = await undici.request(`https://127.0.0.1:${port}/`, { dispatcher, reset: true });
      resumed.push((await body.json()).resumed);
    }
    assert.deepEqual(resumed, [false, true]);
  });

  test(`${version} fails with the code of what is wrong`, async (t) => {
    const { port } = await website(t, { names: ['other.example'] });
    const url = `https://localhost:${port}/`;
    await assert.rejects(undici.request(url, { dispatcher: dispatcherOf(t) }), { code: 'HOST_NAME_MISMATCH' });
    await assert.rejects(undici.request(url, { dispatcher: dispatcherOf(t, { ca: stranger.ca }) }), { code: 'UNKNOWN_ROOT' });
    await assert.rejects(undici.request('https://127.0.0.1:1/', { dispatcher: dispatcherOf(t) }), { code: 'ECONNREFUSED' });
    await assert.rejects(undici.request('http://127.0.0.1:1/', { dispatcher: dispatcherOf(t) }), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(undici.fetch(url, { dispatcher: dispatcherOf(t) }), (error) => error.cause.code === 'HOST_NAME_MISMATCH');
    const silent = await tcpServer(t, () => undefined);
    const impatient = dispatcherOf(t, { handshakeTimeout: 50 });
    await assert.rejects(undici.request(`https://localhost:${silent}/`, { dispatcher: impatient }), { code: 'TIMEOUT' });
  });

  test(`${version} shows the client certificate`, async (t) => {
    const { port } = await website(t, { ca: authority.ca, requestCert: true });
    const dispatcher = dispatcherOf(t, await authority.issue(['device-1']));
    const { body } = await undici.request(`https://localhost:${port}/`, { dispatcher });
    assert.equal((await body.json()).shown, 'device-1');
  });
}

test('the global fetch takes the dispatcher of an undici like its own', async (t) => {
  const { port } = await website(t);
  const [, undici] = UNDICIS[Number(process.versions.undici.split('.')[0]) >= 7 ? 1 : 0];
  const dispatcher = new undici.Agent({ connect: hubtls.undiciConnector({ ca: authority.ca }) });
  t.after(() => dispatcher.destroy());
  const response = await fetch(`https://localhost:${port}/echo`, { dispatcher, method: 'POST', body: LARGE });
  assert(Buffer.from(await response.arrayBuffer()).equals(LARGE));
});

test('a connector is told of a name that cannot be verified and does not throw', (_, done) => {
  const connect = hubtls.undiciConnector();
  connect({ hostname: 'no name', protocol: 'https:', port: '1' }, (error, socket) => {
    assert.equal(error.code, 'INVALID_SERVER_NAME');
    assert.equal(socket, null);
    done();
  });
});

// WebSockets

/** A server that sends back each message. */
async function echoing(t, options) {
  const { server, port } = await website(t, options);
  const sockets = new WebSocketServer({ server, maxPayload: 0 });
  sockets.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })));
  return port;
}

function webSocket(t, url, options = {}) {
  const socket = new WebSocket(url, { createConnection: hubtls.createSecureConnection({ ca: authority.ca, ...options }), maxPayload: 0 });
  t.after(() => socket.terminate());
  return socket;
}

for (const host of ['localhost', '127.0.0.1']) {
  test(`ws gets back all that it sends to ${host}`, { timeout: PATIENCE }, async (t) => {
    const socket = webSocket(t, `wss://${host}:${await echoing(t)}/`);
    await once(socket, 'open');
    const sent = [...mixed(40), LARGE];
    const received = [];
    const all = new Promise((resolve) => {
      socket.on('message', (data) => received.push(data) === sent.length && resolve());
    });
    for (const message of sent) socket.send(message);
    await all;
    assert(received.every((data, index) => data.equals(sent[index])));
    const closed = once(socket, 'close');
    socket.close(1000);
    assert.equal((await closed)[0], 1000);
  });
}

test('ws connects with the agent, too', async (t) => {
  const port = await echoing(t);
  const socket = new WebSocket(`wss://localhost:${port}/`, { agent: agentOf(t) });
  t.after(() => socket.terminate());
  await once(socket, 'open');
  socket.send('back');
  assert.equal(String((await once(socket, 'message'))[0]), 'back');
});

test('ws fails with the code of what is wrong', async (t) => {
  const port = await echoing(t, { names: ['other.example'] });
  const failed = async (options) => (await once(webSocket(t, `wss://localhost:${port}/`, options), 'error'))[0].code;
  assert.equal(await failed(), 'HOST_NAME_MISMATCH');
  assert.equal(await failed({ ca: stranger.ca }), 'UNKNOWN_ROOT');
  const named = webSocket(t, `wss://localhost:${port}/`, { servername: 'other.example' });
  await once(named, 'open');
});

test('a signal that has aborted fails a request, and nothing else', async (t) => {
  const signal = AbortSignal.abort();
  const agent = new hubtls.Agent({ signal });
  t.after(() => agent.destroy());
  const request = https.get({ agent, host: '127.0.0.1', port: await freePort() });
  const [error] = await once(request, 'error');
  assert.equal(error.code, 'ABORT_ERR');
});

test('a socket file that is not there fails a request, and nothing else', async () => {
  const agent = new hubtls.Agent({ servername: 'no name' });
  const [error] = await once(https.get({ agent, socketPath: '/nowhere/at/all' }), 'error');
  assert.equal(error.code, 'INVALID_SERVER_NAME');
});

for (const [name, { Agent, request }] of UNDICIS) {
  test(`HTTP/2 over ${name} when both offer it`, async (t) => {
    const authority = await Authority.make();
    const server = http2.createSecureServer(await authority.issue(), (_request, response) => response.end('two'));
    const port = await listening(t, server);
    const connect = hubtls.undiciConnector({ ca: authority.ca, ALPNProtocols: ['h2', 'http/1.1'] });
    const dispatcher = new Agent({ connect, allowH2: true });
    const answers = await Promise.all([1, 2, 3].map(() => request(`https://localhost:${port}`, { dispatcher })));
    for (const { statusCode, body } of answers) assert.deepEqual([statusCode, await body.text()], [200, 'two']);
    await dispatcher.destroy();
  });
}
