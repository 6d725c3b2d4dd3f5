'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { createPrivateKey, webcrypto } = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');
const test = require('node:test');
const tls = require('node:tls');
const { promisify } = require('node:util');

const x509 = require('@peculiar/x509');

const hubtls = require('..');
const { Authority } = require('./authority.js');
const { PATIENCE, directory, listening, opensslServer, tlsServer } = require('./servers.js');

const HUB = 'hub.azure-devices.net';
const run = promisify(execFile);
const [MAJOR, MINOR] = process.versions.openssl.split('.').map(Number);
const POST_QUANTUM = MAJOR > 3 || (MAJOR === 3 && MINOR >= 5);

/** The version and the suite that were agreed; an error of the connection is thrown. */
async function connected(options, port, { host = '127.0.0.1', servername = options.servername ?? 'localhost' } = {}) {
  const socket = tls.connect({ ...options, host, port, servername });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(PATIENCE) });
    assert.equal(socket.authorized, true);
    return { version: socket.getProtocol(), suite: socket.getCipher().standardName, group: socket.getEphemeralKeyInfo().name };
  } finally {
    socket.destroy();
  }
}

/** A server, and the code with which it refuses its next client. */
async function refusing(t, options) {
  const server = tls.createServer(options, (socket) => socket.on('error', () => undefined));
  const refused = new Promise((resolve) => server.once('tlsClientError', (error) => resolve(error.code)));
  return { port: await listening(t, server), refused };
}

const code = (code) => (error) => {
  assert.equal(error.code, code, String(error));
  return true;
};

test('Node.js agrees on the best of the policy', async (t) => {
  const authority = await Authority.make();
  const port = await tlsServer(t, await authority.issue());
  const agreed = await connected(hubtls.tlsOptions({ addCa: authority.ca }), port);
  assert.equal(agreed.version, 'TLSv1.3');
  assert(hubtls.Policy.named().suites.includes(agreed.suite));
  assert.equal(agreed.group, 'X25519');
});

test('each suite of the policy is agreed with a server that has no other', async (t) => {
  const byKind = { ECDSA: await Authority.make('ecdsa'), RSA: await Authority.make('rsa') };
  const policy = hubtls.Policy.named();
  const openssl = [...policy.opensslCiphersuites.split(':'), ...policy.opensslCipherList.split(':')];
  assert.equal(openssl.length, 10);
  for (const suite of openssl) {
    const authority = byKind[suite.includes('RSA') && !suite.includes('ECDSA') ? 'RSA' : 'ECDSA'];
    const versions = suite.startsWith('TLS_') ? {} : { maxVersion: 'TLSv1.2' };
    const port = await tlsServer(t, { ...(await authority.issue()), ...versions, ciphers: suite });
    const agreed = await connected(hubtls.tlsOptions({ addCa: authority.ca }), port);
    assert(policy.suites.includes(agreed.suite), agreed.suite);
  }
});

test('no suite but the policy\'s is offered in TLS 1.2 or in TLS 1.3', async (t) => {
  const authority = await Authority.make('rsa');
  const others = [
    ['TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256'],
    ['TLSv1.3', 'TLS_AES_128_CCM_SHA256'],
    ['TLSv1.2', 'ECDHE-RSA-CHACHA20-POLY1305'],
    ['TLSv1.2', 'AES128-GCM-SHA256'],
    ['TLSv1.2', 'ECDHE-RSA-AES128-SHA'],
    ['TLSv1.2', 'DHE-RSA-AES128-GCM-SHA256'],
  ];
  for (const [version, ciphers] of others) {
    const { port, refused } = await refusing(t, {
      ...(await authority.issue()),
      minVersion: version,
      maxVersion: version,
      ciphers,
      dhparam: 'auto',
    });
    await assert.rejects(connected(hubtls.tlsOptions({ addCa: authority.ca }), port), /handshake failure/, ciphers);
    assert.equal(await refused, 'ERR_SSL_NO_SHARED_CIPHER', ciphers);
  }
});

