import { CHAOS_LEVELS } from '../../../src/simulator/chaos/chaos.js';
import type { RunStatus } from '../../../src/simulator/runs/run.js';
import { type RunRequest, readRunRequest } from '../../../src/simulator/runs/run-request.js';
import { scenarios } from '../../../src/simulator/scenarios/index.js';
import { createFakeClock, type FakeClock } from '../../../src/testing/index.js';
import { MACHINE, startSimulator, WORKSPACE } from '../memory-simulator.js';

let world: Awaited<ReturnType<typeof startSimulator>>;
beforeEach(async () => {
  world = await startSimulator({ clock: createFakeClock() });
});
afterEach(() => world.simulator.stop());

function requestOf(body: Record<string, unknown>): RunRequest {
  const read = readRunRequest({ rate: 5000, seed: 7, timeScale: 100, ...body }, 0);
  if (read.kind === 'wrong') throw new Error(JSON.stringify(read.problems));
  return read.request;
}

async function run(body: Record<string, unknown>): Promise<RunStatus> {
  const started = world.simulator.runs.start(requestOf(body));
  if (started.kind !== 'started') throw new Error(started.kind);
  return world.ended(started.status.id);
}

/** Durations may be longer on a slow machine, on which time passes between two readings of the clock. */
function slowClock(): FakeClock {
  const clock = createFakeClock();
  let readings = 0;
  return {
    ...clock,
    monotonic() {
      readings += 1;
      return clock.monotonic() + readings / 10;
    },
  };
}

