import { randomBytes } from 'node:crypto';
import type { Random } from '../clock.js';

const TOKEN_BYTES = 12; // 16 characters of base64url, all of which may stand in a key

export const systemRandom: Random = {
  number: Math.random,
  token: () => randomBytes(TOKEN_BYTES).toString('base64url'),
};
