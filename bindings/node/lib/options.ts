/** What `connect` is told, checked before anything is opened. */

import type * as net from 'node:net';
import type { Duplex } from 'node:stream';

import { createConfig, noOption, OPTION_NAMES, plain, type ConfigOptions } from './config.js';
import { invalid } from './errors.js';
import { Config } from './library.js';

/** Options of `connect`: those of a configuration, or a ready one, and those of the connection. */
export interface ConnectOptions extends ConfigOptions {
  /** The address; `localhost` if left out. */
  host?: string;
  /** The port. */
  port?: number;
  /** The name to verify and to send; `host` if left out. */
  servername?: string;
  /** A ready configuration, shared by many connections: instead of the options that make one. */
  config?: Config;
  /** An existing stream instead of a new connection: a proxy's, say. */
  socket?: Duplex;
  /** Milliseconds without traffic after which 'timeout' is emitted. */
  timeout?: number;
  /** Milliseconds for connecting and shaking hands, after which it fails with `TIMEOUT`; 30,000 if left out, 0 for no limit. */
  handshakeTimeout?: number;
  /** Destroys the socket when it aborts. */
  signal?: AbortSignal;
  /** Whether writing may go on after the server has ended. */
  allowHalfOpen?: boolean;
  localAddress?: string;
  localPort?: number;
  family?: number;
  lookup?: net.LookupFunction;
  noDelay?: boolean;
  keepAlive?: boolean;
  keepAliveInitialDelay?: number;
  autoSelectFamily?: boolean;
  autoSelectFamilyAttemptTimeout?: number;
  hints?: number;
}

/** What is told to `net.connect`. */
export const TCP_OPTIONS = [
  'host',
  'port',
  'localAddress',
  'localPort',
  'family',
  'lookup',
  'noDelay',
  'keepAlive',
  'keepAliveInitialDelay',
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  'hints',
] as const;

const NAMES = new Set<string>([
  ...OPTION_NAMES,
  ...TCP_OPTIONS,
  'servername',
  'config',
  'socket',
  'timeout',
  'handshakeTimeout',
  'signal',
  'allowHalfOpen',
]);

/** The part of `options` that makes a configuration. */
export function configOf(options: ConnectOptions): Config {
  for (const name of Object.keys(plain(options))) {
    if (!NAMES.has(name)) throw noOption(name, NAMES);
  }
  checkConnection(options);
  const given: Record<string, unknown> = {};
  for (const name of OPTION_NAMES) {
    if (options[name] !== undefined) given[name] = options[name];
  }
  if (options.config === undefined || options.config === null) return createConfig(given as ConfigOptions);
  if (!(options.config instanceof Config)) throw invalid('config is no Config', 'make it with createConfig');
  const also = Object.keys(given);
  if (also.length > 0) throw invalid(`there are a config and ${also.join(', ')}`, 'give them to createConfig');
  return options.config;
}

/** Throws for options of the connection that would fail when it is half made. */
function checkConnection({ host, servername, signal, timeout, handshakeTimeout, socket }: ConnectOptions): void {
  for (const [name, value] of Object.entries({ host, servername })) {
    if (value !== undefined && value !== null && typeof value !== 'string') throw invalid(`${name} is no string`, `give ${name} as text`);
  }
  for (const [name, value] of Object.entries({ timeout, handshakeTimeout })) {
    if (value === undefined || value === null || (typeof value === 'number' && value >= 0)) continue;
    throw invalid(`${name} is no time in milliseconds`, 'give a number, 0 for no limit');
  }
  if (signal !== undefined && signal !== null && typeof signal.addEventListener !== 'function') {
    throw invalid('signal is no AbortSignal', 'give the signal of an AbortController');
  }
  if (socket !== undefined && socket !== null && (typeof socket.on !== 'function' || typeof socket.write !== 'function')) {
    throw invalid('socket is no stream', 'give a Duplex, or leave it out and give host and port');
  }
}

/** The longest time that a timer takes. */
export const LONGEST = 0x7fff_ffff;
