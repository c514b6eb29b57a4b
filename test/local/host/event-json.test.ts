import { describe, expect, it } from '@jest/globals';
import { parseAsHost } from '../../../src/local/host/event-json.js';

describe('when JSON is read as the host does', () => {
  const nested = (levels: number) => `${'{"a":'.repeat(levels)}"2022-03-24T00:00:00.0Z"${'}'.repeat(levels)}`;

  it.each([nested(64), `[${nested(64)}]`])('given an event of 64 levels, then all of it is read (case %#)', (text) => {
    expect(JSON.stringify(parseAsHost(text))).toBe(text.replace('00.0Z', '00Z'));
  });

  it.each([nested(65), `[{},${nested(65)}]`, nested(200_000)])(
    'given an event nested deeper than 64, then it is refused (case %#)',
    (text) => {
      expect(() => parseAsHost(text)).toThrow('an event is nested deeper than 64');
    },
  );

  it('given a key named __proto__, then it is a property as any other', () => {
    const event = parseAsHost('{"__proto__":{"polluted":1}}') as object;

    expect(Object.keys(event)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
  });

  it.each(['', 'x', '{', '[1,]', "{'a':1}", 'NaN'])('given %j, then it throws', (text) => {
    expect(() => parseAsHost(text)).toThrow(SyntaxError);
  });
});
