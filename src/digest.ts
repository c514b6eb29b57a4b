import { createHmac, hash } from 'node:crypto';

/** The number of characters of a digest. */
export const DIGEST_LENGTH = 22;

/** Returns 22 characters of base64url (132 bits of SHA-256): short enough for a key, and opaque. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, DIGEST_LENGTH);
}

/**
 * As `digest`, for text that could be guessed, such as names: without `key` (32 bytes or more) a guess cannot be
 * tested.
 */
export function keyedDigest(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, DIGEST_LENGTH);
}

/** Returns the shard of a digest, 0 to n - 1, the same in every version of the app. `n` is a power of two, up to 64. */
export function shardOf(digested: string, n: number): number {
  return BASE64URL.indexOf(digested.charAt(0)) % n;
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
