import { DIGEST_LENGTH, shardOf } from '../digest.js';
import type { EventKey } from '../events/key.js';

/**
 * The name of a job and the place of its record: `<day>.<digest of id>.<content digest>.<workflow>`. It is a pure function
 * of event and workflow, so that every process finds the same place at any time. Rows of `waiting` name their job by it,
 * and it is the idempotency key of the handler.
 */
export type Address = string;

/** A constant. Under another number, existing records would not be found. */
export const SHARDS = 8;

/** Returns the address of the job that `workflow` has for the event of this key. */
export function addressOf(key: EventKey, workflow: string): Address {
  return `${addressOfEvent(key)}.${workflow}`;
}

/** Returns the part of an address that all jobs of one event share: `<day>.<digest of id>.<content digest>`. */
export function addressOfEvent({ day, id, contentDigest }: EventKey): string {
  return `${day}.${id}.${contentDigest}`;
}

const ADDRESS = new RegExp(
  `^(\\d{8}|undated)\\.[\\w-]{${DIGEST_LENGTH}}\\.[\\w-]{${DIGEST_LENGTH}}\\.[a-z][a-z0-9-]{0,62}$`,
);

/** Returns whether `value` is an address. Check values from outside: `ledgerPlaceOf` takes any text. */
export function isAddress(value: unknown): value is Address {
  return typeof value === 'string' && ADDRESS.test(value);
}

/** The place of a job's record in the ledger, and the parts of the job's address. */
export type LedgerPlace = {
  table: string;
  partition: string;
  key: string;
  day: string;
  idDigest: string;
  /** The digests of the event's id and content, as watermarks and rows of workflows store them. */
  eventKey: string;
  eventAddress: string;
  workflow: string;
};

/** Returns where the record of a job is, and the parts of its address. */
export function ledgerPlaceOf(address: Address): LedgerPlace {
  const dayEnds = address.indexOf('.');
  const idEnds = dayEnds + 1 + DIGEST_LENGTH;
  const eventEnds = idEnds + 1 + DIGEST_LENGTH;
  const day = address.slice(0, dayEnds);
  const idDigest = address.slice(dayEnds + 1, idEnds);
  return {
    table: `ledger${day}`,
    partition: shardOfId(idDigest),
    key: address.slice(dayEnds + 1),
    day,
    idDigest,
    eventKey: address.slice(dayEnds + 1, eventEnds),
    eventAddress: address.slice(0, eventEnds),
    workflow: address.slice(eventEnds + 1),
  };
}

/** Returns the shard of an event id. An event's jobs share a partition, in the ledger and in `waiting`. */
export function shardOfId(idDigest: string): string {
  return String(shardOf(idDigest, SHARDS));
}
