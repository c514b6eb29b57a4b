import { shardOf } from '../digest.js';
import type { EventKey } from '../events/key.js';

/**
 * Where the record of a job is: `<day>.<digest of id>.<digest of the rest>.<workflow>`, a pure function of the event
 * and the workflow, so that every process at any time looks for it in the same place. It also names the job: in rows
 * of `waiting`, and as the idempotency key of its handler.
 */
export type Address = string;

/** A constant: with another number, records would not be found again. */
export const SHARDS = 8;

export function addressOf(key: EventKey, workflow: string): Address {
  return `${key.day}.${key.id}.${key.rest}.${workflow}`;
}

export type Place = { table: string; partition: string; key: string; idDigest: string; day: string; workflow: string };

export function placeOf(address: Address): Place {
  const day = address.slice(0, address.indexOf('.'));
  const key = address.slice(day.length + 1);
  const idDigest = key.slice(0, key.indexOf('.'));
  const workflow = key.slice(key.indexOf('.', idDigest.length + 1) + 1);
  return { table: `ledger${day}`, partition: shardOfId(idDigest), key, idDigest, day, workflow };
}

/** An event's jobs share a partition, in the ledger and in `waiting`. */
export function shardOfId(idDigest: string): string {
  return String(shardOf(idDigest, SHARDS));
}
