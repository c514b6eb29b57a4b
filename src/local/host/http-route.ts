/**
 * Parses the route of an HTTP function, such as `events/{eventId}`, `files/{*path}` or `items/{id?}`.
 * @throws TypeError for constraints, defaults and text beside a parameter, which this host does not support.
 */
export function parseRoute(template: string) {
  const parts = template.split('/').filter(Boolean).map(parsePart);
  return {
    /** The sort order of routes: literals, then parameters, then a parameter for the rest of the path. */
    order: parts.map((part) => RANK[part.kind]).join(''),
    /** Returns the parameters of `segments`, the undecoded path after the prefix; undefined if they do not match. */
    match: (segments: readonly string[]) => matchParts(parts, segments),
  };
}

type Part = { kind: 'literal' | 'one' | 'optional' | 'rest'; name: string };

const RANK = { literal: '0', one: '1', optional: '2', rest: '3' };

function parsePart(text: string): Part {
  if (!/[{}]/.test(text)) return { kind: 'literal', name: text.toLowerCase() };
  const match = /^\{(\*{0,2})(\w+)(\??)\}$/.exec(text);
  if (!match?.[2]) throw new TypeError(`The embedded host does not know this part of a route: ${text}`);
  return { kind: match[1] ? 'rest' : match[3] ? 'optional' : 'one', name: match[2] };
}

function matchParts(parts: readonly Part[], segments: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, { kind, name }] of parts.entries()) {
    const segment = segments[index];
    if (kind === 'rest') return { ...params, [name]: decodePath(segments.slice(index).join('/')) };
    if (segment === undefined && kind === 'optional') return params;
    if (segment === undefined) return undefined;
    if (kind !== 'literal') params[name] = decodePath(segment);
    else if (decodePath(segment).toLowerCase() !== name) return undefined;
  }
  return segments.length > parts.length ? undefined : params;
}

/** Decodes like the real host's web server: all but `%2F`. Text that is no UTF-8 stays unchanged. */
function decodePath(path: string): string {
  return path.replace(/(?:%(?!2f)[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded;
    }
  });
}
