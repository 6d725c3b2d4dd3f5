/** `TLSSocket`: a `Duplex` on hubtls's engine that behaves as `tls.TLSSocket` does where clients look. */

import { X509Certificate } from 'node:crypto';
import * as net from 'node:net';
import { Duplex } from 'node:stream';
import type * as tls from 'node:tls';

import { Config, Engine, type Negotiated } from './library.js';
import { createConfig, OPTION_NAMES, plain, type ConfigOptions } from './config.js';
import { closedInHandshake, HubTlsError, invalid, timedOut } from './errors.js';

// What `Engine` returns: see engine.rs.
const BYTES = 0xff_ffff;
const HANDSHAKING = 1 << 24;
const TRANSMIT = 1 << 25;
const ENDED = 1 << 26;
const FAILED = 1 << 27;
const HELD = 1 << 28;
const MORE = 1 << 29;

/** The largest record: room before the data for the beginning that came earlier. */
const HEADROOM = 18_437;
/** What is read from a socket at once. */
const CHUNK = 65_536;
/** What a record is longer than its plaintext, at most. */
const EXPANSION = 96;
/** What is encrypted at once. */
const PIECE = 65_536;
/** Room for a `PIECE` in records of at least 1024 bytes. */
const OUTPUT = PIECE + (PIECE / 1024 + 1) * EXPANSION;
/** How many buffers for ciphertext are kept for the next write. */
const SPARE = 16;
/** Shorter ones come from Node.js's own pool. */
const LEAST = 4_096;
/** Node.js's own code for a write that was never made. */
const BEFORE = 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION';
/** Milliseconds that an alert has to leave before the transport is closed. */
const FAREWELL = 5_000;

/** One for all sockets of a thread: what is in it is used up before the next read. */
const scratch = Buffer.allocUnsafeSlow(HEADROOM + CHUNK);

/** Buffers for ciphertext that the system has taken: new ones for each write would cost more than the encryption. */
const spare: Buffer[] = [];

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
}

const TCP_OPTIONS = [
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
] as const;

type Callback = (error?: Error | null) => void;

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
    if (!NAMES.has(name)) throw invalid(`there is no option '${name}'`, `the options are ${[...NAMES].join(', ')}`);
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
const LONGEST = 0x7fff_ffff;

function legacy(certificate: X509Certificate): tls.DetailedPeerCertificate {
  return certificate.toLegacyObject() as unknown as tls.DetailedPeerCertificate;
}

/** A TLS connection as a stream. Made by `connect`. */
export class TLSSocket extends Duplex {
  /** Always: whoever is not authorized is refused. */
  readonly encrypted = true;
  /** Whether the server's certificate was verified, which is when hands were shaken. */
  authorized = false;
  readonly authorizationError = null;
  /** The name that is verified. */
  readonly servername: string;
  /** What the server chose with ALPN; false if nothing. */
  alpnProtocol: string | false | null = null;

  readonly #engine: Engine;
  readonly #config: Config;
  readonly #transport: Duplex;
  readonly #net: net.Socket | TLSSocket | null;
  #handshaking = true;
  #held = false;
  #paused = false;
  #negotiated: Negotiated | null = null;
  #waiting: (() => void) | null = null;
  /** Whether the transport gives buffers back: it is a socket of our own. */
  readonly #lends: boolean;
  /** Of the write that waits for the handshake. */
  #unwritten: Callback | null = null;
  /** Over a stream without time limits of its own. */
  #idle: NodeJS.Timeout | null = null;
  #idleAfter: number | undefined;
  #limit: NodeJS.Timeout | null = null;
  /** Ciphertext that arrived while a signature is waited for. */
  #later: Buffer[] | null = null;
  #ended = false;

