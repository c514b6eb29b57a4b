import fc from 'fast-check';
import { toJson } from '../src/json-text.js';

const DEPTH = 20_000;

/** `[` and `{"a":` by turns, and in the middle `inner`. */
function nestedText(inner: string): string {
  return `${'[1,{"a":'.repeat(DEPTH / 2)}${inner}${',"b":[]}]'.repeat(DEPTH / 2)}`;
}

describe('the JSON text of a value', () => {
  it('given any data, then the same text as JSON.stringify writes', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => expect(toJson(value)).toBe(JSON.stringify(value))));
  });

  it('given any data 20,000 levels deep, then the text that it was read from, where JSON.stringify fails', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = nestedText(JSON.stringify(value));
        const deep: unknown = JSON.parse(text);

        expect(() => JSON.stringify(deep)).toThrow(RangeError);
        expect(toJson(deep) === text).toBe(true);
      }),
      { numRuns: 5 },
    );
  });

  it('given undefined, then null; given a property that is undefined, then it is left out, at any depth', () => {
    const deep = JSON.parse(nestedText('0'));

    expect(toJson(undefined)).toBe('null');
    expect(toJson({ deep, none: undefined }) === `{"deep":${nestedText('0')}}`).toBe(true);
  });

  it('given a value without JSON text, then it throws as JSON.stringify does', () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;

    expect(() => toJson(circular)).toThrow(TypeError);
  });
});
