import { lineOf, linesOf } from '../../../src/ui/dead-letters/lines.js';

const JSON_TEXT = `{
  "id": "a:b,{[",
  "data": {
    "resourceVersionId": "two",
    "parts": [
      1,
      { "na\\"me": null }, [
        true
      ]
    ]
  }
}`;

describe('when a problem is shown beside edited JSON', () => {
  it.each([
    ['id', 2],
    ['data', 3],
    ['data.resourceVersionId', 4],
    ['data.parts', 5],
    ['data.parts.0', 6],
    ['data.parts.1', 7],
    ['data.parts.1.na"me', 7],
    ['data.parts.2', 7],
    ['data.parts.2.0', 8],
  ])('given the path %p, then the problem is on line %d', (path, line) => {
    expect(lineOf(path, linesOf(JSON_TEXT))).toBe(line);
  });

  it.each([
    ['data.missing', 3],
    ['missing', 1],
    ['(event)', 1],
  ])('given the path %p of a missing value, then the problem is on line %d, of the value around it', (path, line) => {
    expect(lineOf(path, linesOf(JSON_TEXT))).toBe(line);
  });
});
