'use strict';
/** Peers that a client must refuse, and what it must say of them. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const test = require('node:test');
const tls = require('node:tls');

const hubtls = require('..');
const { Authority } = require('./authority.js');
const { directory, freePort, listening, opensslServer, tcpServer, tlsServer } = require('./servers.js');

let authority;
let leaf;
test.before(async () => {
  authority = await Authority.make();
  leaf = await authority.issue();
});

const to = (port, more = {}) => ({ host: '127.0.0.1', port, servername: 'localhost', ca: authority.ca, ...more });

/** How a connection fails: after its handshake too, for it reads until its end. */
async function failure(port, more) {
  const socket = hubtls.connect(to(port, more));
  socket.resume();
  const [error] = await once(socket, 'error');
  const [hadError] = await once(socket, 'close');
  assert.equal(hadError, true);
  assert.equal(socket.destroyed, true);
  return error;
}

async function fails(port, code, more) {
  const error = await failure(port, more);
  assert(error instanceof hubtls.HubTlsError, String(error.stack));
  assert.equal(error.code, code, error.message);
  assert(error.hint.length > 0);
  return error;
}

/** A server of OpenSSL's with the leaf. */
async function openssl(t, ...values) {
  const made = directory(t);
  fs.writeFileSync(path.join(made, 'cert.pem'), leaf.cert);
  fs.writeFileSync(path.join(made, 'key.pem'), leaf.key);
  fs.writeFileSync(path.join(made, 'ca.pem'), authority.ca);
  return opensslServer(t, '-cert', path.join(made, 'cert.pem'), '-key', path.join(made, 'key.pem'), '-CAfile', path.join(made, 'ca.pem'), ...values);
}

/** A relay to `port` that hands the server's bytes to `pass(bytes, client, server)`. */
function relay(t, port, pass) {
  return tcpServer(t, (client) => {
    const server = net.connect(port, '127.0.0.1');
    server.on('error', () => undefined);
    client.on('data', (data) => server.write(data));
    client.on('close', () => server.destroy());
    server.on('data', (data) => pass(data, client, server));
  });
}

test('a certificate for another name is refused', async (t) => {
  const port = await tlsServer(t, await authority.issue(['other.test']));
  const error = await fails(port, 'HOST_NAME_MISMATCH');
  assert.match(error.message, /other\.test/);
});

test('a certificate of another root is refused', async (t) => {
  const port = await tlsServer(t, await (await Authority.make()).issue());
  const error = await fails(port, 'UNKNOWN_ROOT');
  assert.equal(error.alert, 'unknown_ca');
  assert.equal(error.alertReceived, false);
});

test('an expired certificate is refused', async (t) => {
  await fails(await tlsServer(t, await authority.issue(undefined, { expired: true })), 'CERTIFICATE_EXPIRED');
});

test('a server of TLS 1.1 is refused', async (t) => {
  const error = await fails(await openssl(t, '-tls1_1', '-cipher', 'DEFAULT:@SECLEVEL=0'), 'PROTOCOL_VERSION');
  assert.equal(error.alert, 'protocol_version');
});

test('a server with weak suites alone is refused', async (t) => {
  const port = await openssl(t, '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-CHACHA20-POLY1305');
  await fails(port, 'NO_COMMON_SUITE');
});

