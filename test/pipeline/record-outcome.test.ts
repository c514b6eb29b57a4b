import { seconds } from '../../src/workflow.js';
import { countingWorkflow, startHeld } from './held-workflow.js';
import { type Account, type App, addressOfRaw, createAccount, rawEvent, startApp, watched } from './memory-app.js';

const raw = rawEvent();

/** Lets ten minutes pass, with what the timer and the queues do. */
async function tenMinutes(account: Account, app: App): Promise<void> {
  for (let turns = 0; turns < 60; turns += 1) {
    await account.pass(10_000);
    void app.runDueRows();
    await account.pass(10);
  }
}

describe('a job whose watermark cannot be written for a while', () => {
  it.each([
    { given: 'its handler fails', fails: true, runs: 2 },
    { given: 'its handler has done its work', fails: false, runs: 2 },
  ])('given $given, then that is no crash, and it runs once more', async ({ fails, runs }) => {
    const account = createAccount();
    let isDown = false;
    const counting = countingWorkflow(
      (run) => {
        isDown = run === 1;
        if (fails && run === 1) throw new Error('no');
      },
      { ordering: 'latest' },
    );
    const app = startApp(account, { workflows: [counting.workflow] });
    app.storageIs(({ on }) => (isDown && on === 'watermarks' ? 'fail-before' : 'ok'));
    watched(app.pipeline.deliver([raw]));
    await account.pass(70_000);
    isDown = false;

    await tenMinutes(account, app);

    expect(counting.runs).toBe(runs);
    expect(account.record(addressOfRaw(raw, counting.workflow))).toMatchObject({
      state: 'settled',
      result: 'completed',
      crashes: 0,
    });
  });

  it('given its lease of the resource lapses while the handler runs, then no crash is counted', async () => {
    const { account, app, workflow, calls } = startHeld({ ordering: 'latest', timeout: seconds(120) });
    const address = addressOfRaw(raw, workflow);
    await app.addRow({ kind: 'job', address }, raw);
    void app.runDueRows();
    await account.pass(1000);
    let isDown = true;
    app.storageIs(({ on }) => (isDown && on === 'watermarks' ? 'fail-before' : 'ok'));

    await account.pass(60_000);
    isDown = false;

    expect(calls[0]?.context.signal.aborted).toBe(true);
    expect(account.record(address)).toMatchObject({
      state: 'waiting',
      errorCode: 'resource-lost',
      tries: 0,
      crashes: 0,
    });
  });
});

describe('a version, under the shortest lease', () => {
  it('then it is applied and completed', async () => {
    const account = createAccount();
    const counting = countingWorkflow(() => {}, { ordering: 'latest' });
    const app = startApp(account, { workflows: [counting.workflow], settings: { leaseMs: 10_000 } });

    const answer = watched(app.pipeline.deliver([raw]));
    await account.pass(1000);

    expect([answer.state, counting.runs]).toEqual(['resolved', 1]);
    expect(account.record(addressOfRaw(raw, counting.workflow))).toMatchObject({ result: 'completed' });
  });
});

describe('a lease of which much went by before the handler began', () => {
  it('then it is renewed before it lapses', async () => {
    const { account, app, workflow, started } = startHeld({ ordering: 'latest', timeout: seconds(120) });
    await app.addRow({ kind: 'job', address: addressOfRaw(raw, workflow) }, raw);
    const slow = (on: string, ms: number) => account.clock.monotonic() < ms && on;
    app.storageIs(({ on, method }) => {
      const isSlow = slow('ledger20260101', 27_000) === on || slow('watermarks', 40_000) === on;
      return isSlow && method === 'commit' ? 'fail-before' : 'ok';
    });
    void app.runDueRows();
    await account.pass(45_000);
    const { context } = await started(0);

    await account.pass(60_000);

    expect(context.signal.aborted).toBe(false);
  });
});

describe('a job whose row is written, and whose record cannot be', () => {
  it('then its POST is acknowledged at the deadline: the row makes it safe', async () => {
    const account = createAccount();
    let isDown = false;
    const counting = countingWorkflow(() => {
      isDown = true;
      throw new Error('no');
    });
    const app = startApp(account, { workflows: [counting.workflow] });
    app.storageIs(({ method, on }) =>
      isDown && method === 'commit' && on.startsWith('ledger') ? 'fail-before' : 'ok',
    );

    const answer = watched(app.pipeline.deliver([raw]));
    await account.pass(14_000);
    expect([answer.state, account.waiting().length]).toEqual(['open', 1]);
    await account.pass(1500);

    expect(answer.state).toBe('resolved');
  });
});
