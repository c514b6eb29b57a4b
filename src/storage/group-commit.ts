import { type Clock, type Random, sleep } from '../clock.js';
import { sizeOf, takeBatch } from './commit-batch.js';
import { CommitGate } from './commit-gate.js';
import { type Operation, type Place, type Read, type Row, StorageError, type TableStore } from './table-store.js';

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

type Deps = { readonly tables: TableStore; readonly clock: Clock; readonly random: Random };
type PartitionDeps = Deps & Place & { readonly gate: CommitGate };

/** Returns the group commit: `write` ends when the outcome of a write is known, or its time is over. */
export function createGroupCommit(deps: Deps): GroupCommit {
  const partitions = new Map<string, Map<string, PartitionWrites>>();
  const gate = new CommitGate(deps.clock);

  return {
    write(table, partition, write) {
      const writes = partitions.get(table)?.get(partition) ?? openPartition(table, partition);
      return writes.add(write);
    },
  };

  function openPartition(table: string, partition: string): PartitionWrites {
    const writes = new PartitionWrites({ ...deps, table, partition, gate });
    const ofTable = partitions.get(table) ?? new Map<string, PartitionWrites>();
    partitions.set(table, ofTable.set(partition, writes));
    const close = () => {
      ofTable.delete(partition);
      if (ofTable.size === 0) partitions.delete(table);
    };
    deps.clock.endOfTurn(() => void writes.drain(close));
    return writes;
  }
}

/** The writes of one partition, from the first that gathers to the end of the last. */
class PartitionWrites {
  readonly #deps: PartitionDeps;
  /** The writes that wait for the next transaction. */
  #queue: Entry[] = [];

  constructor(deps: PartitionDeps) {
    this.#deps = deps;
  }

  add({ operation, isOwn, untilMs, isWanted = ALWAYS }: Write): Promise<Written> {
    return new Promise((finish, fail) => {
      const sizeBytes = sizeOf(operation);
      this.#queue.push({ operation, isOwn, untilMs, isWanted, finish, fail, sizeBytes, lastError: undefined });
    });
  }

