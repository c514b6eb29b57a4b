import { keyedDigest } from '../src/digest.js';

describe('when keyedDigest digests a text', () => {
  it('given test case 2 of RFC 4231, then the digest is the beginning of its HMAC-SHA-256', () => {
    const key = Buffer.from('Jefe');

    expect(keyedDigest(key, 'what do ya want for nothing?')).toBe('W9zBRr9gdU5qBCQmCJV1x1');
  });
});
