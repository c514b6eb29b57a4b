import fc from 'fast-check';
import { toJson } from '../src/json-text.js';

const DEPTH = 20_000;

/** JSON with `inner` inside DEPTH levels of arrays and objects. */
function nestedText(inner: string): string {
  return `${'[1,{"a":'.repeat(DEPTH / 2)}${inner}${',"b":[]}]'.repeat(DEPTH / 2)}`;
}

describe('when toJson writes a value', () => {
  it('given any data, then it writes the same text as JSON.stringify', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => expect(toJson(value)).toBe(JSON.stringify(value))));
  });

  it('given any data 20,000 levels deep, where JSON.stringify fails, then it writes the original text', () => {
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

  it('given undefined, then it writes null; given an undefined property, then it omits the property', () => {
    const deep = JSON.parse(nestedText('0'));

    expect(toJson(undefined)).toBe('null');
    expect(toJson({ deep, none: undefined }) === `{"deep":${nestedText('0')}}`).toBe(true);
  });

  it('given a circular value, then it throws a TypeError as JSON.stringify does', () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;

    expect(() => toJson(circular)).toThrow(TypeError);
  });
});
