import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StartError } from '../../src/local/host/start-error.js';
import { withLookupKey } from '../../src/local/lookup-key.js';

let appRoot: string;
beforeEach(() => {
  appRoot = mkdtempSync(join(tmpdir(), 'ahds-'));
});
afterEach(() => rmSync(appRoot, { recursive: true }));

const file = () => join(appRoot, '.local', 'lookup-key');

describe('when npm start provides the key for lookups', () => {
  it('given no key, then a key of 32 bytes is made, which only its owner can read', () => {
    const env = withLookupKey(appRoot, { SIMULATOR: 'on' });

    expect(env).toEqual({ SIMULATOR: 'on', LOOKUP_KEY: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) });
    expect(readFileSync(file(), 'utf8').trim()).toBe(env.LOOKUP_KEY);
    if (process.platform !== 'win32') expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(appRoot, '.local'))).toEqual(['lookup-key']);
  });

  it('given another start, then the key is the same; in another folder, the key is another', () => {
    const first = withLookupKey(appRoot, {});
    const other = mkdtempSync(join(tmpdir(), 'ahds-'));

    expect(withLookupKey(appRoot, { LOOKUP_KEY: '' })).toEqual(first);
    expect(withLookupKey(other, {})).not.toEqual(first);
    rmSync(other, { recursive: true });
  });

  it.each(['LOOKUP_KEY', 'lookup_key'])('given the setting %s, then its key is used, and no key is made', (name) => {
    expect(withLookupKey(appRoot, { [name]: 'own' })).toEqual({ [name]: 'own' });
    expect(readdirSync(appRoot)).toEqual([]);
  });

  it('given a file with a key, then that key is used', () => {
    mkdirSync(join(appRoot, '.local'));
    writeFileSync(file(), 'given\n');

    expect(withLookupKey(appRoot, {})).toEqual({ LOOKUP_KEY: 'given' });
  });

  it('given a file that cannot be read, then the error says what to do', () => {
    mkdirSync(file(), { recursive: true });

    expect(() => withLookupKey(appRoot, {})).toThrow(StartError);
    expect(() => withLookupKey(appRoot, {})).toThrow('or set LOOKUP_KEY: openssl rand -base64 32');
  });
});
