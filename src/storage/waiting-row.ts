import { type Address, ledgerPlaceOf, SHARD_NAMES, shardOfDigest } from './address.js';
import type { Row, Stored } from './table-store.js';

// The rows of the table `waiting`: their partition, their name, and their properties.

/** A row before it is written. */
export type NewRow = {
  dueAt: Date;
  /** The job may run longer than a delivery. */
  isLong: boolean;
  /** The event as the function received it, as JSON. */
  event: string;
  /** The work that waits. */
  item: JobItem | DeliveryItem;
};

/**
 * A job to run. `edit`: the digest of `event`, if that is a corrected payload. `deadLetter`: the name of the redriven
 * dead letter.
 */
export type JobItem = {
  kind: 'job';
  address: Address;
  eventIdDigest: string;
  redrive?: number;
  edit?: string;
  deadLetter?: string;
};

/** An event to handle like a new delivery. `deadLetter`: the name of the dead letter that then moves (R5). */
export type DeliveryItem = { kind: 'delivery'; eventIdDigest: string; deadLetter?: string };

/** A row in storage. `shard` is its partition. `name` is its key, which begins with the due time. */
export type WaitingRow = NewRow & { shard: string; name: string };

/** A job in a row of several jobs. `json`: its event. */
export type StoredJob = { readonly address: Address; readonly eventIdDigest: string; readonly json: string };

/** A row that several jobs of one workflow share (J15). `stored`: the row as it is in storage. */
export type MultiJobRow = {
  shard: string;
  name: string;
  dueAt: Date;
  workflow: string;
  jobs: readonly StoredJob[];
  stored: Row;
};

/** The partition of the rows of several jobs. */
export const JOBS_SHARD = 'jobs';

/** The partitions of the rows that the queue `due` runs. */
export const DUE_SHARD_NAMES: readonly string[] = [...SHARD_NAMES, JOBS_SHARD];

/** The partitions of the rows that the queue `due-long` runs. */
export const LONG_SHARD_NAMES: readonly string[] = SHARD_NAMES.map((name) => `long-${name}`);

/** The length of the due time in a name. */
export const DUE_LENGTH = '2026-01-01T00:00:00.000Z'.length;

/** Returns the partition of a row: the shard of its event's id, with the prefix `long-` if `isLong`. */
export function shardOfRow(row: NewRow): string {
  return shardFor(row.isLong, row.item.eventIdDigest);
}

/** Returns the partition of rows for the events of this id. */
export function shardFor(isLong: boolean, idDigest: string): string {
  return (isLong ? LONG_SHARD_NAMES : SHARD_NAMES)[Number(shardOfDigest(idDigest))] as string;
}

/** Returns the properties of a row of one job or event. The stored name of `deadLetter` is `letter`. */
export function encodeWaiting({ event, item }: NewRow): Row {
  const { kind, eventIdDigest: idDigest, deadLetter } = item;
  const { redrive = 0, edit } = item.kind === 'job' ? item : {};
  const letter = deadLetter !== undefined && { letter: deadLetter };
  return { kind, event, idDigest, redrive, ...(edit !== undefined && { edit }), ...letter };
}

/** A property takes up to 32 Ki characters. */
const MAX_LENGTH = 30_000;
/** The jobs of a POST of 100 events need three properties. */
const MAX_PROPERTIES = 4;

/** Splits `jobs` into lists that one row can hold. A job that is too long to share a row gets its own. */
export function splitIntoRows<J extends StoredJob>(jobs: readonly J[]): J[][] {
  const rows: J[][][] = []; // the properties of each row, and the jobs of each property
  const isTooLong = ([job]: readonly J[] = []) => job !== undefined && textOfJob(job).length > MAX_LENGTH;
  for (const property of propertiesOfJobs(jobs)) {
    const last = rows.at(-1);
    if (!last || last.length === MAX_PROPERTIES || isTooLong(last[0]) || isTooLong(property)) rows.push([property]);
    else last.push(property);
  }
  return rows.map((properties) => properties.flat());
}

/** Splits `jobs` into lists that one property can hold. */
function propertiesOfJobs<J extends StoredJob>(jobs: readonly J[]): J[][] {
  const properties: J[][] = [];
  let leftLength = 0;
  for (const job of jobs) {
    const length = textOfJob(job).length + 1;
    if (length > leftLength) {
      properties.push([]);
      leftLength = MAX_LENGTH;
    }
    properties.at(-1)?.push(job);
    leftLength -= length;
  }
  return properties;
}

/** Returns the properties of a row of several jobs. */
export function encodeJobs(jobs: readonly StoredJob[]): Row {
  const texts = propertiesOfJobs(jobs).map((each) => `[${each.map(textOfJob).join(',')}]`);
  return { kind: 'jobs', count: jobs.length, ...Object.fromEntries(texts.map((text, i) => [`events${i}`, text])) };
}

/** Addresses and digests need no escapes, and an event is JSON. */
function textOfJob({ address, eventIdDigest, json }: StoredJob): string {
  return `["${address}","${eventIdDigest}",${json}]`;
}

/** Returns the row of several jobs that an entity of the table holds. */
export function decodeJobs({ partition, key, row }: Stored): MultiJobRow {
  const jobs: StoredJob[] = [];
  for (let i = 0; row[`events${i}`] !== undefined; i += 1) {
    const entries = JSON.parse(String(row[`events${i}`])) as [Address, string, unknown][];
    for (const [address, eventIdDigest, event] of entries)
      jobs.push({ address, eventIdDigest, json: JSON.stringify(event) });
  }
  const workflow = ledgerPlaceOf(jobs[0]?.address ?? '').workflow;
  return { shard: partition, name: key, dueAt: dueAtOf(key), workflow, jobs, stored: row };
}

/** Returns the due time with which the name of a row begins. */
export function dueAtOf(name: string): Date {
  return new Date(name.slice(0, DUE_LENGTH));
}

/** Returns the row that an entity of the table holds. Its due time and the address of its job come from the key. */
export function decodeWaiting({ partition, key, row }: Stored): WaitingRow {
  const redrive = Number(row.redrive ?? 0);
  const deadLetter = row.letter !== undefined && { deadLetter: String(row.letter) };
  const address = key.slice(DUE_LENGTH + 1, key.lastIndexOf('.'));
  const eventIdDigest = String(row.idDigest ?? ledgerPlaceOf(address).id ?? '');
  return {
    shard: partition,
    name: key,
    dueAt: dueAtOf(key),
    isLong: partition.startsWith('long-'),
    event: String(row.event ?? ''),
    item:
      row.kind === 'delivery'
        ? { kind: 'delivery', eventIdDigest, ...deadLetter }
        : {
            kind: 'job',
            address,
            eventIdDigest,
            ...(redrive > 0 ? { redrive } : {}),
            ...(row.edit !== undefined && { edit: String(row.edit) }),
            ...deadLetter,
          },
  };
}
