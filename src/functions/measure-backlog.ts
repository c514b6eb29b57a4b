import { STAGES } from '../dead-letters/store/names.js';
import { countUndelivered } from '../dead-letters/undelivered.js';
import { errorCodeOf } from '../errors.js';
import { REASONS } from '../telemetry/metrics.js';
import type { App } from './compose.js';
import { countQueued } from './count-storage.js';
import type { FunctionApp } from './serve.js';

const EVERY_MINUTE = '0 * * * * *';
/** The maximum of each count: every page costs a request each minute, and the alerts fire at lower counts. */
const MAX_COUNTED = 5000;

type Deps = Pick<App, 'deadLetters' | 'waiting' | 'pauses' | 'workflows' | 'stores' | 'clock' | 'telemetry'>;

/**
 * Records the backlog each minute: dead letters, rows, undelivered and queued events, and pauses. A timer runs in one
 * process of the app.
 */
export function registerMeasureBacklog(functions: FunctionApp, deps: Deps): void {
  functions.timer('measureBacklog', { schedule: EVERY_MINUTE, handler: () => measureBacklog(deps) });
}

/** A count that fails is left out; an alert fires on the gap. */
async function measureBacklog(deps: Deps): Promise<void> {
  const parts = {
    'dead-letters': measureDeadLetters,
    waiting: measureWaiting,
    undelivered: measureUndelivered,
    pauses: measurePauses,
    'event-queue': measureEventQueue,
  };
  await Promise.all(
    Object.entries(parts).map(async ([code, measure]) => {
      try {
        await measure(deps);
      } catch (error) {
        deps.telemetry.log('error', 'backlog-not-measured', { code, errorCode: errorCodeOf(error) });
      }
    }),
  );
}

async function measureDeadLetters({ deadLetters, clock, telemetry }: Deps): Promise<void> {
  const { byStage, byReason, oldestAt } = await deadLetters.count(MAX_COUNTED);
  for (const stage of STAGES) telemetry.record('deadLettersPending', byStage[stage], { stage });
  for (const reason of REASONS) telemetry.record('deadLettersByReason', byReason[reason] ?? 0, { reason });
  telemetry.record('deadLettersOldestAge', secondsSince(oldestAt, clock.now()), {});
}

async function measureWaiting({ waiting, clock, telemetry }: Deps): Promise<void> {
  const { rows, earliestDueAt } = await waiting.count(MAX_COUNTED);
  telemetry.record('waitingRows', rows, {});
  telemetry.record('waitingOverdue', secondsSince(earliestDueAt, clock.now()), {});
}

async function measureUndelivered({ stores, clock, telemetry }: Deps): Promise<void> {
  const { blobs, unreadable, oldestAt } = await countUndelivered(stores.undelivered, MAX_COUNTED);
  telemetry.record('undeliveredPending', blobs, {});
  telemetry.record('undeliveredUnreadable', unreadable, {});
  telemetry.record('undeliveredOldestAge', secondsSince(oldestAt, clock.now()), {});
}

/** Records nothing if Event Grid sends the events to the webhook. */
async function measureEventQueue({ stores, clock, telemetry }: Deps): Promise<void> {
  if (!stores.eventQueues) return;
  const { messages, poisoned, oldestAt } = await countQueued(stores.eventQueues);
  telemetry.record('queuedEvents', messages, { queue: 'events' });
  telemetry.record('queuedEvents', poisoned, { queue: 'poison' });
  telemetry.record('queuedEventsOldestAge', secondsSince(oldestAt, clock.now()), {});
}

/** Records how long each workflow has been paused: those of the app, and paused ones that the app no longer has. */
async function measurePauses({ pauses, workflows, clock, telemetry }: Deps): Promise<void> {
  const sinceOf = new Map((await pauses.list()).map(({ workflow, since }) => [workflow, new Date(since)]));
  const names = new Set([...workflows.map(({ name }) => name), ...sinceOf.keys()]);
  for (const workflow of names)
    telemetry.record('workflowPaused', secondsSince(sinceOf.get(workflow), clock.now()), { workflow });
}

/** Returns 0 for an absent time, and for one in the future. */
function secondsSince(at: Date | undefined, now: Date): number {
  return at ? Math.max(0, now.getTime() - at.getTime()) / 1000 : 0;
}