test('no group but the policy\'s is offered', async (t) => {
  const authority = await Authority.make();
  const { port, refused } = await refusing(t, { ...(await authority.issue()), ecdhCurve: 'P-521' });
  await assert.rejects(connected(hubtls.tlsOptions({ addCa: authority.ca }), port), /handshake failure/);
  assert.match(await refused, /NO_SUITABLE_KEY_SHARE|NO_SHARED_GROUP/);
});

test('no signature scheme but the policy\'s is offered', async (t) => {
  const authority = await Authority.make('rsa');
  const credentials = await authority.issue();
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    let shared;
    const versions = { minVersion: version, maxVersion: version };
    const port = await tlsServer(t, { ...credentials, ...versions, sigalgs: undefined }, (socket) => {
      shared = socket.getSharedSigalgs();
      socket.end('x');
    });
    const socket = tls.connect({ ...hubtls.tlsOptions({ addCa: authority.ca }), host: '127.0.0.1', port, servername: 'localhost' });
    await once(socket, 'data', { signal: AbortSignal.timeout(PATIENCE) });
    socket.destroy();
    assert(shared.length >= 9, String(shared));
    assert(!shared.some((scheme) => /SHA1|SHA224|Ed448|DSA\+SHA1/i.test(scheme) || /^DSA/.test(scheme)), String(shared));
  }
});

test('a narrowed policy is narrow in Node.js', async (t) => {
  const authority = await Authority.make('rsa');
  const port = await tlsServer(t, await authority.issue());
  const policy = hubtls.Policy.named().onlyVersions(['TLSv1.2']).onlySuites(['ECDHE-RSA-AES256-GCM-SHA384']).onlyGroups(['secp384r1']);
  assert.deepEqual(await connected(hubtls.tlsOptions({ policy, addCa: authority.ca }), port), {
    version: 'TLSv1.2',
    suite: 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    group: 'secp384r1',
  });
  const newest = hubtls.Policy.named().onlyVersions(['TLSv1.3']);
  assert.equal((await connected(hubtls.tlsOptions({ policy: newest, addCa: authority.ca }), port)).version, 'TLSv1.3');
  const old = await refusing(t, { ...(await authority.issue()), maxVersion: 'TLSv1.2' });
  await assert.rejects(connected(hubtls.tlsOptions({ policy: newest, addCa: authority.ca }), old.port), /protocol version/);
  assert.equal(await old.refused, 'ERR_SSL_UNSUPPORTED_PROTOCOL');
});

test('a server with an RSA key of 1024 bits is refused', async (t) => {
  const made = directory(t);
  const [key, chain] = ['weak.key', 'weak.pem'].map((name) => path.join(made, name));
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '1'];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:1024', '-nodes', '-keyout', key, '-out', chain, ...subject]);
  const port = await opensslServer(t, '-cert', chain, '-key', key, '-tls1_2', '-cipher', 'ALL:@SECLEVEL=0');
  await assert.rejects(connected(hubtls.tlsOptions({ addCa: fs.readFileSync(chain) }), port), /EE certificate key too weak/);
});

test('a server of TLS 1.1 is refused', async (t) => {
  const authority = await Authority.make('rsa');
  const { cert, key } = await authority.issue();
  const made = directory(t);
  fs.writeFileSync(path.join(made, 'all.pem'), `${cert}\n${key}`);
  const port = await opensslServer(t, '-cert', path.join(made, 'all.pem'), '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0');
  await assert.rejects(connected(hubtls.tlsOptions({ addCa: authority.ca }), port), code('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'));
});

test('openssl s_server is spoken with', async (t) => {
  const authority = await Authority.make('rsa');
  const { cert, key } = await authority.issue();
  const made = directory(t);
  fs.writeFileSync(path.join(made, 'all.pem'), `${cert}\n${key}`);
  for (const version of ['-tls1_2', '-tls1_3']) {
    const port = await opensslServer(t, '-cert', path.join(made, 'all.pem'), version);
    const agreed = await connected(hubtls.tlsOptions({ addCa: authority.ca }), port);
    assert.equal(agreed.version, version.replace('-tls1_', 'TLSv1.'));
  }
});

