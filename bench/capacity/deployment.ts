import type { Random } from '../../src/clock.js';
import { readConfig } from '../../src/config.js';
import { type App, composeApp } from '../../src/functions/compose.js';
import { prepareStorage } from '../../src/functions/prepare-storage.js';
import { registerTasks } from '../../src/functions/tasks.js';
import type { Wakeup } from '../../src/pipeline/wakeups.js';
import { findInProcess } from '../../src/simulator/in-process.js';
import type { Services } from '../../src/simulator/services.js';
import type { Simulator } from '../../src/simulator/simulator.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import type { TableStore } from '../../src/storage/table-store.js';
import type { Workflow } from '../../src/workflow.js';
import { createFakeFunctions } from '../../test/functions/fake-functions.js';
import { createMemoryQueueStore } from '../../test/storage/memory-queue-store.js';
import { type CpuCosts, costOfEvent } from './cpu-costs.js';
import type { StorageAccount } from './storage-account.js';
import { clockOf, Thread, type VirtualTime } from './virtual-time.js';

/** The time of a POST on its way, and of its answer on the way back. */
const NETWORK_MS = 1;
const MESSAGES_EVERY_MS = 1000;
const WAKE_EVERY_MS = 10_000;
const TASKS_EVERY_MS = 60_000;

export type DeploymentDeps = {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly costs: CpuCosts;
  /** Returns the workflows of one process. */
  readonly workflows: () => readonly Workflow[];
  readonly instances: number;
  /** A second account is for the workflows' tables. */
  readonly accounts: readonly StorageAccount[];
  readonly services: Services;
  readonly serviceLatencyMs: () => number;
};

type Instance = { readonly thread: Thread; readonly app: App; posts: number };

/** The instances of a function app, with the real app in each, over shared storage. */
export class Deployment {
  /** Requests to the FHIR and the DICOM service. */
  serviceRequests = 0;
  /** POSTs that were answered with 500. */
  failedPosts = 0;
  readonly instances: readonly Instance[];
  readonly #deps: DeploymentDeps;
  readonly #queues;
  readonly #blobs;

  constructor(deps: DeploymentDeps) {
    this.#deps = deps;
    const clock = clockOf(deps.time);
    this.#queues = { due: createMemoryQueueStore({ clock }), dueLong: createMemoryQueueStore({ clock }) };
    this.#blobs = { deadLetters: createMemoryBlobStore({ clock }), undelivered: createMemoryBlobStore({ clock }) };
    this.instances = Array.from({ length: deps.instances }, () => this.#startInstance());
  }

  /** Makes the tables, then starts the processes' own timers and those of the host. */
  async start(): Promise<void> {
    const [first] = this.instances;
    if (first) await prepareStorage(first.app);
    for (const { app } of this.instances) {
      app.pipeline.start();
      app.instances.start();
    }
    this.#every(MESSAGES_EVERY_MS, () => this.#takeMessages());
    this.#every(WAKE_EVERY_MS, () => void first?.app.pipeline.look());
    this.#runTasks();
  }

  get deadLetters(): number {
    return this.#blobs.deadLetters.inspect().size;
  }

  /** Jobs that had to wait for a row: another process held their resource, or they were retried. */
  get putOff(): number {
    return this.instances.reduce((sum, { app }) => {
      const { jobsPutOff, jobsRetried } = app.telemetry.counters;
      return sum + jobsPutOff + jobsRetried;
    }, 0);
  }

  /** CPU time so far, of all instances. */
  get busyMs(): number {
    return this.instances.reduce((sum, { thread }) => sum + thread.busyMs, 0);
  }

  /** Sends a POST to the instance with the fewest open POSTs. Resolves with the status of the answer. */
  async post(body: string): Promise<202 | 500> {
    const { time, costs, random } = this.#deps;
    const least = Math.min(...this.instances.map(({ posts }) => posts));
    const free = this.instances.filter(({ posts }) => posts === least);
    const instance = free[Math.floor(random.number() * free.length)] as Instance;
    instance.posts += 1;
    await time.sleep(NETWORK_MS);
    const events = JSON.parse(body) as { subject?: unknown; type?: unknown }[];
    const costMs = events.reduce((sum, event) => sum + costOfEvent(costs, event), costs.post);
    const status = await new Promise<202 | 500>((answer) => {
      instance.thread.arrive(costMs, () =>
        instance.app.pipeline.deliver(events).then(
          () => answer(202),
          () => answer(500),
        ),
      );
    });
    instance.posts -= 1;
    if (status === 500) this.failedPosts += 1;
    await time.sleep(NETWORK_MS);
    return status;
  }

  #startInstance(): Instance {
    const { time, random, costs, workflows, accounts } = this.#deps;
    const thread = new Thread(time);
    const { clock } = thread;
    const caller = { thread, costMs: costs.storageRequest };
    const [tables, workflowTables] = accounts.map((account) => account.tablesFor(caller));
    const app = composeApp(config(), {
      workflows: workflows(),
      clock,
      random,
      telemetryWrite: () => {},
      stores: { tables: tables as TableStore, workflowTables, ...this.#blobs, ...this.#queues },
    });
    this.#connectServices(app, thread);
    return { thread, app, posts: 0 };
  }

  #connectServices({ readers }: App, thread: Thread): void {
    const { services, serviceLatencyMs, costs, time } = this.#deps;
    const known = { serviceNames: () => ['main'], services: () => services };
    const find = findInProcess(known as unknown as Simulator);
    readers.answerInProcess((kind, host) => {
      const service = find(kind, host);
      if (!service) return undefined;
      return async (request) => {
        this.serviceRequests += 1;
        const latencyMs = serviceLatencyMs();
        await time.sleep(latencyMs / 2);
        const answer = await service(request);
        await time.sleep(latencyMs / 2);
        await new Promise<void>((resolve) => thread.arrive(costs.serviceRequest, resolve));
        return answer;
      };
    });
  }

  /** Gives each message of the queues to any instance, as the host does. */
  #takeMessages(): void {
    for (const queue of Object.values(this.#queues)) {
      for (let text = queue.take(); text !== undefined; text = queue.take()) {
        const message = JSON.parse(text) as Wakeup;
        const { thread, app } = this.#any();
        thread.arrive(0, () => void app.pipeline.redeliver(message).catch(() => {}));
      }
    }
  }

  #runTasks(): void {
    const { app, thread } = this.#any();
    const functions = createFakeFunctions();
    registerTasks(functions.app, app);
    const run = () => {
      for (const name of functions.names()) thread.arrive(0, () => void functions.call(name));
    };
    this.#deps.time.after(TASKS_EVERY_MS / 2, () => {
      run();
      this.#every(TASKS_EVERY_MS, run);
    });
  }

  #any(): Instance {
    return this.instances[Math.floor(this.#deps.random.number() * this.instances.length)] as Instance;
  }

  #every(ms: number, run: () => void): void {
    this.#deps.time.after(ms, () => {
      run();
      this.#every(ms, run);
    });
  }
}

function config() {
  return readConfig({
    EventStorage: 'UseDevelopmentStorage=true',
    SIMULATOR: 'on',
    LOOKUP_KEY: Buffer.alloc(32, 7).toString('base64'),
  });
}
