import { RESOLVED } from '../../dead-letters/undelivered.js';
import { digest } from '../../digest.js';
import { ledgerPlaceOf, SHARD_NAMES } from '../../storage/address.js';
import type { BlobStore } from '../../storage/blob-store.js';
import { decodeRow } from '../../storage/job-record.js';
import { pagesOf } from '../../storage/pages.js';
import type { TableStore } from '../../storage/table-store.js';
import { LONG_SHARD_NAMES, singleJobRowsOf, type Waiting, type WaitingRow } from '../../storage/waiting.js';
import { numberOf, numbersIn } from './event-name.js';
import { addressOfRecord, type LedgerRecord, recordsSince } from './records.js';
import type { Sent } from './sent.js';

/** The parts of storage that hold the state of events. */
export type RunStorage = {
  readonly tables: TableStore;
  readonly waiting: Pick<Waiting, 'due' | 'dueJobs'>;
  readonly deadLetters: BlobStore;
  readonly undelivered: BlobStore;
};

export type Search = {
  readonly runId: string;
  readonly sent: Sent;
  /** The names of the workflows, in the order of their bits. */
  readonly workflows: readonly string[];
  /** Older blobs belong to other runs. */
  readonly since: Date;
};

const PAGE = 1000;
const READ_AT_ONCE = 16;
const MAX_LEASE_DIFFERENCE_MS = 2000;
const EVER = new Date('9999-12-31T00:00:00.000Z');

/**
 * Marks the state in storage of all events in `sent`. Rows are read before records, so a job that moves from a row to a
 * record meanwhile is found. A job that moves back is missed, so the caller repeats a search that misses something.
 */
export async function findSent(storage: RunStorage, search: Search): Promise<void> {
  search.sent.unmark();
  await findRows(storage, search);
  const { ofJobs, ofInvalid } = await deadLetterNames(storage.deadLetters, search.since);
  await findRecords(storage, search, ofJobs);
  const { deadLetters, undelivered } = storage;
  await readBlobs({ blobs: deadLetters, names: ofInvalid, found: { hasDeadLetter: true } }, search);
  const names = await undeliveredSince(undelivered, search.since);
  await readBlobs({ blobs: undelivered, names, found: { isUndelivered: true } }, search);
}

/** Returns the blobs that are not imported yet. Imported events are in resolved/, and in rows or records. */
export async function undeliveredSince(undelivered: BlobStore, since: Date): Promise<string[]> {
  return (await namesSince(undelivered, '', since)).filter((name) => !name.startsWith(RESOLVED));
}

/** Returns the names of the blobs that begin with `prefix` and were made at `since` or later. */
export async function namesSince(blobs: BlobStore, prefix: string, since: Date): Promise<string[]> {
  const names: string[] = [];
  for await (const { blobs: found } of pagesOf((from) => blobs.list(prefix, { limit: PAGE, ...from }))) {
    for (const { name, createdAt } of found) if (createdAt >= since) names.push(name);
  }
  return names;
}

async function findRows({ waiting }: RunStorage, { runId, sent, workflows }: Search): Promise<void> {
  const mark = (rows: readonly WaitingRow[]): void => {
    for (const { item, event } of rows) {
      const open = item.kind === 'job' ? bitOf(workflows, ledgerPlaceOf(item.address).workflow) : 0xffffffff;
      for (const n of numbersIn(runId, event)) if (n < sent.count) sent.mark(n, { open });
    }
  };
  for (const shard of [...SHARD_NAMES, ...LONG_SHARD_NAMES]) {
    for await (const { rows } of pagesOf(({ page }) => waiting.due(shard, EVER, page))) mark(rows);
  }
  for await (const { rows } of pagesOf(({ page }) => waiting.dueJobs(EVER, page))) mark(rows.flatMap(singleJobRowsOf));
}

async function findRecords({ tables }: RunStorage, search: Search, blobNames: ReadonlySet<string>): Promise<void> {
  for await (const record of recordsSince(tables, search.since)) markRecord(record, search, blobNames);
}

/** A running record whose lease has lapsed has no holder: without a row, the job is lost. */
function markRecord(record: LedgerRecord, search: Search, blobNames: ReadonlySet<string>): void {
  const { row, modifiedAt } = record.stored;
  const n = numberOf(search.runId, String(row.id ?? ''));
  if (n === undefined || n >= search.sent.count) return;
  const address = addressOfRecord(record);
  const bit = bitOf(search.workflows, ledgerPlaceOf(address).workflow);
  const { state } = decodeRow(row);
  const settledAtMs = modifiedAt.getTime();
  if (state.kind === 'running') {
    const ageMs = record.now.getTime() - settledAtMs;
    if (ageMs <= state.leaseMs + MAX_LEASE_DIFFERENCE_MS) search.sent.mark(n, { open: bit });
  } else if (state.kind !== 'settled')
    return; // it waits: it has a row, or is lost
  else if (state.result !== 'dead') search.sent.mark(n, { [state.result]: bit, settledAtMs });
  else if (blobNames.has(digest(address))) search.sent.mark(n, { dead: bit, settledAtMs });
}

/** Returns names of dead letters: a job's dead letter is known by its name, an invalid event's by its content. */
async function deadLetterNames(deadLetters: BlobStore, since: Date) {
  const names = [
    ...(await namesSince(deadLetters, 'pending/', since)),
    ...(await namesSince(deadLetters, 'resolved/', since)),
  ];
  const { true: ofInvalid = [], false: ofJobs = [] } = Object.groupBy(names, (name) =>
    String(name.split('/')[1] === 'invalid'),
  );
  return { ofJobs: new Set(ofJobs.map((name) => name.split('/').at(-1)?.split('.')[0] ?? '')), ofInvalid };
}

type Named = { blobs: BlobStore; names: readonly string[]; found: { hasDeadLetter?: true; isUndelivered?: true } };

async function readBlobs({ blobs, names, found }: Named, { runId, sent }: Search): Promise<void> {
  const left = names.values();
  await Promise.all(
    Array.from({ length: READ_AT_ONCE }, async () => {
      for (const name of left) {
        for (const n of numbersIn(runId, (await blobs.read(name)) ?? '')) if (n < sent.count) sent.mark(n, found);
      }
    }),
  );
}

function bitOf(workflows: readonly string[], name: string): number {
  const at = workflows.indexOf(name);
  return at < 0 ? 0 : (1 << at) >>> 0;
}
