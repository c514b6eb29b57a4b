import { Circuits, FAILURES_TO_OPEN } from '../../src/pipeline/circuits.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { hours, minutes, NonRetriableError, seconds } from '../../src/workflow.js';
import { countingWorkflow } from './held-workflow.js';
import { createAccount, rawEvent, recordsOf, startApp } from './memory-app.js';

function start(chance = 0) {
  const clock = createFakeClock();
  const circuits = new Circuits({ clock, random: { number: () => chance } });
  const failTimes = (times: number) => Array.from({ length: times }, () => circuits.failed('w', false));
  /** Enters as the only probe, which goes well or badly. */
  const probe = (outcome: 'well' | 'badly') => {
    const asked = circuits.enter('w', 0);
    if (asked.kind !== 'in') throw new Error('It is shut.');
    if (outcome === 'well') circuits.succeeded('w');
    else circuits.failed('w', true);
    asked.leave();
  };
  return { clock, circuits, failTimes, probe };
}

describe('when a workflow fails', () => {
  it('given 19 failures in a row, then jobs go on, and a success resets the count', () => {
    const { circuits, failTimes } = start();

    expect(failTimes(19)).not.toContain(true);
    expect(circuits.enter('w', 0)).toMatchObject({ kind: 'in' });
    expect(circuits.states()).toEqual({ w: { state: 'closed', failuresInARow: 19 } });
    expect(circuits.succeeded('w')).toBe(false);
    expect(circuits.states()).toEqual({});
    expect(failTimes(19)).not.toContain(true);
    expect(circuits.states().w).not.toHaveProperty('openSince');
  });

  it('given 20 failures in a row, then the circuit opens once, for 10 s, and other workflows go on', () => {
    const { circuits, failTimes } = start();

    expect(failTimes(22).indexOf(true)).toBe(FAILURES_TO_OPEN - 1);
    expect(failTimes(5)).not.toContain(true);

    expect(circuits.enter('w', 0)).toEqual({ kind: 'wait', waitMs: 10_000 });
    expect(circuits.waitMs('w')).toBe(10_000);
    expect(circuits.enter('other', 0)).toMatchObject({ kind: 'in' });
    expect(circuits.waitMs('other')).toBeUndefined();
    expect(circuits.states()).toEqual({
      w: {
        state: 'open',
        failuresInARow: 27,
        openSince: '2026-01-01T12:00:00.000Z',
        openUntil: '2026-01-01T12:00:10.000Z',
      },
    });
  });
});

describe('when the time of an open circuit is over', () => {
  it('given several jobs, then one is the probe, and the others wait for its outcome', () => {
    const { clock, circuits, failTimes } = start();
    failTimes(20);
    clock.advance(10_000);

    expect(circuits.waitMs('w')).toBeUndefined();
    const first = circuits.enter('w', 0);

    expect(first.kind).toBe('in');
    expect(circuits.enter('w', 0)).toEqual({ kind: 'wait', waitMs: 10_000 });
    expect(circuits.waitMs('w')).toBe(10_000);
    expect(circuits.states()).toMatchObject({ w: { state: 'half-open', openSince: '2026-01-01T12:00:00.000Z' } });
  });

  it('given the probe succeeds, then the circuit is closed', () => {
    const { clock, circuits, failTimes, probe } = start();
    failTimes(20);
    clock.advance(10_000);

    probe('well');

    expect(circuits.states()).toEqual({});
    expect(failTimes(19)).not.toContain(true);
    expect(circuits.states().w).not.toHaveProperty('openSince');
  });

  it('given probe after probe fails, then it opens for twice as long each time, five minutes at most', () => {
    const { clock, circuits, failTimes, probe } = start();
    failTimes(20);
    const waits: (number | undefined)[] = [];
    for (let probes = 0; probes < 7; probes += 1) {
      const waitMs = circuits.waitMs('w');
      waits.push(waitMs);
      clock.advance(waitMs ?? 0);
      probe('badly');
    }

    expect(waits).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    expect(circuits.states()).toMatchObject({ w: { state: 'open', openSince: '2026-01-01T12:00:00.000Z' } });
  });

  it('given a job from before the opening fails beside the probe, then it does not count as the probe', () => {
    const { clock, circuits, failTimes } = start();
    failTimes(20);
    clock.advance(10_000);
    const probe = circuits.enter('w', 0);

    failTimes(1);

    expect(probe.kind).toBe('in');
    expect(circuits.states()).toMatchObject({ w: { state: 'half-open', failuresInARow: 21 } });
    expect(circuits.enter('w', 0).kind).toBe('wait');
  });

  it('given the probe ends without an outcome, then the next job is the probe at once', () => {
    const { clock, circuits, failTimes } = start();
    failTimes(20);
    clock.advance(10_000);
    const first = circuits.enter('w', 0);
    if (first.kind === 'in') first.leave();

    expect(circuits.enter('w', 0).kind).toBe('in');
    if (first.kind === 'in') first.leave(); // a second time changes nothing

    expect(circuits.enter('w', 0).kind).toBe('wait');
  });

  it('given a job from before the opening succeeds, then the circuit is closed', () => {
    const { circuits, failTimes } = start();
    failTimes(20);

    expect(circuits.succeeded('w')).toBe(true);
    expect(circuits.enter('w', 0).kind).toBe('in');
  });
});

