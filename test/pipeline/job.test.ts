import { defineWorkflow, fhir, seconds } from '../../src/workflow.js';
import { recordOf } from '../storage/ledger.contract.js';
import { countingWorkflow, holdWorkflow, startCounting, startHeld, startWith } from './held-workflow.js';
import { type Account, addressOfRaw, createAccount, rawEvent, startApp, watched } from './memory-app.js';

const LEASE_AND_MARGIN_MS = 64_000;
const alwaysFails = () => Promise.reject(new Error('no'));

/** Lets each of several processes take the job over from the one before, and crash while its handler runs. */
async function crash(account: Account, times: number) {
  const held = holdWorkflow();
  for (let i = 0; i < times; i += 1) {
    const app = startApp(account, { workflows: [held.workflow] });
    if (i === 0) await app.addRow({ kind: 'job', address: addressOfRaw(rawEvent(), held.workflow) }, rawEvent());
    void app.runDueRows();
    await held.started(i);
    app.crash();
    await account.pass(LEASE_AND_MARGIN_MS);
  }
  return held;
}

describe('a process that dies with a job at work', () => {
  it('given its lease is still running, then a row stays and nothing runs', async () => {
    const { account, app: dying, workflow, started, calls } = startHeld();
    void watched(dying.pipeline.deliver([rawEvent()]));
    await started(0);
    dying.crash();
    const app = startApp(account, { workflows: [workflow] });
    await app.addRow({ kind: 'job', address: addressOfRaw(rawEvent(), workflow) }, rawEvent());

    await account.pass(61_000);
    await app.runDueRows();

    expect(calls).toHaveLength(1);
    expect(account.waiting()).toHaveLength(1);
  });

  it('given its lease has lapsed, then a row takes it over: a crash, and no try', async () => {
    const account = createAccount();
    const { workflow, calls } = await crash(account, 1);
    const app = startApp(account, { workflows: [workflow] });

    void app.runDueRows();
    await account.pass(0);

    expect(calls).toHaveLength(2);
    expect(calls[1]?.context.attempt).toBe(1);
    expect(account.record(addressOfRaw(rawEvent(), workflow))).toMatchObject({
      state: 'running',
      tries: 0,
      crashes: 1,
    });
  });

  it('given its lease has lapsed, then a delivery takes it over as well', async () => {
    const account = createAccount();
    const { workflow, calls } = await crash(account, 1);

    void watched(startApp(account, { workflows: [workflow] }).pipeline.deliver([rawEvent()]));
    await account.pass(0);

    expect(calls).toHaveLength(2);
  });

  it('given it goes on after a pause, then it writes nothing, because another process has taken over', async () => {
    const { account, app: frozen, workflow, started, calls } = startHeld({ timeout: seconds(15) });
    void watched(frozen.pipeline.deliver([rawEvent()]));
    const late = await started(0);
    frozen.storageIs(() => 'never');
    await account.pass(LEASE_AND_MARGIN_MS);
    const app = startApp(account, { workflows: [workflow] });
    void watched(app.pipeline.deliver([rawEvent()]));
    const call = await started(1);
    const taken = account.record(addressOfRaw(rawEvent(), workflow));

    frozen.storageIs(() => 'ok');
    late.release();
    await account.pass(500);

    expect(account.record(addressOfRaw(rawEvent(), workflow))).toEqual(taken);
    call.release();
    await account.pass(500);
    expect(account.record(addressOfRaw(rawEvent(), workflow))).toMatchObject({ state: 'settled', crashes: 1 });
    expect(calls).toHaveLength(2);
  });

  it('given eleven deaths, five of them with nothing else at work, writes a dead letter and runs nothing more', async () => {
    const account = createAccount();
    const { workflow, calls } = await crash(account, 11);
    const app = startApp(account, { workflows: [workflow] });

    await app.runDueRows();

    expect(calls).toHaveLength(11);
    expect(account.letters()).toMatchObject({
      'pending/crash/2026-01-01/0': {
        reason: 'crash',
        error: { code: 'crash' },
        crashes: 11,
        tries: 0,
        event: rawEvent(),
      },
    });
    expect(account.record(addressOfRaw(rawEvent(), workflow))).toMatchObject({ state: 'settled', result: 'dead' });
    expect(account.waiting()).toEqual([]);
  });

  it.each([
    { given: 'the dead letter', fails: 'pending/' },
    { given: 'the last write of the record', fails: 'ledger' },
  ])(
    'given it dies before $given of a job that failed for good, then the next writes it and runs nothing',
    async ({ fails }) => {
      const { account, app: dying, counting, address } = startCounting(alwaysFails, { retry: { tries: 1 } });
      dying.storageIs(({ on }) => {
        const isFailing = account.record(address)?.failing === 'failed';
        const hasLetter = fails === 'pending/' || account.blobs.inspect().size > 0;
        return isFailing && hasLetter && on.startsWith(fails) ? 'never' : 'ok';
      });
      void watched(dying.pipeline.deliver([rawEvent()]));
      await account.pass(1000);
      dying.crash();
      const before = account.record(address);
      await account.pass(LEASE_AND_MARGIN_MS);

      await startApp(account, { workflows: [counting.workflow] }).pipeline.deliver([rawEvent()]);

      expect(before).toMatchObject({ state: 'running', failing: 'failed', tries: 1, errorCode: 'Error' });
      expect(counting.runs).toBe(1);
      expect(Object.keys(account.letters())).toEqual(['pending/failed/2026-01-01/0']);
      expect(account.record(address)).toMatchObject({ state: 'settled', result: 'dead', errorCode: 'Error' });
    },
  );
});

