import { endsWithin } from '../clock.js';
import { errorCodeOf } from '../errors.js';
import { APP_TABLES } from '../storage/app-tables.js';
import { createMissingTables } from '../storage/commit-creating.js';
import type { App } from './compose.js';
import { servicesOf } from './reconcile-deps.js';

/** The app starts after this time in any case; the first use then creates what is still missing. */
const PREPARE_WITHIN_MS = 3000;

type Deps = Pick<App, 'stores' | 'config' | 'clock' | 'telemetry' | 'workflowTables'>;

/**
 * Creates the queues, tables and containers that triggers, timers and looks use. If one of them were absent, each later
 * request for it would be a failed dependency in the telemetry: 60 a minute for a queue. Tables and containers are listed
 * first, because a request to create one that exists would fail, too. Never throws.
 *
 *   process dies in between    the next start creates the rest
 *   two processes at once      storage answers one of two creations with 409, which is no error
 */
export async function prepareStorage({ stores, config, clock, telemetry, workflowTables }: Deps): Promise<void> {
  const hasServices = servicesOf(config).length > 0;
  const { instances, looks, reconcile, state, waiting, watermarks } = APP_TABLES;
  const parts: Record<string, () => Promise<unknown>> = {
    queues: () => Promise.all([stores.due.create(), stores.dueLong.create()]),
    tables: () =>
      createMissingTables(stores.tables, [waiting, looks, state, instances, ...(hasServices ? [reconcile] : [])]),
    'workflow-tables': () => createMissingTables(workflowTables, [watermarks]),
    blobs: () => stores.deadLetters.prepare(),
    // In an account of its own, the container exists already, and so do the queues: Event Grid's subscriptions name them.
    ...(config.undeliveredStorage ? {} : { undelivered: () => prepareForEventGrid(stores) }),
  };
  const all = Object.entries(parts).map(async ([code, prepare]) => {
    try {
      await prepare();
    } catch (error) {
      telemetry.log('error', 'storage-not-prepared', { code, errorCode: errorCodeOf(error) });
    }
  });
  await endsWithin(Promise.all(all), PREPARE_WITHIN_MS, clock);
}

function prepareForEventGrid({ undelivered, eventQueues }: App['stores']): Promise<unknown> {
  return Promise.all([undelivered.prepare(), eventQueues?.events.create(), eventQueues?.poison.create()]);
}
