import { keyOf } from '../events/key.js';
import type { Hold } from '../pipeline/hold.js';
import { newRun, type Run } from '../pipeline/run.js';
import { addressOf } from '../storage/address.js';
import type { JobRecord } from '../storage/ledger.js';
import type { Watermark } from '../storage/watermarks.js';
import type { HealthEvent, Workflow } from '../workflow.js';

// What a handler's context is made of, in an app where nothing is ever lost and nobody else is there.

export function runOf(event: HealthEvent, workflow: Workflow | undefined): Run {
  const workflowName = workflow?.name ?? 'test';
  const address = addressOf(keyOf(event), workflowName);
  return newRun({ address, event, json: JSON.stringify(event), workflow, workflowName }, undefined);
}

export function recordOf({ attempt, firstTryAt }: { attempt: number; firstTryAt: Date }): JobRecord {
  return {
    state: { kind: 'running', leaseMs: Number.POSITIVE_INFINITY },
    owner: 'test',
    write: 1,
    tries: attempt - 1,
    crashes: 0,
    crashesAlone: 0,
    redrives: 0,
    firstTryAt: firstTryAt.toISOString(),
    errorCode: '',
    unknownSince: '',
  };
}

export function watermarkOf(fence: number): Watermark {
  return { applied: undefined, started: undefined, fence, owner: 'test', write: 1, leaseMs: Number.POSITIVE_INFINITY };
}

/** A lease that nobody can take, and that never has to be renewed. */
export function held<T>(value: T): Hold<T> {
  return {
    value,
    etag: '',
    heldUntilMs: Number.POSITIVE_INFINITY,
    isOver: false,
    mayStart: () => true,
    update: async () => 'written',
    keep: () => () => {},
  };
}
