import { type Clock, sleep, systemClock } from '../../src/clock.js';
import { systemRandom } from '../../src/functions/random.js';
import { findInProcess } from '../../src/simulator/in-process.js';
import { createReconcileRun } from '../../src/simulator/runs/reconcile-run.js';
import type { RunStatus } from '../../src/simulator/runs/run.js';
import { createSimulator } from '../../src/simulator/simulator.js';
import type { FakeClock } from '../../src/testing/index.js';
import type { Workflow } from '../../src/workflow.js';
import { workflows as builtIn } from '../../src/workflows/index.js';
import { composeMemoryAppAt } from '../functions/memory-app.js';

export const WORKSPACE = '/subscriptions/1/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/w';

export const MACHINE = { cores: 2, cpuShare: 0.25, loadAverage: 0.5, eventLoopDelayMs: 3 };
const LOOKUP_KEY = Buffer.alloc(32, 7).toString('base64');

/** The simulator beside the app, both in this process, over stores in memory; POSTs go straight to the pipeline. */
export async function startSimulator({
  workflows = builtIn,
  clock = systemClock,
  workspaces,
  reconciles = false,
  ingress = 'webhook',
}: {
  workflows?: readonly Workflow[];
  clock?: Clock | FakeClock;
  /** The setting WORKSPACES. */
  workspaces?: string;
  /** Whether a run ends with a comparison of its services. */
  reconciles?: boolean;
  /** The setting INGRESS. */
  ingress?: 'webhook' | 'queue';
} = {}) {
  const env = { WORKSPACES: workspaces, LOOKUP_KEY, INGRESS: ingress };
  const { app, stores, ...composed } = composeMemoryAppAt(clock, { workflows, env });
  const { events } = stores.eventQueues;
  const bodies: string[] = [];
  let statusOf: (body: string, url: string) => number | undefined = () => undefined;
  const simulator = await createSimulator({
    clock,
    random: systemRandom,
    workflows,
    storage: { ...stores, waiting: app.waiting, workflowTables: stores.tables },
    deadLetterStores: app.deadLetterStores,
    measureMachine: () => () => MACHINE,
    ...(reconciles && { reconcile: createReconcileRun(app) }),
    source: WORKSPACE,
    isListing: workspaces !== undefined,
    origin: 'http://app.test',
    eventQueue: ingress === 'queue' ? events : undefined,
    async post({ body, url }) {
      const status = statusOf(body, url) ?? (await deliver(body));
      return { status, headers: new Headers(), body: '' };
    },
  });

  app.readers.answerInProcess(findInProcess(simulator));
  await app.ledger.open(); // before a test changes what storage answers

  /** Does the work of the timer and the queues. */
  async function runDueRows(): Promise<void> {
    for (let text = events.take(); text !== undefined; text = events.take()) {
      if ((await deliver(text)) !== 202) await events.send(text, { inMs: 30_000 });
    }
    await composed.runDueRows();
  }

  /** Lets time pass until all due rows have run, because rows of reconciliation start over time. */
  async function runDueRowsInTime(): Promise<void> {
    let isRunning = true;
    const running = runDueRows().finally(() => {
      isRunning = false;
    });
    while (isRunning) await pass(20);
    await running;
  }

  /** Lets `ms` pass. On a fake clock, all work that is ready is done. */
  async function pass(ms: number): Promise<void> {
    if ('advance' in clock) {
      clock.advance(ms);
      await new Promise<void>((resolve) => void setImmediate(resolve));
    } else await sleep(clock, ms);
  }

  async function deliver(body: string): Promise<number> {
    bodies.push(body);
    try {
      const parsed: unknown = JSON.parse(body);
      await app.pipeline.deliver(Array.isArray(parsed) ? parsed : [parsed]);
      return 202;
    } catch {
      return 500;
    }
  }

  return {
    app,
    stores,
    simulator,
    /** The bodies that the app was sent. */
    bodies,
    /** Sets an endpoint that answers in place of the app. The app answers where `next` returns undefined. */
    answerWith(next: typeof statusOf): void {
      statusOf = next;
    },
    async ended(id: string): Promise<RunStatus> {
      for (;;) {
        const status = simulator.runs.get(id);
        if (!status) throw new Error('The run is gone.');
        if (status.endedAt !== null) return status;
        await runDueRowsInTime();
      }
    },
  };
}
