// Resources come from outside: whatever their types promise, each property may be of another type or missing.

/** The properties of an object of unknown shape. */
export type Fields = Readonly<Record<string, unknown>>;

/** Returns whether `value` is an object, and no list. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the properties of an object; none if `value` is no object. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** Returns the objects in a list; none if `value` is no list. */
export function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

/** Returns a trimmed text; undefined if `value` is no text or is empty. */
export function textOf(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value.trim() : '';
  return text === '' ? undefined : text;
}