describe('jobs that were at work when processes died', () => {
  /** Jobs that have crashed so often, whose leases have lapsed, and a new job. */
  async function startSuspects(crashes: readonly number[]) {
    const { account, app, held } = startHeld();
    for (const [n, count] of crashes.entries()) {
      const raw = rawEvent({ id: `suspect-${n}`, resourceId: `s${n}` });
      const address = addressOfRaw(raw, held.workflow);
      await app.ledger.write(address, { ...crashedOnce, crashes: count - 1, owner: raw.id }, { untilMs: 1000 });
      await app.addRow({ kind: 'job', address }, raw);
    }
    await account.pass(LEASE_AND_MARGIN_MS);
    const fresh = rawEvent({ id: 'fresh', resourceId: 'f' });
    const deliver = () => watched(app.pipeline.deliver([fresh]));
    const names = () => held.calls.map(({ event }) => event.id).sort();
    return { account, app, held, deliver, names };
  }

  it('given jobs with 2 and 5 crashes, then no more run together than the one with most crashes may', async () => {
    const { account, app, held, names, deliver } = await startSuspects([2, 5, 2, 2]);

    void app.runDueRows();
    await account.pass(500);
    const together = held.calls.length;
    deliver();
    await account.pass(500);
    const beside = names();
    while (held.calls.length < 5) {
      for (const call of held.calls) call.release();
      await account.pass(500);
      void app.runDueRows();
      await account.pass(500);
    }

    expect(together).toBeLessThanOrEqual(2);
    expect(beside).toContain('fresh');
    expect(names()).toEqual(['fresh', 'suspect-0', 'suspect-1', 'suspect-2', 'suspect-3']);
  });

  it('given a job with 6 crashes, then it runs alone: the record says so, and a new event waits', async () => {
    const { account, app, held, names, deliver } = await startSuspects([6]);
    void app.runDueRows();
    await account.pass(500);
    const record = account.record(addressOfRaw(rawEvent({ id: 'suspect-0', resourceId: 's0' }), held.workflow));

    const answer = deliver();
    await account.pass(5000);
    const before = names();
    held.calls[0]?.release();
    await account.pass(500);
    held.calls[1]?.release();
    await account.pass(500);

    expect(record).toMatchObject({ state: 'running', isAlone: true });
    expect(before).toEqual(['suspect-0']);
    expect(answer.state).toBe('resolved');
    expect(names()).toEqual(['fresh', 'suspect-0']);
  });

  it('given it runs beyond the deadline, then the record no longer says alone before others start', async () => {
    const { account, app, held, names } = await startSuspects([6]);
    const address = addressOfRaw(rawEvent({ id: 'suspect-0', resourceId: 's0' }), held.workflow);
    const recordAtStart: unknown[] = [];
    void app.runDueRows();
    await account.pass(500);
    expect(account.record(address)).toMatchObject({ isAlone: true });
    await account.pass(10_000);
    app.storageIs(({ method, on }) => {
      if (method === 'commit' && on.includes('ledger') && held.calls.length === 1)
        recordAtStart.push(account.record(address)?.isAlone);
      return 'ok';
    });

    watched(app.pipeline.deliver([rawEvent({ id: 'fresh', resourceId: 'f' })]));
    await account.pass(10_000);

    expect(names()).toEqual(['fresh', 'suspect-0']);
    expect(account.record(address)).toMatchObject({ state: 'running', isAlone: false });
    expect(recordAtStart.at(-1)).toBe(false); // when the new job was claimed
  });
});

const crashedOnce = recordOf({ crashes: 1, firstTryAt: '2026-01-01T12:00:00.000Z' });

