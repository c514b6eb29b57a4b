import { boundaryIn, readParts } from '../../src/clients/multipart.js';
import { failureOf } from './stand-in.js';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

async function* inChunks(body: string, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += size) yield Buffer.from(body.slice(at, at + size), 'latin1');
}

async function partsOf(body: string, size: number): Promise<[string, string][]> {
  const parts: [string, string][] = [];
  for await (const { contentType, content } of readParts(inChunks(body, size), 'b1')) {
    const chunks: string[] = [];
    for await (const bytes of content) chunks.push(text(bytes));
    parts.push([contentType, chunks.join('')]);
  }
  return parts;
}

const TWO = 'Content-Type: image/jp2\r\nX: y\r\n\r\n\r\n--b\r\n\r\n--b1'.replace(/--b1$/, '');
const BODY = `before\r\n--b1\r\n${TWO}\r\n--b1 \r\n\r\nsecond\r\n--b1\r\ncontent-type:  a/b\r\n\r\n\r\n--b1--\r\nafter`;

describe('when several parts come', () => {
  it.each([1, 2, 3, 7, 1000])('given chunks of %i bytes, then the parts are the same', async (size) => {
    expect(await partsOf(BODY, size)).toEqual([
      ['image/jp2', '\r\n--b\r\n\r\n'],
      ['', 'second'],
      ['a/b', ''],
    ]);
  });

  it('given a body without parts, then there are no parts', async () => {
    expect(await partsOf('--b1--', 4)).toEqual([]);
  });

  it('given a part that is not read to its end, then the next part is complete', async () => {
    const seen: string[] = [];
    for await (const { content } of readParts(inChunks(BODY, 5), 'b1')) {
      for await (const bytes of content) {
        seen.push(text(bytes));
        break;
      }
    }
    expect(seen.map((bytes) => bytes.length > 0)).toEqual([true, true]);
    expect(seen[1]).toMatch(/^s/);
  });

  it('given a reader that stops, then the content ends', async () => {
    let isTold = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from('--b1\r\n\r\n');
        for (;;) yield Buffer.alloc(1000);
      } finally {
        isTold = true;
      }
    }
    for await (const { content } of readParts(endless(), 'b1')) {
      expect((await content[Symbol.asyncIterator]().next()).done).toBe(false);
      break;
    }
    expect(isTold).toBe(true);
  });

  it.each([
    { given: 'nothing', body: '' },
    { given: 'no delimiter', body: 'content' },
    { given: 'a part without an end', body: '--b1\r\n\r\ncontent' },
    { given: 'headers without an end', body: '--b1\r\nContent-Type: a/b\r\n' },
    { given: 'headers of 20 KB', body: `--b1\r\n${'X: y\r\n'.repeat(5000)}\r\ncontent\r\n--b1--` },
    { given: 'a header of 20 KB', body: `--b1\r\nX: ${'y'.repeat(20_000)}\r\n\r\ncontent\r\n--b1--` },
  ])('given $given, then reading throws', async ({ body }) => {
    expect(await failureOf(partsOf(body, 100))).toMatchObject({ name: 'ReadError', code: 'dicom-not-multipart' });
  });
});

it.each([
  { type: 'multipart/related; type="application/octet-stream"; boundary=abc', boundary: 'abc' },
  { type: 'Multipart/Related;Boundary="a b;c"; type=x', boundary: 'a b;c' },
  { type: 'multipart/related', boundary: undefined },
  { type: 'application/octet-stream; boundary=abc', boundary: undefined },
])('given the type $type, then the boundary is $boundary', ({ type, boundary }) => {
  expect(boundaryIn(type)).toBe(boundary);
});
