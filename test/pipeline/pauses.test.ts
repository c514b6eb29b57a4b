import { NonRetriableError, RetryAfterError } from '../../src/errors.js';
import { hours, minutes, seconds } from '../../src/workflow.js';
import { countingWorkflow, holdWorkflow } from './held-workflow.js';
import { type Account, type App, addressOfRaw, createAccount, rawEvent, recordsOf, startApp } from './memory-app.js';

const raw = rawEvent();
const DAY_MS = 24 * 3_600_000;
const PAUSE = { workflow: 'counting', since: '2026-01-01T12:00:00.000Z', by: 'ana', why: 'the register moves' };
const events = (count: number) => Array.from({ length: count }, (_, n) => rawEvent({ id: `e${n}` }));

function start(...options: Parameters<typeof countingWorkflow>) {
  const account = createAccount();
  const counting = countingWorkflow(...options);
  const other = countingWorkflow(undefined, { name: 'other' });
  const workflows = [counting.workflow, other.workflow];
  const app = startApp(account, { workflows });
  return { account, counting, other, app, workflows, address: addressOfRaw(raw, counting.workflow) };
}

/** Lets time pass, with a look for due rows every `stepMs`. */
async function passWithLooks(ms: number, { account, app }: { account: Account; app: App }, stepMs = 10_000) {
  for (let passed = 0; passed < ms; passed += stepMs) {
    await account.pass(stepMs);
    await app.runDueRows();
  }
}

describe('when a workflow is paused', () => {
  it('given events, then its jobs wait in rows, and the other workflow runs them at once', async () => {
    const { account, app, counting, other } = start();
    await app.pauses.pause(PAUSE);

    await app.pipeline.deliver(events(20));

    expect([counting.runs, other.runs]).toEqual([0, 20]);
    expect(account.waiting()).toHaveLength(20);
    expect(recordsOf(account)).toHaveLength(20); // of the other workflow: nothing is claimed in vain
    for (const { dueAt } of account.waiting())
      expect(Date.parse(dueAt) - account.clock.now().getTime()).toBeGreaterThanOrEqual(30_000);
  });

  it('given a long pause, then no try is used, one line says that each waits, and each runs after the resume', async () => {
    const started = start();
    const { app, account, counting, address } = started;
    await app.pauses.pause(PAUSE);
    await app.pipeline.deliver([raw]);

    await passWithLooks(minutes(30).ms, started, 30_000);
    expect(counting.runs).toBe(0);
    expect(account.record(address)).toMatchObject({ state: 'waiting', tries: 0, crashes: 0, errorCode: 'paused' });
    expect(app.lines.filter((line) => line.includes('"job-waits"'))).toEqual([
      expect.stringContaining('"errorCode":"paused"'),
    ]);
    expect(app.counters.jobsRetried).toBe(0);
    await app.pauses.resume('counting');
    await passWithLooks(100_000, started);

    expect(counting.runs).toBe(1);
    expect(account.waiting()).toEqual([]);
    expect(account.record(address)).toMatchObject({ state: 'settled', result: 'completed', tries: 1 });
  });

  it('given a running handler, then it ends as usual', async () => {
    const account = createAccount();
    const held = holdWorkflow();
    const app = startApp(account, { workflows: [held.workflow] });
    const delivery = app.pipeline.deliver([raw]);
    const call = await held.started(0);
    await app.pauses.pause({ ...PAUSE, workflow: 'held' });
    await account.pass(11_000);

    call.release();
    await delivery;

    expect(account.record(addressOfRaw(raw, held.workflow))).toMatchObject({ state: 'settled', result: 'completed' });
  });

  it('given jobs in the queue of a slot, then those that get it 10 s after the pause wait too', async () => {
    const account = createAccount();
    const held = holdWorkflow({ concurrency: 1 });
    const app = startApp(account, { workflows: [held.workflow] });
    void app.pipeline.deliver(events(3));
    const call = await held.started(0);
    await app.pauses.pause({ ...PAUSE, workflow: 'held' });
    await account.pass(10_000);

    call.release();
    await account.pass(1000);

    expect(held.calls).toHaveLength(1);
    expect(account.waiting()).toHaveLength(2);
  });

  it('given a job longer than a delivery, and one for the newest version, then they wait and run likewise', async () => {
    for (const options of [{ timeout: minutes(20) }, { ordering: 'latest' as const }]) {
      const started = start(undefined, options);
      const { app, counting, account } = started;
      await app.pauses.pause(PAUSE);
      await app.pipeline.deliver([raw]);
      await passWithLooks(minutes(3).ms, started);
      expect(counting.runs).toBe(0);

      await app.pauses.resume('counting');
      await passWithLooks(100_000, started);

      expect([counting.runs, account.waiting()]).toEqual([1, []]);
    }
  });

  it('given older and newer versions, then after the resume the newest is applied last', async () => {
    const applied: number[] = [];
    const started = start(
      (_run, _context, event) => void applied.push(Number((event as { version: number }).version)),
      {
        ordering: 'latest',
      },
    );
    const { app, account } = started;
    await app.pauses.pause(PAUSE);
    for (const version of [3, 1, 2])
      await app.pipeline.deliver([rawEvent({ id: `v${version}`, resourceId: 'r', version })]);
    await passWithLooks(minutes(3).ms, started);
    expect(applied).toEqual([]);

    await app.pauses.resume('counting');
    await passWithLooks(100_000, started);

    expect(applied.at(-1)).toBe(3);
    expect(account.waiting()).toEqual([]);
  });

  it('given a redrive, then it waits and runs after the resume, and its dead letter moves', async () => {
    let isWell = false;
    const started = start(() => {
      if (!isWell) throw new NonRetriableError('no');
    });
    const { app, account, counting, address } = started;
    await app.pauses.pause(PAUSE);
    await app.pipeline.deliver([raw]);
    await passWithLooks(minutes(2).ms, started);
    await app.pauses.resume('counting');
    await passWithLooks(100_000, started);
    expect(account.record(address)).toMatchObject({ result: 'dead', pausedMs: expect.any(Number) });
    isWell = true;
    await app.pauses.pause(PAUSE);
    await account.pass(10_000);
    await app.addRow({ kind: 'job', address, redrive: 1 }, raw);

    await passWithLooks(minutes(5).ms, started);
    expect(counting.runs).toBe(1);
    await app.pauses.resume('counting');
    await passWithLooks(100_000, started);

    expect(counting.runs).toBe(2);
    expect(account.record(address)).toMatchObject({ state: 'settled', result: 'completed', redrives: 1 });
    expect(account.waiting()).toEqual([]);
  });
});

