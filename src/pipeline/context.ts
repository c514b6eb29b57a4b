import { digest } from '../digest.js';
import type { HealthEvent } from '../events/health-event.js';
import { resourceOf } from '../events/order.js';
import type { JobRecord } from '../storage/ledger.js';
import type { Watermark } from '../storage/watermarks.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { Context, ReaderOf, Setting, WorkflowLog, WorkflowTable } from '../workflow.js';
import { valuesOf, wordOf } from './describe.js';
import type { Cancellation } from './handler.js';
import { type Hold, LAST_OF_LEASE_MS } from './hold.js';
import { fieldsOf, type ReaderFor, type Run } from './run.js';
import { type Guard, LeaseLostError, openTable, type TableDeps } from './workflow-table.js';

type ContextDeps = TableDeps & {
  setting: Setting;
  run: Run;
  job: Hold<JobRecord>;
  resource: Hold<Watermark> | undefined;
  cancellation: Cancellation;
  /** Whether the pipeline still waits for this handler. */
  isOpen: () => boolean;
  /** Writes of the handler that are under way. */
  writing: Set<Promise<unknown>>;
  /** Changes of tables that the handler has begun. */
  begun: Begun;
  readerFor: ReaderFor;
  telemetry: Telemetry;
};

/** What the handler is given. */
export function createContext(deps: ContextDeps): Context {
  return new JobContext(deps);
}

/** A class, since there is one for each job, and most handlers use little of it. */
class JobContext implements Context {
  readonly fence: number | undefined;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly tables: (name: string) => WorkflowTable;
  readonly #deps: ContextDeps;
  #resource: ReaderOf<HealthEvent> | undefined;

  constructor(deps: ContextDeps) {
    this.#deps = deps;
    this.fence = deps.resource?.value.fence;
    this.attempt = deps.job.value.tries + 1;
    this.idempotencyKey = deps.run.address;
    this.tables = (name) => kept(openTable(name, deps, guardOf(deps)), deps.begun);
  }

  get resource(): ReaderOf<HealthEvent> {
    const { readerFor, run, cancellation } = this.#deps;
    this.#resource ??= bearable(readerFor(run.event, cancellation.signal));
    return this.#resource;
  }

  get signal(): AbortSignal {
    return this.#deps.cancellation.signal;
  }

  get setting(): Setting {
    return this.#deps.setting;
  }

  get log(): WorkflowLog {
    return createLog(this.#deps);
  }
}

/**
 * What a handler changes, whether or not it waits for it: a change that failed and was not looked at must not end in a
 * job that is completed, nor as a rejection that ends the process.
 */
export class Begun {
  #open: Set<Promise<unknown>> | undefined; // there is one for each job, and most change one row and wait for it
  #failed: { readonly error: unknown } | undefined;

  add(change: Promise<unknown>): void {
    this.#open ??= new Set();
    const open = this.#open;
    const over: Promise<unknown> = change.then(
      () => open.delete(over),
      (error: unknown) => {
        this.#failed ??= { error };
        open.delete(over);
      },
    );
    open.add(over);
  }

  /** What `runHandler` is to wait for. */
  rest(): Promise<void> | undefined {
    return (this.#open?.size ?? 0) > 0 || this.#failed ? this.#waitForAll() : undefined;
  }

  async #waitForAll(): Promise<void> {
    while (this.#open && this.#open.size > 0) await Promise.all(this.#open);
    if (this.#failed) throw this.#failed.error;
  }
}

/** What fails and is waited for by nobody is no reason to end the process: nobody has used it. */
function bearable<T extends object>(asked: T): T {
  const methods = Object.entries(asked).map(([name, method]) => [
    name,
    typeof method !== 'function'
      ? method
      : (...all: unknown[]) => {
          const answer = method(...all);
          if (answer instanceof Promise) answer.catch(() => {});
          return answer;
        },
  ]);
  return Object.fromEntries(methods);
}

function kept(table: WorkflowTable, begun: Begun): WorkflowTable {
  return {
    ...bearable(table),
    change(...all) {
      const change = table.change(...all);
      begun.add(change);
      return change;
    },
  };
}

/** Writes nothing in the last seconds of a lease, nor when the pipeline waits no longer. */
function guardOf({ run, job, resource, isOpen, writing }: ContextDeps): Guard {
  return {
    fence: resource && { number: resource.value.fence, of: digest(resourceOf(run.event)) },
    isWanted: isOpen,
    writableUntilMs() {
      if (!isOpen() || !job.mayStart() || resource?.mayStart() === false) {
        throw new LeaseLostError('The lease of this job is over, or nearly; nothing was written.');
      }
      return Math.min(job.heldUntilMs, resource?.heldUntilMs ?? Number.POSITIVE_INFINITY) - LAST_OF_LEASE_MS;
    },
    note(write) {
      const ended: Promise<unknown> = write.catch(() => {}).finally(() => writing.delete(ended));
      writing.add(ended);
    },
  };
}

function createLog({ run, telemetry }: ContextDeps): WorkflowLog {
  let values: readonly string[] | undefined;
  /** A code is a word, not a sentence with a name in it. */
  const codeOf = (code: string) => {
    if (!/^[a-z][a-z0-9-]{0,63}$/.test(code)) return NO_CODE;
    values ??= valuesOf(run);
    return wordOf(code, values, NO_CODE);
  };
  const numbersOf = (numbers: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(numbers).map(([name, value]) => [codeOf(name.toLowerCase()), Number(value)]));
  const write = (level: 'info' | 'warn' | 'error') => (code: string, numbers?: Readonly<Record<string, number>>) =>
    telemetry.log(level, 'workflow', {
      ...fieldsOf(run),
      code: codeOf(code),
      ...(numbers ? { numbers: numbersOf(numbers) } : {}),
    });
  return { info: write('info'), warn: write('warn'), error: write('error') };
}

const NO_CODE = 'code-not-a-word';
