import { seconds } from '../../src/workflow.js';
import { holdWorkflow, startCounting, startHeld, startWith } from './held-workflow.js';
import { addressOfRaw, createAccount, rawEvent, startApp, watched } from './memory-app.js';

const raw = rawEvent();

describe('the end of a process', () => {
  it('given no job, ends at once', async () => {
    const { app } = startWith();

    await app.pipeline.stop();

    expect(app.lines).toEqual(['info {"what":"stopping","count":0}', 'info {"what":"stopped","count":0}']);
  });

  it('given a handler that ends within 0.8 s, then it is completed, and its POST is acknowledged', async () => {
    const { account, app, workflow, calls } = startHeld({ timeout: seconds(15) });
    const delivery = watched(app.pipeline.deliver([raw]));
    await account.pass(1000);

    const stop = watched(app.pipeline.stop());
    await account.pass(700);
    expect(calls[0]?.context.signal.aborted).toBe(false);
    calls[0]?.release();
    await account.pass(0);

    expect([delivery.state, stop.state]).toEqual(['resolved', 'resolved']);
    expect(account.record(addressOfRaw(raw, workflow))).toMatchObject({ state: 'settled', result: 'completed' });
  });

  it('given a handler that ignores its signal, then it goes back to waiting, due at once, and no try is used', async () => {
    const account = createAccount();
    const { workflow, calls } = holdWorkflow({ timeout: seconds(20) });
    const app = startApp(account, { workflows: [workflow], settings: { deadlineMs: 20_000 } });
    const delivery = watched(app.pipeline.deliver([raw]));
    await account.pass(0);

    const stop = watched(app.pipeline.stop());
    await account.pass(799);
    expect(calls[0]?.context.signal.aborted).toBe(false);
    await account.pass(1);
    expect(calls[0]?.context.signal.aborted).toBe(true);
    expect(stop.state).toBe('open');
    await account.pass(400);

    expect([delivery.state, stop.state]).toEqual(['resolved', 'resolved']);
    const [row] = account.waiting();
    expect(account.record(addressOfRaw(raw, workflow))).toMatchObject({ state: 'waiting', due: row?.name, tries: 0 });
    expect(Date.parse(row?.dueAt ?? '')).toBeLessThanOrEqual(account.clock.now().getTime());
    expect(app.lines.at(-1)).toBe('info {"what":"stopped","count":0}');
  });

  it('given a handler that succeeds after it was aborted, then the job is completed', async () => {
    const account = createAccount();
    const { workflow, calls } = holdWorkflow({ timeout: seconds(20) });
    const app = startApp(account, { workflows: [workflow], settings: { deadlineMs: 20_000 } });
    void app.pipeline.deliver([raw]);
    await account.pass(0);
    const stop = watched(app.pipeline.stop());
    await account.pass(1000);

    calls[0]?.release();
    await account.pass(0);

    expect(stop.state).toBe('resolved');
    expect(account.record(addressOfRaw(raw, workflow))).toMatchObject({ state: 'settled', result: 'completed' });
  });

  it('given a handler after its timeout that ignores its signal, leaves it and counts a try', async () => {
    const { account, app, workflow, calls } = startHeld({ timeout: seconds(1) });
    void app.pipeline.deliver([raw]);
    await account.pass(2000);
    expect(calls[0]?.context.signal.aborted).toBe(true);

    const stop = watched(app.pipeline.stop());
    await account.pass(1200);

    expect(stop.state).toBe('resolved');
    expect(account.record(addressOfRaw(raw, workflow))).toMatchObject({
      state: 'waiting',
      tries: 1,
      errorCode: 'hung',
    });
  });

  it('given a queued job, gives it a row at once and does not claim it', async () => {
    const { account, app, workflow, calls } = startHeld({ concurrency: 1 });
    const inLine = rawEvent({ id: 'event-2' });
    const deliveries = [raw, inLine].map((event) => watched(app.pipeline.deliver([event])));
    await account.pass(0);

    const stop = watched(app.pipeline.stop());
    await account.pass(100);
    expect(deliveries.map(({ state }) => state)).toEqual(['open', 'resolved']);
    calls[0]?.release();
    await account.pass(100);

    expect([stop.state, calls.length]).toEqual(['resolved', 1]);
    expect(account.record(addressOfRaw(inLine, workflow))).toBeUndefined();
    expect(account.waiting()).toHaveLength(1);
  });

  it('given a delivery that arrives after the end has begun, then its job gets a row, and nothing runs', async () => {
    const { account, app, counting } = startCounting();
    await app.pipeline.stop();

    const delivery = watched(app.pipeline.deliver([raw]));
    await account.pass(100);

    expect([delivery.state, counting.runs, account.waiting().length]).toEqual(['resolved', 0, 1]);
    expect(account.record(addressOfRaw(raw, counting.workflow))).toBeUndefined();
  });

  it('given a row that is due after the end has begun, then it stays, and nothing runs', async () => {
    const { account, app, counting } = startCounting();
    await app.addRow({ kind: 'job', address: addressOfRaw(raw, counting.workflow) }, raw);
    await app.pipeline.stop();

    await app.runDueRows();

    expect([counting.runs, account.waiting().length]).toEqual([0, 1]);
  });

  it('given a row whose record was being read when the end began, then its job is not claimed', async () => {
    const { account, app, counting } = startCounting();
    await app.addRow({ kind: 'job', address: addressOfRaw(raw, counting.workflow) }, raw);
    app.storageIs(({ method, on }) => {
      if (method === 'read' && on.startsWith('ledger')) void app.pipeline.stop();
      return 'ok';
    });

    await app.runDueRows();

    expect([counting.runs, account.waiting().length]).toEqual([0, 1]);
    expect(account.record(addressOfRaw(raw, counting.workflow))).toBeUndefined();
  });

  it('given a handler that may take longer than a delivery, then it is aborted at once', async () => {
    const { account, app, workflow, calls } = startHeld({ timeout: seconds(60) });
    await Promise.all([app.pipeline.deliver([raw]), account.pass(100)]);
    void app.runDueRows();
    await account.pass(100);

    const stop = watched(app.pipeline.stop());
    await account.pass(100);
    expect(calls[0]?.context.signal.aborted).toBe(true);
    await account.pass(400);

    expect(stop.state).toBe('resolved');
    expect(account.record(addressOfRaw(raw, workflow))).toMatchObject({ state: 'waiting', tries: 0, crashes: 0 });
  });

  it('given hundreds of handlers of one workflow, then their rows share transactions, and so do their records', async () => {
    const { account, app, workflow } = startHeld({ concurrency: 400 });
    const events = Array.from({ length: 400 }, (_, n) => rawEvent({ id: `event-${n}` }));
    const delivery = watched(app.pipeline.deliver(events));
    await account.pass(100);
    app.calls.splice(0);

    const stop = watched(app.pipeline.stop());
    await account.pass(1200);

    expect([delivery.state, stop.state]).toEqual(['resolved', 'resolved']);
    expect(account.waiting()).toHaveLength(400);
    expect(events.map((event) => account.record(addressOfRaw(event, workflow)))).toEqual(
      events.map(() => expect.objectContaining({ state: 'waiting', tries: 0, crashes: 0 })),
    );
    // Eight partitions of each of the two tables; `waiting` is made first.
    expect(app.calls.filter((call) => call === 'commit waiting').length).toBeLessThanOrEqual(16);
    expect(app.calls.filter((call) => call.startsWith('commit ledger'))).toHaveLength(8);
  });

  it('given a resource that cannot be freed, then the job goes back to waiting all the same', async () => {
    const { account, app, workflow } = startHeld({ ordering: 'latest' });
    void app.pipeline.deliver([raw]);
    await account.pass(100);
    app.storageIs(({ on }) => (on === 'watermarks' ? 'never' : 'ok'));

    void app.pipeline.stop();
    await account.pass(1300);

    expect(account.record(addressOfRaw(raw, workflow))).toMatchObject({ state: 'waiting', tries: 0, crashes: 0 });
  });

  it('given a call to storage that was under way, then it gets 1 s more, and later writes succeed', async () => {
    const { account, app, workflow, calls } = startHeld();
    void app.pipeline.deliver([raw]);
    await account.pass(100);
    app.storageIs(() => 'never');
    calls[0]?.release();
    await account.pass(100);

    const stop = watched(app.pipeline.stop());
    app.storageIs(() => 'ok');
    await account.pass(1200);

    expect(stop.state).toBe('resolved');
    expect(account.record(addressOfRaw(raw, workflow))).toMatchObject({ state: 'settled', result: 'completed' });
  });

  it('given a claim under way when handlers are aborted, starts no handler for it', async () => {
    const { account, app, counting } = startCounting();
    let isSlow = true;
    app.storageIs(({ method, on }) => (isSlow && method === 'commit' && on.startsWith('ledger') ? 'never' : 'ok'));
    const delivery = watched(app.pipeline.deliver([raw]));
    await account.pass(0);

    const stop = watched(app.pipeline.stop());
    await account.pass(900);
    isSlow = false;
    await account.pass(2000);

    expect([delivery.state, stop.state, counting.runs]).toEqual(['resolved', 'resolved', 0]);
    expect(account.record(addressOfRaw(raw, counting.workflow))).toMatchObject({ state: 'waiting', tries: 0 });
  });

  it('given storage that never answers, then it ends within 3.4 s all the same, and `stopped` is logged', async () => {
    const { account, app } = startHeld();
    const delivery = watched(app.pipeline.deliver([raw]));
    await account.pass(100);
    app.storageIs(() => 'never');

    const stop = watched(app.pipeline.stop());
    await account.pass(3300);
    expect(stop.state).toBe('open');
    await account.pass(100);

    expect(stop.state).toBe('resolved');
    expect(app.lines.at(-1)).toBe('info {"what":"stopped","count":1}');
    await account.pass(20_000);
    expect(delivery.state).toBe('rejected');
  });
});
