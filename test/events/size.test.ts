import { isTooLarge, MAX_EVENT_BYTES } from '../../src/events/size.js';

it.each([
  { given: 'nothing', json: '', expected: false },
  { given: 'the largest in ASCII', json: 'a'.repeat(MAX_EVENT_BYTES), expected: false },
  { given: 'one byte more', json: 'a'.repeat(MAX_EVENT_BYTES + 1), expected: true },
  { given: 'the largest in three bytes a character', json: `${'€'.repeat(10_922)}aa`, expected: false },
  { given: 'one byte more of that', json: `${'€'.repeat(10_922)}aaa`, expected: true },
])('given $given, then too large is $expected', ({ json, expected }) => {
  expect(isTooLarge(json)).toBe(expected);
});
