/** hubtls beneath the HTTP, WebSocket and MQTT clients of Node.js. */

import { errorMonitor } from 'node:events';
import type * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import type { Duplex } from 'node:stream';

import { OPTION_NAMES } from './config.js';
import { invalid } from './errors.js';
import { configOf, type ConnectOptions } from './options.js';
import { connect, type TLSSocket } from './socket.js';

/** The options with a configuration that is made once, so that wrong ones are refused at once and sessions are resumed. */
export function prepared(options: ConnectOptions): ConnectOptions {
  const config = configOf(options);
  const rest = { ...options };
  for (const name of OPTION_NAMES) delete rest[name];
  return { ...rest, config };
}

/** What a client may say of one connection. */
const PER_CONNECTION = [
  'localAddress',
  'localPort',
  'family',
  'lookup',
  'autoSelectFamily',
  'noDelay',
  'keepAlive',
  'keepAliveInitialDelay',
  'autoSelectFamilyAttemptTimeout',
  'hints',
  'timeout',
] as const;

/** What a client may not say, because the configuration does. */
const CONFIGURED = [
  'ca',
  'cert',
  'key',
  'pfx',
  'passphrase',
  'crl',
  'ciphers',
  'ecdhCurve',
  'sigalgs',
  'minVersion',
  'maxVersion',
  'secureContext',
  'secureProtocol',
  'checkServerIdentity',
] as const;

type Asked = Record<string, any>;

/** Throws for options of TLS where they would be without effect, or weaken it. */
export function refuseTls(asked: Asked, instead: string): void {
  const ignored: string[] = CONFIGURED.filter((name) => asked[name] !== undefined && asked[name] !== null);
  if (asked.rejectUnauthorized === false) ignored.push('rejectUnauthorized');
  if (ignored.length > 0) throw invalid(`${ignored.join(', ')} would have no effect here, or weaken it`, instead);
}

/** Connects as a client of `node:http` asks. */
function connectFor(options: ConnectOptions, asked: Asked, instead: string): TLSSocket {
  refuseTls(asked, instead);
  const host = asked.host || asked.hostname || 'localhost';
  const own: Asked = {};
  for (const name of PER_CONNECTION) if (asked[name] !== undefined && asked[name] !== null) own[name] = asked[name];
  const opened = asked.socket || !asked.socketPath ? undefined : net.connect(asked.socketPath);
  const socket = asked.socket ?? opened;
  try {
    return connect({
      ...options,
      ...own,
      host,
      port: Number(asked.port || 443),
      servername: options.servername || nameOf(asked.servername) || host,
      ...(socket ? { socket } : {}),
    });
  } catch (error) {
    opened?.on('error', () => undefined).destroy();
    throw error;
  }
}

/** Clients leave the name empty where the host is an address, which is verified all the same. */
function nameOf(servername: string | null | undefined): string | undefined {
  return servername && net.isIP(servername) === 0 ? servername : undefined;
}

/** An `https.Agent` whose connections are hubtls's. */
export class Agent extends https.Agent {
  readonly #options: ConnectOptions;

  /** `agentOptions` are those of `http.Agent`: `keepAlive`, `maxSockets` and the like. */
  constructor(options: ConnectOptions = {}, agentOptions: http.AgentOptions = {}) {
    refuseTls(agentOptions, 'give it in the first argument');
    super(agentOptions);
    this.#options = prepared(options);
  }

  /** Called by Node.js for each new connection. */
  override createConnection(
    request: https.RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): TLSSocket | undefined {
    try {
      return connectFor(this.#options, request, 'give it to the Agent');
    } catch (error) {
      // Thrown, it would reach nobody if the request had waited for another's end.
      if (callback === undefined) throw error;
      callback(error as Error, undefined as never);
      return undefined;
    }
  }
}

/** What undici gives to a connector. */
export interface UndiciConnect {
  hostname: string;
  host?: string;
  protocol: string;
  port: string;
  servername?: string | null;
  localAddress?: string | null;
  httpSocket?: Duplex;
}

/** A connector for undici: `new Agent({ connect: undiciConnector({...}) })`. */
export function undiciConnector(
  options: ConnectOptions = {},
): (to: UndiciConnect, callback: (error: Error | null, socket: any) => void) => void {
  const ours = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000, ...prepared(options) };
  return (to, callback) => {
    if (to.protocol !== 'https:') {
      return callback(invalid(`${to.protocol}//${to.hostname} is not encrypted`, 'use an address with https:'), null);
    }
    const { hostname: host, port, servername, localAddress, httpSocket: socket } = to;
    let made: TLSSocket;
    try {
      made = connectFor(ours, { host, port, servername, localAddress, socket }, '');
    } catch (error) {
      return callback(error as Error, null);
    }
    // It listens for errors as long as it lives: undici begins to a little later than it is called back.
    let answer: typeof callback | null = callback;
    made.on('error', (error) => {
      const told = answer;
      answer = null;
      told?.(error, null);
    });
    made.once('secureConnect', () => {
      const told = answer;
      answer = null;
      told?.(null, made);
    });
  };
}

/**
 * For `https.request`, `ws` and others that take `createConnection`: `new WebSocket(url, { createConnection: createSecureConnection({...}) })`.
 *
 * Before 8.17, `ws` ignores that and connects without hubtls: give it `agent: new Agent({...})`, which all versions take.
 */
export function createSecureConnection(options: ConnectOptions = {}): (to: any) => TLSSocket {
  const ours = prepared(options);
  return (to) => connectFor(ours, to, 'give it to createSecureConnection');
}

/**
 * For mqtt.js: `new MqttClient(mqttStream({ host, port, ... }), options)`.
 *
 * Some versions of mqtt.js say nothing of errors whose code they do not know: the client emits all, once. As with `mqtt.connect`, an 'error'
 * that nobody listens to is no exception: a broker that is gone ends no process.
 */
export function mqttStream(options: ConnectOptions): (client: any) => TLSSocket {
  const ours = { ...prepared(options), port: options.port ?? 8883 };
  return (client) => tellErrors(client, () => connect(ours));
}

/** Clients of mqtt.js whose errors need no further listener. */
const listening = new WeakSet<object>();

/** Has an mqtt.js client emit what goes wrong with its stream. */
export function tellErrors<Stream extends Duplex>(client: any, open: () => Stream): Stream {
  let told: unknown;
  const seen = (error: unknown): void => void (told = error);
  let socket: Stream | undefined;
  // Before any error, and after mqtt.js has begun to listen.
  process.nextTick(() => socket?.once('error', (error) => told === error || client.emit('error', error)));
  socket = open();
  if (!listening.has(client)) client.on('error', () => undefined);
  listening.add(client);
  client.on(errorMonitor, seen);
  socket.once('close', () => client.removeListener(errorMonitor, seen));
  return socket;
}
