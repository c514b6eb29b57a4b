import { joinBytes } from './encode-value.js';

export type Part = {
  /** The Content-Type of the part, if it has one. */
  readonly contentType: string | undefined;
  readonly content: Uint8Array;
  /** True if the part has headers and an end. A part without them may be cut. */
  readonly isWhole: boolean;
};

const LINE_END = '\r\n';

/** Returns the parts between the delimiters; undefined without delimiters. Other bytes are ignored. */
export function readMultipart(body: Uint8Array, boundary: string): Part[] | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const parts: Part[] = [];
  let delimiter = findDelimiter(bytes, boundary, 0);
  if (!delimiter) return undefined;
  while (delimiter && !delimiter.isLast) {
    const next = findDelimiter(bytes, boundary, delimiter.end - LINE_END.length);
    const region = bytes.subarray(delimiter.end, Math.max(delimiter.end, next?.start ?? bytes.length));
    if (region.length > 0) parts.push(readPart(region, next !== undefined));
    delimiter = next;
  }
  return parts;
}

/** Returns a multipart body. `boundary` must not occur in the content of a part. */
export function writeMultipart(
  parts: readonly { contentType: string; content: Uint8Array }[],
  boundary: string,
): Uint8Array {
  const texts = parts.flatMap(({ contentType, content }) => [
    Buffer.from(`--${boundary}${LINE_END}Content-Type: ${contentType}${LINE_END}${LINE_END}`),
    content,
    Buffer.from(LINE_END),
  ]);
  return joinBytes([...texts, Buffer.from(`--${boundary}--${LINE_END}`)]);
}

type Delimiter = { readonly start: number; readonly end: number; readonly isLast: boolean };

/** Finds a line that begins with the delimiter; `start` is the end of the line before. */
function findDelimiter(bytes: Buffer, boundary: string, from: number): Delimiter | undefined {
  const mark = `--${boundary}`;
  for (let at = bytes.indexOf(mark, from); at >= 0; at = bytes.indexOf(mark, at + 1)) {
    const after = at + Buffer.byteLength(mark);
    const [, dashes, lineEnd] = /^(--)?[ \t]*(\r\n|$)?/.exec(bytes.toString('latin1', after, after + 80)) ?? [];
    const isOwnLine = at === 0 || bytes.toString('latin1', at - 2, at) === LINE_END;
    if (!isOwnLine || (dashes === undefined && lineEnd === undefined)) continue;
    const lineStop = bytes.indexOf(LINE_END, after);
    const end = lineStop < 0 ? bytes.length : lineStop + LINE_END.length;
    return { start: Math.max(0, at - LINE_END.length), end, isLast: dashes !== undefined };
  }
  return undefined;
}

function readPart(region: Buffer, hasEnd: boolean): Part {
  const hasNoHeaders = region.toString('latin1', 0, 2) === LINE_END;
  const blank = hasNoHeaders ? 0 : region.indexOf(LINE_END + LINE_END);
  if (blank >= 0) {
    const content = region.subarray(blank + (hasNoHeaders ? 2 : 4));
    return { contentType: typeIn(region.toString('latin1', 0, blank)), content, isWhole: hasEnd };
  }
  // A part that ends with its headers has no content; one that has no blank line at all is no part.
  const headers = region.toString('latin1');
  const isPart = /^[!-9;-~]+:[^\r\n]*\r\n$/.test(headers);
  return { contentType: isPart ? typeIn(headers) : undefined, content: Buffer.alloc(0), isWhole: hasEnd && isPart };
}

function typeIn(headers: string): string | undefined {
  return /^content-type:[ \t]*([^\r\n]*)/im.exec(headers)?.[1]?.trim();
}