describe('when many wait', () => {
  it('given random waits, then a job waits the longer, the older it is', () => {
    const { circuits, failTimes } = start(0.5);
    failTimes(20);

    expect(circuits.enter('w', 0)).toEqual({ kind: 'wait', waitMs: 15_000 });
    expect(circuits.enter('w', minutes(10).ms)).toEqual({ kind: 'wait', waitMs: 310_000 });
    expect(circuits.enter('w', hours(9).ms)).toEqual({ kind: 'wait', waitMs: 1_810_000 });
  });
});

describe('when the downstream of one workflow is broken', () => {
  const events = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => rawEvent({ id: `e${from + n}`, resourceId: `r${from + n}` }));

  function startBroken(handle: () => Promise<void>) {
    const account = createAccount();
    const broken = countingWorkflow(handle, { name: 'broken', retry: { tries: 8, from: seconds(10), to: hours(6) } });
    const healthy = countingWorkflow(() => Promise.resolve(), { name: 'healthy' });
    const app = startApp(account, { workflows: [broken.workflow, healthy.workflow] });
    return { account, app, broken, healthy };
  }

  it.each([
    { given: 'is late', code: 'timeout', circuits: {} },
    { given: 'refuses', code: 'http-503', circuits: { broken: expect.objectContaining({ state: 'open' }) } },
  ])('given storage that $given for its handler, then no try is used up, and $circuits', async ({ code, circuits }) => {
    const { app, account } = startBroken(() => Promise.reject(new StorageError(code, 'down')));

    for (let n = 0; n < 40; n += 10) await app.pipeline.deliver(events(n, 10));

    expect(app.pipeline.circuits()).toEqual(circuits);
    const waiting = recordsOf(account).filter(({ state }) => state === 'waiting');
    expect(waiting.length).toBeGreaterThanOrEqual(20); // while the circuit is open, jobs are not claimed
    expect(waiting.filter(({ tries }) => tries !== 0)).toEqual([]);
  });

  it('given 500 events, then it is called little more than 20 times, and other workflows complete', async () => {
    const { account, app, broken, healthy } = startBroken(() => Promise.reject(new Error('down')));

    for (let n = 0; n < 500; n += 10) await app.pipeline.deliver(events(n, 10));

    expect(healthy.runs).toBe(500);
    expect(broken.runs).toBe(20);
    expect(account.waiting().reduce((jobs, { row }) => jobs + Number(row.count ?? 1), 0)).toBe(500);
    expect(app.pipeline.circuits()).toMatchObject({ broken: { state: 'open', failuresInARow: 20 } });
    expect(app.lines.filter((line) => line.includes('circuit-opened'))).toEqual([
      'error {"what":"circuit-opened","workflow":"broken"}',
    ]);
  });

  it('given the downstream is back after an hour, then all jobs complete, with a few tries each', async () => {
    let isDown = true;
    const { account, app, broken } = startBroken(() =>
      isDown ? Promise.reject(new Error('down')) : Promise.resolve(),
    );
    for (let n = 0; n < 200; n += 10) await app.pipeline.deliver(events(n, 10));

    for (let passed = 0; passed < 60; passed += 1) {
      await account.pass(minutes(1).ms);
      await app.runDueRows();
    }
    const callsMeanwhile = broken.runs;
    isDown = false;
    for (let passed = 0; passed < 120; passed += 1) {
      await account.pass(minutes(1).ms);
      await app.runDueRows();
    }

    expect(callsMeanwhile).toBeLessThan(20 + 20); // a probe in five minutes, and those of the first ones
    expect(account.waiting()).toEqual([]);
    expect(account.letters()).toEqual({});
    expect(app.counters.jobsCompleted).toBe(400);
    expect(app.pipeline.circuits()).toEqual({});
    expect(app.lines).toContain('info {"what":"circuit-closed","workflow":"broken"}');
  });

  it('given events that fail for good, then the circuit stays closed', async () => {
    const { account, app, broken } = startBroken(() => Promise.reject(new NonRetriableError('no')));

    await app.pipeline.deliver(events(0, 50));

    expect(broken.runs).toBe(50);
    expect(Object.keys(account.letters())).toHaveLength(1); // names without their digest
    expect(app.pipeline.circuits()).toEqual({});
  });

  it('given the downstream never comes back, then each job is tried, and becomes a dead letter', async () => {
    const { account, app } = startBroken(() => Promise.reject(new Error('down')));
    await app.pipeline.deliver(events(0, 30));

    for (let passed = 0; passed < 200 && account.waiting().length > 0; passed += 1) {
      await account.pass(minutes(30).ms);
      await app.runDueRows();
    }

    expect(account.waiting()).toEqual([]);
    expect(app.counters.jobsDeadLettered).toBe(30);
    const letters = [...account.blobs.inspect().values()].map((json) => JSON.parse(json));
    expect(new Set(letters.map(({ reason, tries }) => `${reason} ${tries}`))).toEqual(new Set(['tries-spent 8']));
  });
});
