import { type ReadError, readError } from './read-error.js';

/** One part of a multipart body. The next part can be read only after this one; its unread content is skipped. */
export type Part = { readonly contentType: string; readonly content: AsyncIterable<Uint8Array> };

/** The limit for the headers of one part. */
const MAX_HEADER_BYTES = 16 * 1024;
const LINE_END = Buffer.from('\r\n');

/** Returns the boundary in a Content-Type of `multipart/…`; undefined for another type. */
export function boundaryIn(contentType: string): string | undefined {
  if (!/^multipart\//i.test(contentType.trim())) return undefined;
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;]{1,200}))/i.exec(contentType) ?? [];
  return quoted ?? plain;
}

/**
 * Yields the parts between the delimiters. One chunk is in memory at a time.
 * @throws ReadError if the content ends before its last delimiter.
 */
export async function* readParts(content: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Part> {
  const source = content[Symbol.asyncIterator]();
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first delimiter may be the first line, so the content begins with the end of a line.
  let ahead: Buffer = LINE_END;
  try {
    for await (const _preamble of until(delimiter)) {
      // The preamble has no meaning.
    }
    while (await beginsPart()) {
      const contentType = await readHeaders();
      const bytes = until(delimiter);
      yield { contentType, content: bytes };
      for await (const _rest of bytes) {
        // The caller has asked for the next part, so the rest is skipped.
      }
    }
  } finally {
    await source.return?.();
  }

  /** Returns whether a part follows the delimiter. Two dashes follow the last delimiter. */
  async function beginsPart(): Promise<boolean> {
    while (ahead.length < 2) await more();
    if (ahead.toString('latin1', 0, 2) === '--') return false;
    await readLine();
    return true;
  }

  async function readHeaders(): Promise<string> {
    let contentType = '';
    let bytes = 0;
    for (;;) {
      const line = await readLine();
      if (line === '') return contentType;
      bytes += line.length;
      if (bytes > MAX_HEADER_BYTES) throw garbled();
      contentType = /^content-type:\s*(.*)$/i.exec(line)?.[1]?.trim() ?? contentType;
    }
  }

  async function readLine(): Promise<string> {
    let line = '';
    for await (const bytes of until(LINE_END)) {
      line += Buffer.from(bytes).toString('latin1');
      if (line.length > MAX_HEADER_BYTES) throw garbled();
    }
    return line;
  }

  /** Yields the bytes before `mark` and drops the mark. A caller may stop in between and continue later. */
  function until(mark: Buffer): AsyncIterableIterator<Uint8Array> {
    let isOver = false;
    const bytes: AsyncIterableIterator<Uint8Array> = {
      [Symbol.asyncIterator]: () => bytes,
      async next() {
        while (!isOver) {
          const at = ahead.indexOf(mark);
          isOver = at >= 0;
          const value = ahead.subarray(0, isOver ? at : Math.max(0, ahead.length - mark.length + 1));
          ahead = ahead.subarray(isOver ? at + mark.length : value.length);
          if (value.length > 0) return { done: false, value };
          if (!isOver) await more();
        }
        return { done: true, value: undefined };
      },
    };
    return bytes;
  }

  async function more(): Promise<void> {
    const next = await source.next();
    if (next.done) throw garbled();
    ahead = Buffer.concat([ahead, next.value]);
  }
}

function garbled(): ReadError {
  return readError('dicom', 'not-multipart', 'answered with a multipart body without an end or without headers.');
}
