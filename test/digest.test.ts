import { keyedDigest } from '../src/digest.js';

describe('when a text is digested with a key', () => {
  it('given test case 2 of RFC 4231, then the beginning of its HMAC-SHA-256', () => {
    const key = Buffer.from('Jefe');

    expect(keyedDigest(key, 'what do ya want for nothing?')).toBe('W9zBRr9gdU5qBCQmCJV1x1');
  });
});