describe('a workflow that this process does not know', () => {
  async function startWithRow() {
    const account = createAccount();
    const counting = countingWorkflow();
    const address = addressOfRaw(rawEvent(), counting.workflow);
    const old = startApp(account);
    await old.addRow({ kind: 'job', address }, rawEvent());
    return { account, counting, address, old };
  }

  async function passMinutes({ account, old }: Awaited<ReturnType<typeof startWithRow>>, count: number) {
    for (let minute = 0; minute < count; minute += 1) {
      await old.runDueRows();
      await account.pass(60_500);
    }
  }

  it('given 29 minutes, then its row comes again each minute, without a try', async () => {
    const job = await startWithRow();

    await passMinutes(job, 29);

    expect(job.account.record(job.address)).toMatchObject({
      state: 'waiting',
      tries: 0,
      crashes: 0,
      errorCode: 'unknown-workflow',
      unknownSince: '2026-01-01T12:00:00.000Z',
    });
    expect(job.account.letters()).toEqual({});
  });

  it('given a process that knows it, then its job runs', async () => {
    const job = await startWithRow();
    await passMinutes(job, 29);

    await startApp(job.account, { workflows: [job.counting.workflow] }).runDueRows();

    expect(job.counting.runs).toBe(1);
    expect(job.account.record(job.address)).toMatchObject({ state: 'settled', result: 'completed' });
    expect(job.account.waiting()).toEqual([]);
  });

  it('given 30 minutes, then its job becomes a dead letter', async () => {
    const job = await startWithRow();

    await passMinutes(job, 31);

    expect(job.account.letters()).toMatchObject({
      'pending/unknown-workflow/2026-01-01/0': { reason: 'unknown-workflow', workflow: 'counting', event: rawEvent() },
    });
    expect(job.account.record(job.address)).toMatchObject({ state: 'settled', result: 'dead' });
    expect(job.account.waiting()).toEqual([]);
  });
});

describe('a state that this process does not know', () => {
  it('then it is looked at again in a minute, and nothing is written to it', async () => {
    const { account, app, counting, address } = startCounting();
    await app.ledger.write(address, { ...crashedOnce, state: { kind: 'unknown', name: 'paused' } }, { untilMs: 1000 });
    const before = account.record(address);

    await app.pipeline.deliver([rawEvent()]);
    const rows = account.waiting();
    await account.pass(61_000);
    await app.runDueRows();

    expect(rows).toMatchObject([{ dueAt: '2026-01-01T12:01:00.000Z' }]);
    expect(account.waiting()).toEqual(rows);
    expect(account.record(address)).toEqual(before);
    expect(counting.runs).toBe(0);
  });
});

describe('a handler that ignores its signal', () => {
  it('given 60 s after its timeout, then the try fails, the slot is free, and the late end changes nothing', async () => {
    const { account, app, started, calls, address } = startHeld({ concurrency: 1 });
    void watched(app.pipeline.deliver([rawEvent()]));
    const call = await started(0);

    await account.pass(69_500);
    const before = account.record(address)?.state;
    await account.pass(500);
    const hung = account.record(address);
    call.fail(new Error('too late'));
    await account.pass(500);

    expect(call.context.signal.aborted).toBe(true);
    expect(before).toBe('running');
    expect(hung).toMatchObject({ state: 'waiting', tries: 1, crashes: 0, errorCode: 'hung' });
    expect(account.record(address)).toEqual(hung);
    void watched(app.pipeline.deliver([rawEvent({ id: 'next' })]));
    await account.pass(0);
    expect(calls).toHaveLength(2);
  });
});

describe('a handler that does not wait for what it begins', () => {
  const forgetful = defineWorkflow({
    name: 'forgetful',
    on: fhir('*'),
    handle(_event, { tables }) {
      void tables('notes').change('all', 'n1', () => ({ n: 1 }));
    },
  });

  it('given all goes well, then its change is made before the job is recorded as completed', async () => {
    const { account, app } = startWith(forgetful);

    await app.pipeline.deliver([rawEvent()]);

    expect(account.tables.inspect('notes')).toMatchObject([{ row: { n: 1 } }]);
    expect(app.counters.jobsCompleted).toBe(1);
  });

  it('given its change fails, then the job has failed, and the process lives on', async () => {
    const { account, app } = startWith(forgetful);
    app.storageIs(({ method, on }) => (method === 'commit' && on === 'notes' ? 'fail-before' : 'ok'));

    const delivered = watched(app.pipeline.deliver([rawEvent()]));
    await account.pass(60_000);

    expect(delivered.state).not.toBe('open');
    expect(app.counters).toMatchObject({ jobsCompleted: 0, jobsRetried: 1 });
  });

  it('given its reads fail, then the process lives on', async () => {
    const looking = defineWorkflow({
      name: 'looking',
      on: fhir('*'),
      handle(_event, { tables, resource }) {
        void resource.current();
        void tables('notes').get('all', 'n1');
      },
    });
    const { account, app } = startWith(looking);
    app.storageIs(({ method, on }) => (method === 'read' && on === 'notes' ? 'fail-before' : 'ok'));

    await app.pipeline.deliver([rawEvent()]);
    await account.pass(1000);

    expect(app.counters.jobsCompleted).toBe(1);
  });

  it('given a change that storage will always refuse, then the job becomes a dead letter at once', async () => {
    const wrong = defineWorkflow({
      name: 'wrong',
      on: fhir('*'),
      handle: (_event, { tables }) => tables('a table').change('all', 'n1', () => ({ n: 1 })),
    });
    const { account, app } = startWith(wrong);

    await app.pipeline.deliver([rawEvent()]);

    expect(Object.values(account.letters())).toMatchObject([{ reason: 'non-retriable', tries: 1 }]);
    expect(app.pipeline.circuits()).toEqual({});
  });
});
