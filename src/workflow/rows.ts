import { digest, shardOf } from '../digest.js';
import type { Row } from '../storage/table-store.js';

/** The partition and key of a row. */
export type Place = { readonly partition: string; readonly key: string };

/**
 * Few partitions, so that writes share transactions; each takes 2,000 rows/s. Never change the number: rows would not
 * be found.
 */
const PARTITION_COUNT = 8;

/** All partitions that `partitionOf` returns. */
export const PARTITIONS: readonly string[] = Array.from({ length: PARTITION_COUNT }, (_, shard) => String(shard));

/** Returns the partition, one of 8, of a row whose key begins with the digest `digested`. */
export function partitionOf(digested: string): string {
  return String(shardOf(digested, PARTITION_COUNT));
}

/**
 * Returns the partition that all rows about `name` share, and the prefix of their keys, so that one query reads them. Keys are
 * digests, because storage logs them.
 */
export function neighboursOf(name: string): { partition: string; prefix: string } {
  const digested = digest(name);
  return { partition: partitionOf(digested), prefix: `${digested}.` };
}

/** Returns whether both rows have the same columns and values, in any order: storage does not keep their order. */
export function isSameRow(row: Row, other: Row | undefined): boolean {
  const names = Object.keys(row);
  return names.length === Object.keys(other ?? {}).length && names.every((name) => row[name] === other?.[name]);
}

type Optional<T> = { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };
type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] };

/** Returns `object` without its undefined properties, which neither rows nor JSON can hold. */
export function withoutUndefined<T extends object>(object: T): Present<T> & Optional<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}
