import type { Duration } from '../duration.js';
import type { HealthEvent } from '../events/health-event.js';
import type { Context, Task } from './context.js';
import type { Lookup } from './lookup.js';
import type { Selector } from './selector.js';
import type { HostsAbsent, Setting, Setup } from './setup.js';

/** The options of `defineWorkflow`. */
export type WorkflowOptions<E extends HealthEvent, S extends Selector = Selector<E>, C extends string = never> = {
  /**
   * 1 to 63 characters of a-z, 0-9 and '-', a letter first. Never change the name: the address of each job contains it.
   */
  name: string;
  on: S | readonly S[];
  /**
   * Every code that may leave the process: codes of `log` with the names of its numbers, of errors, and of `setup`.
   * Each is 1 to 64 characters of a-z, 0-9 and '-', a letter first. Any other code is recorded as `undeclared-code`.
   */
  codes?: readonly C[];
  /**
   * `any` (default): every event, in any order. `latest`: never an older version of a resource after a newer version.
   */
  ordering?: 'any' | 'latest';
  /**
   * Time limit of one try: default 10 s, at most 25 min. A job with more than DEADLINE_SECONDS is a long job: it starts
   * from a row.
   */
  timeout?: Duration;
  /** Maximum number of jobs at the same time in one process; default 256. */
  concurrency?: number;
  /** Default: 8 tries, 10 s to 6 h apart. `giveUpAfter` (24 h) limits jobs that keep throwing RetryAfterError. */
  retry?: { tries?: number; from?: Duration; to?: Duration; giveUpAfter?: Duration };
  handle(event: E, context: Context<E, NoInfer<C>>): Promise<void> | void;
  /** Called once, at the start. Without `setup` the workflow is on. */
  setup?(setting: Setting): Setup<NoInfer<C> | HostsAbsent>;
  lookup?: Lookup;
  task?: Task<NoInfer<C>>;
};

/** A workflow with all defaults filled in, as `defineWorkflow` returns it. */
export type Workflow = {
  readonly name: string;
  readonly on: readonly Selector[];
  readonly codes: readonly string[];
  readonly ordering: 'any' | 'latest';
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly retry: {
    readonly tries: number;
    readonly fromMs: number;
    readonly toMs: number;
    readonly giveUpAfterMs: number;
  };
  readonly handle: (event: HealthEvent, context: Context<HealthEvent, string>) => Promise<void> | void;
  readonly setup: (setting: Setting) => Setup<string>;
  readonly lookup: Lookup | undefined;
  readonly task: Task | undefined;
};
