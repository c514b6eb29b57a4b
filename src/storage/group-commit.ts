import type { Clock, Random } from '../clock.js';
import { sleep } from '../clock.js';
import type { Operation, Read, Row, TableStore } from './table-store.js';
import { StorageError } from './table-store.js';

/**
 * Writes of one partition share transactions: what has gathered by the end of a turn of the event loop leaves together,
 * and while it is on its way the next lot gathers. One transaction a partition is under way at a time.
 *
 * What can happen to a transaction, and what is done:
 *   done            every write in it is answered.
 *   refused         nothing was written. The write it names is taken out and read; the rest is sent again. From the
 *                   second refusal on the rest is read first, so that n conflicts do not cost n transactions; from the
 *                   third on, after a pause.
 *   fails, or never answers
 *                   It may have taken effect, or may yet. One row stands for all of it, since it is all or nothing: a
 *                   row that holds its write says that all were written: then they are only read, for somebody may
 *                   have changed or deleted them since. A row that does not is not final, so the very same writes are
 *                   sent again, and whatever applied first refuses the second.
 * A process that dies at any of these leaves all of a transaction or nothing; whoever comes next reads which.
 */
export type GroupCommit = {
  write(table: string, partition: string, write: Write): Promise<Written>;
};

export type Write = {
  operation: Operation;
  /** Whether the row, as it is now, holds this very write: how a write is recognised whose answer was lost. */
  isOwn(row: Row | undefined): boolean;
  /** On the monotonic clock: it is not sent after this, and what is unknown then is thrown as a StorageError. */
  untilMs: number;
  /** Asked before every sending; when nobody wants it any more, it is as if its time were over. */
  isWanted?: () => boolean;
};

export type Written =
  /** `etag` is '' for a delete, and where the row was deleted since. */
  | { kind: 'written'; etag: string }
  /** The row is not as the operation wants it. `read` is how it is. */
  | { kind: 'conflict'; read: Read }
  /** The table is being dropped. Nothing was written. */
  | { kind: 'table-busy' };

const MAX_OPERATIONS = 100;
/** Of the 4 MiB that a transaction may have; the sizes below are estimates from above. */
const MAX_BYTES = 3_500_000;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 1000;

const ALWAYS = () => true;

type Entry = Required<Write> & {
  settle: (written: Written) => void;
  fail: (error: unknown) => void;
  sizeBytes: number;
  lastError: unknown;
};
type Lane = { table: string; partition: string; queue: Entry[] };