test('a wrong name, an unknown root and an expired certificate are refused', async (t) => {
  const authority = await Authority.make();
  const options = hubtls.tlsOptions({ addCa: authority.ca });
  const good = await tlsServer(t, await authority.issue());
  await assert.rejects(connected(options, good, { servername: 'other.example' }), code('ERR_TLS_CERT_ALTNAME_INVALID'));
  await assert.rejects(connected(hubtls.tlsOptions(), good), code('UNABLE_TO_VERIFY_LEAF_SIGNATURE'));
  const expired = await tlsServer(t, await authority.issue(undefined, { expired: true }));
  await assert.rejects(connected(options, expired), code('CERT_HAS_EXPIRED'));
});

test('a name that only the common name tells is refused, as by the engine', async (t) => {
  const authority = await Authority.make();
  const port = await tlsServer(t, await authority.issue(['localhost'], { named: false }));
  await assert.rejects(connected(hubtls.tlsOptions({ addCa: authority.ca }), port), code('HOST_NAME_MISMATCH'));
  await assert.rejects(hubtls.connectAsync({ host: '127.0.0.1', port, servername: 'localhost', addCa: authority.ca }), hubtls.HubTlsError);
});

test('an intermediate authority that is trusted is a root, where Node.js can', async (t) => {
  const authority = await (await Authority.make()).intermediate();
  const port = await tlsServer(t, await authority.issue());
  (await hubtls.connectAsync({ host: '127.0.0.1', port, servername: 'localhost', addCa: authority.ca })).destroy();
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 9) || (major === 20 && minor >= 18)) {
    await connected(hubtls.tlsOptions({ addCa: authority.ca }), port);
  } else {
    assert.throws(() => hubtls.tlsOptions({ addCa: authority.ca }), code('UNSUPPORTED_BY_ENGINE'));
  }
});

test('an agent that is shared takes no session for options which would have refused it', async (t) => {
  const authority = await Authority.make();
  const leaf = await authority.issue([HUB]);
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const server = https.createServer({ ...leaf, maxVersion: version }, (_request, response) => response.end('x'));
    const port = await listening(t, server);
    t.after(() => server.closeAllConnections());
    const roots = hubtls.Roots.from(authority.ca);
    const [added, vouching] = [hubtls.tlsOptions({ addCa: roots }), hubtls.tlsOptions({ addCa: roots.vouchingForAzure() })];
    for (const keepAlive of [false, true]) {
      const agent = new https.Agent({ keepAlive });
      t.after(() => agent.destroy());
      const get = (options) =>
        new Promise((resolve, reject) => {
          const request = https.get({ ...options, host: '127.0.0.1', port, servername: HUB, agent }, (response) => {
            const reused = request.reusedSocket || response.socket.isSessionReused();
            response.resume().once('end', () => setImmediate(resolve, reused));
          });
          request.once('error', reject);
        });
      assert.equal(await get(vouching), false);
      // Since Node.js 22 nothing is reused if a request, and not the agent, says how names are checked.
      const reuses = Number(process.versions.node.split('.')[0]) < 22;
      // A session, or a connection that is free again, may come a little later.
      for (let n = 0; (await get(vouching)) !== reuses; n += 1) assert(n < 50, 'nothing was reused');
      await assert.rejects(get(added), code('ROOT_NOT_FOR_AZURE'));
      // Other code's options, which are no names of hubtls.
      assert.equal(await get({ ...vouching, sessionIdContext: undefined, checkServerIdentity: () => undefined }), false);
    }
  }
});

