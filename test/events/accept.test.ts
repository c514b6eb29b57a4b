import { MAX_EVENT_BYTES, sizeErrorOf } from '../../src/events/accept.js';

it.each([
  { given: 'nothing', json: '', reason: undefined },
  { given: 'the largest in ASCII', json: 'a'.repeat(MAX_EVENT_BYTES), reason: undefined },
  { given: 'one byte more', json: 'a'.repeat(MAX_EVENT_BYTES + 1), reason: 'too-large' },
  { given: 'the largest in three bytes a character', json: `${'€'.repeat(10_922)}aa`, reason: undefined },
  { given: 'one byte more of that', json: `${'€'.repeat(10_922)}aaa`, reason: 'too-large' },
])('given $given, then the reason is $reason', ({ json, reason }) => {
  expect(sizeErrorOf(json)?.reason).toBe(reason);
});
