import type { Edm, TableEntity, TableEntityResult } from '@azure/data-tables';
import type { Row, Stored, Value } from './table-store.js';
import { isInt32 } from './table-transaction.js';

const sdksOwn = new Set(['partitionKey', 'rowKey', 'etag', 'timestamp']);

type Entity = TableEntity<Record<string, string | boolean | number | Edm<'Double'>>>;

/** Returns the row in the SDK's form. Numbers that are not Int32 get the type Double. */
export function entityOf(partition: string, key: string, row: Row): Entity {
  const entity: Entity = { partitionKey: partition, rowKey: key };
  for (const name in row) {
    const value = row[name];
    if (value !== undefined) entity[name] = typeof value === 'number' ? typedNumber(value) : value;
  }
  return entity;
}

/** Returns the row in the SDK's form, without storage's own properties. */
export function storedOf(entity: TableEntityResult<Record<string, unknown>>): Stored {
  const row: Record<string, Value> = {};
  for (const [name, property] of Object.entries(entity)) {
    const value = sdksOwn.has(name) || name.startsWith('odata.') ? undefined : propertyOf(property);
    if (value !== undefined) row[name] = value;
  }
  return {
    partition: entity.partitionKey ?? '',
    key: entity.rowKey ?? '',
    row,
    etag: entity.etag,
    modifiedAt: new Date(entity.timestamp ?? Number.NaN),
  };
}

function typedNumber(value: number): number | Edm<'Double'> {
  return isInt32(value) ? value : { type: 'Double', value };
}

/**
 * The app writes three types. Values of other types, written by hand, are read as the nearest of these, or left out.
 */
function propertyOf(property: unknown): Value | undefined {
  if (typeof property === 'bigint') return Number(property);
  if (property instanceof Date) return property.toISOString();
  return typeof property === 'string' || typeof property === 'number' || typeof property === 'boolean'
    ? property
    : undefined;
}