test('an added root does not vouch for Azure', async (t) => {
  const authority = await Authority.make();
  const port = await tlsServer(t, await authority.issue([HUB, 'gateway.example']));
  const options = hubtls.tlsOptions({ addCa: authority.ca });
  for (const servername of [HUB, HUB.toUpperCase(), `${HUB}.`]) {
    await assert.rejects(connected(options, port, { servername }), code('ROOT_NOT_FOR_AZURE'), servername);
  }
  await connected(options, port, { servername: 'gateway.example' });
  // With a name Node.js is given the roots that are believed about it, and no other.
  await assert.rejects(
    connected(hubtls.tlsOptions({ addCa: authority.ca, servername: HUB }), port),
    code('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
  );
  // Unless another name is given later on.
  await assert.rejects(
    connected(hubtls.tlsOptions({ addCa: authority.ca, servername: 'gateway.example' }), port, { servername: HUB }),
    code('ROOT_NOT_FOR_AZURE'),
  );
});

test('a root that vouches for Azure does', async (t) => {
  const authority = await Authority.make();
  const port = await tlsServer(t, await authority.issue([HUB]));
  const addCa = hubtls.Roots.from(authority.ca).vouchingForAzure();
  await connected(hubtls.tlsOptions({ addCa }), port, { servername: HUB });
  await connected(hubtls.tlsOptions({ addCa, servername: HUB }), port);
  await connected({ secureContext: hubtls.secureContext({ addCa }) }, port, { servername: HUB });
});

test('a root that vouches is told from an added one beside it', async (t) => {
  const [vouching, added] = [await Authority.make(), await Authority.make()];
  const ca = hubtls.Roots.from(vouching.ca).vouchingForAzure().withAdded(hubtls.Roots.from(added.ca));
  const options = hubtls.tlsOptions({ ca });
  const good = await vouching.issue([HUB]);
  await connected(options, await tlsServer(t, { ...good, cert: `${good.cert}\n${vouching.ca}` }), { servername: HUB });
  await connected(options, await tlsServer(t, good), { servername: HUB });
  const bad = await added.issue([HUB]);
  await assert.rejects(connected(options, await tlsServer(t, bad), { servername: HUB }), code('ROOT_NOT_FOR_AZURE'));
  // The server may send what it likes.
  const port = await tlsServer(t, { ...bad, cert: `${bad.cert}\n${vouching.ca}` });
  await assert.rejects(connected(options, port, { servername: HUB }), code('ROOT_NOT_FOR_AZURE'));
});

test('a root that has the name of another does not vouch in its stead', async (t) => {
  const real = await Authority.make();
  const fake = await Authority.make();
  fake.root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '7f',
    name: real.root.subject,
    notBefore: real.root.notBefore,
    notAfter: real.root.notAfter,
    signingAlgorithm: fake.algorithm,
    keys: fake.keys,
    extensions: [new x509.BasicConstraintsExtension(true, 2, true)],
  });
  const keys = await webcrypto.subtle.generateKey(fake.algorithm, true, ['sign', 'verify']);
  // Without the identifier of its issuer's key: any issuer of that name will do.
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '7e',
    subject: `CN=${HUB}`,
    issuer: real.root.subject,
    notBefore: real.root.notBefore,
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: fake.algorithm,
    signingKey: fake.keys.privateKey,
    publicKey: keys.publicKey,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: HUB }, { type: 'dns', value: 'gateway.example' }])],
  });
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  const ca = hubtls.Roots.from(fake.root.toString('pem')).withAdded(hubtls.Roots.from(real.ca).vouchingForAzure());
  const port = await tlsServer(t, { cert: `${certificate.toString('pem')}\n${real.ca}`, key });
  // OpenSSL accepts it by the fake root, and Node.js shows the real one as its issuer.
  const options = hubtls.tlsOptions({ ca });
  let shown;
  const checkServerIdentity = (host, certificate) => {
    shown = certificate.issuerCertificate.raw;
    return options.checkServerIdentity(host, certificate);
  };
  await assert.rejects(connected({ ...options, checkServerIdentity }, port, { servername: HUB }), code('ROOT_NOT_FOR_AZURE'));
  assert.deepEqual(shown, Buffer.from(real.root.rawData));
  await connected(hubtls.tlsOptions({ ca }), port, { servername: 'gateway.example' });
});

