import { MIMEType } from 'node:util';

/** Returns the readable media types of a header such as Accept, in its order; undefined for an absent header. */
export function parseMediaTypes(header: string | null): MIMEType[] | undefined {
  if (header === null || header.trim() === '') return undefined;
  const parts = header.match(/(?:"(?:\\.|[^"\\])*"|[^,"]|")+/g) ?? []; // a comma in quotes does not separate
  return parts.flatMap((part) => {
    try {
      return [new MIMEType(part)];
    } catch {
      return [];
    }
  });
}

/** Returns whether the client accepts `type`. A client without the header accepts every type. */
export function accepts(header: string | null, type: string): boolean {
  const accepted = parseMediaTypes(header) ?? [new MIMEType('*/*')];
  const [kind = '', subtype = ''] = type.split('/');
  const names = ['*/*', `${kind}/*`, type, `${kind}/${subtype.split('+').at(-1)}`];
  return accepted.some(({ essence }) => names.includes(essence));
}
