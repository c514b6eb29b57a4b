import { DIGEST_LENGTH, shardOf } from '../digest.js';
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

const ADDRESS = new RegExp(
  `^(\\d{8}|undated)\\.[\\w-]{${DIGEST_LENGTH}}\\.[\\w-]{${DIGEST_LENGTH}}\\.[a-z][a-z0-9-]{0,62}$`,
);

/** Whether what was read somewhere is one: `placeOf` makes something of any text. */
export function isAddress(value: unknown): value is Address {
  return typeof value === 'string' && ADDRESS.test(value);
}

export type Place = { table: string; partition: string; key: string; idDigest: string; day: string; workflow: string };

export function placeOf(address: Address): Place {
  const dayEnds = address.indexOf('.');
  const idEnds = dayEnds + 1 + DIGEST_LENGTH;
  const day = address.slice(0, dayEnds);
  const idDigest = address.slice(dayEnds + 1, idEnds);
  return {
    table: `ledger${day}`,
    partition: shardOfId(idDigest),
    key: address.slice(dayEnds + 1),
    idDigest,
    day,
    workflow: address.slice(idEnds + 1 + DIGEST_LENGTH + 1),
  };
}

/** Of the job's event: the digests of its id and of the rest of its key. */
export function eventKeyOf(address: Address): string {
  const dayEnds = address.indexOf('.');
  return address.slice(dayEnds + 1, dayEnds + 1 + 2 * DIGEST_LENGTH + 1);
}

/** An event's jobs share a partition, in the ledger and in `waiting`. */
export function shardOfId(idDigest: string): string {
  return String(shardOf(idDigest, SHARDS));
}