test('a trusted root that is not pinned is refused', async (t) => {
  const [pinned, other] = [await Authority.make(), await Authority.make()];
  const ca = hubtls.Roots.from(pinned.ca).withAdded(hubtls.Roots.from(other.ca));
  for (const pin of [pinned.ca, hubtls.Roots.from(pinned.ca).all[0].pin]) {
    const options = hubtls.tlsOptions({ ca, pins: pin });
    await connected(options, await tlsServer(t, await pinned.issue()));
    const { cert, key } = await other.issue();
    for (const chain of [cert, `${cert}\n${other.ca}`, `${cert}\n${pinned.ca}`]) {
      await assert.rejects(
        connected(options, await tlsServer(t, { cert: chain, key })),
        (error) => ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SELF_SIGNED_CERT_IN_CHAIN'].includes(error.code),
      );
    }
  }
});

test('the name is not looked at when the chain is refused', async (t) => {
  const authority = await Authority.make();
  const port = await tlsServer(t, await authority.issue());
  const options = hubtls.tlsOptions();
  let looked = false;
  const spying = { ...options, checkServerIdentity: (...values) => (looked = true) && options.checkServerIdentity(...values) };
  await assert.rejects(connected(spying, port), code('UNABLE_TO_VERIFY_LEAF_SIGNATURE'));
  assert.equal(looked, false);
});

test('a client certificate is shown', async (t) => {
  const authority = await Authority.make('rsa');
  const { cert, key } = await authority.issue(['device-1']);
  let seen;
  const server = { ...(await authority.issue()), ca: authority.ca, requestCert: true, rejectUnauthorized: true };
  const port = await tlsServer(t, server, (socket) => {
    seen = socket.getPeerCertificate().subject.CN;
    socket.end('x');
  });
  const passphrase = 'secret';
  const encrypted = createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase });
  for (const identity of [{ cert, key }, { cert: Buffer.from(cert), key: new TextEncoder().encode(key) }, { cert, key: encrypted, passphrase }]) {
    seen = undefined;
    const socket = tls.connect({ ...hubtls.tlsOptions({ addCa: authority.ca, ...identity }), host: '127.0.0.1', port, servername: 'localhost' });
    await once(socket, 'data', { signal: AbortSignal.timeout(PATIENCE) });
    socket.destroy();
    assert.equal(seen, 'device-1');
  }
});

test('protocols are offered as names or as bytes', async (t) => {
  const authority = await Authority.make();
  const port = await tlsServer(t, { ...(await authority.issue()), ALPNProtocols: ['x-amzn-mqtt-ca', 'mqtt'] });
  for (const ALPNProtocols of [['mqtt'], [Buffer.from('mqtt')], ['other', new TextEncoder().encode('mqtt')]]) {
    const options = hubtls.tlsOptions({ addCa: authority.ca, ALPNProtocols });
    const socket = tls.connect({ ...options, host: '127.0.0.1', port, servername: 'localhost' });
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(PATIENCE) });
    assert.equal(socket.alpnProtocol, 'mqtt');
    socket.destroy();
  }
});

test('https takes the options and resumes sessions', async (t) => {
  const authority = await Authority.make();
  const server = https.createServer(await authority.issue(), (_, answer) => answer.end('hello'));
  const port = await listening(t, server);
  const agent = new https.Agent({ ...hubtls.tlsOptions({ addCa: authority.ca }), maxCachedSessions: 10 });
  const get = async () => {
    const [answer] = await once(https.get({ host: 'localhost', port, agent }), 'response', { signal: AbortSignal.timeout(PATIENCE) });
    answer.resume();
    const reused = answer.socket.isSessionReused();
    await once(answer, 'end');
    return reused;
  };
  assert.deepEqual([await get(), await get()], [false, true]);
});

