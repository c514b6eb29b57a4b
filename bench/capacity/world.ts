import type { Random } from '../../src/clock.js';
import { EVENT_TYPES } from '../../src/events/kinds.js';
import { defaultSubscriptions } from '../../src/simulator/default-subscriptions.js';
import { EventGrid } from '../../src/simulator/event-grid/event-grid.js';
import { AS_USUAL } from '../../src/simulator/event-grid/interference.js';
import type { Post } from '../../src/simulator/event-grid/send.js';
import { seededRandom } from '../../src/simulator/seeded.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { Workflow } from '../../src/workflow.js';
import { createImagingStudies } from '../../src/workflows/imaging-studies/imaging-studies.js';
import { observationAlerts } from '../../src/workflows/observation-alerts/observation-alerts.js';
import { patientRegistry } from '../../src/workflows/patient-registry/patient-registry.js';
import { resourceIndex } from '../../src/workflows/resource-index.js';
import { cpuCosts } from './cpu-costs.js';
import { Deployment } from './deployment.js';
import { createLatency, type Plan } from './plan.js';
import { StorageAccount } from './storage-account.js';
import { clockOf, VirtualTime } from './virtual-time.js';
import { Workload } from './workload.js';

/** As infra/subscriptions.bicep sets it. */
const PREFERRED_KILOBYTES = 128;

export type World = ReturnType<typeof createWorld>;
/** The sums so far. */
export type Counts = ReturnType<World['counts']>;

/** Returns the parts of a simulated deployment of the plan. Nothing happens before its time runs. */
export function createWorld(plan: Plan) {
  const { seed, scenario, rate, deployments, instances } = plan;
  const time = new VirtualTime();
  const clock = clockOf(time);
  const randomOf = (part: string) => seededRandom(`${seed} ${part}`);
  const account = (name: string) =>
    new StorageAccount({
      time,
      tables: createMemoryTableStore({ clock }),
      latencyMs: createLatency(plan.storage, randomOf(name)),
      onCommit: (table, operations) => workload.note(table, operations),
    });
  const accounts = [account('account'), ...(plan.accounts === 2 ? [account('workflow account')] : [])];
  const workload: Workload = new Workload({
    clock,
    seed,
    scenario,
    rate: rate / deployments,
    workflows: builtIn(),
    publish: (events) => eventGrid.publish(events),
  });
  const deployment = new Deployment({
    time,
    random: randomOf('deployment'),
    costs: cpuCosts(plan.cpu),
    workflows: builtIn,
    instances,
    accounts,
    services: workload.services,
    serviceLatencyMs: createLatency(plan.service, randomOf('service')),
  });
  const parts: Parts = { plan, time, accounts, workload, deployment, postMs: {} };
  const eventGrid = createEventGrid(parts, randomOf('event grid'));
  const counts = () => countsOf(parts, eventGrid);
  return { plan, time, workload, deployment, counts, subscribe: () => subscribe(eventGrid, plan) };
}

type Parts = {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly accounts: readonly StorageAccount[];
  readonly workload: Workload;
  readonly deployment: Deployment;
  /** The time of all POSTs together, by function. */
  readonly postMs: Record<string, number>;
};

function createEventGrid({ plan, time, deployment, postMs }: Parts, random: Random): EventGrid {
  const clock = clockOf(time);
  const post: Post = async ({ url, body }) => {
    const sentAtMs = time.nowMs;
    const status = await deployment.post(body);
    postMs[url] = (postMs[url] ?? 0) + time.nowMs - sentAtMs;
    return { status, headers: new Headers(), body: '' };
  };
  return new EventGrid({
    clock,
    schedule: clock,
    random,
    post,
    functionUrl: (name) => name,
    interference: { copiesOf: () => [0], treatmentOf: () => AS_USUAL, isDown: () => false },
    writeDeadLetter: async () => {},
    validationUrl: (code) => code,
    eventTypes: EVENT_TYPES,
    maxRequests: plan.posts,
  });
}

async function subscribe(eventGrid: EventGrid, { maxEventsPerBatch }: Plan): Promise<void> {
  const batching = { maxEventsPerBatch, preferredBatchSizeInKilobytes: PREFERRED_KILOBYTES };
  for (const [name, { properties }] of Object.entries(defaultSubscriptions(false))) {
    const to = properties.destination as { endpointType: string; properties: object };
    const destination = { ...to, properties: { ...to.properties, ...batching } };
    await eventGrid.put(name, { properties: { ...properties, destination } });
  }
}

function countsOf({ accounts, workload, deployment, postMs }: Parts, eventGrid: EventGrid) {
  const stats = Object.values(eventGrid.stats);
  return {
    made: workload.made,
    open: workload.open,
    applied: workload.applied.length,
    putOff: deployment.putOff,
    busyMs: deployment.busyMs,
    serviceRequests: deployment.serviceRequests,
    failedPosts: deployment.failedPosts,
    posts: stats.reduce((sum, { requests }) => sum + requests, 0),
    delivered: stats.reduce((sum, { delivered }) => sum + delivered, 0),
    postMs: { ...postMs },
    accounts: accounts.map(({ counts, unitsOf }) => ({ ...counts, unitsOf: new Map(unitsOf) })),
  };
}

/** Returns the workflows of one process, because processes share nothing in memory. A user's own are left out. */
function builtIn(): Workflow[] {
  return [resourceIndex, patientRegistry, observationAlerts, createImagingStudies()];
}
