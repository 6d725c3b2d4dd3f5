'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const hubtls = require('..');
const { Authority } = require('./authority.js');

const code = (code) => (error) => {
  assert(error instanceof hubtls.HubTlsError, String(error));
  assert.equal(error.code, code);
  assert(error.hint.length > 0);
  return true;
};

test('the default policy has the eight suites and two of TLS 1.3', () => {
  const policy = hubtls.Policy.named();
  assert.equal(policy.suites.length, 10);
  assert.deepEqual(policy.versions, ['TLSv1.3', 'TLSv1.2']);
  assert.deepEqual(policy.groups, ['X25519', 'secp256r1', 'secp384r1']);
  assert.equal(policy.opensslCiphersuites, 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384');
  assert.equal(policy.fragmentLength, 'off');
  assert.equal(policy.isNarrowed, false);
});

test('an alias stands for a dated policy', () => {
  for (const { name, standsFor } of hubtls.Policy.aliases()) {
    assert.equal(hubtls.Policy.named(name).toJson(), hubtls.Policy.named(standsFor).toJson());
  }
});

test('a policy is narrowed and never widened', () => {
  const policy = hubtls.Policy.named().onlyVersions(['TLSv1.2']).onlyAuthentication('ecdsa').onlyGroups(['secp256r1']);
  assert.equal(policy.isNarrowed, true);
  assert(policy.suites.every((suite) => suite.includes('ECDHE_ECDSA')));
  assert.equal(hubtls.Policy.fromJson(policy.toJson()).toJson(), policy.toJson());
  assert.throws(() => policy.onlyVersions(['TLSv1.3']), code('POLICY_EMPTY'));
  assert.throws(() => policy.onlyVersions(['TLSv1.1']), code('POLICY_WIDENED'));
  assert.throws(() => policy.onlyVersions(['x']), code('UNKNOWN_VERSION'));
  assert.throws(() => policy.onlySuites([]), code('POLICY_EMPTY'));
  assert.throws(() => policy.onlyAuthentication('DSA'), code('INVALID_ARGUMENT'));
  assert.throws(() => policy.withFragmentLength('700'), code('INVALID_FRAGMENT_LENGTH'));
  assert.throws(() => hubtls.Policy.named('iothub-eec'), code('UNKNOWN_POLICY'));
  assert.equal(policy.withFragmentLength('512:require').fragmentLength, '512:require');
});

test('the roots of Azure are two and others are opt-in', () => {
  const azure = hubtls.Roots.azure();
  assert.deepEqual(
    azure.all.map((root) => root.subject),
    ['DigiCert Global Root G2', 'Microsoft RSA Root Certificate Authority 2017'],
  );
  assert(azure.all[0].fingerprint.startsWith('CB:3C:CB:B7'));
  assert.equal(hubtls.Roots.embedded().length, 4);
  assert.equal(azure.readiness(365).ready, true);
  assert(azure.all[0].notBefore < Date.now() / 1000);
});

test('added roots are beside the policy\'s and not for Azure', async () => {
  const { ca } = await Authority.make();
  const config = hubtls.createConfig({ addCa: ca });
  assert.equal(config.roots.length, 3);
  assert.equal(config.roots.believedAbout('hub.azure-devices.net').length, 2);
  assert.equal(config.roots.believedAbout('gateway.example').length, 3);
  assert.equal(config.withRoots(hubtls.Roots.azure()).roots.length, 2);
});

test('options that are wrong are refused at once', async () => {
  const authority = await Authority.make();
  const { cert, key } = await authority.issue();
  const other = await authority.issue();
  const wrong = [
    [{ polic: 'iothub' }, 'INVALID_ARGUMENT'],
    [{ policy: 'x' }, 'UNKNOWN_POLICY'],
    [{ ca: 'x' }, 'NO_CERTIFICATE'],
    [{ ca: [] }, 'INVALID_ARGUMENT'],
    [{ ca: 7 }, 'INVALID_ARGUMENT'],
    [{ ca: cert }, 'NOT_A_CERTIFICATE_AUTHORITY'],
    [{ pins: ['x'] }, 'INVALID_PIN'],
    [{ pins: [] }, 'INVALID_ARGUMENT'],
    [{ pins: [cert] }, 'PIN_NOT_ROOT'],
    [{ cert }, 'INVALID_ARGUMENT'],
    [{ key }, 'INVALID_ARGUMENT'],
    [{ cert, key: other.key }, 'KEY_MISMATCH'],
    [{ cert, key: 'x' }, 'INVALID_KEY'],
    [{ pfx: Buffer.from('x') }, 'INVALID_PKCS12'],
    [{ ALPNProtocols: 'mqtt' }, 'INVALID_ARGUMENT'],
    [{ ALPNProtocols: [''] }, 'INVALID_ALPN'],
    [{ fragmentLength: 700 }, 'INVALID_FRAGMENT_LENGTH'],
    [{ time: -1 }, 'INVALID_ARGUMENT'],
    [{ requireRevocationStatus: true }, 'INVALID_ARGUMENT'],
    [{ sni: 'no name' }, 'INVALID_SERVER_NAME'],
  ];
  for (const [options, expected] of wrong) assert.throws(() => hubtls.createConfig(options), code(expected));
});

test('arguments of a wrong type are said to be, and not shown', async () => {
  const { cert, key } = await (await Authority.make()).issue();
  const [policy, roots, config] = [hubtls.Policy.named(), hubtls.Roots.azure(), hubtls.createConfig()];
  const secret = Buffer.from('hunter2');
  const wrong = [
    ...[null, 7, 'x', [], new Map(), policy, config, Object.create({ policy })].map((options) => () => hubtls.createConfig(options)),
    ...[null, policy, config].map((options) => () => new hubtls.Agent(options)),
    ...[null, config].map((options) => () => hubtls.tlsOptions(options)),
    () => hubtls.connect(null),
    () => hubtls.mqttStream(config),
    () => hubtls.undiciConnector(policy),
    () => hubtls.createSecureConnection(config),
    () => hubtls.nodeOptions(5),
    ...['policy', 'ca', 'pins', 'pfx', 'crl', 'sni', 'keyLog', 'time', 'fragmentLength', 'identity'].map((name) => () => hubtls.createConfig({ [name]: {} })),
    ...['resumption', 'postQuantum', 'refuseInvalidIdentity', 'requireRevocationStatus'].map((name) => () => hubtls.createConfig({ [name]: 'false' })),
    () => hubtls.createConfig({ constructor: 1 }),
    () => hubtls.createConfig(JSON.parse('{"__proto__": 1}')),
    () => hubtls.createConfig({ cert, key, passphrase: secret }),
    () => hubtls.createConfig({ pfx: secret, passphrase: { secret } }),
    () => hubtls.Identity.fromPem(cert, key, secret),
    () => hubtls.Identity.fromPkcs12(secret, secret),
    () => hubtls.Identity.fromDer('x', 'y'),
    () => hubtls.Policy.named(5),
    () => hubtls.Policy.fromJson({}),
    () => policy.onlyVersions('TLSv1.3'),
    () => policy.onlySuites([5]),
    () => policy.withFragmentLength(512),
    () => hubtls.Roots.from(5),
    () => hubtls.Roots.ofPolicy('iothub'),
    () => roots.withAdded('x'),
    () => roots.believedAbout(null),
    () => roots.readiness(NaN),
    () => roots.readiness(1e300),
    () => hubtls.Certificate.fromDer('x'),
    () => new hubtls.Connection(policy, 'localhost'),
    () => new hubtls.Connection(config, 5),
    () => new hubtls.Connection(config, 'localhost').receive(new Uint16Array(2)),
    () => new hubtls.Policy(),
    () => new hubtls.Roots(),
  ];
  for (const call of wrong) {
    assert.throws(call, (error) => {
      assert(code('INVALID_ARGUMENT')(error));
      assert(!/hunter2|104,\s?117|PRIVATE/.test(`${error.stack}${JSON.stringify(error)}`), String(call));
      return true;
    });
  }
});

test('a second copy of the package knows the errors of the first', () => {
  const kept = { ...require.cache };
  for (const name of Object.keys(require.cache)) if (name.includes('dist')) delete require.cache[name];
  const other = require('..');
  Object.assign(require.cache, kept);
  assert.notEqual(other.HubTlsError, hubtls.HubTlsError);
  assert.throws(() => hubtls.Policy.named('x'), other.HubTlsError);
  assert.throws(() => other.createConfig({ ca: 'x' }), hubtls.HubTlsError);
  assert.equal(other.createConfig({ policy: hubtls.Policy.named('iothub-ecc') }).policy.name, 'iothub-2025-08-ecc');
});

test('undefined and null are the same as left out', () => {
  const config = hubtls.createConfig({ policy: undefined, ca: undefined, pins: null });
  assert.equal(config.policy.toJson(), hubtls.Policy.named().toJson());
});

test('every code has the number and the name of the list', () => {
  const text = fs.readFileSync(path.join(__dirname, '../../../core/snapshots/errors.txt'), 'utf8');
  const lines = text.split('\n').filter((line) => line && !line.startsWith('#'));
  assert.deepEqual(
    hubtls.errorCodes().map(({ name, number }) => `${number} ${name}`),
    lines,
  );
});

test('an identity tells whose it is and shows no key', async () => {
  const { cert, key } = await (await Authority.make()).issue(['device-1']);
  const identity = hubtls.Identity.fromPem(cert, key);
  assert.equal(identity.keyAlgorithm, 'P-256');
  assert.equal(identity.subject, 'device-1');
  assert.deepEqual(identity.chain[0].names, ['device-1']);
  assert.equal(JSON.stringify(identity).includes('PRIVATE'), false);
});
