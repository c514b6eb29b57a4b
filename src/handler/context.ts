import { digest } from '../digest.js';
import type { HealthEvent } from '../events/health-event.js';
import { resourceOf } from '../events/order.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { Context, ReaderOf, Setting, WorkflowLog, WorkflowTable } from '../workflow.js';
import type { KnownRow } from './change-queue.js';
import { type Job, loggableFieldsOf, type ReaderFor } from './job.js';
import { LAST_OF_LEASE_MS, type Lease } from './lease.js';
import { ignoreUnhandled, type PendingChanges } from './pending-changes.js';
import type { Cancellation } from './run-handler.js';
import { createWorkflowLog } from './workflow-log.js';
import { type Guard, LeaseLostError, openTable, type TableDeps } from './workflow-table.js';

type ContextDeps = TableDeps & {
  setting: Setting;
  job: Job;
  attempt: number;
  /** With `ordering: 'latest'`, the fence of this holder of the resource (L3). */
  fence: number | undefined;
  /** The fence of the previous holder, if that holder completed (L10). */
  completedFence: number | undefined;
  /** The lease of the job, and with `ordering: 'latest'` that of its resource. */
  leases: readonly Lease[];
  cancellation: Cancellation;
  /** Returns whether the pipeline still waits for this handler. */
  isOpen: () => boolean;
  /** Writes of the handler that are under way. */
  writing: Set<Promise<unknown>>;
  /** Changes of tables that the handler has begun. */
  pendingChanges: PendingChanges;
  readerFor: ReaderFor;
  telemetry: Telemetry;
};

/** The second argument of a handler. A class with getters, because most handlers use few of its properties. */
export class JobContext implements Context<HealthEvent, string> {
  readonly fence: number | undefined;
  readonly completedFence: number | undefined;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly tables: (name: string) => WorkflowTable;
  readonly #deps: ContextDeps;
  #resource: ReaderOf<HealthEvent> | undefined;

  constructor(deps: ContextDeps) {
    this.#deps = deps;
    this.fence = deps.fence;
    this.completedFence = deps.completedFence;
    this.attempt = deps.attempt;
    this.idempotencyKey = deps.job.address;
    const seen = new Map<string, KnownRow>();
    this.tables = (name) => deps.pendingChanges.watched(openTable(name, deps, { ...guardOf(deps), seen }));
  }

  get resource(): ReaderOf<HealthEvent> {
    const { readerFor, job, cancellation } = this.#deps;
    this.#resource ??= ignoringUnhandled(readerFor(job.event, cancellation.signal));
    return this.#resource;
  }

  get signal(): AbortSignal {
    return this.#deps.cancellation.signal;
  }

  get setting(): Setting {
    return this.#deps.setting;
  }

  get log(): WorkflowLog<string> {
    const { job, telemetry } = this.#deps;
    return createWorkflowLog(telemetry, loggableFieldsOf(job), job.workflow?.codes ?? []);
  }
}

/** Returns `reader`, whose failed reads do not end the process if the handler does not wait for them. */
function ignoringUnhandled<T extends object>(reader: T): T {
  const methods = Object.entries(reader).map(([name, method]) => [
    name,
    typeof method !== 'function'
      ? method
      : (...all: unknown[]) => {
          const answer: unknown = method(...all);
          return answer instanceof Promise ? ignoreUnhandled(answer) : answer;
        },
  ]);
  return Object.fromEntries(methods);
}

/** J6: refuses writes in the last seconds of a lease, and after the pipeline has stopped waiting for the handler. */
function guardOf({ job, fence, leases, isOpen, writing }: ContextDeps): Guard {
  return {
    fence: fence === undefined ? undefined : { number: fence, resource: digest(resourceOf(job.event)) },
    isWanted: isOpen,
    writableUntilMs() {
      if (!isOpen() || !leases.every((lease) => lease.mayStart())) {
        throw new LeaseLostError('The lease of this job is over, or nearly; nothing was written.');
      }
      return Math.min(...leases.map(({ heldUntilMs }) => heldUntilMs)) - LAST_OF_LEASE_MS;
    },
    note(write) {
      const ended: Promise<unknown> = write.catch(() => {}).finally(() => writing.delete(ended));
      writing.add(ended);
    },
  };
}
