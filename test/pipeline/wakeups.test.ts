import { createLooks } from '../../src/storage/looks.js';
import { hours, minutes, RetryAfterError, seconds, type Workflow } from '../../src/workflow.js';
import { countingWorkflow, startCounting, startWith } from './held-workflow.js';
import { type Account, type App, addressOfRaw, createAccount, rawEvent, startApp, watched } from './memory-app.js';

const raw = rawEvent();
const failing = (from = seconds(30)) =>
  countingWorkflow(() => Promise.reject(new Error('no')), { retry: { from, to: from }, concurrency: 1000 }).workflow;
const looksOf = ({ calls }: { calls: string[] }) => calls.filter((call) => call === 'commit looks').length;
const hidden = ({ due, dueLong }: Account) => [...due.hidden(), ...dueLong.hidden()];

/** Adds a row that no process knows, as a process leaves it that has died. */
async function leaveRow(app: App, workflow: Workflow) {
  await app.addRow({ kind: 'job', address: addressOfRaw(raw, workflow) }, raw);
}

describe('looking for due rows', () => {
  it('given a row of a process that was killed, then the next process looks when it starts, without a timer', async () => {
    const { account, app, workflow } = startCounting();
    await leaveRow(app, workflow);

    app.pipeline.start();
    await account.pass(0);

    expect(account.due.inspect()).toHaveLength(1);
    await app.pipeline.stop();
  });

  it('given a process that is up, then it looks every 10 s, until it ends', async () => {
    const { account, app } = startWith();

    app.pipeline.start();
    await account.pass(60_000);
    const whileUp = looksOf(app);
    await app.pipeline.stop();
    await account.pass(60_000);

    expect(whileUp).toBeGreaterThanOrEqual(6);
    expect(whileUp).toBeLessThanOrEqual(7);
    expect(looksOf(app)).toBe(whileUp);
  });

  it('given three processes, then all together look once in 10 s, and go on when one of them dies', async () => {
    const account = createAccount();
    const apps = [startApp(account), startApp(account), startApp(account)];
    const looks = () =>
      apps.reduce((sum, app) => sum + app.calls.filter((call) => call === 'query waiting').length, 0) / 16;

    for (const app of apps) app.pipeline.start();
    await account.pass(60_000);
    expect(looks()).toBeGreaterThanOrEqual(6);
    expect(looks()).toBeLessThanOrEqual(8);
    apps[0]?.crash();
    const before = looks();
    await account.pass(60_000);

    expect(looks() - before).toBeGreaterThanOrEqual(5);
    for (const app of apps.slice(1)) await app.pipeline.stop();
  });

  it('given the timer fires just after a look of another process, then no second look is made', async () => {
    const account = createAccount();
    const [one, other] = [startApp(account), startApp(account)];

    await one.pipeline.look();
    await account.pass(5000);
    await other.pipeline.look();

    expect(other.calls).toEqual(['query looks']);
  });

  it('given storage fails, then a line says so, and the next look follows', async () => {
    const { account, app, workflow } = startCounting();
    await leaveRow(app, workflow);
    app.storageIs(() => 'fail-before');

    app.pipeline.start();
    await account.pass(0);
    expect(new Set(app.lines)).toEqual(new Set(['error {"what":"wake-failed","errorCode":"undeclared-code"}']));
    app.storageIs(() => 'ok');
    await account.pass(11_000);

    expect(account.due.inspect()).toHaveLength(1);
    await app.pipeline.stop();
  });
});

