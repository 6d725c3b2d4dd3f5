/**
 * The benchmark of the Node.js package: every figure is a ratio to `node:tls` in the same run, alternated with it.
 *
 * `node bench/table.mjs` prints the table, `--write` puts it into bench/README.md. Wants a library built for release: `npm run build`;
 * HUBTLS_PACKAGE is another folder to take the package from. aws-crt is measured, too, if it is there: `npm install --no-save aws-crt@1.33.2`.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const here = path.dirname(fileURLToPath(import.meta.url));
const hubtls = require(process.env.HUBTLS_PACKAGE ?? '..');

const ROUNDS = 7;
const MEGABYTE = 1 << 20;
const VERSIONS = ['TLSv1.2', 'TLSv1.3'];

/** Credentials, made once and told to every process. */
async function credentials() {
  if (process.env.HUBTLS_BENCH) return JSON.parse(process.env.HUBTLS_BENCH);
  const { Authority } = require('../test/authority.js');
  const authority = await Authority.make();
  return { ca: authority.ca, ...(await authority.issue()) };
}

const CREDENTIALS = await credentials();
const { ca, cert, key } = CREDENTIALS;
const environment = { ...process.env, HUBTLS_BENCH: JSON.stringify(CREDENTIALS) };

/** How each of the two connects; neither resumes a session. */
function clients(version) {
  const policy = hubtls.Policy.named().onlyVersions([version]);
  const config = hubtls.createConfig({ policy, ca, resumption: false });
  const secureContext = tls.createSecureContext({ ca, minVersion: version, maxVersion: version });
  return {
    hubtls: (port) => hubtls.connect({ host: '127.0.0.1', port, servername: 'localhost', config }),
    node: (port) => tls.connect({ host: '127.0.0.1', port, servername: 'localhost', secureContext }),
  };
}

/** The server's process: `send N` and it sends N bytes, `take N` and it says when they came. */
function serve() {
  const server = tls.createServer({ cert, key }, (socket) => {
    socket.on('error', () => undefined);
    let wanted = 0;
    socket.on('data', (data) => {
      if (wanted > 0) {
        wanted -= data.length;
        if (wanted <= 0) socket.write('!');
        return;
      }
      const [what, count] = String(data).split(' ');
      if (what === 'take') {
        wanted = Number(count);
        socket.write('?');
      } else if (what === 'send') {
        for (let sent = 0; sent < Number(count); sent += MEGABYTE) socket.write(Buffer.alloc(MEGABYTE));
      } else socket.write(data);
    });
  });
  server.listen(0, '127.0.0.1', 4096, () => process.send(server.address().port));
  process.once('disconnect', () => process.exit());
}

async function withServer(work) {
  const child = fork(fileURLToPath(import.meta.url), ['--serve'], { env: environment });
  try {
    const [port] = await once(child, 'message');
    return await work(port);
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
}

/** Median of several rounds each; taken in turns, so that a slow moment hits both. */
async function alternated(works, rounds = ROUNDS) {
  const results = { hubtls: [], node: [] };
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of round % 2 ? ['hubtls', 'node'] : ['node', 'hubtls']) {
      const value = await works[name]();
      // The first one warms up.
      if (round > 0) results[name].push(value);
    }
  }
  const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  return { hubtls: median(results.hubtls), node: median(results.node) };
}

const both = (clients, make) => Object.fromEntries(Object.entries(clients).map(([name, client]) => [name, make(client)]));

/** Seconds of this process's CPU, and of the clock. */
async function spent(work) {
  const [cpu, begun] = [process.cpuUsage(), process.hrtime.bigint()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: (user + system) / 1e6, clock: Number(process.hrtime.bigint() - begun) / 1e9 };
}

const row = (what, version, ratio, target) => ({ what, version, ratio, target });