  /** Sends one transaction after the other until no write is left, and then calls `close` before another write can come. */
  async drain(close: () => void): Promise<void> {
    while (this.#queue.length > 0) {
      const mayWrite = await this.#deps.gate.enter(() => {
        this.#queue = this.#withoutLate(this.#queue);
        return this.#queue.length > 0;
      });
      if (!mayWrite) continue; // a write may have come since
      const { batch, rest } = takeBatch(this.#queue);
      this.#queue = rest;
      await this.#commit(batch);
    }
    close();
  }

  /** Sends the batch until each write is finished. The caller has entered the gate. */
  async #commit(batch: Entry[]): Promise<void> {
    const counts: Counts = { refusals: 0, failures: 0 };
    let open = this.#withoutLate(batch);
    while (open.length > 0) {
      open = await this.#sendOnce(open, counts);
      if (open.length === 0) return;
      const mayWrite = await this.#deps.gate.enter(() => {
        open = this.#withoutLate(open);
        return open.length > 0;
      });
      if (!mayWrite) return;
      open = this.#withoutLate(open);
    }
    this.#deps.gate.leave();
  }

  /** Sends the writes in one transaction, and leaves the gate. Returns those to send again; the others are finished. */
  async #sendOnce(sent: Entry[], counts: Counts): Promise<Entry[]> {
    const { tables, table, partition, gate } = this.#deps;
    const operations = sent.map((entry) => entry.operation); // C3, C4: the same operations at every sending
    try {
      const answer = await gate.send(() => tables.commit(table, partition, operations));
      switch (answer.kind) {
        case 'done':
          for (const [i, entry] of sent.entries()) entry.finish({ kind: 'written', etag: answer.etags[i] ?? '' });
          return [];
        case 'refused':
          counts.refusals += 1;
          return await this.#openAfterRefusal(sent, { index: answer.index, refusals: counts.refusals });
        case 'no-table':
          if ((await tables.create(table)) === 'busy') return finishAll(sent, { kind: 'table-busy' });
          counts.failures += 1;
          if (counts.failures > 1) await this.#pause(counts.failures); // the first time, the table was only absent
          return sent;
        case 'table-busy':
          return finishAll(sent, { kind: 'table-busy' });
        default:
          throw new TypeError(`unhandled ${JSON.stringify(answer satisfies never)}`);
      }
    } catch (error) {
      if (error instanceof StorageError && error.isRejected) return this.#commitSingly(sent, error);
      for (const entry of sent) entry.lastError = error;
      const open = await this.#openAfterUnknown(sent);
      counts.failures += 1;
      if (open.length > 0) await this.#pause(counts.failures);
      return open;
    }
  }

  /** Lets a write that storage rejects fail alone: it must not hold up the others. Nothing was written, so C4 holds. */
  async #commitSingly(sent: Entry[], error: StorageError): Promise<Entry[]> {
    if (sent.length === 1) sent[0]?.fail(error);
    else {
      for (const entry of sent) {
        await this.#deps.gate.enter(() => true);
        await this.#commit([entry]);
      }
    }
    return [];
  }

  /** Returns the writes to send again after a refusal. The other writes are finished. */
  async #openAfterRefusal(sent: Entry[], { index, refusals }: { index: number; refusals: number }): Promise<Entry[]> {
    const named = sent[index];
    if (!named) throw new StorageError('bad-answer', 'Storage refused a transaction without naming its operation.');
    const toRead = refusals > 1 ? sent : [named];
    const open = [...sent.filter((entry) => !toRead.includes(entry)), ...(await this.#finishImpossible(toRead))];
    if (open.length > 0 && refusals > 2) await this.#pause(refusals - 2);
    return open;
  }

  /**
   * Reads the row of each write. Finishes the writes that took effect or have become impossible, and returns the
   * others.
   */
  #finishImpossible(entries: Entry[]): Promise<Entry[]> {
    return this.#finishByRow(entries, (entry, read) => {
      const { stored } = read;
      if (entry.isOwn(stored?.row)) return { kind: 'written', etag: stored?.etag ?? '' }; // C5: by an earlier sending
      return isPossible(entry.operation, stored?.etag) ? undefined : { kind: 'conflict', read };
    });
  }

  /** Reads the row of each write, all of which took effect. Finishes them, and returns those whose read failed. */
  #finishWritten(entries: Entry[]): Promise<Entry[]> {
    return this.#finishByRow(entries, (entry, read) => {
      const { stored } = read;
      const isUnmarked = !stored || entry.operation.kind === 'delete' || entry.operation.kind === 'upsert';
      // C8: another write may have changed the row since. C5: then the caller decides by the current row.
      if (isUnmarked || entry.isOwn(stored.row)) return { kind: 'written', etag: stored?.etag ?? '' };
      return { kind: 'conflict', read };
    });
  }

  /** Finishes each write for which `writtenOf` finds the outcome in its row. Returns the others. */
  async #finishByRow(entries: Entry[], writtenOf: (entry: Entry, read: Read) => Written | undefined): Promise<Entry[]> {
    const open = await Promise.all(
      entries.map(async (entry) => {
        const read = await this.#read(entry).catch((error: unknown) => {
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
  async #openAfterUnknown(sent: Entry[]): Promise<Entry[]> {
    // C6: an absent row does not prove which delete took effect, and anybody may have written the row of an upsert.
    const witness = sent.find(({ operation: { kind } }) => kind !== 'delete' && kind !== 'upsert');
    if (!witness) return sent;
    const read = await this.#read(witness).catch(() => undefined);
    if (!read || !witness.isOwn(read.stored?.row)) return sent; // C2: that proves nothing
    return this.#finishWritten(sent); // C8: read, never sent again
  }

  /** C9: fails the writes whose time is over, and returns the others. */
  #withoutLate(entries: Entry[]): Entry[] {
    const nowMs = this.#deps.clock.monotonic();
    return entries.some((entry) => isOver(entry, nowMs))
      ? entries.filter((entry) => !failIfLate(entry, nowMs))
      : entries;
  }

  #read({ operation }: Entry): Promise<Read> {
    const { tables, table, partition } = this.#deps;
    return tables.read(table, partition, operation.key);
  }

  #pause(failures: number): Promise<void> {
    const { clock, random } = this.#deps;
    const ms = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)) * (0.5 + random.number() / 2);
    return sleep(clock, ms);
  }
}

function failIfLate(entry: Entry, nowMs: number): boolean {
  if (!isOver(entry, nowMs)) return false;
  const code = entry.lastError instanceof StorageError ? entry.lastError.code : 'late';
  entry.fail(
    new StorageError(code, `A write did not succeed in time (${code}). It is unknown whether the write took effect.`),
  );
  return true;
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
