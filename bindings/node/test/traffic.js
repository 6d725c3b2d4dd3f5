'use strict';
/** Messages that lie where records, buffers and frames end. */

const { createHash } = require('node:crypto');

/** Empty, tiny, either side of one and of two records with and without a frame's header, and large. */
const SIZES = [0, 1, 127, 128, 1_024, 16_360, 16_372, 16_379, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 65_536, 100_001, 300_000];

/** Bytes that are the same each time, and others for another seed. */
function bulk(size, seed = 0) {
  const block = createHash('shake256', { outputLength: 8_191 }).update(`${size} ${seed}`).digest();
  return Buffer.alloc(size, block);
}

/** Messages of mixed sizes, large ones between small ones. */
function mixed(count = 60) {
  return Array.from({ length: count }, (_, index) => bulk(SIZES[(index * 7) % SIZES.length], index));
}

module.exports = { bulk, mixed };
