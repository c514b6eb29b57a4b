import { minutes, seconds } from '../../src/workflow.js';
import { countingWorkflow, holdWorkflow, startHeld, startWith } from './held-workflow.js';
import { type Account, addressOfRaw, createAccount, rawEvent, recordsOf, startApp, watched } from './memory-app.js';

const raws = Array.from({ length: 6 }, (_, n) => rawEvent({ id: `e${n}` }));

/** Returns the content of each row, and the time at which it is due. */
const rowsOf = (account: Account) =>
  account.waiting().map(({ dueAt, row }) => `${row.kind} ${row.count ?? 1} ${dueAt.slice(14, 19)}`);

describe('when jobs of a POST are not done by the deadline', () => {
  it('given two slots, then queued jobs share a row, running jobs share another, and no queued job was claimed', async () => {
    const { account, app, calls } = startHeld({ concurrency: 2, timeout: seconds(15) });

    const answer = watched(app.pipeline.deliver(raws));
    await account.pass(15_000);

    expect(answer.state).toBe('resolved');
    expect(calls).toHaveLength(2);
    expect(recordsOf(account)).toHaveLength(2);
    // This process has taken the row of the queued jobs, and tries again to get slots for them.
    expect(rowsOf(account)).toEqual(['jobs 4 01:15', 'jobs 2 01:17']);
  });

  it('given slots become free, then each job runs once, and no row stays', async () => {
    const { account, app, calls } = startHeld({ concurrency: 2, timeout: seconds(15) });
    void app.pipeline.deliver(raws);
    await account.pass(15_000);

    for (let n = 0; n < raws.length; n += 1) {
      calls[n]?.release();
      await account.pass(500);
    }
    await account.pass(62_000);
    await app.runDueRows();

    expect(calls.map(({ event }) => event.id).sort()).toEqual(raws.map(({ id }) => id));
    expect(recordsOf(account).map(({ result }) => result)).toEqual(raws.map(() => 'completed'));
    expect(account.waiting()).toEqual([]);
  });

  it('given new events, then they and the jobs of rows get slots in turn', async () => {
    const { account, app, calls } = startHeld({ concurrency: 1, timeout: seconds(15) });
    void app.pipeline.deliver(raws.slice(0, 4));
    await account.pass(15_000);
    void app.pipeline.deliver(raws.slice(4));
    await account.pass(100);

    for (let n = 0; n < 5; n += 1) {
      calls[n]?.release();
      await account.pass(100);
    }

    expect(calls.map(({ event }) => event.id)).toEqual(['e0', 'e4', 'e1', 'e5', 'e2', 'e3']);
  });

  it('given two workflows, then no job of one waits for the other', async () => {
    const stuck = holdWorkflow({ name: 'stuck', concurrency: 1, timeout: seconds(15) });
    const slow = holdWorkflow({ name: 'slow', concurrency: 1, timeout: seconds(15) });
    const { account, app } = startWith(stuck.workflow, slow.workflow);
    for (let post = 0; post < 8; post += 1) {
      void app.pipeline.deliver(raws.slice(0, 3).map((raw) => ({ ...raw, id: `${raw.id}-${post}` })));
    }
    await account.pass(15_000);

    for (let n = 0; n < 24; n += 1) {
      slow.calls[n]?.release();
      await account.pass(500);
    }
    await account.pass(60_000);
    for (let n = 12; n < 24; n += 1) {
      slow.calls[n]?.release();
      await account.pass(500);
    }

    expect(slow.calls).toHaveLength(24);
    expect(stuck.calls.length).toBeLessThan(3);
  });

  it('given a row cannot be written, then the POST fails, and nothing is acknowledged', async () => {
    const { account, app } = startHeld({ concurrency: 2, timeout: seconds(15) });
    const answer = watched(app.pipeline.deliver(raws));
    await account.pass(1000);
    app.storageIs(({ on }) => (on === 'waiting' ? 'fail-before' : 'ok'));

    await account.pass(20_000);

    expect(answer).toMatchObject({ state: 'rejected', error: { name: 'NotSafeError' } });
  });

  it('given long jobs, then each has a row of its own for the other queue', async () => {
    const { workflow } = countingWorkflow(() => {}, { timeout: minutes(1) });
    const { account, app } = startWith(workflow);

    await app.pipeline.deliver(raws);

    expect(rowsOf(account)).toEqual(raws.map(() => 'job 1 00:00'));
  });
});

describe('when a process dies that has taken a row of several jobs', () => {
  it('given no job has begun, then another process runs all a minute later', async () => {
    const account = createAccount();
    const held = holdWorkflow({ concurrency: 1, timeout: seconds(15) });
    const dying = startApp(account, { workflows: [held.workflow] });
    void dying.pipeline.deliver(raws);
    await account.pass(15_000);
    dying.crash();
    const { workflow } = countingWorkflow(() => {}, { name: 'held' });
    const other = startApp(account, { workflows: [workflow] });

    await account.pass(59_000);
    await other.runDueRows();
    const early = other.counters.jobsCompleted;
    await account.pass(2000);
    await other.runDueRows();
    await account.pass(63_000);
    await other.runDueRows();

    expect(early).toBe(0);
    expect(recordsOf(account).map(({ result }) => result)).toEqual(raws.map(() => 'completed'));
    expect(account.waiting()).toEqual([]);
  });
});

describe('when a row of several jobs comes to another version of the app', () => {
  const workflows = [countingWorkflow().workflow];
  const jobs = raws.map((raw) => ({ address: addressOfRaw(raw, 'counting'), eventIdDigest: raw.id, json: '' }));
  const start = async (textOf: (raw: unknown, n: number) => unknown) => {
    const account = createAccount();
    const app = startApp(account, { workflows });
    const stored = jobs.map((job, n) => ({ ...job, json: JSON.stringify(textOf(raws[n], n)) }));
    await app.waiting.addJobs(stored, { dueAt: account.clock.now(), untilMs: 10_000 });
    await account.pass(1);
    return { account, app };
  };

  it('given an event that it cannot read, then that job gets a row of its own, and the others run', async () => {
    const { account, app } = await start((raw, n) => (n === 2 ? { ...(raw as object), eventType: 'New' } : raw));

    await app.runDueRows();

    expect(app.counters.jobsCompleted).toBe(5);
    expect(account.waiting().map(({ row }) => [row.kind, row.idDigest])).toEqual([['job', 'e2']]);
  });

  it('given a workflow that it does not have, then the jobs wait', async () => {
    const { account, app } = await start((raw) => raw);
    workflows.pop();
    const without = startApp(account, { workflows: [] });

    await without.runDueRows();

    expect(app.counters.jobsCompleted).toBe(0);
    expect(recordsOf(account).map(({ state, errorCode }) => [state, errorCode])).toEqual(
      raws.map(() => ['waiting', 'unknown-workflow']),
    );
  });
});
