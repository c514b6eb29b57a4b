import { describe, expect, it } from '@jest/globals';
import { parseAsHost } from '../../../src/local/host/event-json.js';

describe('when JSON is read as the host does', () => {
  it('given nesting of 64, then the innermost value is rewritten', () => {
    let value = parseAsHost(nested(64, '"2022-03-24T00:00:00.0Z"'));
    while (Array.isArray(value)) value = value[0];

    expect(value).toBe('2022-03-24T00:00:00Z');
  });

  it.each([65, 200_000])('given nesting of %d, then a RangeError is thrown', (depth) => {
    expect(() => parseAsHost(nested(depth, '1'))).toThrow(RangeError);
  });

  it.each([
    { given: 'a comment', text: '/* [ */ {"a": 1 // }\n}', value: { a: 1 } },
    {
      given: 'what looks like a comment in a string',
      text: '["/* a */", "// b", \'/* c */\']',
      value: ['/* a */', '// b', '/* c */'],
    },
    { given: 'single quotes', text: `{'a': 'it\\'s "b" \\n'}`, value: { a: 'it\'s "b" \n' } },
    { given: 'an apostrophe in a string', text: `["it's", NaN, 'b']`, value: ["it's", 'NaN', 'b'] },
    { given: 'NaN and Infinity', text: '[NaN, Infinity, -Infinity]', value: ['NaN', 'Infinity', '-Infinity'] },
    { given: 'NaN in a string', text: '[\'NaN\', "NaN"]', value: ['NaN', 'NaN'] },
  ])('given $given, then it is read as the parser of the real host reads it', ({ text, value }) => {
    expect(parseAsHost(text)).toEqual(value);
  });

  it('given a key named __proto__, then it is a property like any other', () => {
    const event = parseAsHost('{"__proto__":{"polluted":1}}') as object;

    expect(Object.keys(event)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
  });

  it.each(['', 'x', '{', '[1,]', "{'a':1", '/* 1', "['a]"])('given %j, then a SyntaxError is thrown', (text) => {
    expect(() => parseAsHost(text)).toThrow(SyntaxError);
  });
});

function nested(depth: number, value: string): string {
  return `${'['.repeat(depth)}${value}${']'.repeat(depth)}`;
}
