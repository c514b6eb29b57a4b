import { fieldsOf, textOf } from './json-shape.js';

const ID = '[A-Za-z0-9.-]{1,64}';
const LITERAL = new RegExp(`^(https?://[^\\s?#]+/)?([A-Z][A-Za-z]{0,63})/(${ID})(?:/_history/${ID})?$`);
const URN = /^urn:(?:uuid|oid):[^\s]{1,200}$/i;

/**
 * Returns the subject in one spelling for all forms of a reference: `Patient/1` for a resource of the service at
 * `host`, with the base URL for a resource elsewhere. Undefined if two results cannot be matched by it: a logical
 * identifier alone, a contained resource, a group.
 */
export function subjectOf(subject: unknown, host: string | undefined): string | undefined {
  const reference = textOf(fieldsOf(subject).reference);
  if (reference === undefined) return undefined;
  if (URN.test(reference)) return reference.toLowerCase();
  const [, base, type, id] = LITERAL.exec(reference) ?? [];
  if (type === undefined || type === 'Group') return undefined;
  return base === undefined || isBaseOf(host, base) ? `${type}/${id}` : `${base}${type}/${id}`;
}

function isBaseOf(host: string | undefined, base: string): boolean {
  return (
    host !== undefined &&
    URL.canParse(base) &&
    new URL(base).host === host.toLowerCase() &&
    new URL(base).pathname === '/'
  );
}
