import { digest } from '../digest.js';
import { insertOrReplace } from '../storage/commit-creating.js';
import { findRow } from '../storage/read-rows.js';
import { type Operation, StorageError, type TableStore } from '../storage/table-store.js';
import type { Position } from './compare.js';
import { commitRow, RECONCILE_TABLE } from './reconcile-table.js';

/** The identity of a comparison: the same command has the same name, and so finds its position again. */
export type ComparisonName = {
  readonly host: string;
  /** The part of the service, such as `history` or `current Patient`. */
  readonly part: string;
  readonly since: string;
  /** '' for a comparison up to its own present. */
  readonly until: string;
  /** '' for all. */
  readonly workflow: string;
  /** '' for all; else with commas between. */
  readonly types: string;
  /** Absent if every record of the ledger counts as known: see `createLedgerChanges`. */
  readonly mode?: 'rows-lost';
};

/** The partition of the positions that the command saves. */
const PARTITION = 'by-hand';
const MAX_TRIES = 20;

/**
 * Returns the position of a comparison: a row in the table `reconcile`, while the comparison is not over.
 *
 * A position only moves forward. It says that all earlier changes of the comparison are known or brought in, whichever
 * process has found that out. So both of two positions are true, and the later one saves work.
 *
 *   process dies before the write    the next comparison repeats the page before, whose changes are known by now
 *   process dies after the write     the next comparison continues with the next page
 *   two processes at once            the ETag of one write is stale: that process reads the row, and writes only a
 *                                    later position. The first that reaches the end deletes the row, unless the other has
 *                                    written a later position: then the other deletes it at the end
 *   unknown outcome                  the write may take effect late; its position is still true
 */
export function createPosition(name: ComparisonName, { tables }: { tables: TableStore }): Position {
  const key = digest(JSON.stringify(Object.values(name)));
  const write = (operation: Operation) => commitRow(tables, PARTITION, operation);
  let etag: string | undefined;

  return {
    read,

    async save(upTo) {
      for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
        const row = { ...name, upTo };
        const answer = await write(insertOrReplace(key, row, etag));
        if (answer.kind === 'done') {
          etag = answer.etags[0];
          return;
        }
        if (((await read()) ?? '') >= upTo) return; // another process is ahead
      }
      throw new StorageError(
        'contention',
        `The position in the table ${RECONCILE_TABLE} could not be written: others write it.`,
      );
    },

    async end() {
      if (etag === undefined) return;
      await write({ kind: 'delete', key, etag }); // refused if another process goes on with the row
      etag = undefined;
    },
  };

  async function read(): Promise<string | undefined> {
    const { stored } = await findRow(tables, [RECONCILE_TABLE, PARTITION], key);
    etag = stored?.etag;
    return stored && String(stored.row.upTo);
  }
}
