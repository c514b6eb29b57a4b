import fc from 'fast-check';
import { placeOfError } from '../src/json-place.js';

describe('when placeOfError looks for the error in a text', () => {
  it.each([
    { text: '', place: 'line 1, column 1' },
    { text: '  ', place: 'line 1, column 3' },
    { text: '{"a": 1,}', place: 'line 1, column 9' },
    { text: '{"a": abc}', place: 'line 1, column 7' },
    { text: '{"a": 1\n "b": 2}', place: 'line 2, column 2' },
    { text: '{\n  "a": [1, 2,\n  ]\n}', place: 'line 3, column 3' },
    { text: '{"a"', place: 'line 1, column 5' },
    { text: '{"a": "x', place: 'line 1, column 7' },
    { text: '{"a": "x\ny"}', place: 'line 1, column 7' },
    { text: '{"a": "\\q"}', place: 'line 1, column 7' },
    { text: '{"a": "\\u12"}', place: 'line 1, column 7' },
    { text: '{a: 1}', place: 'line 1, column 2' },
    { text: '{"a" 1}', place: 'line 1, column 6' },
    { text: '[1, 2', place: 'line 1, column 6' },
    { text: '[1}', place: 'line 1, column 3' },
    { text: '{"a": 1} x', place: 'line 1, column 10' },
    { text: '{"a": 01}', place: 'line 1, column 8' },
    { text: '{"a": -}', place: 'line 1, column 7' },
    { text: "{'a': 1}", place: 'line 1, column 2' },
  ])('given $text, then the error is at $place', ({ text, place }) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(placeOfError(text)).toBe(place);
  });

  it('given JSON with one character deleted or doubled, then the error is in the text or at its end', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.boolean(), (text, n, isDoubled) => {
        const at = n % text.length;
        const broken = text.slice(0, at) + (isDoubled ? text.charAt(at).repeat(2) : '') + text.slice(at + 1);
        fc.pre(!isJson(broken));

        const [, line, column] = /^line (\d+), column (\d+)$/.exec(placeOfError(broken)) ?? [];

        expect(Number(line)).toBe(1);
        expect(Number(column)).toBeGreaterThanOrEqual(1);
        expect(Number(column)).toBeLessThanOrEqual(broken.length + 1);
      }),
    );
  });

  it('given valid JSON, then the place is the end of the text', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(placeOfError(text)).toBe(`line 1, column ${text.length + 1}`);
      }),
    );
  });

  it('given a string of megabytes or very deep nesting, then placeOfError still finds the error', () => {
    expect(placeOfError(`{"data": "${'x'.repeat(5_000_000)}", }`)).toBe('line 1, column 5000014');
    expect(placeOfError('['.repeat(200_000))).toBe('line 1, column 200001');
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
