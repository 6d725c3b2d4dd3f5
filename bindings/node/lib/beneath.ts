/** A stream over another one: what is asked of, and set on, the one beneath. */

import type * as net from 'node:net';
import { Duplex } from 'node:stream';

import { invalid } from './errors.js';
import { LONGEST } from './options.js';

/** What a socket has, of Node.js or of hubtls. */
type Socket = net.Socket | StreamOver;

/** A stream with the properties of the socket beneath, if it is one. */
export abstract class StreamOver extends Duplex {
  /** @internal The socket beneath; null if it is another kind of stream. */
  protected beneath: Socket | null = null;
  /** Over a stream without time limits of its own. */
  #idle: NodeJS.Timeout | null = null;
  #idleAfter: number | undefined;

  /** @internal There was traffic. */
  protected refreshIdle(): void {
    this.#idle?.refresh();
  }

  /** @internal */
  protected stopIdling(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
  }

  get connecting(): boolean {
    return this.beneath?.connecting ?? false;
  }

  get pending(): boolean {
    return this.beneath?.pending ?? false;
  }

  get readyState(): string {
    return this.beneath?.readyState ?? 'open';
  }

  get remoteAddress(): string | undefined {
    return this.beneath?.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.beneath?.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.beneath?.remoteFamily;
  }

  get localAddress(): string | undefined {
    return this.beneath?.localAddress;
  }

  get localPort(): number | undefined {
    return this.beneath?.localPort;
  }

  get localFamily(): string | undefined {
    return this.beneath?.localFamily;
  }

  /** Bytes of ciphertext. */
  get bytesRead(): number {
    return this.beneath?.bytesRead ?? 0;
  }

  /** Bytes of ciphertext. */
  get bytesWritten(): number {
    return this.beneath?.bytesWritten ?? 0;
  }

  get timeout(): number | undefined {
    return this.beneath === null ? this.#idleAfter : this.beneath.timeout;
  }

  address(): net.AddressInfo | object {
    return this.beneath?.address() ?? {};
  }

  setTimeout(milliseconds: number, callback?: () => void): this {
    if (callback !== undefined) {
      if (milliseconds === 0) this.removeListener('timeout', callback);
      else this.once('timeout', callback);
    }
    if (this.beneath !== null) {
      this.beneath.setTimeout(milliseconds);
      return this;
    }
    if (typeof milliseconds !== 'number' || !(milliseconds >= 0)) throw invalid('the timeout is no time in milliseconds', 'give a number, 0 for none');
    this.stopIdling();
    this.#idleAfter = milliseconds;
    if (milliseconds > 0 && !this.destroyed) this.#idle = setTimeout(() => this.emit('timeout'), Math.min(milliseconds, LONGEST)).unref();
    return this;
  }

  setNoDelay(enable?: boolean): this {
    this.beneath?.setNoDelay(enable);
    return this;
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    this.beneath?.setKeepAlive(enable, initialDelay);
    return this;
  }

  ref(): this {
    this.beneath?.ref();
    return this;
  }

  unref(): this {
    this.beneath?.unref();
    return this;
  }

  /** Destroys, and has TCP reset the connection. */
  resetAndDestroy(): this {
    (this.beneath as StreamOver | null)?.resetAndDestroy();
    return this.destroy();
  }
}
