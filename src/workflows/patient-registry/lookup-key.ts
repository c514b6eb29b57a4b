import type { Setting, Setup } from '../../workflow.js';

const NAME = 'LOOKUP_KEY';
const MIN_BYTES = 32;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** The same text gives the same array, for which `keyedDigest` prepares once. */
let last: { readonly text: string | undefined; readonly key: Uint8Array | undefined } | undefined;

/**
 * Returns the key of keyed digests. @throws TypeError if the setting is absent or wrong; `setup` then does not start
 * the workflow.
 */
export function lookupKeyIn(setting: Setting): Uint8Array {
  const text = setting(NAME);
  if (text === undefined || text !== last?.text) last = { text, key: readKey(text) };
  const { key } = last;
  if (key === undefined) throw new TypeError(`${NAME} is absent or wrong: the workflow should not run.`);
  return key;
}

/** Returns whether the workflow can run with the setting: without a key the workflow is off. */
export function checkLookupKey(setting: Setting): Setup<'lookup-key-absent'> {
  const text = setting(NAME);
  if (text === undefined) return { kind: 'off', code: 'lookup-key-absent' };
  if (readKey(text)) return { kind: 'on' };
  const expected = `${MIN_BYTES} random bytes or more in base64: openssl rand -base64 ${MIN_BYTES}`;
  return {
    kind: 'wrong',
    problems: [`${NAME} is ${text.length} characters that are no such key, must be ${expected}`],
  };
}

function readKey(text = ''): Uint8Array | undefined {
  const bytes = BASE64.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0);
  return bytes.length >= MIN_BYTES ? bytes : undefined;
}
