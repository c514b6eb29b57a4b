import type { ReaderOf } from '../clients/readers.js';
import type { HealthEvent } from '../events/health-event.js';
import type { Row } from '../storage/table-store.js';
import type { Setting } from './setup.js';

/** The second argument of a handler. `C` are the codes that `log` accepts. */
export type Context<E extends HealthEvent = HealthEvent, C extends string = never> = {
  /**
   * Reads the content of the event's resource. Returns undefined if the resource is gone; throws `ReadError` on
   * failure.
   */
  readonly resource: ReaderOf<E>;
  /** The workflow's own tables, created at the first write. Names: 3 to 63 letters and digits. */
  readonly tables: Tables;
  readonly log: WorkflowLog<C>;
  readonly setting: Setting;
  /** Aborts at the timeout, when the lease is lost, or when the process ends. Pass it to every call that waits. */
  readonly signal: AbortSignal;
  /**
   * With `ordering: 'latest'`: a number that rises with each run for this resource, and is never higher for an older
   * version than for a newer version. Pass the number on to effects outside the app. Otherwise undefined.
   */
  readonly fence: number | undefined;
  /**
   * The `fence` of the run before this one for this resource, if that run completed: then its changes of tables have been
   * made. Otherwise undefined.
   */
  readonly completedFence: number | undefined;
  /** 1 for the first try. */
  readonly attempt: number;
  /** The same for every try of this job; no other job has this key. */
  readonly idempotencyKey: string;
};

/** Returns a table of the workflow by its name. */
export type Tables = (name: string) => WorkflowTable;

/** A table of a workflow: reads rows, and changes each row on condition. */
export type WorkflowTable = {
  /** Returns the row, or undefined. */
  get(partition: string, key: string): Promise<Row | undefined>;
  /** Returns the rows with `from` <= key < `to` in order of the key, at most `limit` (default 1,000). */
  list(partition: string, range?: { from?: string; to?: string; limit?: number }): Promise<{ key: string; row: Row }[]>;
  /**
   * Reads the row, calls `decide` with the row, and writes the result if the row has not changed since; else starts
   * again. `keep` writes nothing. `decide` may run several times, and once more after its own write if the answer to
   * the write was lost. So `decide` must have no effects, and repeating it must do no harm. `expect: 'absent'` saves
   * the read when the row probably does not exist yet.
   */
  change(
    partition: string,
    key: string,
    decide: (current: Row | undefined) => Row | 'keep' | 'remove',
    options?: { expect?: 'absent' },
  ): Promise<void>;
};

/**
 * Writes a log line: a code, and numbers whose names are codes too. The workflow declares these codes in `codes`; any
 * other text is logged as `undeclared-code`, so that no patient data reaches the logs.
 */
export type WorkflowLog<C extends string> = Record<
  'info' | 'warn' | 'error',
  (code: C, numbers?: Readonly<Partial<Record<C, number>>>) => void
>;

/** The argument of a task. `tables` are the workflow's; writes to them are conditional, but no lease protects them. */
export type TaskContext<C extends string = never> = Pick<Context<HealthEvent, C>, 'tables' | 'log' | 'setting'> & {
  readonly now: () => Date;
  /** Aborts when the process ends. */
  readonly signal: AbortSignal;
};

/** A timer function of a workflow: runs on a schedule, with or without events. */
export type Task<C extends string = string> = {
  /** The name of the function: 1 to 63 letters and digits, a lower-case letter first. */
  readonly name: string;
  /** Six fields in UTC: second, minute, hour, day, month, day of the week. */
  readonly schedule: string;
  /** Runs in one process at a time, but a second run may begin while the first process is killed. Errors are logged. */
  run(context: TaskContext<C>): Promise<void>;
};
