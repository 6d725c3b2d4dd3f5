'use strict';
/** Streams in memory. */

const { Duplex } = require('node:stream');

class Half extends Duplex {
  other = null;
  #callback = null;

  _read() {
    const callback = this.#callback;
    this.#callback = null;
    callback?.();
  }

  /** Back-pressure: the write is done when the other side wants more. */
  _write(chunk, _encoding, callback) {
    if (this.other.destroyed) return callback(Object.assign(new Error('the other side is gone'), { code: 'EPIPE' }));
    setImmediate(() => {
      if (this.other.destroyed || this.other.push(chunk)) callback();
      else this.other.#callback = callback;
    });
  }

  _final(callback) {
    setImmediate(() => {
      this.other.push(null);
      callback();
    });
  }

  _destroy(error, callback) {
    this._read();
    // As a socket's: the other side sees an end.
    if (!this.other.destroyed && !this.writableFinished) setImmediate(() => this.other.push(null));
    callback(error);
  }
}

/** Two streams: what is written to one is read from the other. */
function duplexPair() {
  const [left, right] = [new Half(), new Half()];
  left.other = right;
  right.other = left;
  return [left, right];
}

module.exports = { duplexPair };
