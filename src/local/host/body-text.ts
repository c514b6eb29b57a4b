import type { Request } from './answer.js';

const BYTE_ORDER_MARK = '\uFEFF';

/** The charsets that .NET knows without further code pages. */
const DECODERS: Readonly<Record<string, (body: Buffer) => string>> = {
  'utf-8': (body) => body.toString('utf8'),
  'utf-16': (body) => body.toString('utf16le'),
  'utf-16le': (body) => body.toString('utf16le'),
  'utf-16be': (body) => Buffer.from(body).swap16().toString('utf16le'),
  'us-ascii': (body) => body.toString('latin1'),
  'iso-8859-1': (body) => body.toString('latin1'),
};

/**
 * Returns the body as text, in the charset of content-type, UTF-8 by default.
 * @throws RangeError where the charset is unknown.
 */
export function textOf({ headers, body }: Request): string {
  const [, charset = 'utf-8'] = /;\s*charset="?([^\s;"]+)/i.exec(headers['content-type'] ?? '') ?? [];
  const decode = DECODERS[charset.toLowerCase()];
  if (!decode) throw new RangeError('The charset in content-type is unknown.');
  const text = decode(body);
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}
