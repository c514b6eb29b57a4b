import { createHmac, hash } from 'node:crypto';

export const DIGEST_LENGTH = 22;

/** 22 characters of base64url (132 bits of SHA-256): short enough for a key, and opaque. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, DIGEST_LENGTH);
}

/** As `digest`, for what could be guessed, as names can: without `key` (32 bytes or more) nobody can try whether it is of this or that. */
export function keyedDigest(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, DIGEST_LENGTH);
}

/** The same for every process and every version of the app: which of `n` shards a digest belongs to. `n` is a power of two, 64 at most. */
export function shardOf(digested: string, n: number): number {
  return BASE64URL.indexOf(digested.charAt(0)) % n;
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
