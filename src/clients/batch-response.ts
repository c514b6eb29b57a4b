import type { ResourcePlace } from './get-request.js';

/** The answer to one entry of a batch. `text`: the JSON of the resource as the service wrote it. */
export type BatchEntry = { readonly status: number; readonly text: string | undefined };

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const WORD = new Set(Buffer.from('+-.0123456789Eaeflnrstu'));
const STATUS = /^(\d{3})(?: |$)/;

/**
 * Returns the entries of a batch-response, in the order of `places`; undefined if `body` is no whole batch-response with
 * an entry for each place, or an entry holds another resource than its place. A resource in a wrong place would reach
 * the handler of another event. Finds the resources in the bytes and parses none: each caller parses its own object.
 */
export function readBatchResponse(body: Buffer, places: readonly ResourcePlace[]): BatchEntry[] | undefined {
  const cursor = new Cursor(body);
  const head: Record<string, unknown> = {};
  let found: Found[] = [];
  try {
    cursor.members((name) => {
      if (name === 'entry') found = entriesAt(cursor);
      else head[name] = parsed(cursor.value());
    });
    cursor.end();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const isWhole = head.resourceType === 'Bundle' && head.type === 'batch-response' && found.length === places.length;
  if (!isWhole || !found.every((entry, n) => isAnswerFor(entry, places[n] as ResourcePlace))) return undefined;
  return found.map(({ status, text }) => ({ status, text }));
}

type Found = { status: number; text: string | undefined; type?: unknown; id?: unknown; version?: unknown };

function entriesAt(cursor: Cursor): Found[] {
  const found: Found[] = [];
  cursor.items(() => {
    const entry: Found = { status: 0, text: undefined };
    cursor.members((name) => {
      if (name === 'resource') readResource(cursor, entry);
      else if (name === 'response') entry.status = statusIn(parsed(cursor.value()));
      else cursor.skip();
    });
    found.push(entry);
  });
  return found;
}

function readResource(cursor: Cursor, entry: Found): void {
  const from = cursor.at;
  cursor.members((name) => {
    if (name === 'resourceType') entry.type = parsed(cursor.value());
    else if (name === 'id') entry.id = parsed(cursor.value());
    else if (name === 'meta') entry.version = (parsed(cursor.value()) as { versionId?: unknown } | null)?.versionId;
    else cursor.skip();
  });
  entry.text = cursor.textFrom(from);
}

/** An entry without a resource answers any place, if it has a status. */
function isAnswerFor({ status, ...found }: Found, { type, id, version }: ResourcePlace): boolean {
  if (status !== 200) return status !== 0;
  const hasVersion = version === undefined || found.version === undefined || found.version === version;
  return found.type === type && found.id === id && hasVersion;
}

function statusIn(response: unknown): number {
  const { status } = (response ?? {}) as { status?: unknown };
  return Number(STATUS.exec(String(status))?.[1] ?? 0);
}

function parsed(text: string): unknown {
  return JSON.parse(text);
}

/** A place in the bytes of JSON. Its methods throw SyntaxError where the bytes cannot be JSON. */
class Cursor {
  readonly #bytes: Buffer;
  /** The end of the last value before `at`, without the white space after it. */
  #valueEnd = 0;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#skipSpace();
  }

  /** Calls `visit` at the value of each member of an object. `visit` must move past the value. */
  members(visit: (name: string) => void): void {
    this.#list(OPEN_OBJECT, CLOSE_OBJECT, () => {
      if (this.#bytes[this.at] !== QUOTE) throw new SyntaxError();
      const name = this.value();
      this.#pass(COLON);
      visit(name.includes('\\') ? String(parsed(name)) : name.slice(1, -1));
    });
  }

  /** Calls `visit` at each item of a list. `visit` must move past the item. */
  items(visit: () => void): void {
    this.#list(OPEN_LIST, CLOSE_LIST, visit);
  }

  /** Moves past a value, and returns its text. */
  value(): string {
    const from = this.at;
    this.skip();
    return this.textFrom(from);
  }

  /** Returns the text of the last value, which began at `from`. */
  textFrom(from: number): string {
    return this.#bytes.toString('utf8', from, this.#valueEnd);
  }

  /** Moves past a value, and past the white space after it. */
  skip(): void {
    const bytes = this.#bytes;
    let at = this.at;
    let depth = 0;
    do {
      const byte = bytes[at];
      if (byte === undefined) throw new SyntaxError();
      if (byte === QUOTE) at = this.#endOfString(at);
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth -= 1;
      else if (depth === 0) at = this.#endOfWord(at);
      at += 1;
    } while (depth > 0);
    if (depth < 0) throw new SyntaxError();
    this.#passedUntil(at);
  }

  /** Throws unless `at` is behind the last byte. */
  end(): void {
    if (this.at !== this.#bytes.length) throw new SyntaxError();
  }

  #list(open: number, close: number, visit: () => void): void {
    this.#pass(open);
    while (this.#bytes[this.at] !== close) {
      visit();
      if (this.#bytes[this.at] !== COMMA) break;
      this.#pass(COMMA);
      if (this.#bytes[this.at] === close) throw new SyntaxError();
    }
    if (this.#bytes[this.at] !== close) throw new SyntaxError();
    this.#passedUntil(this.at + 1);
  }

  #pass(byte: number): void {
    if (this.#bytes[this.at] !== byte) throw new SyntaxError();
    this.#passedUntil(this.at + 1);
  }

  #passedUntil(end: number): void {
    this.#valueEnd = end;
    this.at = end;
    this.#skipSpace();
  }

  #skipSpace(): void {
    for (let byte = this.#bytes[this.at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; ) {
      this.at += 1;
      byte = this.#bytes[this.at];
    }
  }

  /** Returns the place of the quote that ends the string. */
  #endOfString(begin: number): number {
    const bytes = this.#bytes;
    for (let at = begin + 1; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) return at;
      if (byte === BACKSLASH) at += 1;
    }
    throw new SyntaxError();
  }

  /** Returns the place of the last byte of a number, or of true, false or null. JSON.parse decides whether it is one. */
  #endOfWord(begin: number): number {
    let at = begin;
    while (WORD.has(this.#bytes[at] ?? 0)) at += 1;
    if (at === begin) throw new SyntaxError();
    return at - 1;
  }
}