describe('when a scenario is played', () => {
  const calm = scenarios.filter(({ isReceiverDown }) => !isReceiverDown).map(({ name }) => name);

  const withoutSilence = calm.filter((name) => name !== 'silent-hour');

  it.each(withoutSilence)(
    'given %s, then everything is delivered and settled, and the index is right',
    async (scenario) => {
      const { phase, error, made, verdict, machine } = await run({ scenario, events: 600 });

      expect({ phase, error, made, machine }).toEqual({ phase: 'done', error: null, made: 600, machine: MACHINE });
      expect(verdict).toMatchObject({ ok: true, events: { sent: 600, settled: 600, lost: 0, undelivered: 0 } });
      expect(verdict?.tables['resource-index']?.rows).toBeGreaterThan(10);
      const alerts = { 'imaging-night': -1, 'bulk-import': -1 }[scenario] ?? 0;
      expect(verdict?.tables['observation-alerts']?.rows).toBeGreaterThan(alerts);
      expect(verdict?.tables['patient-registry']?.rows).toBeGreaterThan(scenario === 'imaging-night' ? -1 : 0);
    },
  );

  it.each(calm)('given %s and rough chaos, then nothing is lost', async (scenario) => {
    const { phase, deliveries, verdict } = await run({ scenario, events: 600, rate: 1000, chaos: 'rough' });

    expect(phase).toBe('done');
    expect(verdict).toMatchObject({ ok: true, problems: [], events: { lost: 0, undelivered: 0, open: 0 } });
    expect(verdict?.events.rejected).toBe(verdict?.events.malformed);
    expect(deliveries.duplicates).toBeGreaterThan(0);
  });

  it.each(['bulk-import', 'imaging-night'])(
    'given %s and lossy chaos, then lost events are counted apart, and nothing else is lost',
    async (scenario) => {
      const { phase, verdict } = await run({ scenario, events: 600, chaos: 'lossy' });

      const { lostByChaos = 0, eventsOff = 0 } = verdict?.neverDelivered ?? {};
      expect(phase).toBe('done');
      expect(verdict).toMatchObject({ ok: true, problems: [], events: { lost: 0, undelivered: 0 } });
      expect(verdict?.events.sent).toBe(600 - lostByChaos - eventsOff);
      expect(lostByChaos).toBeGreaterThan(10);
      expect(lostByChaos).toBeLessThan(50);
    },
  );

  it.each(['none', 'lossy'])(
    'given a silent hour and chaos %s, then its middle third is never delivered, and nothing else is lost',
    async (chaos) => {
      const { made, verdict } = await run({ scenario: 'silent-hour', events: 900, rate: 1000, chaos });

      const { lostByChaos = 0, eventsOff, hardDeleted, found } = verdict?.neverDelivered ?? {};
      expect(verdict).toMatchObject({ ok: true, problems: [], events: { lost: 0, undelivered: 0 } });
      expect({ eventsOff, found, isLossy: lostByChaos > 0 }).toEqual({
        eventsOff: 300,
        found: 0,
        isLossy: chaos === 'lossy',
      });
      expect(hardDeleted).toBeGreaterThan(0);
      expect(verdict?.events.sent).toBe(made - 300 - lostByChaos);
    },
  );

  it.each(['silent-hour', 'imaging-night'])(
    'given %s, lossy chaos and reconciliation, then what was never delivered is found, and nothing else is lost',
    async (scenario) => {
      world = await startSimulator({ clock: createFakeClock(), workspaces: WORKSPACE, reconciles: true });

      const { phase, error, verdict } = await run({ scenario, events: 900, rate: 1000, chaos: 'lossy' });

      const { lostByChaos = 0, eventsOff = 0, hardDeleted = 0, found = 0 } = verdict?.neverDelivered ?? {};
      expect({ phase, error }).toEqual({ phase: 'done', error: null });
      expect(verdict).toMatchObject({ ok: true, problems: [], events: { lost: 0, undelivered: 0 } });
      // A resource that is made anew within minutes of its hard delete looks like its former self (Q5).
      const missing = lostByChaos + eventsOff - hardDeleted;
      expect(missing).toBeGreaterThan(10);
      expect(found).toBeGreaterThanOrEqual(0.95 * missing);
      expect(found).toBeLessThanOrEqual(missing);
    },
  );

  it('given images with rough chaos, then the row of each study agrees with the service', async () => {
    const { verdict } = await run({ scenario: 'imaging-night', events: 2000, rate: 1000, chaos: 'rough' });

    expect(verdict?.tables['imaging-studies']).toEqual({ rows: expect.any(Number), wrong: 0 });
    expect(verdict?.tables['imaging-studies']?.rows).toBeGreaterThan(5);
  });

  it('given a receiver that is down for more than a day, then Event Grid gives up, and what it gave up on is redriven', async () => {
    const { phase, redriven, verdict } = await run({ scenario: 'outage', events: 50, timeScale: 20_000 });

    expect({ phase, redriven }).toEqual({ phase: 'done', redriven: 50 });
    expect(verdict).toMatchObject({ ok: true, events: { settled: 50, undelivered: 0, lost: 0 } });
    const names = [...world.stores.undelivered.inspect().keys()];
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !name.startsWith('resolved/'))).toEqual([]);
  });

  it.each(calm)(
    'given %s with the same seed at another speed, then the run is the same, except for its id and the times',
    async (scenario) => {
      const play = async (rate: number, clock: FakeClock): Promise<string[]> => {
        world = await startSimulator({ clock });
        const { id } = await run({ scenario, events: 500, rate, chaos: { malformed: 0.1, duplicates: 0.1 } });
        world.simulator.stop();
        const events = world.bodies.flatMap((body) => JSON.parse(body) as Record<string, unknown>[]);
        return events.map(({ time: _, eventTime: _2, ...event }) => JSON.stringify(event).replaceAll(id, 'RUN')).sort();
      };

      const first = await play(20_000, slowClock());
      const second = await play(1000, createFakeClock());

      expect(first.length).toBeGreaterThan(scenario === 'silent-hour' ? 380 : 560);
      expect(second).toEqual(first);
    },
  );

  it('given another subscription whose endpoint fails, then the run does not wait for it', async () => {
    const resourceId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/app/functions/broken';
    await world.simulator.eventGrid.put('broken', {
      properties: { destination: { endpointType: 'AzureFunction', properties: { resourceId } } },
    });
    world.answerWith((_body, url) => (url.endsWith('broken') ? 500 : undefined));

    const { phase, pending, verdict } = await run({ scenario: 'clinic-day', events: 50, timeScale: 1 });

    expect({ phase, pending }).toEqual({ phase: 'done', pending: 0 });
    expect(verdict).toMatchObject({ ok: true, events: { settled: 50 } });
    expect(world.simulator.eventGrid.pending()).toBeGreaterThan(0);
  });

  it('given listed workspaces, then some malformed events come from another, and all become dead letters', async () => {
    world = await startSimulator({ clock: createFakeClock(), workspaces: WORKSPACE });

    const { verdict } = await run({ scenario: 'clinic-day', events: 300, chaos: { malformed: 0.9 } });

    const reasons = [...world.stores.deadLetters.inspect().values()].map((content) => JSON.parse(content).reason);

    expect(verdict).toMatchObject({ ok: true, events: { settled: 300, lost: 0 } });
    expect(verdict?.events.rejected).toBe(verdict?.events.malformed);
    expect(new Set(reasons)).toEqual(new Set(['invalid', 'too-large', 'unknown-type', 'workspace-not-listed']));
  });

  it('given it is stopped, then it ends soon and there is no verdict', async () => {
    const started = world.simulator.runs.start(requestOf({ scenario: 'clinic-day', events: 100_000, rate: 100 }));
    if (started.kind !== 'started') throw new Error(started.kind);

    world.simulator.runs.stop(started.status.id);

    expect(await world.ended(started.status.id)).toMatchObject({ phase: 'stopped', verdict: null });
  });

  it('given a run under way, then a second is refused', async () => {
    const first = world.simulator.runs.start(requestOf({ scenario: 'clinic-day', events: 100_000, rate: 100 }));

    const second = world.simulator.runs.start(requestOf({ scenario: 'clinic-day' }));

    expect(second).toEqual({ kind: 'busy', id: first.kind === 'started' ? first.status.id : '' });
  });

  it('given an app that accepts the events and does nothing, then the verdict counts them as lost', async () => {
    world.answerWith(() => 202);

    const { verdict } = await run({ scenario: 'clinic-day', events: 20 });

    expect(verdict).toMatchObject({ ok: false, events: { sent: 20, lost: 20, settled: 0 } });
  });
});

