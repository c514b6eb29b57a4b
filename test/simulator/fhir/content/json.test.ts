import fc from 'fast-check';
import { parseBody } from '../../../../src/simulator/fhir/content/json.js';

describe('when a body is parsed', () => {
  it.each([
    { text: '{"value":1.10}' },
    { text: '{"value":0.0}' },
    { text: '{"value":-0}' },
    { text: '{"value":1e3}' },
    { text: '{"value":1.5E-7}' },
    { text: '{"value":0.0000001}' },
    { text: '{"value":12345678901234567890}' },
    { text: '{"value":0.12345678901234567890}' },
    { text: '[1.0,2.50,3]' },
    { text: '{"a":[{"value":-2.500}],"text":"1.10"}' },
    { text: '{"__proto__":{"value":1.10}}' },
  ])('given $text, then the digits are as they were', ({ text }) => {
    expect(JSON.stringify(parseBody(Buffer.from(text)))).toBe(text);
  });

  it('given any numbers, then their text stays', () => {
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,18})(\.\d{1,12})?([eE][+-]?\d{1,2})?$/);
    fc.assert(
      fc.property(fc.array(digits), (numbers) => {
        const text = `{"values":[${numbers.join(',')}]}`;
        expect(JSON.stringify(parseBody(Buffer.from(text)))).toBe(text);
      }),
    );
  });

  it('given any JSON, then the result is that of JSON.parse', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 10 }), (text) => {
        expect(JSON.parse(JSON.stringify(parseBody(Buffer.from(text))))).toEqual(JSON.parse(text));
      }),
    );
  });
});
