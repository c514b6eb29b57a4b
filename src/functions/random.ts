import { randomFillSync } from 'node:crypto';
import type { Random } from '../clock.js';

const TOKEN_BYTES = 12; // 16 characters of base64url, all of which may stand in a key
const POOL_BYTES = 512 * TOKEN_BYTES;

/** Random bytes for 512 tokens: each write of a record needs one, and 12 bytes cost the system nearly as much as the pool. */
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

export const systemRandom: Random = {
  number: Math.random,
  token() {
    if (used === POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    used += TOKEN_BYTES;
    return pool.toString('base64url', used - TOKEN_BYTES, used);
  },
};
