import type { TableStore } from '../../../storage/table-store.js';
import type { Services } from '../../world.js';

/** Whether a workflow's tables are, at the end of a run, what the final state of the run's services gives. */
export type TableCheck = {
  /** Its name: a run with an app that does not have it leaves the check out. */
  readonly workflow: string;
  check(of: CheckedRun): Promise<Checked>;
};

export type CheckedRun = {
  /** The workflows' own. */
  readonly tables: TableStore;
  /** Of the run alone, and at rest. */
  readonly services: Services;
  readonly newest: Newest;
  /** Rows that are older are none of the run's. */
  readonly since: Date;
  /** Whether the workflow has completed event `n`. A resource whose newest event did not get so far says nothing. */
  hasCompleted(n: number): boolean;
};

/** `problems`: one for each row that is wrong, in words, with nothing of a resource in it but versions. */
export type Checked = { readonly rows: number; readonly problems: readonly string[] };

/** The newest change of each resource that a run has made, by the digest of the resource. */
export type Newest = ReadonlyMap<string, { readonly version: number; readonly change: string; readonly n: number }>;