test('what Node.js cannot express is refused', async () => {
  const { ca } = await Authority.make();
  const { cert, key } = await (await Authority.make()).issue();
  const impossible = [
    { identity: hubtls.Identity.fromPem(cert, key) },
    { pfx: Buffer.from('x') },
    { crl: ca },
    { requireRevocationStatus: true },
    { keyLog: 'x' },
    { time: 1_800_000_000 },
    { sni: false },
    { sni: 'other.example' },
    { resumption: false },
    { fragmentLength: '512:require' },
    { policy: hubtls.Policy.named().withFragmentLength('512:require') },
    { ca: hubtls.Roots.publicWeb() },
    ...(POST_QUANTUM ? [] : [{ postQuantum: true }]),
  ];
  for (const options of impossible) {
    for (const make of [hubtls.tlsOptions, hubtls.secureContext]) {
      assert.throws(() => make(options), code('UNSUPPORTED_BY_ENGINE'), JSON.stringify(Object.keys(options)));
    }
  }
  const harmless = { fragmentLength: '512', requireRevocationStatus: false, sni: true, resumption: true, postQuantum: false, time: null };
  assert.equal(hubtls.tlsOptions(harmless).ciphers, hubtls.tlsOptions().ciphers);
});

test('options that are wrong are refused as elsewhere', async () => {
  const authority = await Authority.make();
  const { cert, key } = await authority.issue(['device-1'], { expired: true });
  assert.throws(() => hubtls.tlsOptions({ polic: 'iothub' }), code('INVALID_ARGUMENT'));
  assert.throws(() => hubtls.tlsOptions('x'), code('UNKNOWN_POLICY'));
  assert.throws(() => hubtls.tlsOptions({ cert }), code('INVALID_ARGUMENT'));
  assert.throws(() => hubtls.tlsOptions({ cert, key, refuseInvalidIdentity: true }), code('IDENTITY_EXPIRED'));
  assert.throws(() => hubtls.tlsOptions({ ca: authority.ca, servername: HUB }), code('NO_ROOTS'));
});

test('post-quantum key exchange is offered where OpenSSL has it', async (t) => {
  const authority = await Authority.make();
  const port = await tlsServer(t, await authority.issue());
  if (!POST_QUANTUM) return assert.throws(() => hubtls.tlsOptions({ postQuantum: true }), code('UNSUPPORTED_BY_ENGINE'));
  await connected(hubtls.tlsOptions({ addCa: authority.ca, postQuantum: true }), port);
  assert.match(hubtls.tlsOptions({ postQuantum: true }).ecdhCurve, /^X25519MLKEM768:X25519:/);
});

test('a context is of the policy', async (t) => {
  const authority = await Authority.make();
  const vouching = hubtls.Roots.from(authority.ca).vouchingForAzure();
  const port = await tlsServer(t, await authority.issue());
  await connected({ secureContext: hubtls.secureContext({ ca: vouching }) }, port);
  await assert.rejects(connected({ secureContext: hubtls.secureContext() }, port), code('UNABLE_TO_VERIFY_LEAF_SIGNATURE'));
  const { port: other, refused } = await refusing(t, { ...(await authority.issue()), ciphers: 'TLS_CHACHA20_POLY1305_SHA256', minVersion: 'TLSv1.3' });
  await assert.rejects(connected({ secureContext: hubtls.secureContext({ ca: vouching }) }, other), /handshake failure/);
  assert.equal(await refused, 'ERR_SSL_NO_SHARED_CIPHER');
});