describe('a row that is due later', () => {
  it('given an app that is scaled to zero after it, then a message is visible when the row is due, and wakes it', async () => {
    const account = createAccount();
    await account.pass(3000);
    const app = startApp(account, { workflows: [failing(hours(2))] });
    await app.pipeline.deliver([raw]);
    const [row] = account.waiting();
    app.crash();

    await account.pass(Date.parse(row?.dueAt ?? '') - account.clock.now().getTime() - 1000);
    expect(account.due.inspect()).toEqual([]);
    await account.pass(11_000);

    expect(account.due.inspect()).toEqual([JSON.stringify({ shard: row?.shard })]);
  });

  it('given a thousand rows that fail at once, then at most two messages are sent: for retries, and for an open circuit', async () => {
    const account = createAccount();
    await account.pass(3000);
    const app = startApp(account, { workflows: [failing()] });

    await app.pipeline.deliver(Array.from({ length: 1000 }, (_, n) => rawEvent({ id: `event-${n}` })));

    expect(account.waiting()).toHaveLength(1000);
    expect(app.calls.filter((call) => call === 'send ').length).toBeLessThanOrEqual(2);
    expect(hidden(account).length).toBeGreaterThan(0);
  });

  it('given rows at any time of the next two hours, then few messages are hidden at once: Azure scales by their number', async () => {
    const account = createAccount();
    const waits = Array.from({ length: 200 }, (_, n) => (n * 7919) % 7200);
    const later = countingWorkflow(() =>
      Promise.reject(new RetryAfterError('later', seconds(waits.shift() ?? 1))),
    ).workflow;
    const app = startApp(account, { workflows: [later] });
    app.pipeline.start();
    let most = 0;

    for (let n = 0; n < 200; n += 1) {
      await app.pipeline.deliver([rawEvent({ id: `event-${n}` })]);
      await account.pass(500);
      most = Math.max(most, hidden(account).length);
    }

    expect(account.waiting().length).toBeGreaterThan(150);
    expect(most).toBeLessThanOrEqual(20);
    await app.pipeline.stop();
  });

  it('given the message of the first row has arrived, then a look announces the next row', async () => {
    const account = createAccount();
    await account.pass(3000);
    const waits = [seconds(20), minutes(120)];
    const { workflow } = countingWorkflow(() => {
      const wait = waits.shift();
      if (wait) throw new RetryAfterError('later', wait);
    });
    const app = startApp(account, { workflows: [workflow] });
    await app.pipeline.deliver([rawEvent({ id: 'near' })]);
    await app.pipeline.deliver([rawEvent({ id: 'far' })]);
    expect(hidden(account)).toHaveLength(1);

    await account.pass(30_000);
    await app.runDueRows();
    await app.pipeline.wake();

    const [far] = account.waiting();
    expect(account.waiting()).toHaveLength(1);
    expect(hidden(account)).toEqual([{ text: JSON.stringify({ shard: far?.shard }), inMs: expect.any(Number) }]);
  });

  it('given a far row, and near ones that come and go, then the far one is announced once', async () => {
    const account = createAccount();
    await account.pass(3000);
    const waits = [minutes(120)];
    const { workflow } = countingWorkflow((run) => {
      if (run % 2 === 1) throw new RetryAfterError('later', waits.shift() ?? seconds(20));
    });
    const app = startApp(account, { workflows: [workflow] });
    await app.pipeline.deliver([rawEvent({ id: 'far' })]);
    await app.pipeline.deliver([rawEvent({ id: 'done' })]);

    for (let n = 0; n < 5; n += 1) {
      await app.pipeline.deliver([rawEvent({ id: `near-${n}` })]);
      await account.pass(30_000);
      await app.runDueRows();
      await app.pipeline.wake();
    }

    expect(account.waiting()).toHaveLength(1);
    expect(hidden(account)).toHaveLength(1);
  });

  it('given the message cannot be sent, then the job still waits, and the next row sends a message', async () => {
    const account = createAccount();
    const app = startApp(account, { workflows: [failing()] });
    app.storageIs(({ method }) => (method === 'send' ? 'fail-before' : 'ok'));
    await app.pipeline.deliver([raw]);
    await account.pass(0);
    expect(app.lines).toContain('error {"what":"wake-failed","errorCode":"undeclared-code"}');
    app.storageIs(() => 'ok');

    await app.pipeline.deliver([rawEvent({ id: 'event-2' })]);

    expect(account.waiting()).toHaveLength(2);
    expect(hidden(account)).toHaveLength(1);
  });

  it('given the process ends, then the messages of its last rows are sent before it is over', async () => {
    const account = createAccount();
    await account.pass(3000);
    const app = startApp(account, { workflows: [failing()] });
    app.storageIs(({ method }) => (method === 'send' ? 'never-after' : 'ok'));
    await app.pipeline.deliver([raw]);

    const stop = watched(app.pipeline.stop());
    await account.pass(900);
    expect(stop.state).toBe('open');
    await account.pass(200);

    expect(stop.state).toBe('resolved');
    expect(hidden(account)).toHaveLength(1);
  });
});

describe('the row that says when the app last looked', () => {
  it('given two processes at once, then one of them looks', async () => {
    const account = createAccount();
    const [one, other] = [createLooks(account), createLooks(account)];
    await one.take(10_000);
    await account.pass(10_000);

    expect((await Promise.all([one.take(10_000), other.take(10_000)])).sort()).toEqual([0, 10_000]);
  });

  it('given a look 4 s ago, then the next one is due in 6 s', async () => {
    const account = createAccount();
    const looks = createLooks(account);
    await looks.take(10_000);
    await account.pass(4000);

    expect(await looks.take(10_000)).toBe(6000);
  });
});
