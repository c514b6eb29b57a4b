import { describe, expect, it } from '@jest/globals';
import { parseAsHost } from '../../../src/local/host/event-json.js';

describe('when JSON is read as the host does', () => {
  it('given nesting of any depth, then it is read', () => {
    const depth = 200_000;
    const text = `${'['.repeat(depth)}"2022-03-24T00:00:00.0Z"${']'.repeat(depth)}`;

    let value = parseAsHost(text);
    while (Array.isArray(value)) value = value[0];

    expect(value).toBe('2022-03-24T00:00:00Z');
  });

  it('given a key named __proto__, then it is a property as any other', () => {
    const event = parseAsHost('{"__proto__":{"polluted":1}}') as object;

    expect(Object.keys(event)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
  });

  it.each(['', 'x', '{', '[1,]', "{'a':1}", 'NaN'])('given %j, then it throws', (text) => {
    expect(() => parseAsHost(text)).toThrow(SyntaxError);
  });
});