async function contexts() {
  const times = 200;
  const repeat = (make) => async () => (await spent(() => { for (let n = 0; n < times; n += 1) make(); })).cpu;
  const took = await alternated({
    hubtls: repeat(() => hubtls.createConfig()),
    // Without `ca`: Node.js's own roots, which it has parsed by the second time.
    node: repeat(() => tls.createSecureContext()),
  });
  return [row('context, time', '', took.hubtls / took.node, 'at most 1')];
}

async function connections(port, version) {
  const times = 150;
  const one = async (client) => {
    const socket = client(port);
    socket.write('hello');
    await once(socket, 'data');
    socket.destroy();
  };
  const measured = (key) => (client) => async () => (await spent(async () => { for (let n = 0; n < times; n += 1) await one(client); }))[key];
  const cpu = await alternated(both(clients(version), measured('cpu')));
  const clock = await alternated(both(clients(version), measured('clock')));
  return [
    row("full handshakes, speed by client's CPU", version, cpu.node / cpu.hubtls, 'at least 1.5'),
    row("a connection over loopback, client's CPU", version, cpu.hubtls / cpu.node, 'at most 0.7'),
    row('full handshakes one after another, speed by the clock, the server counted', version, clock.node / clock.hubtls, ''),
  ];
}

async function bulk(port, version) {
  const size = 64 * MEGABYTE;
  const receive = (client) => async () => {
    const socket = client(port);
    socket.write('ping');
    await once(socket, 'data');
    const { clock, cpu } = await spent(
      () =>
        new Promise((resolve, reject) => {
          let left = size;
          socket.on('error', reject);
          socket.on('data', (data) => (left -= data.length) <= 0 && resolve());
          socket.write(`send ${size}`);
        }),
    );
    socket.destroy();
    return { clock, cpu };
  };
  const chunk = Buffer.alloc(65_536);
  const send = (client) => async () => {
    const socket = client(port);
    socket.write(`take ${size}`);
    await once(socket, 'data');
    const took = await spent(async () => {
      const answered = once(socket, 'data');
      for (let sent = 0; sent < size; sent += chunk.length) {
        if (!socket.write(chunk)) await once(socket, 'drain');
      }
      await answered;
    });
    socket.destroy();
    return took;
  };
  const rows = [];
  for (const [what, work] of [['receive', receive], ['send', send]]) {
    for (const key of ['clock', 'cpu']) {
      const took = await alternated(both(clients(version), (client) => async () => (await work(client)())[key]), 5);
      const label = key === 'clock' ? 'speed' : "speed by client's CPU";
      rows.push(row(`${what} 64 MB over loopback, ${label}`, version, took.node / took.hubtls, key === 'clock' ? 'at least 1' : ''));
    }
  }
  return rows;
}

/** The AWS common runtime, if it is installed. */
function commonRuntime() {
  try {
    return require('aws-crt');
  } catch {
    return null;
  }
}

/** It has no plain TLS stream: an HTTP connection is made that sends nothing. All its threads' CPU counts, as hubtls's does. */
async function againstCommonRuntime(port) {
  const crt = commonRuntime();
  if (crt === null) return [];
  const made = () => {
    const options = new crt.io.TlsContextOptions();
    options.override_default_trust_store(ca);
    return new crt.io.ClientTlsContext(options);
  };
  const repeat = (make) => async () => (await spent(() => { for (let n = 0; n < 200; n += 1) make(); })).cpu;
  const context = await alternated({ hubtls: repeat(() => hubtls.createConfig({ ca })), node: repeat(made) });
  const shared = made();
  const theirs = async () => {
    const options = new crt.io.TlsConnectionOptions(shared, 'localhost');
    const socket = new crt.io.SocketOptions(crt.io.SocketType.STREAM, crt.io.SocketDomain.IPV4, 10_000);
    const connection = new crt.http.HttpClientConnection(undefined, '127.0.0.1', port, socket, options);
    await Promise.race([once(connection, 'connect'), once(connection, 'error').then(([error]) => Promise.reject(error))]);
    const closed = once(connection, 'close');
    connection.close();
    await closed;
  };
  const config = hubtls.createConfig({ ca, resumption: false });
  const ours = async () => {
    const socket = await hubtls.connectAsync({ host: '127.0.0.1', port, servername: 'localhost', config });
    const closed = once(socket, 'close');
    socket.destroy();
    await closed;
  };
  const measured = (key) => (one) => async () => (await spent(async () => { for (let n = 0; n < 150; n += 1) await one(); }))[key];
  const cpu = await alternated(both({ hubtls: ours, node: theirs }, measured('cpu')));
  const clock = await alternated(both({ hubtls: ours, node: theirs }, measured('clock')));
  return [
    row('against aws-crt: context, time', '', context.hubtls / context.node, ''),
    row("against aws-crt: a connection over loopback, client's CPU", 'TLSv1.3', cpu.hubtls / cpu.node, ''),
    row('against aws-crt: connections one after another, speed by the clock, the server counted', 'TLSv1.3', clock.node / clock.hubtls, ''),
  ];
}