describe('when a workflow is paused for long', () => {
  it('given a job that may wait an hour for its downstream, then the pause does not count', async () => {
    let isBusy = true;
    const started = start(
      () => {
        if (isBusy) throw new RetryAfterError('busy', seconds(30));
      },
      { retry: { giveUpAfter: hours(1) } },
    );
    const { app, account, address } = started;
    await app.pipeline.deliver([raw]);
    await app.pauses.pause(PAUSE);
    await passWithLooks(2 * DAY_MS, started, minutes(30).ms);

    await app.pauses.resume('counting');
    await passWithLooks(minutes(10).ms, started, 30_000);
    expect(account.letters()).toEqual({});
    expect(account.record(address)).toMatchObject({ state: 'waiting', errorCode: 'retry-after' });
    isBusy = false;
    await passWithLooks(minutes(2).ms, started);

    expect(account.record(address)).toMatchObject({ state: 'settled', result: 'completed' });
  });

  it('given a redrive, then the pauses before it do not count', async () => {
    const started = start(() => Promise.reject(new NonRetriableError('no')));
    const { app, account, address } = started;
    await app.pauses.pause(PAUSE);
    await app.pipeline.deliver([raw]);
    await passWithLooks(hours(1).ms, started, minutes(1).ms);
    await app.pauses.resume('counting');
    await passWithLooks(minutes(3).ms, started);
    expect(account.record(address)?.pausedMs).toBeGreaterThan(minutes(50).ms);

    await app.addRow({ kind: 'job', address, redrive: 1 }, raw);
    await app.runDueRows();

    expect(account.record(address)).toMatchObject({ result: 'dead', redrives: 1, pausedMs: 0 });
  });

  it('given the downstream is down after it, then the circuit opens, and the waiting jobs use no tries', async () => {
    const started = start(() => Promise.reject(new Error('down')), {
      retry: { tries: 3, from: seconds(1), to: seconds(2) },
    });
    const { app, account, counting } = started;
    await app.pauses.pause(PAUSE);
    await app.pipeline.deliver(events(100));
    await passWithLooks(hours(12).ms, started, minutes(10).ms);

    await app.pauses.resume('counting');
    await passWithLooks(minutes(2).ms, started);

    expect(app.pipeline.circuits()).toMatchObject({ counting: { state: 'open' } });
    expect(counting.runs).toBeLessThan(100);
    expect(account.waiting().length).toBeGreaterThan(0);
  });

  it('given the workflow is gone from the app, then no job is dead-lettered until the resume', async () => {
    const { account, app, other, counting } = start();
    await app.pauses.pause(PAUSE);
    await app.pipeline.deliver([raw]);
    const next = startApp(account, { workflows: [other.workflow] });
    await passWithLooks(hours(2).ms, { account, app: next }, 30_000);
    expect(account.letters()).toEqual({});

    const back = startApp(account, { workflows: [other.workflow, counting.workflow] });
    await back.pauses.resume('counting');
    await passWithLooks(100_000, { account, app: back });

    expect(counting.runs).toBe(1);
  });

  it('given longer than the retention of the ledger, then nothing is lost, and nothing runs twice', async () => {
    const started = start();
    const { app, account, counting, other } = started;
    await app.pauses.pause(PAUSE);
    await app.pipeline.deliver(events(5));
    for (let day = 0; day < 12; day += 1) {
      await passWithLooks(DAY_MS, started, hours(3).ms);
      await app.ledger.expire(account.clock.now(), 7);
    }

    await app.pauses.resume('counting');
    await passWithLooks(minutes(3).ms, started);

    expect([counting.runs, other.runs]).toEqual([5, 5]);
    expect([account.waiting(), account.letters()]).toEqual([[], {}]);
  });
});

