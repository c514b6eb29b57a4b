import { isInt32 } from './azure-table-entity.js';
import type { Condition, Query, Value } from './table-store.js';

/** Returns the OData filter of a query; undefined for a query without conditions. */
export function filterOf({ partition, from, to, after, anyOf }: Query): string | undefined {
  const clauses: string[] = [];
  if (partition !== undefined) clauses.push(`PartitionKey eq ${literal(partition)}`);
  if (from !== undefined) clauses.push(`RowKey ge ${literal(from)}`);
  if (after !== undefined) clauses.push(`RowKey gt ${literal(after)}`);
  if (to !== undefined) clauses.push(`RowKey lt ${literal(to)}`);
  if (anyOf !== undefined) clauses.push(`(${anyOf.map(clauseOf).join(' or ')})`);
  return clauses.length === 0 ? undefined : clauses.join(' and ');
}

/** Returns the filter for tables whose name begins with `prefix`. `{` follows all letters and digits. */
export function namesFilter(prefix: string): string {
  return `TableName ge ${literal(prefix)} and TableName lt ${literal(`${prefix}{`)}`;
}

function clauseOf(condition: Condition): string {
  switch (condition.is) {
    case 'eq':
      return `${condition.property} eq ${literal(condition.value)}`;
    case 'ne':
      // Storage's own `ne` excludes rows without the property.
      return `not (${condition.property} eq ${literal(condition.value)})`;
    case 'ge':
      return `Timestamp ge datetime'${condition.value.toISOString()}'`;
    default:
      throw new TypeError(`unhandled ${JSON.stringify(condition satisfies never)}`);
  }
}

function literal(value: Value): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === 'boolean' || isInt32(value)) return String(value);
  return Number.isInteger(value) ? `${BigInt(value)}.0` : String(value);
}
