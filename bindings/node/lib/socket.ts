/** `TLSSocket`: a `Duplex` on hubtls's engine that behaves as `tls.TLSSocket` does where clients look. */

import { X509Certificate } from 'node:crypto';
import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import type * as tls from 'node:tls';

import { StreamOver } from './beneath.js';
import { plain } from './config.js';
import { closedInHandshake, HubTlsError, invalid, timedOut } from './errors.js';
import { Config, Engine, type Negotiated } from './library.js';
import { configOf, LONGEST, TCP_OPTIONS, type ConnectOptions } from './options.js';
import { peerCertificate } from './peer.js';
import { identityFromSigner, type Signer } from './signer.js';

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

type Callback = (error?: Error | null) => void;

/** The first bytes of a buffer that may hold much room beyond them: who keeps them should not keep that. */
function compacted(buffer: Buffer, count: number): Buffer {
  const slack = buffer.length - count;
  if (slack === 0) return buffer;
  return slack > 1_024 && slack > count ? Buffer.from(buffer.subarray(0, count)) : buffer.subarray(0, count);
}

/** A TLS connection as a stream. Made by `connect`. */
export class TLSSocket extends StreamOver {
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
  #handshaking = true;
  #held = false;
  #paused = false;
  #negotiated: Negotiated | null = null;
  #waiting: (() => void) | null = null;
  /** Whether the transport gives buffers back: it is a socket of our own. */
  readonly #lends: boolean;
  /** Of the write that waits for the handshake. */
  #unwritten: Callback | null = null;
  #limit: NodeJS.Timeout | null = null;
  /** Ciphertext that arrived while a signature is waited for. */
  #later: Buffer[] | null = null;
  #ended = false;
  /** What users are still to be told, in this order, whatever they do when they are told. */
  readonly #news: (() => void)[] = [];
  #telling = false;
  /** Whether it has failed, which is said when all has been read that came before. */
  #failing = false;

