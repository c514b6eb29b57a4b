import type { Clock, Random } from '../clock.js';
import { sleep } from '../clock.js';
import { sizeOf, takeBatch } from './commit-batch.js';
import { CommitGate } from './commit-gate.js';
import type { Operation, Read, Row, TableStore } from './table-store.js';
import { StorageError } from './table-store.js';

/**
 * Writes of one partition share transactions: the writes that gather in a turn of the event loop are sent together at
 * its end. While a transaction is on its way, the next writes gather. Each partition has one transaction on its way at
 * a time.
 *
 * The results of a transaction:
 *   done      all its writes took effect.
 *   refused   nothing was written. The row of the named write is read, and the rest is sent again. From the second
 *             refusal on, all rows are read first, so that n conflicts do not cost n transactions. From the third on,
 *             with a pause.
 *   unknown   (an error, or no answer) It may have taken effect, or may yet. A row that holds its write proves that all
 *             writes of the transaction took effect (C6): then they are only read (C8), because others may have changed
 *             them since. Any other row proves nothing, so the same writes are sent again (C2 to C4). Storage refuses
 *             the sending that comes second.
 * A process that dies at any of these points leaves all of a transaction or nothing. The next reader sees which.
 */
export type GroupCommit = {
  write(table: string, partition: string, write: Write): Promise<Written>;
};

/** One write. It is sent, unchanged, until its outcome is known or its time is over. */
export type Write = {
  operation: Operation;
  /** Returns whether the current row holds this very write, so that a write is recognised after a lost answer (C5). */
  isOwn(row: Row | undefined): boolean;
  /** C9: a time on the monotonic clock. After it the write is not sent, and an unknown outcome is a StorageError. */
  untilMs: number;
  /** Called before every sending. If it returns false, the time of the write is over (J6). */
  isWanted?: () => boolean;
};

/** The known outcome of a write. An unknown outcome is thrown as a StorageError. */
export type Written =
  /** `etag`: of the row now; '' if this write or a later one has deleted the row. */
  | { kind: 'written'; etag: string }
  /**
   * The row does not have the version that the operation names. `read`: the current row. The write may have taken
   * effect before another write changed the row.
   */
  | { kind: 'conflict'; read: Read }
  /** The table is being dropped. Nothing was written. */
  | { kind: 'table-busy' };

/** `Written`, with the current row in the caller's form. */
export type WrittenOver<Current> =
  | Exclude<Written, { kind: 'conflict' }>
  | { kind: 'conflict'; current: Current | undefined };

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 1000;

const ALWAYS = () => true;

type Entry = Required<Write> & {
  finish: (written: Written) => void;
  fail: (error: unknown) => void;
  sizeBytes: number;
  lastError: unknown;
};
/** The refusals of a batch, and its other failures. */
type Counts = { refusals: number; failures: number };
/** The writes of one partition that wait for the next transaction. */
type WriteQueue = { table: string; partition: string; writes: Entry[] };