test('a context has no private root that might vouch for Azure', async (t) => {
  const authority = await Authority.make();
  assert.throws(() => hubtls.secureContext({ addCa: authority.ca }), code('UNSUPPORTED_BY_ENGINE'));
  const port = await tlsServer(t, await authority.issue([HUB, 'localhost']));
  await connected({ secureContext: hubtls.secureContext({ addCa: authority.ca, servername: 'localhost' }) }, port);
  await assert.rejects(
    connected({ secureContext: hubtls.secureContext({ addCa: authority.ca, servername: HUB }) }, port, { servername: HUB }),
    code('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
  );
});

const CHILD = `
const tls = require('node:tls');
const socket = tls.connect({ ...JSON.parse(process.argv[1]), host: '127.0.0.1', servername: 'localhost' });
socket.once('error', (error) => console.log(error.code));
socket.once('secureConnect', () => { console.log(socket.getProtocol(), socket.getCipher().standardName); socket.destroy(); });
`;

async function inChild(environment, options) {
  const env = { ...process.env, ...environment };
  const { stdout } = await run(process.execPath, ['-e', CHILD, JSON.stringify(options)], { env, timeout: PATIENCE });
  return stdout.trim();
}

test('NODE_OPTIONS bounds a process that knows nothing of it', async (t) => {
  const authority = await Authority.make('rsa');
  const { cert, key } = await authority.issue();
  const { ca } = authority;
  const made = directory(t);
  fs.writeFileSync(path.join(made, 'all.pem'), `${cert}\n${key}`);
  const old = await opensslServer(t, '-cert', path.join(made, 'all.pem'), '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0');
  const NODE_OPTIONS = hubtls.nodeOptions();
  assert.equal(await inChild({ NODE_OPTIONS }, { port: old, ca }), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  const good = await tlsServer(t, { cert, key });
  assert.match(await inChild({ NODE_OPTIONS }, { port: good, ca }), /^TLSv1.3 TLS_AES_/);
  const oneThree = hubtls.Policy.named().onlyVersions(['TLSv1.3']);
  assert.match(await inChild({ NODE_OPTIONS: hubtls.nodeOptions(oneThree) }, { port: good, ca }), /^TLSv1.3 TLS_AES_/);
  assert.match(await inChild({ NODE_OPTIONS: hubtls.nodeOptions('iothub-tls12') }, { port: good, ca }), /^TLSv1.2 TLS_ECDHE_RSA_/);
  for (const [version, ciphers] of [['TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256'], ['TLSv1.2', 'ECDHE-RSA-CHACHA20-POLY1305']]) {
    const { port, refused } = await refusing(t, { cert, key, ciphers, minVersion: version, maxVersion: version });
    assert.match(await inChild({ NODE_OPTIONS }, { port, ca }), /HANDSHAKE_FAILURE/);
    assert.equal(await refused, 'ERR_SSL_NO_SHARED_CIPHER');
  }
});

test('the environment does not switch verification off or add roots', async (t) => {
  const authority = await Authority.make();
  const port = await tlsServer(t, await authority.issue());
  const made = directory(t);
  fs.writeFileSync(path.join(made, 'ca.pem'), authority.ca);
  const { checkServerIdentity: _, ...options } = hubtls.tlsOptions();
  const environment = {
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
    NODE_EXTRA_CA_CERTS: path.join(made, 'ca.pem'),
    SSL_CERT_FILE: path.join(made, 'ca.pem'),
    NODE_OPTIONS: '--use-openssl-ca',
  };
  assert.equal(await inChild(environment, { ...options, port }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
});

test('a context, which verifies nothing itself, is refused while the environment switches verification off', async () => {
  const program = "try { require('.').secureContext() } catch (error) { console.log(error.code) }";
  for (const [value, expected] of [['0', 'UNSUPPORTED_BY_ENGINE'], ['1', '']]) {
    const env = { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: value, NODE_NO_WARNINGS: '1' };
    const { stdout } = await run(process.execPath, ['-e', program], { cwd: path.join(__dirname, '..'), env, timeout: PATIENCE });
    assert.equal(stdout.trim(), expected);
  }
});

test('protocols in bytes and in letters are counted in bytes', () => {
  const { ALPNProtocols } = hubtls.tlsOptions({ ALPNProtocols: ['\u00e9', Buffer.from('mqtt')] });
  assert.deepEqual(ALPNProtocols, Buffer.from('\x02\xc3\xa9\x04mqtt', 'latin1'));
});