export function createGroupCommit(deps: { tables: TableStore; clock: Clock; random: Random }): GroupCommit {
  const { tables, clock, random } = deps;
  const lanes = new Map<string, Map<string, Lane>>();

  return {
    write(table, partition, write) {
      return new Promise((settle, fail) => {
        const lane = lanes.get(table)?.get(partition) ?? openLane(table, partition);
        const { operation, isOwn, untilMs, isWanted = ALWAYS } = write;
        const sizeBytes = sizeOf(operation);
        lane.queue.push({ operation, isOwn, untilMs, isWanted, settle, fail, sizeBytes, lastError: undefined });
      });
    },
  };

  function openLane(table: string, partition: string): Lane {
    const lane: Lane = { table, partition, queue: [] };
    const ofTable = lanes.get(table) ?? new Map<string, Lane>();
    lanes.set(table, ofTable.set(partition, lane));
    clock.endOfTurn(() => void drain(lane));
    return lane;
  }

  async function drain(lane: Lane): Promise<void> {
    while (lane.queue.length > 0) await commit(lane, takeBatch(lane));
    const ofTable = lanes.get(lane.table);
    ofTable?.delete(lane.partition);
    if (ofTable?.size === 0) lanes.delete(lane.table);
  }

  async function commit(lane: Lane, batch: Entry[]): Promise<void> {
    let open = batch;
    let refusals = 0;
    for (let failures = 0; ; ) {
      const nowMs = clock.monotonic();
      if (open.some((entry) => isLate(entry, nowMs))) open = open.filter((entry) => isInTime(entry, nowMs));
      if (open.length === 0) return;
      const sent = open;
      try {
        const answer = await tables.commit(
          lane.table,
          lane.partition,
          sent.map((entry) => entry.operation),
        );
        switch (answer.kind) {
          case 'done':
            for (const [i, entry] of sent.entries()) entry.settle({ kind: 'written', etag: answer.etags[i] ?? '' });
            return;
          case 'refused': {
            const named = sent[answer.index];
            if (!named)
              throw new StorageError('bad-answer', 'Storage refused a transaction and named no operation of it.');
            refusals += 1;
            const suspects = refusals > 1 ? sent : [named];
            open = [...sent.filter((entry) => !suspects.includes(entry)), ...(await stillOpen(lane, suspects))];
            if (open.length > 0 && refusals > 2) await sleep(clock, pauseMs(refusals - 2));
            break;
          }
          case 'no-table':
            if ((await tables.create(lane.table)) === 'busy') return settleAll(sent, { kind: 'table-busy' });
            failures += 1;
            if (failures > 1) await sleep(clock, pauseMs(failures)); // made, and still not there
            break;
          case 'table-busy':
            return settleAll(sent, { kind: 'table-busy' });
          default:
            throw new TypeError(`unhandled ${JSON.stringify(answer satisfies never)}`);
        }
      } catch (error) {
        if (error instanceof StorageError && error.isRejected) {
          if (sent.length === 1) return failAll(sent, error);
          for (const entry of sent) await commit(lane, [entry]); // one that storage will not have must not hold up the others
          return;
        }
        for (const entry of sent) entry.lastError = error;
        open = await stillOpenAfterUnknown(lane, sent);
        failures += 1;
        if (open.length > 0) await sleep(clock, pauseMs(failures));
      }
    }
  }

  /** Reads each and answers what can be answered: the write is there, or can no longer be done. The rest is returned. */
  async function stillOpen(lane: Lane, entries: Entry[], wereWritten = false): Promise<Entry[]> {
    const open = await Promise.all(
      entries.map(async (entry) => {
        const { operation } = entry;
        const read = await tables.read(lane.table, lane.partition, operation.key).catch((error: unknown) => {
          entry.lastError = error;
          return undefined;
        });
        if (!read) return entry;
        const { stored } = read;
        const isGone = wereWritten && (!stored || operation.kind === 'delete');
        if (isGone || entry.isOwn(stored?.row)) entry.settle({ kind: 'written', etag: stored?.etag ?? '' });
        else if (!wereWritten && isPossible(operation, stored?.etag)) return entry;
        else entry.settle({ kind: 'conflict', read });
        return undefined;
      }),
    );
    return open.filter((entry) => entry !== undefined);
  }

  async function stillOpenAfterUnknown(lane: Lane, sent: Entry[]): Promise<Entry[]> {
    // The absence of a row says nothing of who deleted it, so a delete stands for nobody but itself.
    const spokesman = sent.find((entry) => entry.operation.kind !== 'delete');
    if (!spokesman) return sent;
    const read = await tables.read(lane.table, lane.partition, spokesman.operation.key).catch(() => undefined);
    if (!read || !spokesman.isOwn(read.stored?.row)) return sent;
    return stillOpen(lane, sent, true);
  }

  function isInTime(entry: Entry, nowMs: number): boolean {
    if (!isLate(entry, nowMs)) return true;
    const code = entry.lastError instanceof StorageError ? entry.lastError.code : 'late';
    entry.fail(
      new StorageError(code, `A write could not be made in time (${code}); whether it took effect is not known.`),
    );
    return false;
  }

  function pauseMs(failures: number): number {
    return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)) * (0.5 + random.number() / 2);
  }
}

/** The next transaction: in order of arrival, each row at most once, within the limits of storage. */
function takeBatch(lane: Lane): Entry[] {
  const { queue } = lane;
  const batch: Entry[] = [];
  const left: Entry[] = [];
  const keys = new Set<string>();
  let bytes = 0;
  let isFull = false;
  for (const entry of queue) {
    const { key } = entry.operation;
    isFull ||= batch.length === MAX_OPERATIONS || (batch.length > 0 && bytes + entry.sizeBytes > MAX_BYTES);
    if (isFull || keys.has(key)) left.push(entry);
    else {
      batch.push(entry);
      keys.add(key);
      bytes += entry.sizeBytes;
    }
  }
  lane.queue = left;
  return batch;
}

function isLate(entry: Entry, nowMs: number): boolean {
  return nowMs > entry.untilMs || !entry.isWanted();
}

function isPossible(operation: Operation, etag: string | undefined): boolean {
  switch (operation.kind) {
    case 'insert':
      return etag === undefined;
    case 'merge':
    case 'replace':
      return etag === operation.etag;
    case 'delete':
      return etag !== undefined && (operation.etag === undefined || operation.etag === etag);
    default:
      throw new TypeError(`unhandled ${JSON.stringify(operation satisfies never)}`);
  }
}

function sizeOf(operation: Operation): number {
  let bytes = 1000 + operation.key.length;
  if (operation.kind !== 'delete') {
    for (const name in operation.row) {
      const value = operation.row[name];
      bytes += typeof value === 'string' ? 60 + 3 * value.length : 60;
    }
  }
  return bytes;
}

function settleAll(entries: Entry[], written: Written): void {
  for (const entry of entries) entry.settle(written);
}

function failAll(entries: Entry[], error: unknown): void {
  for (const entry of entries) entry.fail(error);
}
