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
  const reader = new MarkReader(content);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  try {
    await skip(reader.until(delimiter)); // the text before the first part has no meaning
    while (await beginsPart(reader)) {
      const contentType = await readContentType(reader);
      const bytes = reader.until(delimiter);
      yield { contentType, content: bytes };
      await skip(bytes); // the caller has asked for the next part
    }
  } finally {
    await reader.close();
  }
}

async function skip(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _skipped of bytes);
}

/** Returns whether a part follows the delimiter. Two dashes follow the last delimiter. */
async function beginsPart(reader: MarkReader): Promise<boolean> {
  if (await reader.isAhead('--')) return false;
  await readLine(reader);
  return true;
}

/** Reads the headers of a part to their end. */
async function readContentType(reader: MarkReader): Promise<string> {
  let contentType = '';
  let bytes = 0;
  for (;;) {
    const line = await readLine(reader);
    if (line === '') return contentType;
    bytes += line.length;
    if (bytes > MAX_HEADER_BYTES) throw garbled();
    contentType = /^content-type:\s*(.*)$/i.exec(line)?.[1]?.trim() ?? contentType;
  }
}

async function readLine(reader: MarkReader): Promise<string> {
  let line = '';
  for await (const bytes of reader.until(LINE_END)) {
    line += Buffer.from(bytes).toString('latin1');
    if (line.length > MAX_HEADER_BYTES) throw garbled();
  }
  return line;
}

/** Reads chunks of bytes up to the next place of a mark, such as the end of a line. */
class MarkReader {
  readonly #source: AsyncIterator<Uint8Array>;
  /** The bytes that were received and not read yet. A line end comes first, because each delimiter begins with one. */
  #ahead: Buffer = LINE_END;

  constructor(content: AsyncIterable<Uint8Array>) {
    this.#source = content[Symbol.asyncIterator]();
  }

  /** Yields the bytes before `mark` and drops the mark. A caller may stop in between and continue later. */
  until(mark: Buffer): AsyncIterableIterator<Uint8Array> {
    let isOver = false;
    const bytes: AsyncIterableIterator<Uint8Array> = {
      [Symbol.asyncIterator]: () => bytes,
      next: async () => {
        while (!isOver) {
          const at = this.#ahead.indexOf(mark);
          isOver = at >= 0;
          const value = this.#ahead.subarray(0, isOver ? at : Math.max(0, this.#ahead.length - mark.length + 1));
          this.#ahead = this.#ahead.subarray(isOver ? at + mark.length : value.length);
          if (value.length > 0) return { done: false, value };
          if (!isOver) await this.#receive();
        }
        return { done: true, value: undefined };
      },
    };
    return bytes;
  }

  /** Returns whether the next bytes are `text`. */
  async isAhead(text: string): Promise<boolean> {
    while (this.#ahead.length < text.length) await this.#receive();
    return this.#ahead.toString('latin1', 0, text.length) === text;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #receive(): Promise<void> {
    const next = await this.#source.next();
    if (next.done) throw garbled();
    this.#ahead = Buffer.concat([this.#ahead, next.value]);
  }
}

function garbled(): ReadError {
  return readError('dicom', 'not-multipart', 'answered with a multipart body without an end or without headers.');
}
