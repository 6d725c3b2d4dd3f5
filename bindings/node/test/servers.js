'use strict';
/** Real servers on loopback, each ended with the test that started it. */

const { once } = require('node:events');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const tls = require('node:tls');

/** Milliseconds after which a test gives up on what takes milliseconds on an idle machine. */
const PATIENCE = 20_000;

/** Where `scenario-server` and `echo-server` of tests/ were built. */
const PROGRAMS = process.env.HUBTLS_PROGRAMS ?? path.join(__dirname, '../../../target/debug');

/** Listens at a port that the kernel chooses; `t` is the test's context. */
async function listening(t, server) {
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server.address().port;
}

/** Node's own TLS server; it sends back what comes unless `handle` does something else. */
function tlsServer(t, options, handle = (socket) => socket.pipe(socket)) {
  const server = tls.createServer(options, (socket) => {
    socket.on('error', () => undefined);
    handle(socket);
  });
  server.on('tlsClientError', () => undefined);
  return listening(t, server);
}

/** A server without TLS. */
function tcpServer(t, handle) {
  return listening(t, net.createServer(handle));
}

/** A temporary directory that goes with the test. */
function directory(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'hubtls-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

function ended(t, child) {
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
}

/** A server of tests/ that prints a line of JSON and serves until its input ends. */
async function program(t, name, ...values) {
  const child = spawn(path.join(PROGRAMS, name), values, { stdio: ['pipe', 'pipe', 'inherit'] });
  ended(t, child);
  let text = '';
  for await (const piece of child.stdout) {
    text += piece;
    if (text.includes('\n')) break;
  }
  return JSON.parse(text);
}

/** The server of a row of tests/scenarios.json. */
const scenarioServer = (t, name) => program(t, 'scenario-server', name);
/** `host`, `port` and `directory` with roots.pem. */
const echoServer = (t) => program(t, 'echo-server');

/** `openssl s_server` at a port that the kernel chooses. */
async function opensslServer(t, ...values) {
  const child = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', '-naccept', '1000', ...values]);
  ended(t, child);
  let text = '';
  return new Promise((resolve, reject) => {
    const look = (piece) => {
      text += piece;
      const match = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(text);
      if (match !== null) resolve(Number(match[1]));
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('exit', () => reject(new Error(`openssl s_server did not start: ${text}`)));
  });
}

async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Debian's mosquitto with TLS at `port` and without at `plain`; `lines` go to the TLS listener's configuration. */
async function mosquitto(t, { cert, key }, lines = [], fixed = undefined) {
  const made = directory(t);
  fs.writeFileSync(path.join(made, 'cert.pem'), cert);
  fs.writeFileSync(path.join(made, 'key.pem'), key);
  const broker = { port: fixed ?? (await freePort()), plain: await freePort() };
  const configuration = [
    'user root',
    'per_listener_settings true',
    'log_dest stderr',
    `listener ${broker.plain} 127.0.0.1`,
    'allow_anonymous true',
    `listener ${broker.port} 127.0.0.1`,
    'allow_anonymous true',
    `certfile ${path.join(made, 'cert.pem')}`,
    `keyfile ${path.join(made, 'key.pem')}`,
    ...lines,
  ];
  fs.writeFileSync(path.join(made, 'mosquitto.conf'), `${configuration.join('\n')}\n`);
  const binary = fs.existsSync('/usr/sbin/mosquitto') ? '/usr/sbin/mosquitto' : 'mosquitto';
  const child = spawn(binary, ['-c', path.join(made, 'mosquitto.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
  ended(t, child);
  let text = '';
  return new Promise((resolve, reject) => {
    child.stderr.on('data', (piece) => {
      text += piece;
      if (/mosquitto version \S+ running/.test(text)) resolve(broker);
    });
    child.once('exit', () => reject(new Error(`mosquitto did not start: ${text}`)));
  });
}

module.exports = { PATIENCE, PROGRAMS, directory, echoServer, freePort, listening, mosquitto, opensslServer, scenarioServer, tcpServer, tlsServer };
