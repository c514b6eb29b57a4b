import type { Clock, Random } from '../clock.js';
import { APP_TABLES } from './app-tables.js';
import { commitCreating } from './commit-creating.js';
import { queryPages } from './pages.js';
import { asStorageError, StorageError, type Stored, type TableStore } from './table-store.js';

/** An action of a person, of which other people on call must know. */
type Intent = {
  readonly what: 'redrive' | 'discard' | 'pause' | 'resume' | 'compare';
  readonly by: string;
  readonly workflow?: string;
  /** The reason in the words of that person: never logged. */
  readonly why?: string;
};

/** `counts`: by result. Null while the action runs, and for good if the process has died meanwhile. */
export type Action = Intent & { readonly at: string; readonly counts: Readonly<Record<string, number>> | null };

/**
 * The actions of people, the newest first: a row for each in the table `appstate`. Nothing is done without its row.
 *
 *   process dies before the row     nothing is done; the caller gets no answer
 *   process dies after the row      the row stays without counts: some of the action may be done
 *   the counts are not written      the row stays without counts; the action is done, and its caller gets the answer
 *   two actions at once             each has its own row: keys end in a random token
 *   the row expires meanwhile       the counts are written to no row
 */
export type Actions = {
  /**
   * Writes that an action begins. Returns a function that writes its counts, and ignores a failure of storage.
   * @throws StorageError
   */
  begin(intent: Intent): Promise<(counts: Readonly<Record<string, number>>) => Promise<void>>;
  /** Returns the newest actions. */
  list(max: number): Promise<Action[]>;
  /** Deletes the actions before a time; returns their number. */
  expire(before: Date): Promise<number>;
};

type Deps = {
  readonly tables: TableStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Pick<Random, 'token'>;
};

const TABLE = APP_TABLES.state;
const PARTITION = 'actions';
/** A transaction, which deletes a page of rows, takes up to 100 operations. */
const PAGE = 100;

export function createActions({ tables, clock, random }: Deps): Actions {
  return {
    async begin(intent) {
      const at = clock.now();
      const key = `${keyOf(at)}.${random.token()}`;
      const row = { ...intent, at: at.toISOString() };
      const written = await commitCreating(tables, [TABLE, PARTITION], [{ kind: 'insert', key, row }]);
      if (written.kind !== 'done') throw new StorageError('appstate-busy', `The table ${TABLE} could not be written.`);
      const [etag = ''] = written.etags;
      return async (counts) => {
        const operation = { kind: 'merge', key, row: { counts: JSON.stringify(counts) }, etag } as const;
        await tables.commit(TABLE, PARTITION, [operation]).catch(asStorageError);
      };
    },

    list: async (max) => (await tables.query(TABLE, { partition: PARTITION, limit: max })).rows.map(decode),

    async expire(before) {
      let deleted = 0;
      const query = { partition: PARTITION, from: keyOf(new Date(before.getTime() - 1)), limit: PAGE };
      for await (const { rows } of queryPages(tables, TABLE, query)) {
        if (rows.length === 0) continue;
        const operations = rows.map(({ key }) => ({ kind: 'delete', key }) as const);
        if ((await tables.commit(TABLE, PARTITION, operations)).kind === 'done') deleted += rows.length;
      }
      return deleted;
    },
  };
}

/** Keys rise as times fall. */
function keyOf(at: Date): string {
  return String(9_999_999_999_999 - at.getTime()).padStart(13, '0');
}

function decode({ row: { what, by = '', at = '', workflow = '', why = '', counts } }: Stored): Action {
  return {
    what: what as Intent['what'],
    by: String(by),
    at: String(at),
    ...(workflow !== '' && { workflow: String(workflow) }),
    ...(why !== '' && { why: String(why) }),
    counts: counts === undefined ? null : JSON.parse(String(counts)),
  };
}
