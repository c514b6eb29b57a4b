import { APP_TABLES } from './app-tables.js';
import { commitCreating } from './commit-creating.js';
import { findRow } from './read-rows.js';
import { StorageError, type Stored, type TableStore } from './table-store.js';

/** A paused workflow: since when, the caller who has paused it, and the reason in that person's words (never logged). */
export type Pause = { readonly workflow: string; readonly since: string; readonly by: string; readonly why: string };

/**
 * The paused workflows, which all processes share: a row for each in the table `appstate`, with the workflow's name as
 * its key. No row: the workflow is not paused.
 *
 *   process dies before the write    nothing has changed; the caller gets no answer and repeats the request
 *   process dies after the write     the state has changed; the repeated request gives the same state
 *   two callers pause at once        storage refuses one insert; that caller gets the pause of the other
 *   two callers resume at once       storage refuses one delete; that caller finds no row
 *   one pauses, one resumes          the delete names the version that was read; each caller gets the state after it
 *   unknown outcome                  a StorageError; the repeated request shows the state, and changes it if needed
 */
export type Pauses = {
  /** Returns all paused workflows, by name. */
  list(): Promise<Pause[]>;
  /** Pauses a workflow, unless it is paused. Returns the state that holds; undefined if the workflow is not paused. */
  pause(pause: Pause): Promise<Pause | undefined>;
  /** Resumes a workflow, unless it is not paused. Returns the state that holds. */
  resume(workflow: string): Promise<Pause | undefined>;
};

const TABLE = APP_TABLES.state;
const PARTITION = 'pauses';
/** One page holds all pauses, because no app has as many workflows. */
const PAGE = 1000;

export function createPauses({ tables }: { tables: TableStore }): Pauses {
  return {
    list: async () => (await tables.query(TABLE, { partition: PARTITION, limit: PAGE })).rows.map(decode),

    async pause({ workflow, ...row }) {
      const paused = await find(workflow);
      if (paused) return decode(paused);
      const operation = { kind: 'insert', key: workflow, row } as const;
      const written = await commitCreating(tables, [TABLE, PARTITION], [operation]);
      if (written.kind === 'done') return { workflow, ...row };
      if (written.kind === 'refused') return decoded(await find(workflow));
      throw new StorageError('appstate-busy', `The table ${TABLE} could not be written: the workflow is not paused.`);
    },

    async resume(workflow) {
      const paused = await find(workflow);
      if (!paused) return undefined;
      const operation = { kind: 'delete', key: workflow, etag: paused.etag } as const;
      const written = await tables.commit(TABLE, PARTITION, [operation]);
      if (written.kind === 'done') return undefined;
      if (written.kind === 'refused') return decoded(await find(workflow));
      throw new StorageError('appstate-busy', `The table ${TABLE} could not be written: the workflow is still paused.`);
    },
  };

  async function find(workflow: string): Promise<Stored | undefined> {
    return (await findRow(tables, [TABLE, PARTITION], workflow)).stored;
  }
}

function decoded(stored: Stored | undefined): Pause | undefined {
  return stored && decode(stored);
}

function decode({ key, row: { since = '', by = '', why = '' } }: Stored): Pause {
  return { workflow: key, since: String(since), by: String(by), why: String(why) };
}
