'use strict';
/** Ten thousand connections leave no memory behind. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const test = require('node:test');

const { Authority } = require('./authority.js');

/** Run with --expose-gc: connections over pairs in memory to Node's own server, some of them failing; prints the memory after each round. */
const WORK = `
  const tls = require('node:tls');
  const hubtls = require('..');
  const { duplexPair } = require('./pairs.js');
  const { rounds, each, leaf, ca } = JSON.parse(process.argv[1]);
  const config = hubtls.createConfig({ ca, resumption: false });
  const secureContext = tls.createSecureContext(leaf);

  async function connection(index) {
    const [socket, far] = duplexPair();
    const server = new tls.TLSSocket(far, { isServer: true, secureContext });
    server.on('error', () => undefined).on('data', (data) => server.end(data));
    const client = hubtls.connect({ socket, config, servername: index % 10 === 0 ? 'other.test' : 'localhost' });
    client.on('error', () => undefined);
    const closed = new Promise((resolve) => client.once('close', resolve));
    if (index % 10 === 1) client.once('secureConnect', () => client.destroy());
    client.write('hello');
    client.resume();
    await closed;
    server.destroy();
  }

  (async () => {
    const used = [];
    for (let round = 0; round < rounds; round++) {
      for (let done = 0; done < each; done += 20) await Promise.all(Array.from({ length: 20 }, (_, index) => connection(done + index)));
      // Finalizers run in turns of their own.
      for (let turn = 0; turn < 5; turn++) {
        global.gc();
        await new Promise(setImmediate);
      }
      const { heapUsed, rss, external } = process.memoryUsage();
      used.push({ heapUsed, rss, external });
    }
    console.log(JSON.stringify(used));
    process.exit();
  })();
`;

test('ten thousand connections leave heap and resident memory as they were', async () => {
  const authority = await Authority.make();
  const setting = { rounds: 10, each: 1_000, ca: authority.ca, leaf: await authority.issue() };
  const child = spawn(process.execPath, ['--expose-gc', '-e', WORK, JSON.stringify(setting)], { cwd: __dirname, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const piece of child.stdout) text += piece;
  const used = JSON.parse(text);
  const grown = (key) => (used[9][key] - used[3][key]) / 6_000;
  // Bytes for each connection after the first 4,000: an engine that stayed would be tens of thousands.
  assert(grown('heapUsed') < 300, text);
  assert(grown('external') < 300, text);
  assert(grown('rss') < 3_000, text);
});