describe('when no subscription matches', () => {
  it('given a run, then its events are lost, and the first problem names the missing subscription', async () => {
    world.simulator.eventGrid.remove('fhir-events');

    const { verdict } = await run({ scenario: 'correction-storm', events: 20 });

    expect(verdict).toMatchObject({
      ok: false,
      events: { lost: 20 },
      problems: { 0: expect.stringMatching(/^Some events matched no subscription/) },
    });
  });
});

describe('when a run is requested', () => {
  it('given only a scenario, then the rest is as the scenario has it', () => {
    expect(readRunRequest({ scenario: 'imaging-night' }, 42)).toMatchObject({
      kind: 'ok',
      request: { seed: 42, events: 2000, rate: 500, timeScale: 1, chaos: CHAOS_LEVELS.none },
    });
  });

  it('given chaos, then waits pass faster unless the request sets a time scale', () => {
    expect(readRunRequest({ scenario: 'clinic-day', chaos: 'rough' }, 0)).toMatchObject({ request: { timeScale: 30 } });
    expect(readRunRequest({ scenario: 'clinic-day', chaos: 'rough', timeScale: 1 }, 0)).toMatchObject({
      request: { timeScale: 1 },
    });
  });

  it.each([
    {
      given: 'an unknown scenario',
      body: { scenario: 'party' },
      path: 'scenario',
      says: 'must be one of clinic-day, ',
    },
    { given: 'no scenario', body: {}, path: 'scenario', says: 'must be one of clinic-day, ' },
    { given: 'a rate of 0', body: { rate: 0 }, path: 'rate', says: 'must be a number from 1 to 100000' },
    { given: 'too many', body: { events: 1e9 }, path: 'events', says: 'must be a whole number from 1 to 1000000' },
    { given: 'two numbers of events', body: { events: 5, count: 6 }, path: 'count', says: 'is another name of events' },
    { given: 'half an event', body: { events: 0.5 }, path: 'events', says: 'must be a whole number from 1 to 1000000' },
    {
      given: 'a wild chaos',
      body: { chaos: 'wild' },
      path: 'chaos',
      says: 'must be none, light, rough or lossy, or an object',
    },
    {
      given: 'a share above 1',
      body: { chaos: { duplicates: 2 } },
      path: 'chaos.duplicates',
      says: 'must be a number from 0 to 1',
    },
    { given: 'an unknown chaos', body: { chaos: { noise: 2 } }, path: 'chaos.noise', says: 'is not known here' },
    { given: 'a property that is not known', body: { speed: 1 }, path: 'speed', says: 'is not known here' },
    { given: 'a list', body: [], path: '(body)', says: 'expected object' },
  ])('given $given, says where the mistake is and what is allowed', ({ body, path, says }) => {
    const whole = Array.isArray(body) || says.includes('clinic-day') ? body : { scenario: 'clinic-day', ...body };

    const read = readRunRequest(whole, 0);

    expect(read).toMatchObject({ kind: 'wrong', problems: [{ path, message: expect.stringContaining(says) }] });
    expect(JSON.stringify(read)).not.toContain('.ts');
  });
});
