'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const { EXAMPLES, PACKAGE, run, workshop } = require('./workshop.js');

const TSC = path.join(PACKAGE, 'node_modules/typescript/bin/tsc');
const STRICT = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'node16', '--target', 'es2022', '--types', 'node'];

const check = (made, names, ...values) => run(made, TSC, ...STRICT, ...values, ...names);

test('a program in TypeScript compiles', async (t) => {
  const made = workshop(t, { 'types.ts': fs.readFileSync(path.join(__dirname, 'types/types.ts')) });
  assert.deepEqual(await check(made, ['types.ts']), { code: 0, stdout: '', stderr: '' });
});

test('the sample devices have the types that they say', async (t) => {
  const names = fs.readdirSync(EXAMPLES).filter((name) => name.endsWith('.mjs'));
  assert.equal(names.length, 3);
  const made = workshop(t, Object.fromEntries(names.map((name) => [name, fs.readFileSync(path.join(EXAMPLES, name))])));
  assert.deepEqual(await check(made, names, '--allowJs', '--checkJs'), { code: 0, stdout: '', stderr: '' });
});

test('the declarations suit each way to find modules, whatever else is set', async (t) => {
  const program = "import { connect } from 'hubtls';\nimport { mqttTransport } from 'hubtls/azure';\nexport const all = [connect({ host: 'hub' }), mqttTransport()];\n";
  for (const [module, moduleResolution, name] of [['commonjs', 'node', 'a.ts'], ['nodenext', 'nodenext', 'a.mts'], ['esnext', 'bundler', 'a.ts']]) {
    const made = workshop(t, { [name]: program });
    const settings = ['--noEmit', '--strict', '--module', module, '--moduleResolution', moduleResolution, '--target', 'es2022', '--types', 'node'];
    assert.deepEqual(await run(made, TSC, ...settings, name), { code: 0, stdout: '', stderr: '' }, module);
  }
});

test('the declarations need no library but Node.js\'s', async (t) => {
  const made = workshop(t, { 'alone.mts': "import { connect, type TLSSocket } from 'hubtls';\nexport const socket: TLSSocket = connect({ host: 'hub' });\n" });
  for (const name of ['mqtt', 'undici', 'ws', 'azure-iot-device', 'azure-iot-device-mqtt']) fs.rmSync(path.join(made, 'node_modules', name));
  assert.deepEqual(await check(made, ['alone.mts']), { code: 0, stdout: '', stderr: '' });
});
