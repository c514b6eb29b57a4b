import { CHAOS_LEVELS } from '../../src/simulator/chaos/chaos.js';
import type { RunStatus } from '../../src/simulator/runs/run.js';
import { type RunRequest, readRunRequest } from '../../src/simulator/runs/run-request.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { defineWorkflow, fhir } from '../../src/workflow.js';
import { startSimulator } from './memory-simulator.js';

const JSON_OF_FHIR = { 'content-type': 'application/fhir+json' };
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

function requestOf(body: Record<string, unknown>): RunRequest {
  const read = readRunRequest({ scenario: 'clinic-day', rate: 1000, seed: 7, ...body }, 0);
  if (read.kind === 'wrong') throw new Error(JSON.stringify(read.problems));
  return read.request;
}

/** The simulator on a clock that the test moves. */
async function start(options: Parameters<typeof startSimulator>[0] = {}) {
  const clock = createFakeClock();
  const world = await startSimulator({ ...options, clock });
  const { simulator } = world;
  started.push(simulator);

  return {
    ...world,
    clock,

    begin(body: Record<string, unknown>, changed: Partial<RunRequest> = {}): string {
      const begun = simulator.runs.start({ ...requestOf(body), ...changed });
      if (begun.kind !== 'started') throw new Error(begun.kind);
      return begun.status.id;
    },

    pass,

    /** Passes time until the run has ended. */
    async end(id: string): Promise<RunStatus> {
      for (;;) {
        const status = simulator.runs.get(id);
        if (!status) throw new Error('The run is gone.');
        if (status.endedAt !== null) return status;
        await pass(100);
      }
    },

    /** A change of service `main`: an event that is of no run. */
    changePatient(id: string): void {
      const body = new TextEncoder().encode(JSON.stringify({ resourceType: 'Patient', id }));
      simulator.services('main')?.fhir.answer({
        method: 'PUT',
        path: `Patient/${id}`,
        query: new URLSearchParams(),
        headers: new Headers(JSON_OF_FHIR),
        body,
        base: 'http://app.test',
      });
    },

    /**
     * Makes the first attempt of an event fail that belongs to no run. Returns whether Event Grid sends it again within
     * `ms`.
     */
    async retryIsWithin(ms: number): Promise<boolean> {
      world.answerWith(failFirst('Patient/p1'));
      this.changePatient('p1');
      await pass(ms);
      return this.timesSent('p1') > 0;
    },

    /** Returns how often the app got a patient of service `main`. */
    timesSent: (id: string) => world.bodies.join().split(`com/Patient/${id}"`).length - 1,
  };

  /** Moves the clock; timers fire at their own times, and the work that they start goes on. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10) {
      clock.advance(Math.min(10, left));
      await turn();
    }
    await turn();
  }
}

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const simulator of started.splice(0)) simulator.stop();
});

/** Answers the first request that holds `text` with 503. */
function failFirst(text: string): (body: string) => number | undefined {
  let hasFailed = false;
  return (body) => {
    if (hasFailed || !body.includes(text)) return undefined;
    hasFailed = true;
    return 503;
  };
}

describe('when the simulator is cleared in mid-run', () => {
  it('given a run that makes events, then the run is gone and makes no more, and the verdict of the next run counts only its own events', async () => {
    const world = await start();
    const first = world.begin({ events: 1000, rate: 100 });
    await world.pass(1000);

    await world.simulator.clear();

    expect(world.simulator.runs.list()).toEqual([]);
    expect(world.simulator.runs.get(first)).toBeUndefined();
    expect(world.simulator.runs.current()).toBeUndefined();
    world.bodies.length = 0;
    const second = world.begin({ events: 20 });
    expect(await world.end(second)).toMatchObject({ phase: 'done', made: 20, verdict: { ok: true } });
    expect(world.bodies.filter((body) => body.includes(`${first}-`))).toEqual([]);
  });

  it('given storage answers the former run after the next has begun, then the next one does not end', async () => {
    const world = await start();
    const { tables } = world.stores;
    const { list } = tables;
    let answerIt = () => {};
    tables.list = async (...asked) => {
      await new Promise<void>((resolve) => {
        answerIt = resolve;
      });
      return list(...asked);
    };
    const first = world.begin({ events: 20 });
    while (world.simulator.runs.get(first)?.phase !== 'checking') await world.pass(100);

    await world.simulator.clear();
    expect(world.simulator.runs.current()).toBeUndefined();
    const second = world.begin({ events: 1000, rate: 100, timeScale: 1000 });
    tables.list = list;
    answerIt();
    world.answerWith(failFirst('run-'));
    await world.pass(1000);

    expect(world.simulator.runs.current()?.id).toBe(second);
    expect(world.simulator.runs.get(second)).toMatchObject({ phase: 'making', endedAt: null });
    expect(world.simulator.runs.get(second)?.deliveries.retried).toBeGreaterThan(0);
  });

  it('given a run with fast time, then time is as it was at the start', async () => {
    const world = await start();
    world.begin({ events: 1000, rate: 100, timeScale: 1000 });
    await world.pass(100);

    await world.simulator.clear();

    expect(await world.retryIsWithin(5000)).toBe(false);
    await world.pass(60_000);
    expect(world.timesSent('p1')).toBe(1);
  });

  it('given other settings, then the settings are those of the start', async () => {
    const world = await start();
    world.simulator.change({ timeScale: 50, seed: 3, chaos: CHAOS_LEVELS.rough });

    await world.simulator.clear();

    expect(world.simulator.settings()).toEqual({ timeScale: 1, seed: 0, chaos: CHAOS_LEVELS.none });
  });
});

describe('when Event Grid waits between its tries', () => {
  it('given a run with a time scale, then its retries come sooner, and after the run retries wait as usual', async () => {
    const world = await start();
    const id = world.begin({ events: 20, timeScale: 1000 });
    world.answerWith(failFirst('run-'));

    const { startedAt, endedAt, deliveries } = await world.end(id);

    expect(deliveries.retried).toBeGreaterThan(0);
    expect(Date.parse(String(endedAt)) - Date.parse(startedAt)).toBeLessThan(5000);
    expect(await world.retryIsWithin(5000)).toBe(false);
    await world.pass(60_000);
    expect(world.timesSent('p1')).toBe(1);
  });

  it('given time and chaos set in mid-run, then the run keeps its own, and the new ones apply after it', async () => {
    const world = await start();
    const id = world.begin({ events: 50, rate: 100, timeScale: 1000 });
    await world.pass(50);

    world.simulator.change({ timeScale: 2000, chaos: { ...CHAOS_LEVELS.none, duplicates: 1, delayMs: 1 } });
    world.simulator.change({ timeScale: 1 });
    world.answerWith(failFirst('run-'));
    const { timeScale, startedAt, endedAt, deliveries, verdict } = await world.end(id);

    expect({ timeScale, ok: verdict?.ok }).toEqual({ timeScale: 1000, ok: true });
    expect(deliveries).toMatchObject({ duplicates: 0 });
    expect(deliveries.retried).toBeGreaterThan(0);
    expect(Date.parse(String(endedAt)) - Date.parse(startedAt)).toBeLessThan(5000);
    world.changePatient('p1');
    await world.pass(100);
    expect(world.timesSent('p1')).toBe(2);
  });

  it('given a time that was set in mid-run, then it holds when the run has ended', async () => {
    const world = await start();
    const id = world.begin({ events: 20 });

    world.simulator.change({ timeScale: 1000 });
    await world.end(id);

    expect(await world.retryIsWithin(1000)).toBe(true);
  });

  it('given a time scale that is set while no run is under way, then it holds at once', async () => {
    const world = await start();

    world.simulator.change({ timeScale: 1000 });

    expect(await world.retryIsWithin(1000)).toBe(true);
  });

  it("given a run's chaos, then the events of others are left in peace", async () => {
    const world = await start();
    const id = world.begin({ events: 50, rate: 100, chaos: { duplicates: 1, delayMs: 1 } });
    await world.pass(50);

    world.changePatient('p1');
    const { deliveries } = await world.end(id);

    expect(deliveries.duplicates).toBe(50);
    expect(world.timesSent('p1')).toBe(1);
  });
});

describe('when a run has a chaos of its own', () => {
  it('given chaos outside of runs, then during a run it applies to the events of others', async () => {
    const world = await start();
    world.simulator.change({ chaos: { ...CHAOS_LEVELS.none, duplicates: 1, delayMs: 1 } });
    const id = world.begin({ events: 50, rate: 100 });
    await world.pass(50);

    world.changePatient('p1');
    await world.pass(100);

    expect(world.timesSent('p1')).toBe(2);
    await world.end(id);
    expect(world.bodies.join().split(`"${id}-0000-4000-8000-000000000000"`).length - 1).toBe(1);
  });

  it('given its receiver is down, then an event of others is delivered', async () => {
    const world = await start();
    const id = world.begin({ scenario: 'outage', events: 20, timeScale: 1 });

    world.changePatient('p1'); // before the run's own events fail: after that, Event Grid spares the endpoint all events
    await world.pass(0);
    await world.pass(1000);

    expect(world.simulator.runs.get(id)).toMatchObject({ phase: 'delivering', pending: 20 });
    expect(world.timesSent('p1')).toBe(1);
    expect(world.bodies.join()).not.toContain(`${id}-`);
  });
});

describe('when runs follow each other', () => {
  it('given the next run begins, then the services of the one before are gone, and others are not', async () => {
    const world = await start();
    world.changePatient('p1');
    const first = world.begin({ events: 20 });
    await world.end(first);
    expect(world.simulator.serviceNames()).toEqual(['main', `run-${first}`]);

    const second = world.begin({ events: 20 });

    expect(world.simulator.serviceNames()).toEqual(['main', `run-${second}`]);
  });

  it('given 21 runs, then the last 20 are listed, the newest first', async () => {
    const world = await start();
    const ids: string[] = [];
    for (let n = 0; n < 21; n += 1) {
      const id = world.begin({ events: 1 });
      ids.push(id);
      world.simulator.runs.stop(id);
      await world.end(id);
    }

    expect(world.simulator.runs.list().map(({ id }) => id)).toEqual(ids.slice(1).reverse());
    expect(world.simulator.runs.get(ids[0] as string)).toBeUndefined();
  });

  it('given a stop of an ended run, then the run under way goes on', async () => {
    const world = await start();
    const first = world.begin({ events: 20 });
    await world.end(first);
    const second = world.begin({ events: 20 });

    expect(world.simulator.runs.stop(first)).toMatchObject({ phase: 'done' });

    expect(await world.end(second)).toMatchObject({ phase: 'done' });
  });

  it('given an ended run, then later deliveries do not count for it', async () => {
    const world = await start();
    const id = world.begin({ events: 20 });
    const { deliveries } = await world.end(id);

    world.changePatient('p1');
    await world.pass(100);

    expect(world.timesSent('p1')).toBe(1);
    expect(world.simulator.runs.get(id)?.deliveries).toEqual(deliveries);
    expect(deliveries).toMatchObject({ matched: 20, delivered: 20, duplicates: 0, retried: 0 });
  });

  it('given earlier deliveries, then the run does not count them', async () => {
    const world = await start();
    world.changePatient('p1');
    await world.pass(100);

    const { deliveries } = await world.end(world.begin({ events: 20 }));

    expect(deliveries).toMatchObject({ matched: 20, delivered: 20 });
  });
});

describe('when a run cannot go on', () => {
  it('given a scenario that throws, then the run has failed with the error, and another run can begin', async () => {
    const world = await start();
    const { scenario } = requestOf({});
    const broken = {
      ...scenario,
      // biome-ignore lint/correctness/useYield: it never gets that far.
      *play(): Generator<void, never> {
        throw new TypeError('A mistake of the scenario.');
      },
    };

    const failed = await world.end(world.begin({}, { scenario: broken }));

    expect(failed).toMatchObject({ phase: 'failed', error: 'TypeError: A mistake of the scenario.', verdict: null });
    expect(failed.endedAt).not.toBeNull();
    expect(await world.end(world.begin({ events: 20 }))).toMatchObject({ phase: 'done', error: null });
  });

  it('given storage that fails for longer than a run waits, then the run has failed with the error', async () => {
    const world = await start();
    world.stores.tables.list = async () => {
      throw new StorageError('http-503', 'Storage could not list tables: http-503.');
    };

    const { phase, error, startedAt, endedAt } = await world.end(world.begin({ events: 20 }));

    expect({ phase, error }).toEqual({
      phase: 'failed',
      error: 'StorageError: Storage could not list tables: http-503.',
    });
    expect(Date.parse(String(endedAt)) - Date.parse(startedAt)).toBeGreaterThan(65_000);
  });

  it('given more workflows than a run checks, then a problem says so, and the verdict is not ok', async () => {
    const many = Array.from({ length: 33 }, (_, n) =>
      defineWorkflow({ name: `w${n}`, on: fhir('Basic'), async handle() {} }),
    );
    const world = await start({ workflows: many });

    const { verdict } = await world.end(world.begin({ events: 5 }));

    expect(verdict).toMatchObject({ ok: false, problems: ['Of 33 workflows, only 32 are looked at'] });
  });

  it('given a stop while the run reads storage, then the run has no verdict', async () => {
    const world = await start();
    world.answerWith(() => 202);
    const id = world.begin({ events: 20 });
    while (world.simulator.runs.get(id)?.phase !== 'checking') await world.pass(100);
    await world.pass(3000);

    world.simulator.runs.stop(id);

    expect(await world.end(id)).toMatchObject({ phase: 'stopped', verdict: null, error: null });
  });

  it('given a stop while Event Grid retries, then the run ends, and its events are still delivered', async () => {
    const world = await start();
    world.answerWith(() => 503);
    const id = world.begin({ events: 20 });
    while (world.simulator.runs.get(id)?.phase !== 'delivering') await world.pass(100);

    world.simulator.runs.stop(id);

    expect(await world.end(id)).toMatchObject({ phase: 'stopped', verdict: null, pending: 20 });
    world.answerWith(() => undefined);
    await world.pass(120_000);
    expect(new Set(world.bodies.join().match(new RegExp(`${id}-0000-4000-8000-[0-9a-f]{12}`, 'g'))).size).toBe(20);
  });
});

describe('when the app takes events from a queue', () => {
  it('given rough chaos, then nothing goes to the webhook, and the verdict is ok', async () => {
    const world = await startSimulator({ ingress: 'queue' });
    started.push(world.simulator);
    const begun = world.simulator.runs.start(requestOf({ events: 200, chaos: 'rough' }));
    if (begun.kind !== 'started') throw new Error(begun.kind);

    const { phase, verdict, deliveries } = await world.ended(begun.status.id);

    expect({ phase, problems: verdict?.problems }).toEqual({ phase: 'done', problems: [] });
    expect(deliveries.requests).toBeGreaterThan(200);
    expect(world.bodies.every((body) => body.startsWith('{'))).toBe(true);
    expect(await world.stores.eventQueues?.events.length()).toBe(0);
  });
});

describe('when the app is found at another address', () => {
  it('given a request to the other address, then deliveries go there', async () => {
    const world = await start();
    const urls: string[] = [];
    world.answerWith((_body, url) => {
      urls.push(url);
      return undefined;
    });

    world.simulator.reachedAt('http://127.0.0.1:4711');
    world.changePatient('p1');
    await world.pass(100);

    expect(urls).toEqual(['http://127.0.0.1:4711/runtime/webhooks/EventGrid?functionName=fhirEvents']);
  });
});