test('a peer without TLS is told apart', async (t) => {
  await fails(await tcpServer(t, (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')), 'NOT_TLS');
});

test('a peer that stays silent runs into the time limit', async (t) => {
  const error = await fails(await tcpServer(t, () => undefined), 'TIMEOUT', { handshakeTimeout: 50 });
  assert.match(error.message, /localhost took more than 50 ms/);
});

test('a peer that closes at once is told apart', async (t) => {
  await fails(await tcpServer(t, (socket) => socket.end()), 'CLOSED_IN_HANDSHAKE');
});

test('a peer that closes in mid-handshake is told apart', async (t) => {
  const port = await tlsServer(t, leaf);
  await fails(await relay(t, port, (data, client) => client.end(data.subarray(0, 100))), 'CLOSED_IN_HANDSHAKE');
});

/** A relay that passes the handshake and gives `cut` what comes of the reply. */
async function cuttingRelay(t, options, cut) {
  const port = await tlsServer(t, { ...leaf, ...options });
  let established = false;
  const between = await relay(t, port, (data, client) => (established ? cut(data, client) : client.write(data)));
  const socket = hubtls.connect(to(between));
  socket.resume();
  await once(socket, 'secureConnect');
  established = true;
  // Tickets that are under way are whole records, and less than half of the reply.
  socket.write(Buffer.alloc(16_000));
  return socket;
}

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  test(`an end in mid-record is no end with ${version}`, async (t) => {
    let seen = 0;
    const socket = await cuttingRelay(t, { minVersion: version, maxVersion: version }, (data, client) => {
      seen += data.length;
      if (seen < 8_000) client.write(data);
      else client.end(data.subarray(0, data.length - 100));
    });
    const [error] = await once(socket, 'error');
    assert.equal(error.code, 'TRUNCATED');
  });

  test(`a reset in mid-record is the network's error with ${version}`, async (t) => {
    let seen = 0;
    const socket = await cuttingRelay(t, { minVersion: version, maxVersion: version }, (data, client) => {
      const rest = Math.min(data.length, 8_000 - seen);
      if (rest === 0) return;
      seen += rest;
      client.write(data.subarray(0, rest));
      if (seen < 8_000) return;
      // libuv reports an end if the reset comes with data, so that has to be read first; `resetAndDestroy` would send FIN before it.
      const reset = () => (socket.bytesRead < client.bytesWritten ? setImmediate(reset) : client._handle.reset(() => client.destroy()));
      reset();
    });
    const [error] = await once(socket, 'error');
    assert.equal(error.code, 'ECONNRESET');
    assert.equal(error.syscall, 'read');
  });

  test(`an end without close_notify is told apart with ${version}`, async (t) => {
    const socket = await cuttingRelay(t, { minVersion: version, maxVersion: version }, (data, client) => client.end());
    const [error] = await once(socket, 'error');
    assert.equal(error.code, 'TRUNCATED');
  });

  test(`a record that was changed is refused with ${version}`, async (t) => {
    const socket = await cuttingRelay(t, { minVersion: version, maxVersion: version }, (data, client) => {
      data[data.length - 1] ^= 1;
      client.write(data);
    });
    const [error] = await once(socket, 'error');
    assert.equal(error.code, 'BAD_RECORD', error.message);
    assert.equal(error.alert, 'bad_record_mac');
  });

  test(`a client certificate that is demanded and missing is told with ${version}`, async (t) => {
    const port = await openssl(t, '-Verify', '2', '-verify_return_error', version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3');
    const error = await fails(port, 'CLIENT_CERTIFICATE_REQUIRED');
    assert.equal(error.alertReceived, true);
    assert.match(error.hint, /identity/);
  });
}

test('a port without a server has the code of Node.js', async () => {
  const error = await failure(await freePort());
  assert.equal(error.code, 'ECONNREFUSED');
  assert.equal(error.syscall, 'connect');
  await assert.rejects(hubtls.connectAsync(to(error.port)), { code: 'ECONNREFUSED' });
});

test('a name that cannot be resolved has the code of Node.js', async () => {
  const lookup = (_host, _options, callback) => callback(Object.assign(new Error('none'), { code: 'ENOTFOUND' }));
  const error = await failure(1, { host: 'nowhere.invalid', lookup });
  assert.equal(error.code, 'ENOTFOUND');
});

test('the alert reaches the server before the connection is closed', async (t) => {
  const server = tls.createServer(leaf);
  const port = await listening(t, server);
  const heard = once(server, 'tlsClientError');
  await fails(port, 'UNKNOWN_ROOT', { ca: (await Authority.make()).ca });
  assert.match((await heard)[0].code, /UNKNOWN_CA/);
});

test('a stream that was closed already fails at once', async (t) => {
  const raw = net.connect(await tcpServer(t, (socket) => socket.resume()), '127.0.0.1');
  await once(raw, 'connect');
  raw.destroy();
  await fails(undefined, 'CLOSED_IN_HANDSHAKE', { host: undefined, port: undefined, socket: raw });
});
