import { DIGEST_LENGTH, shardOf } from '../digest.js';
import type { EventKey } from '../events/key.js';
import { LEDGER_PREFIX } from './app-tables.js';

/**
 * The name of a job and the place of its record: `<day>.<digest of the change>.<workflow>.<number>`. A service's history
 * names a change too, but not the event's id, so an event and a history lead to the same place. The number is 0, or higher
 * if the same change has occurred again: after a hard delete, a recreated resource begins at version 1 again.
 *
 * Events without a time, and events of days before the ledger by change (first-day-by-change.ts), have addresses by their id:
 * `<day>.<digest of id>.<digest of the change>.<workflow>`.
 *
 * Rows of `waiting` name their job by its address, and it is the idempotency key of the handler.
 */
export type Address = string;

/** Never change this number: existing records would not be found. */
export const SHARDS = 8;
/** The partitions of a table of the ledger, and of the rows that the queue `due` runs. */
export const SHARD_NAMES: readonly string[] = Array.from({ length: SHARDS }, (_, i) => String(i));

/** Returns the first address of a job: number 0 of the event's change; by the event's id if the event has no day. */
export function addressOf(key: EventKey, workflow: string): Address {
  const { day, contentDigest } = key;
  return day === 'undated' ? addressById(key, workflow) : `${day}.${contentDigest}.${workflow}.0`;
}

/** Returns the address by the event's id. */
export function addressById({ day, id, contentDigest }: EventKey, workflow: string): Address {
  return `${day}.${id}.${contentDigest}.${workflow}`;
}

const DIGEST = `[\\w-]{${DIGEST_LENGTH}}`;
const ADDRESS = new RegExp(`^(\\d{8}|undated)\\.(${DIGEST}\\.)?${DIGEST}\\.[a-z][a-z0-9-]{0,62}(\\.\\d{1,4})?$`);

/** Returns whether `value` is an address. Check values from outside: `ledgerPlaceOf` takes any text. */
export function isAddress(value: unknown): value is Address {
  return typeof value === 'string' && ADDRESS.test(value);
}

/** Returns whether an address is by the event's id: then no other event can have it. */
export function isById(address: Address): boolean {
  return ledgerPlaceOf(address).number === undefined;
}

/** The place of a job's record in the ledger, and the parts of the job's address. */
type LedgerPlace = {
  readonly table: string;
  readonly partition: string;
  readonly key: string;
  readonly day: string;
  /** The digest of the change. */
  readonly change: string;
  readonly workflow: string;
  /** The number of the job among those of the change; undefined if the address is by the event's id. */
  readonly number: number | undefined;
  /** The digest of the event's id, if the address is by it. */
  readonly id: string | undefined;
  /** The key of the job's change, as watermarks and rows of workflows store it. */
  readonly eventKey: string;
};

/** Returns where the record of a job is, and the parts of its address. Called for each job: no regular expression. */
export function ledgerPlaceOf(address: Address): LedgerPlace {
  const dayEnds = address.indexOf('.');
  const firstEnds = dayEnds + 1 + DIGEST_LENGTH;
  const lastBegins = address.lastIndexOf('.') + 1;
  const day = address.slice(0, dayEnds);
  const first = address.slice(dayEnds + 1, firstEnds);
  const common = { table: tableOfDay(day), partition: shardOfDigest(first), key: address.slice(dayEnds + 1), day };
  if (isDigit(address.charCodeAt(lastBegins))) {
    const workflow = address.slice(firstEnds + 1, lastBegins - 1);
    const number = Number(address.slice(lastBegins));
    return { ...common, change: first, workflow, number, id: undefined, eventKey: `${day}.${first}.${number}` };
  }
  const secondEnds = firstEnds + 1 + DIGEST_LENGTH;
  const change = address.slice(firstEnds + 1, secondEnds);
  const workflow = address.slice(secondEnds + 1); // begins with a letter
  return { ...common, change, workflow, number: undefined, id: first, eventKey: `${first}.${change}` };
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Returns the table of the records of a day. */
export function tableOfDay(day: string): string {
  return LEDGER_PREFIX + day;
}

/** Returns the day of the records in a table of the ledger. */
export function dayOfTable(table: string): string {
  return table.slice(LEDGER_PREFIX.length);
}

/** Returns the name of a partition, in the ledger or in `waiting`. */
export function shardOfDigest(digested: string): string {
  return String(shardOf(digested, SHARDS));
}
