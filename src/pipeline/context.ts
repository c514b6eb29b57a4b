import { digest } from '../digest.js';
import type { HealthEvent } from '../events/health-event.js';
import { resourceOf } from '../events/order.js';
import type { JobRecord } from '../storage/ledger.js';
import type { Watermark } from '../storage/watermarks.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { Context, ReaderOf, Setting, WorkflowLog, WorkflowTable } from '../workflow.js';
import { type Begun, bearable } from './begun.js';
import type { Cancellation } from './handler.js';
import { type Hold, LAST_OF_LEASE_MS } from './hold.js';
import { fieldsOf, type ReaderFor, type Run } from './run.js';
import { createWorkflowLog } from './workflow-log.js';
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
export function createContext(deps: ContextDeps): Context<HealthEvent, string> {
  return new JobContext(deps);
}

/** A class, since there is one for each job, and most handlers use little of it. */
class JobContext implements Context<HealthEvent, string> {
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
    this.tables = (name) => deps.begun.kept(openTable(name, deps, guardOf(deps)));
  }

  get resource(): ReaderOf<HealthEvent> {
    const { readerFor, run, cancellation } = this.#deps;
    this.#resource ??= bearableReader(readerFor(run.event, cancellation.signal));
    return this.#resource;
  }

  get signal(): AbortSignal {
    return this.#deps.cancellation.signal;
  }

  get setting(): Setting {
    return this.#deps.setting;
  }

  get log(): WorkflowLog<string> {
    const { run, telemetry } = this.#deps;
    return createWorkflowLog(telemetry, fieldsOf(run), run.workflow?.codes ?? []);
  }
}

/** Its reads may be left alone, as those of tables. */
function bearableReader<T extends object>(reader: T): T {
  const methods = Object.entries(reader).map(([name, method]) => [
    name,
    typeof method !== 'function'
      ? method
      : (...all: unknown[]) => {
          const answer: unknown = method(...all);
          return answer instanceof Promise ? bearable(answer) : answer;
        },
  ]);
  return Object.fromEntries(methods);
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