/** Returns the group commit: `write` ends when the outcome of a write is known, or its time is over. */
export function createGroupCommit(deps: { tables: TableStore; clock: Clock; random: Random }): GroupCommit {
  const { tables, clock, random } = deps;
  const queues = new Map<string, Map<string, WriteQueue>>();
  const gate = new CommitGate(clock);

  return {
    write(table, partition, write) {
      return new Promise((finish, fail) => {
        const queue = queues.get(table)?.get(partition) ?? openQueue(table, partition);
        const { operation, isOwn, untilMs, isWanted = ALWAYS } = write;
        const sizeBytes = sizeOf(operation);
        queue.writes.push({ operation, isOwn, untilMs, isWanted, finish, fail, sizeBytes, lastError: undefined });
      });
    },
  };

  function openQueue(table: string, partition: string): WriteQueue {
    const queue: WriteQueue = { table, partition, writes: [] };
    const ofTable = queues.get(table) ?? new Map<string, WriteQueue>();
    queues.set(table, ofTable.set(partition, queue));
    clock.endOfTurn(() => void drain(queue));
    return queue;
  }

  async function drain(queue: WriteQueue): Promise<void> {
    while (queue.writes.length > 0) {
      const mayWrite = await gate.enter(() => {
        queue.writes = withoutLate(queue.writes);
        return queue.writes.length > 0;
      });
      if (!mayWrite) continue; // a write may have come since
      const { batch, rest } = takeBatch(queue.writes);
      queue.writes = rest;
      await commit(queue, batch);
    }
    const ofTable = queues.get(queue.table);
    ofTable?.delete(queue.partition);
    if (ofTable?.size === 0) queues.delete(queue.table);
  }

  /** Sends the batch until each write is finished. The caller has entered the gate. */
  async function commit(queue: WriteQueue, batch: Entry[]): Promise<void> {
    const counts: Counts = { refusals: 0, failures: 0 };
    let open = withoutLate(batch);
    while (open.length > 0) {
      open = await sendOnce(queue, open, counts);
      if (open.length === 0) return;
      const mayWrite = await gate.enter(() => {
        open = withoutLate(open);
        return open.length > 0;
      });
      if (!mayWrite) return;
      open = withoutLate(open);
    }
    gate.leave();
  }

  /** Sends the writes in one transaction, and leaves the gate. Returns those to send again; the others are finished. */
  async function sendOnce(queue: WriteQueue, sent: Entry[], counts: Counts): Promise<Entry[]> {
    const operations = sent.map((entry) => entry.operation); // C3, C4: the same operations at every sending
    try {
      const answer = await gate.send(() => tables.commit(queue.table, queue.partition, operations));
      switch (answer.kind) {
        case 'done':
          for (const [i, entry] of sent.entries()) entry.finish({ kind: 'written', etag: answer.etags[i] ?? '' });
          return [];
        case 'refused':
          counts.refusals += 1;
          return await openAfterRefusal(queue, sent, { index: answer.index, refusals: counts.refusals });
        case 'no-table':
          if ((await tables.create(queue.table)) === 'busy') return finishAll(sent, { kind: 'table-busy' });
          counts.failures += 1;
          if (counts.failures > 1) await sleep(clock, pauseMs(counts.failures)); // the first time, the table was only absent
          return sent;
        case 'table-busy':
          return finishAll(sent, { kind: 'table-busy' });
        default:
          throw new TypeError(`unhandled ${JSON.stringify(answer satisfies never)}`);
      }
    } catch (error) {
      if (error instanceof StorageError && error.isRejected) return commitSingly(queue, sent, error);
      for (const entry of sent) entry.lastError = error;
      const open = await openAfterUnknown(queue, sent);
      counts.failures += 1;
      if (open.length > 0) await sleep(clock, pauseMs(counts.failures));
      return open;
    }
  }

  /** Lets a write that storage rejects fail alone: it must not hold up the others. Nothing was written, so C4 holds. */
  async function commitSingly(queue: WriteQueue, sent: Entry[], error: StorageError): Promise<Entry[]> {
    if (sent.length === 1) return failAll(sent, error);
    for (const entry of sent) {
      await gate.enter(() => true);
      await commit(queue, [entry]);
    }
    return [];
  }

  /** Returns the writes to send again after a refusal. The other writes are finished. */
  async function openAfterRefusal(
    queue: WriteQueue,
    sent: Entry[],
    { index, refusals }: { index: number; refusals: number },
  ): Promise<Entry[]> {
    const named = sent[index];
    if (!named) throw new StorageError('bad-answer', 'Storage refused a transaction without naming its operation.');
    const toRead = refusals > 1 ? sent : [named];
    const open = [...sent.filter((entry) => !toRead.includes(entry)), ...(await finishImpossible(queue, toRead))];
    if (open.length > 0 && refusals > 2) await sleep(clock, pauseMs(refusals - 2));
    return open;
  }

  /**
   * Reads the row of each write. Finishes the writes that took effect or have become impossible, and returns the
   * others.
   */
  function finishImpossible(queue: WriteQueue, entries: Entry[]): Promise<Entry[]> {
    return finishByRow(queue, entries, (entry, read) => {
      const { stored } = read;
      if (entry.isOwn(stored?.row)) return { kind: 'written', etag: stored?.etag ?? '' }; // C5: by an earlier sending
      return isPossible(entry.operation, stored?.etag) ? undefined : { kind: 'conflict', read };
    });
  }

  /** Reads the row of each write, all of which took effect. Finishes them, and returns those whose read failed. */
  function finishWritten(queue: WriteQueue, entries: Entry[]): Promise<Entry[]> {
    return finishByRow(queue, entries, (entry, read) => {
      const { stored } = read;
      const isUnmarked = !stored || entry.operation.kind === 'delete' || entry.operation.kind === 'upsert';
      // C8: another write may have changed the row since. C5: then the caller decides by the current row.
      if (isUnmarked || entry.isOwn(stored.row)) return { kind: 'written', etag: stored?.etag ?? '' };
      return { kind: 'conflict', read };
    });
  }

  /** Finishes each write for which `writtenOf` finds the outcome in its row. Returns the others. */
  async function finishByRow(
    queue: WriteQueue,
    entries: Entry[],
    writtenOf: (entry: Entry, read: Read) => Written | undefined,
  ): Promise<Entry[]> {
    const open = await Promise.all(
      entries.map(async (entry) => {
        const read = await tables.read(queue.table, queue.partition, entry.operation.key).catch((error: unknown) => {
          entry.lastError = error;
          return undefined;
        });
        const written = read && writtenOf(entry, read);
        if (!written) return entry;
        entry.finish(written);
        return undefined;
      }),
    );
    return open.filter((entry) => entry !== undefined);
  }

  /** Returns the writes to send again after an unknown outcome. The other writes are finished. */
  async function openAfterUnknown(queue: WriteQueue, sent: Entry[]): Promise<Entry[]> {
    // C6: an absent row does not prove which delete took effect, and anybody may have written the row of an upsert.
    const witness = sent.find(({ operation: { kind } }) => kind !== 'delete' && kind !== 'upsert');
    if (!witness) return sent;
    const read = await tables.read(queue.table, queue.partition, witness.operation.key).catch(() => undefined);
    if (!read || !witness.isOwn(read.stored?.row)) return sent; // C2: that proves nothing
    return finishWritten(queue, sent); // C8: read, never sent again
  }

  /** C9: fails the writes whose time is over, and returns the others. */
  function withoutLate(entries: Entry[]): Entry[] {
    const nowMs = clock.monotonic();
    return entries.some((entry) => isOver(entry, nowMs))
      ? entries.filter((entry) => !failIfLate(entry, nowMs))
      : entries;
  }

  function failIfLate(entry: Entry, nowMs: number): boolean {
    if (!isOver(entry, nowMs)) return false;
    const code = entry.lastError instanceof StorageError ? entry.lastError.code : 'late';
    entry.fail(
      new StorageError(code, `A write did not succeed in time (${code}). It is unknown whether the write took effect.`),
    );
    return true;
  }

  function pauseMs(failures: number): number {
    return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)) * (0.5 + random.number() / 2);
  }
}

function isOver(entry: Entry, nowMs: number): boolean {
  return nowMs > entry.untilMs || !entry.isWanted();
}

function isPossible(operation: Operation, etag: string | undefined): boolean {
  switch (operation.kind) {
    case 'upsert':
      return true;
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

/** Finishes all writes. Returns the writes to send again: none. */
function finishAll(entries: Entry[], written: Written): Entry[] {
  for (const entry of entries) entry.finish(written);
  return [];
}

function failAll(entries: Entry[], error: unknown): Entry[] {
  for (const entry of entries) entry.fail(error);
  return [];
}
