/** One media type of a header such as Accept or Content-Type; everything but values of parameters in lower case. */
type MediaType = { readonly type: string; readonly parameters: ReadonlyMap<string, string> };

/** Returns the media types in the order of the header; undefined for an absent header. */
export function parseMediaTypes(header: string | null): MediaType[] | undefined {
  if (header === null || header.trim() === '') return undefined;
  return splitOutsideQuotes(header, ',').map((text) => {
    const [type = '', ...parameters] = splitOutsideQuotes(text, ';');
    return { type: type.toLowerCase(), parameters: new Map(parameters.map(parseParameter)) };
  });
}

/** Returns whether the client accepts `type`. A client without the header accepts every type. */
export function accepts(header: string | null, type: string): boolean {
  const accepted = parseMediaTypes(header) ?? [{ type: '*/*' }];
  const [kind = '', subtype = ''] = type.split('/');
  const names = ['*/*', `${kind}/*`, type, `${kind}/${subtype.split('+').at(-1)}`];
  return accepted.some((one) => names.includes(one.type));
}

function parseParameter(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 0) return [text.toLowerCase(), ''];
  const value = text.slice(at + 1).trim();
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
  return [text.slice(0, at).trim().toLowerCase(), isQuoted ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value];
}

function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] {
  const parts = text.match(separator === ',' ? /(?:"(?:\\.|[^"\\])*"|[^,"]|")+/g : /(?:"(?:\\.|[^"\\])*"|[^;"]|")+/g);
  return (parts ?? []).map((part) => part.trim()).filter(Boolean);
}