  /** @internal */
  constructor(config: Config, servername: string, options: ConnectOptions) {
    super({ allowHalfOpen: options.allowHalfOpen ?? false, emitClose: false });
    this.#config = config;
    this.servername = servername;
    this.#engine = new Engine(config, servername);
    this.#lends = !options.socket;
    if (options.socket) {
      this.#transport = options.socket;
      this.#net = options.socket instanceof net.Socket || options.socket instanceof TLSSocket ? options.socket : null;
      this.#over(options.socket);
    } else {
      const tcp: Record<string, unknown> = {};
      for (const name of TCP_OPTIONS) if (options[name] !== undefined && options[name] !== null) tcp[name] = options[name];
      const socket = net.connect({
        ...(tcp as unknown as net.TcpNetConnectOpts),
        allowHalfOpen: true,
        onread: { buffer: scratch.subarray(HEADROOM), callback: (count) => this.#arrived(HEADROOM + count) },
      });
      this.#transport = this.#net = socket;
      for (const event of ['connect', 'lookup', 'ready'] as const) {
        socket.on(event, (...values: unknown[]) => this.emit(event, ...values));
      }
      socket.once('connect', () => this.#send());
      socket.on('end', () => this.#end());
      // Nothing flows with `onread`, but 'end' wants to be read.
      socket.resume();
    }
    this.#transport.on('error', (error) => this.destroy(error));
    this.#transport.once('close', () => this.#closed());
    this.#net?.on('timeout', () => this.emit('timeout'));
    if (options.timeout) this.setTimeout(Math.min(options.timeout, LONGEST));
    const limit = options.handshakeTimeout ?? 30_000;
    if (limit > 0 && limit <= LONGEST) {
      this.#limit = setTimeout(() => this.destroy(timedOut(`TLS with ${servername}`, limit)), limit);
    }
    if (options.signal) this.#abortWith(options.signal);
  }

  #abortWith(signal: AbortSignal): void {
    const abort = (): void => {
      const error = Object.assign(new Error('The operation was aborted', { cause: signal.reason }), { code: 'ABORT_ERR' });
      error.name = 'AbortError';
      this.destroy(error);
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    this.once('close', () => signal.removeEventListener('abort', abort));
  }

  /** Over a stream that gives its data in pieces of its own. */
  #over(stream: Duplex): void {
    stream.on('data', (data: Buffer | string) => {
      const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
      let more = true;
      for (let start = 0; start < bytes.length; start += CHUNK) {
        const count = bytes.copy(scratch, HEADROOM, start, start + CHUNK);
        more = this.#arrived(HEADROOM + count) && more;
      }
      if (!more) stream.pause();
    });
    stream.on('end', () => this.#end());
    if (stream.destroyed || stream.readableEnded) {
      process.nextTick(() => this.destroy(closedInHandshake()));
    } else if (stream instanceof net.Socket && stream.connecting) {
      stream.once('connect', () => {
        this.emit('connect');
        this.#send();
      });
    } else {
      process.nextTick(() => this.destroyed || this.#send());
    }
  }

  /** Ciphertext lies in `scratch` up to `end`; false if no more is wanted now. */
  #arrived(end: number): boolean {
    if (this.destroyed) return false;
    this.#idle?.refresh();
    if (this.#later !== null) {
      this.#later.push(Buffer.from(scratch.subarray(HEADROOM, end)));
      return false;
    }
    if (this.#handshaking && this.#engine.asks) {
      this.#askLater(Buffer.from(scratch.subarray(HEADROOM, end)));
      return false;
    }
    const room = end - HEADROOM + (this.#held ? HEADROOM : 0);
    const output = Buffer.allocUnsafe(room);
    let state: number;
    try {
      state = this.#engine.feed(scratch, HEADROOM, end, output);
    } catch (error) {
      this.destroy(error as Error);
      return false;
    }
    return this.#took(state, output);
  }

  /** After a call that gave ciphertext to the engine. */
  #took(state: number, output: Buffer): boolean {
    this.#held = (state & HELD) !== 0;
    if (state & TRANSMIT) this.#send();
    if (this.#handshaking && !(state & (HANDSHAKING | FAILED))) this.#connected();
    const count = state & BYTES;
    if (count > 0 && !this.push(count === output.length ? output : output.subarray(0, count))) this.#paused = true;
    if (state & MORE && !this.push(this.#engine.takeUnread())) this.#paused = true;
    if (state & FAILED) {
      this.#fail();
      return false;
    }
    if (state & ENDED) this.#finishReading();
    return !this.#paused;
  }

  /** In the handshake with a signer: in another thread, while the transport is paused. */
  #askLater(data: Buffer): void {
    this.#later = [];
    let done: Promise<number>;
    try {
      done = this.#engine.feedLater(data);
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    // Not in the promise's own turn: what a listener throws is an exception and no rejection.
    done.then(
      (state) => process.nextTick(() => this.#asked(state)),
      (error: Error) => process.nextTick(() => this.destroy(error)),
    );
  }

  #asked(state: number): void {
    const later = this.#later ?? [];
    this.#later = null;
    if (this.destroyed) return;
    let more = this.#took(state, Buffer.alloc(0));
    for (const bytes of later) {
      bytes.copy(scratch, HEADROOM);
      more = this.#arrived(HEADROOM + bytes.length) && more;
    }
    if (this.destroyed) return;
    if (this.#ended) this.#end();
    else if (more) this.#transport.resume();
  }

  #connected(): void {
    this.#handshaking = false;
    this.authorized = true;
    if (this.#limit !== null) clearTimeout(this.#limit);
    this.#limit = null;
    this.#negotiated = this.#engine.negotiated;
    this.alpnProtocol = this.#negotiated.alpn?.toString('latin1') ?? false;
    this.emit('secure');
    this.emit('secureConnect');
    const waiting = this.#waiting;
    this.#waiting = this.#unwritten = null;
    waiting?.();
  }

  #fail(): void {
    // The alert should leave before the transport is closed.
    this.#send();
    try {
      this.#engine.fail();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  /** Sends what the engine has to say of its own. */
  #send(callback?: Callback): void {
    let bytes: Buffer;
    try {
      bytes = this.#engine.outgoing();
    } catch {
      // Another thread shakes hands: it has nothing to say before it is done.
      return;
    }
    if (bytes.length > 0 && !this.#transport.destroyed) this.#transport.write(bytes, callback);
    else callback?.();
  }

  /** The transport has ended. */
  #end(): void {
    this.#ended = true;
    if (this.destroyed || this.readableEnded || this.#later !== null) return;
    const state = this.#engine.feedEnd();
    if (state & FAILED) this.#fail();
    else this.#finishReading();
  }

  #closed(): void {
    if (this.destroyed) return;
    if (this.#later !== null) return void this.destroy(closedInHandshake());
    if (!this.#ended) this.#end();
    if (this.destroyed) return;
    // What has arrived is still to be read.
    if (this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
  }

  #finishReading(): void {
    this.#ended = true;
    this.push(null);
    // Whoever does not read would never learn that it has ended, as with net.Socket.
    if (this.readableLength === 0 && this.readableFlowing === null) this.read(0);
  }

  override _read(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#transport.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: Callback): void {
    if (this.#handshaking) {
      this.#unwritten = callback;
      this.#waiting = () => this._write(chunk, encoding, callback);
      return;
    }
    this.#idle?.refresh();
    const piece = chunk.length > PIECE ? chunk.subarray(0, PIECE) : chunk;
    const length = piece.length + (Math.ceil(piece.length / this.#engine.maxFragment) + 1) * EXPANSION;
    // Whoever implements a stream may keep what is written to it; the system does not.
    const lent = this.#lends && length > LEAST && length <= OUTPUT;
    const output = lent ? (spare.pop() ?? Buffer.allocUnsafeSlow(OUTPUT)) : Buffer.allocUnsafe(length);
    const then: Callback = (error) => {
      if (lent && !error && spare.length < SPARE) spare.push(output);
      if (error || piece === chunk) callback(error);
      else this._write(chunk.subarray(PIECE), encoding, callback);
    };
    let state: number;
    try {
      state = this.#engine.encrypt(piece, output);
    } catch (error) {
      this.#send();
      return callback(error as Error);
    }
    const count = state & BYTES;
    if (!(state & TRANSMIT)) return void this.#transport.write(output.subarray(0, count), then);
    this.#transport.write(output.subarray(0, count));
    this.#send(then);
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], callback: Callback): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'buffer' as BufferEncoding, callback);
  }

  override _final(callback: Callback): void {
    if (this.#handshaking) {
      this.#waiting = () => this._final(callback);
      return;
    }
    try {
      this.#engine.finish();
    } catch (error) {
      return callback(error as Error);
    }
    this.#send(() => callback());
    this.#transport.end();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    if (this.#limit !== null) clearTimeout(this.#limit);
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#limit = this.#idle = null;
    const transport = this.#transport;
    if (!transport.destroyed) {
      // An alert that was written should leave.
      if (error instanceof HubTlsError && !this.connecting) this.#farewell();
      else transport.destroy();
    }
    callback(error);
    const unwritten = this.#unwritten;
    this.#waiting = this.#unwritten = null;
    unwritten?.(error ?? Object.assign(new Error('Socket closed before the connection was established'), { code: BEFORE }));
    // Not in the turn of 'error', as with net.Socket.
    setImmediate(() => this.emit('close', error !== null));
  }

  #farewell(): void {
    const transport = this.#transport;
    const limit = setTimeout(() => transport.destroy(), FAREWELL).unref();
    transport.once('close', () => clearTimeout(limit));
    if (transport.writableFinished) return void transport.destroy();
    transport.once('finish', () => transport.destroy());
    transport.end();
  }

  // What is told of the connection.

  /** What was agreed; null before 'secureConnect'. */
  get negotiated(): Negotiated | null {
    return this.#negotiated;
  }

  /** Whether hands are still to be shaken. */
  get secureConnecting(): boolean {
    return this.#handshaking;
  }

  /** The server's certificate as `tls.TLSSocket` gives it; with `detailed`, `issuerCertificate` leads to the others, the root included. */
  getPeerCertificate(detailed?: boolean): tls.DetailedPeerCertificate | Record<string, never> {
    const chain = (this.#negotiated?.peerChain ?? []).map(({ der }) => new X509Certificate(der));
    const first = chain[0];
    if (first === undefined) return {};
    if (!detailed) return legacy(first);
    const root = this.#negotiated?.root?.pem;
    if (root) chain.push(new X509Certificate(root));
    const result = legacy(first);
    for (let own = first, last = result; ; ) {
      if (own.checkIssued(own)) {
        last.issuerCertificate = last;
        return result;
      }
      const issuer = chain.find((other) => own.checkIssued(other));
      if (issuer === undefined) return result;
      last.issuerCertificate = legacy(issuer);
      last = last.issuerCertificate;
      chain.splice(chain.indexOf(issuer), 1);
      own = issuer;
    }
  }

  /** The server's certificate. */
  getPeerX509Certificate(): X509Certificate | undefined {
    const first = this.#negotiated?.peerChain[0];
    return first && new X509Certificate(first.der);
  }

  /** `TLSv1.2` or `TLSv1.3`; null before 'secureConnect'. */
  getProtocol(): string | null {
    return this.#negotiated?.version ?? null;
  }

  /** The cipher suite. */
  getCipher(): tls.CipherNameAndProtocol {
    const agreed = this.#negotiated;
    if (agreed === null) return {} as tls.CipherNameAndProtocol;
    return { name: agreed.cipherSuiteOpenssl, standardName: agreed.cipherSuite, version: agreed.version };
  }

  /** Whether a session was resumed. */
  isSessionReused(): boolean {
    return this.#negotiated?.resumed ?? false;
  }

  /** Sessions are kept by the `Config`: there is none to take along. */
  getSession(): undefined {
    return undefined;
  }

  /** The client's own certificate. */
  getCertificate(): object | null {
    const own = this.#config.identity?.chain[0];
    return own === undefined ? null : new X509Certificate(own.der).toLegacyObject();
  }

  /** The configuration. */
  get config(): Config {
    return this.#config;
  }

  // What is the transport's.

  get connecting(): boolean {
    return this.#net?.connecting ?? false;
  }

  get pending(): boolean {
    return this.#net?.pending ?? false;
  }

  get readyState(): string {
    return this.#net?.readyState ?? 'open';
  }

  get remoteAddress(): string | undefined {
    return this.#net?.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#net?.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.#net?.remoteFamily;
  }

  get localAddress(): string | undefined {
    return this.#net?.localAddress;
  }

  get localPort(): number | undefined {
    return this.#net?.localPort;
  }

  get localFamily(): string | undefined {
    return this.#net?.localFamily;
  }

  /** Bytes of ciphertext. */
  get bytesRead(): number {
    return this.#net?.bytesRead ?? 0;
  }

  /** Bytes of ciphertext. */
  get bytesWritten(): number {
    return this.#net?.bytesWritten ?? 0;
  }

  get timeout(): number | undefined {
    return this.#net === null ? this.#idleAfter : this.#net.timeout;
  }

  address(): net.AddressInfo | object {
    return this.#net?.address() ?? {};
  }

  setTimeout(milliseconds: number, callback?: () => void): this {
    if (callback !== undefined) {
      if (milliseconds === 0) this.removeListener('timeout', callback);
      else this.once('timeout', callback);
    }
    if (this.#net !== null) {
      this.#net.setTimeout(milliseconds);
      return this;
    }
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idleAfter = milliseconds;
    this.#idle = milliseconds > 0 && !this.destroyed ? setTimeout(() => this.emit('timeout'), milliseconds).unref() : null;
    return this;
  }

  setNoDelay(enable?: boolean): this {
    this.#net?.setNoDelay(enable);
    return this;
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    this.#net?.setKeepAlive(enable, initialDelay);
    return this;
  }

  ref(): this {
    this.#net?.ref();
    return this;
  }

  unref(): this {
    this.#net?.unref();
    this.#limit?.unref();
    return this;
  }

  /** Ends, and destroys what is left when all is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }
}

/**
 * Connects and shakes hands. `secureListener` is called at 'secureConnect'; failures are 'error' events with `err.code`.
 *
 * Throws at once if the options are wrong.
 */
export function connect(options: ConnectOptions, secureListener?: () => void): TLSSocket {
  const config = configOf(options);
  const servername = options.servername || options.host || 'localhost';
  const socket = new TLSSocket(config, servername, options);
  if (secureListener !== undefined) socket.once('secureConnect', secureListener);
  return socket;
}

/** As `connect`, as a promise of the socket after its handshake. */
export function connectAsync(options: ConnectOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(options);
    const fail = (error: Error): void => reject(error);
    const cut = (): void => reject(closedInHandshake());
    socket.once('error', fail);
    socket.once('close', cut);
    socket.once('secureConnect', () => {
      socket.removeListener('close', cut);
      // Whoever awaits the socket listens a little later than it is there.
      setImmediate(() => socket.removeListener('error', fail));
      resolve(socket);
    });
  });
}
