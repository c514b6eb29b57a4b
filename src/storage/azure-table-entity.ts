import type { Row, Stored, Value } from './table-store.js';

const INT32 = 2 ** 31;
const TYPE = '@odata.type';

/** Returns whether storage takes `value` without a type. Storage reads whole numbers as Int32, and refuses larger ones. */
export function isInt32(value: number): boolean {
  return Number.isInteger(value) && value >= -INT32 && value < INT32;
}

/** Returns the row as JSON with storage's types: numbers that are not Int32 are Doubles. */
export function entityOf(partition: string, key: string, row: Row): string {
  let types = '';
  for (const name in row) {
    const value = row[name];
    if (typeof value === 'number' && !isInt32(value)) types += `,"${name}${TYPE}":"Edm.Double"`;
  }
  const properties = JSON.stringify(row);
  const rest = properties === '{}' ? '}' : `,${properties.slice(1)}`;
  return `{"PartitionKey":${JSON.stringify(partition)},"RowKey":${JSON.stringify(key)}${types}${rest}`;
}

/** A row in the JSON of storage's answers. */
export type Entity = Readonly<Record<string, unknown>>;

/** Returns the row without storage's own properties. */
export function storedOf(entity: Entity): Stored {
  const row: Record<string, Value> = {};
  for (const name in entity) {
    if (isStorageProperty(name)) continue;
    const value = asValue(entity[name], entity[`${name}${TYPE}`]);
    if (value !== undefined) row[name] = value;
  }
  return {
    partition: String(entity.PartitionKey ?? ''),
    key: String(entity.RowKey ?? ''),
    row,
    etag: String(entity['odata.etag'] ?? ''),
    modifiedAt: new Date(String(entity.Timestamp)),
  };
}

function isStorageProperty(name: string): boolean {
  return (
    name === 'PartitionKey' ||
    name === 'RowKey' ||
    name === 'Timestamp' ||
    name.startsWith('odata.') ||
    name.endsWith(TYPE)
  );
}

/**
 * The app writes three types. Values of other types, written by hand, are read as the nearest of these, or left out.
 */
function asValue(value: unknown, type: unknown): Value | undefined {
  switch (type) {
    case undefined:
    case 'Edm.Double':
    case 'Edm.Int32':
    case 'Edm.Boolean':
    case 'Edm.String':
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
    case 'Edm.Int64':
      return Number(value);
    case 'Edm.DateTime': {
      const at = new Date(String(value));
      return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
    }
    default:
      return undefined;
  }
}