describe('when several processes run', () => {
  it('given a pause and a resume in one, then the other follows within 10 s', async () => {
    const { account, app, counting, workflows } = start();
    const other = startApp(account, { workflows });
    await other.pipeline.deliver([rawEvent({ id: 'before' })]);
    await app.pauses.pause(PAUSE);
    await account.pass(10_000);

    await other.pipeline.deliver([rawEvent({ id: 'meanwhile' })]);
    expect(counting.runs).toBe(1);
    await app.pauses.resume('counting');
    await account.pass(10_000);
    await other.pipeline.deliver([rawEvent({ id: 'after' })]);

    expect(counting.runs).toBe(2);
  });

  it('given a process that dies at any step of putting off a job, then the job runs once after the resume', async () => {
    for (let deadAfter = 1; deadAfter < 40; deadAfter += 1) {
      const started = start();
      const { account, app, counting, workflows } = started;
      await app.pauses.pause(PAUSE);
      let calls = 0;
      app.storageIs(() => {
        calls += 1;
        if (calls === deadAfter) app.crash();
        return app.isDead() ? 'never' : 'ok';
      });
      const isSafe = await Promise.race([
        app.pipeline.deliver([raw]).then(
          () => true,
          () => false,
        ),
        account.pass(60_000).then(() => false),
      ]);
      if (isSafe) void passWithLooks(200_000, started);
      await account.pass(200_000);
      const next = startApp(account, { workflows });
      if (!isSafe) await next.pipeline.deliver([raw]); // Event Grid sends it again
      await passWithLooks(minutes(4).ms, { account, app: next });
      expect(counting.runs).toBe(0);

      await next.pauses.resume('counting');
      await passWithLooks(minutes(4).ms, { account, app: next });

      expect([deadAfter, counting.runs, account.waiting()]).toEqual([deadAfter, 1, []]);
    }
  });
});

describe('when the pauses cannot be read', () => {
  it('given a process that has read them, then the last known state holds, and other workflows run', async () => {
    const started = start();
    const { app, account, counting, other } = started;
    await app.pauses.pause(PAUSE);
    await app.pipeline.deliver([rawEvent({ id: 'first' })]);
    app.appstateIs('fail-before');

    await passWithLooks(minutes(5).ms, started);
    await app.pipeline.deliver([rawEvent({ id: 'second' })]);

    expect([counting.runs, other.runs]).toEqual([0, 2]);
    expect(account.letters()).toEqual({});
    expect(app.lines).toContainEqual(expect.stringContaining('"pauses-not-read"'));
  });

  it('given a new process, then Event Grid and the rows come again, until the read succeeds', async () => {
    const { app, account, counting, workflows } = start();
    await app.pauses.pause(PAUSE);
    await app.pipeline.deliver([rawEvent({ id: 'row' })]);
    const next = startApp(account, { workflows });
    await next.ledger.open();
    next.appstateIs('fail-before');

    await expect(next.pipeline.deliver([raw])).rejects.toMatchObject({ name: 'NotSafeError' });
    await passWithLooks(minutes(3).ms, { account, app: next });
    expect([counting.runs, account.waiting().length]).toEqual([0, 1]);
    next.appstateIs('ok');
    await next.pipeline.deliver([raw]);
    await next.pauses.resume('counting');
    await passWithLooks(minutes(3).ms, { account, app: next });

    expect(counting.runs).toBe(2);
  });
});