  /** @internal */
  constructor(config: Config, servername: string, options: ConnectOptions) {
    super({ allowHalfOpen: options.allowHalfOpen ?? false, emitClose: false });
    this.#config = config;
    this.servername = servername;
    this.#engine = new Engine(config, servername);
    this.#lends = !options.socket;
    if (options.socket) {
      this.#transport = options.socket;
      this.beneath = options.socket instanceof net.Socket || options.socket instanceof TLSSocket ? options.socket : null;
      this.#over(options.socket);
    } else {
      const tcp: Record<string, unknown> = {};
      for (const name of TCP_OPTIONS) if (options[name] !== undefined && options[name] !== null) tcp[name] = options[name];
      const socket = net.connect({
        ...(tcp as unknown as net.TcpNetConnectOpts),
        allowHalfOpen: true,
        onread: { buffer: scratch.subarray(HEADROOM), callback: (count) => this.#arrived(HEADROOM + count) },
      });
      this.#transport = this.beneath = socket;
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
    this.beneath?.on('timeout', () => this.emit('timeout'));
    if (options.timeout) this.setTimeout(Math.min(options.timeout, LONGEST));
    const limit = options.handshakeTimeout ?? 30_000;
    if (limit > 0 && limit <= LONGEST) {
      // A socket holds the process, not its time limit.
      this.#limit = setTimeout(() => this.destroy(timedOut(`TLS with ${servername}`, limit)), limit).unref();
    }
    if (options.signal) this.#abortWith(options.signal);
  }

  #abortWith(signal: AbortSignal): void {
    const abort = (): void => {
      const error = Object.assign(new Error('The operation was aborted', { cause: signal.reason }), { code: 'ABORT_ERR' });
      error.name = 'AbortError';
      this.destroy(error);
    };
    // Clients listen for errors when they have the socket.
    if (signal.aborted) return void setImmediate(abort);
    signal.addEventListener('abort', abort, { once: true });
    this.once('close', () => signal.removeEventListener('abort', abort));
  }

  /** Over a stream that gives its data in pieces of its own. */
  #over(stream: Duplex): void {
    // It is ended when this one is.
    stream.allowHalfOpen = true;
    stream.on('data', (data: unknown) => {
      if (!(data instanceof Uint8Array)) {
        return void this.destroy(invalid('the stream gives no bytes', 'give one without object mode and without setEncoding'));
      }
      let more = true;
      for (let start = 0; start < data.length; start += CHUNK) {
        const piece = data.subarray(start, start + CHUNK);
        scratch.set(piece, HEADROOM);
        more = this.#arrived(HEADROOM + piece.length) && more;
      }
      if (!more && (this.#paused || this.#later !== null)) stream.pause();
    });
    stream.on('end', () => this.#end());
    if (stream.destroyed || stream.readableEnded) {
      process.nextTick(() => this.destroy(closedInHandshake()));
    } else if (this.beneath?.connecting) {
      stream.once('connect', () => {
        this.emit('connect');
        this.#send();
      });
    } else {
      process.nextTick(() => this.destroyed || this.#send());
    }
    // Whoever had it may have paused it.
    stream.resume();
  }

  /** Ciphertext lies in `scratch` up to `end`; false if no more is wanted now. */
  #arrived(end: number): boolean {
    if (this.destroyed) return false;
    this.refreshIdle();
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

  /** After a call that gave ciphertext to the engine; false if no more is wanted now. */
  #took(state: number, output: Buffer): boolean {
    this.#held = (state & HELD) !== 0;
    const count = state & BYTES;
    if (!(state & (HANDSHAKING | TRANSMIT | MORE | FAILED | ENDED)) && !this.#handshaking && this.#news.length === 0) {
      if (count > 0) this.#give(compacted(output, count));
      return !this.#paused;
    }
    // Sending and telling may bring more ciphertext in the same turn: first all is noted that this one means.
    if (this.#handshaking && !(state & HANDSHAKING)) this.#shaken();
    if (count > 0) this.#news.push(() => this.#give(compacted(output, count)));
    if (state & MORE) {
      const unread = this.#engine.takeUnread();
      this.#news.push(() => this.#give(unread));
    }
    if (state & FAILED) this.#news.push(() => this.#fail());
    else if (state & ENDED) this.#news.push(() => this.#finishReading());
    if (state & TRANSMIT) this.#send();
    this.#tell();
    return !this.#paused && !(state & FAILED);
  }

  #give(plaintext: Buffer): void {
    if (!this.push(plaintext)) this.#paused = true;
  }

  /** Tells users what they are to be told, and goes on in another turn if a listener throws. */
  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    try {
      while (this.#news.length > 0 && !this.destroyed) this.#news.shift()!();
    } finally {
      this.#telling = false;
      if (this.#news.length > 0 && !this.destroyed) process.nextTick(() => this.#tell());
    }
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

  /** Hands are shaken. */
  #shaken(): void {
    this.#handshaking = false;
    this.authorized = true;
    if (this.#limit !== null) clearTimeout(this.#limit);
    this.#limit = null;
    this.#negotiated = this.#engine.negotiated;
    this.alpnProtocol = this.#negotiated.alpn?.toString('latin1') ?? false;
    const waiting = this.#waiting;
    this.#waiting = null;
    this.#news.push(
      () => this.emit('secure'),
      () => this.emit('secureConnect'),
      () => {
        this.#unwritten = null;
        waiting?.();
      },
    );
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
    const failed = (this.#engine.feedEnd() & FAILED) !== 0;
    this.#news.push(() => {
      if (!failed) this.#finishReading();
      else if (this.readableLength === 0) this.#fail();
      else this.#failing = true;
    });
    this.#tell();
  }

  override read(size?: number): any {
    const data = super.read(size);
    if (this.#failing && this.readableLength === 0) {
      this.#failing = false;
      process.nextTick(() => this.#fail());
    }
    return data;
  }

  #closed(): void {
    if (this.destroyed) return;
    if (this.#later !== null) return void this.destroy(closedInHandshake());
    if (!this.#ended) this.#end();
    this.#news.push(() => {
      if (this.#failing) return;
      // What has arrived is still to be read, and 'end' may be answered in its turn.
      if (this.readableEnded) this.destroy();
      else this.once('end', () => setImmediate(() => this.destroy()));
    });
    this.#tell();
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
    this.refreshIdle();
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
    this.#limit = null;
    this.stopIdling();
    this.#news.length = 0;
    this.#failing = false;
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
    return peerCertificate(this.#negotiated, Boolean(detailed));
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

  /** The client's own certificate. */
  getX509Certificate(): X509Certificate | undefined {
    const own = this.#config.identity?.chain[0];
    return own && new X509Certificate(own.der);
  }

  /** The configuration. */
  get config(): Config {
    return this.#config;
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
  if (secureListener !== undefined && typeof secureListener !== 'function') throw invalid('the listener is no function', 'leave it out, or give one');
  const servername = options.servername || options.host || 'localhost';
  const socket = new TLSSocket(config, servername, options);
  if (secureListener !== undefined) socket.once('secureConnect', secureListener);
  return socket;
}

/** As `connect`, as a promise of the socket after its handshake; `signer` may sign for `cert` in the place of a key. */
export async function connectAsync(options: ConnectOptions & { signer?: Signer }): Promise<TLSSocket> {
  const { signer, ...rest } = plain(options);
  if (signer === undefined || signer === null) return shakeHands(rest);
  const { cert, ...others } = rest;
  if (cert === undefined) throw invalid('there is a signer without a cert', 'give cert too');
  return shakeHands({ ...others, identity: await identityFromSigner(cert, signer) });
}

function shakeHands(options: ConnectOptions): Promise<TLSSocket> {
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