/** Resident kilobytes of one of 1,000 idle connections, in a process of its own. */
async function measureMemory(name, port, version) {
  const client = clients(version)[name];
  const open = async () => {
    const socket = client(port);
    await once(socket, 'secureConnect');
    return socket;
  };
  const kept = [];
  for (let n = 0; n < 50; n += 1) kept.push(await open());
  gc();
  const before = process.memoryUsage.rss();
  for (let n = 0; n < 1000; n += 1) kept.push(await open());
  gc();
  await new Promise((resolve) => setImmediate(resolve));
  gc();
  console.log((process.memoryUsage.rss() - before) / 1000 / 1024);
  process.exit();
}

async function memory(version) {
  const took = {};
  for (const name of ['hubtls', 'node']) {
    const values = [];
    for (let n = 0; n < 3; n += 1) {
      await withServer(async (port) => {
        const measuring = ['--memory', name, String(port), version];
        const child = fork(fileURLToPath(import.meta.url), measuring, { env: environment, execArgv: ['--expose-gc'], silent: true });
        let text = '';
        child.stdout.on('data', (data) => (text += data));
        await once(child, 'close');
        values.push(Number(text));
      });
    }
    took[name] = values.sort((a, b) => a - b)[1];
  }
  const label = `1,000 idle connections, resident memory (${took.hubtls.toFixed(1)} KB each against ${took.node.toFixed(1)})`;
  return [row(label, version, took.hubtls / took.node, 'at most 0.6')];
}

async function table() {
  const rows = await contexts();
  for (const version of VERSIONS) {
    await withServer(async (port) => {
      rows.push(...(await connections(port, version)), ...(await bulk(port, version)));
    });
    rows.push(...(await memory(version)));
  }
  await withServer(async (port) => rows.push(...(await againstCommonRuntime(port))));
  const lines = ['| what | TLS | hubtls | target |', '| --- | --- | --- | --- |'];
  for (const { what, version, ratio, target } of rows) {
    lines.push(`| ${what} | ${version.replace('TLSv', '')} | ${ratio.toFixed(ratio < 0.095 ? 3 : 2)} | ${target} |`);
  }
  return lines;
}

const [mode, ...given] = process.argv.slice(2);
if (mode === '--serve') serve();
else if (mode === '--memory') await measureMemory(...given);
else {
  const lines = await table();
  console.log(lines.join('\n'));
  if (mode === '--write') {
    const page = path.join(here, 'README.md');
    const [before, rest] = fs.readFileSync(page, 'utf8').split('<!-- table -->\n');
    const after = rest.split('<!-- end -->')[1];
    const machine = `Node.js ${process.versions.node}, OpenSSL ${process.versions.openssl}, Linux on x86-64, two cores.`;
    fs.writeFileSync(page, `${before}<!-- table -->\n${machine}\n\n${lines.join('\n')}\n<!-- end -->${after}`);
  }
}
