import { NotSafeError } from '../../src/pipeline/post.js';
import { StorageError } from '../../src/storage/table-store.js';
import { NonRetriableError, RetryAfterError, seconds } from '../../src/workflow.js';
import { countingWorkflow, holdWorkflow, startCounting, startHeld } from './held-workflow.js';
import { addressOfRaw, createAccount, rawEvent, recordsOf, startApp, watched } from './memory-app.js';

// The tables of the contract, row by row. A job is one event for one workflow; every try takes place at 12:00:00.

describe('a job that is new', () => {
  it('given a handler that ends, then the job is claimed before it, settled after it, and then acknowledged', async () => {
    const { account, app, started, address } = startHeld();

    const answer = watched(app.pipeline.deliver([rawEvent()]));
    const call = await started(0);
    const claimed = account.record(address);
    await account.pass(1000);
    const before = answer.state;
    call.release();
    await answer.promise;

    expect(claimed).toMatchObject({ state: 'running', leaseMs: 60_000, tries: 0 });
    expect(before).toBe('open');
    expect(account.record(address)).toMatchObject({ state: 'settled', result: 'completed', tries: 1, crashes: 0 });
    expect(account.waiting()).toEqual([]);
  });

  it('given no trouble, then the job costs two writes and no read', async () => {
    const account = createAccount();
    const app = startApp(account, { workflows: [countingWorkflow().workflow] });
    await app.pipeline.deliver([rawEvent({ id: 'first' })]);
    app.calls.length = 0;

    await app.pipeline.deliver([rawEvent({ id: 'second' })]);

    expect(app.calls).toEqual(['commit ledger20260101', 'commit ledger20260101']);
  });

  it('given a slow job and a failing job beside it, then neither changes the other', async () => {
    const account = createAccount();
    const slow = holdWorkflow({ name: 'slow' });
    const failing = countingWorkflow(() => Promise.reject(new Error('no')), { name: 'failing' });
    const quick = countingWorkflow(() => {}, { name: 'quick' });
    const app = startApp(account, { workflows: [slow.workflow, failing.workflow, quick.workflow] });

    const answer = watched(app.pipeline.deliver([rawEvent()]));
    await slow.started(0);
    await account.pass(1000);

    const stateOf = (workflow: string) => account.record(addressOfRaw(rawEvent(), workflow))?.state;
    expect(['slow', 'failing', 'quick'].map(stateOf)).toEqual(['running', 'waiting', 'settled']);
    expect(answer.state).toBe('open');
  });
});

describe('a job that is settled', () => {
  it.each([
    { where: 'here', other: false, calls: [] },
    { where: 'elsewhere', other: true, calls: ['commit ledger20260101', 'read ledger20260101'] },
  ])('given it was $where, then a delivery does nothing', async ({ other, calls }) => {
    const { account, app: first, counting } = startCounting();
    await first.pipeline.deliver([rawEvent()]);
    const app = other ? startApp(account, { workflows: [counting.workflow] }) : first;
    app.calls.length = 0;

    await app.pipeline.deliver([rawEvent()]);

    expect(counting.runs).toBe(1);
    expect(app.calls).toEqual(calls);
    expect(account.waiting()).toEqual([]);
  });
});

describe('a job that waits for its next try', () => {
  it('given a delivery of it, then only its row runs it', async () => {
    const { account, app, counting } = startCounting((run) => {
      if (run === 1) throw new Error('not yet');
    });
    await app.pipeline.deliver([rawEvent()]);
    const [row] = account.waiting();

    await app.pipeline.deliver([rawEvent()]);
    await startApp(account, { workflows: [counting.workflow] }).pipeline.deliver([rawEvent()]);

    expect(counting.runs).toBe(1);
    expect(account.waiting()).toEqual([row]);
    await account.pass(11_000);
    await app.runDueRows();
    expect(counting.runs).toBe(2);
    expect(account.waiting()).toEqual([]);
  });
});

describe('a job that runs in this process', () => {
  it('given more deliveries of it, in one POST and in others, then all share its outcome', async () => {
    const { account, app, started, calls } = startHeld();

    const answers = [
      watched(app.pipeline.deliver([rawEvent(), rawEvent()])),
      watched(app.pipeline.deliver([rawEvent()])),
    ];
    const call = await started(0);
    answers.push(watched(app.pipeline.deliver([rawEvent()])));
    await account.pass(1000);
    const before = answers.map(({ state }) => state);
    call.release();
    await Promise.all(answers.map(({ promise }) => promise));

    expect(before).toEqual(['open', 'open', 'open']);
    expect(calls).toHaveLength(1);
    expect(app.counters.jobsShared).toBe(3);
  });

  it('given it came from a row, then a delivery of it is safe at once, because the row exists', async () => {
    const { account, app, started, calls, address } = startHeld();
    await app.addRow({ kind: 'job', address }, rawEvent());
    const ran = app.runDueRows();
    const call = await started(0);

    await app.pipeline.deliver([rawEvent()]);

    expect(account.waiting()).toHaveLength(1);
    call.release();
    await ran;
    expect(calls).toHaveLength(1);
    expect(account.waiting()).toEqual([]);
  });
});

describe('a job that runs in a live process elsewhere', () => {
  it('given a delivery of it, then a row looks at it again after its lease', async () => {
    const account = createAccount();
    const { workflow, started, calls } = holdWorkflow();
    void watched(startApp(account, { workflows: [workflow] }).pipeline.deliver([rawEvent()]));
    const call = await started(0);
    const app = startApp(account, { workflows: [workflow] });

    await app.pipeline.deliver([rawEvent()]);

    expect(calls).toHaveLength(1);
    expect(account.waiting()).toMatchObject([{ dueAt: '2026-01-01T12:01:02.000Z', row: { kind: 'job' } }]);
    call.release();
    await account.pass(63_000);
    await app.runDueRows();
    expect(calls).toHaveLength(1);
    expect(account.waiting()).toEqual([]);
  });
});

describe('a job that failed, and may succeed later', () => {
  it.each([
    { given: 'an error', behave: () => Promise.reject(new Error('no')), dueAt: '12:00:10', tries: 1, code: 'Error' },
    {
      given: 'RetryAfterError',
      behave: () => Promise.reject(new RetryAfterError('busy', seconds(90))),
      dueAt: '12:01:30',
      tries: 0,
      code: 'retry-after',
    },
    {
      given: 'a handler that throws at once',
      behave: () => {
        throw Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
      },
      dueAt: '12:00:10',
      tries: 1,
      code: 'ECONNREFUSED',
    },
  ])('given $given, then a row is due at $dueAt, and the record says so', async ({ behave, dueAt, tries, code }) => {
    const { account, app, record } = startCounting(behave);

    await app.pipeline.deliver([rawEvent()]);

    const [row] = account.waiting();
    expect(row).toMatchObject({ dueAt: `2026-01-01T${dueAt}.000Z`, row: { event: JSON.stringify(rawEvent()) } });
    expect(record()).toMatchObject({ state: 'waiting', due: row?.name, tries, errorCode: code });
    expect(account.letters()).toEqual({});
  });

  it('given a timeout, then the next try counts from when the handler ended', async () => {
    const { account, app, record } = startCounting(
      (_run, { signal }) => new Promise((_resolve, fail) => signal.addEventListener('abort', () => fail(new Error()))),
      { timeout: seconds(4) },
    );

    const answer = watched(app.pipeline.deliver([rawEvent()]));
    await account.pass(4000);

    expect(answer.state).toBe('resolved');
    expect(account.waiting()).toMatchObject([{ dueAt: '2026-01-01T12:00:14.000Z' }]);
    expect(record()).toMatchObject({ tries: 1, errorCode: 'timeout' });
  });

  it('given the next try succeeds, then the job is settled, and its row is deleted', async () => {
    const account = createAccount();
    const attempts: number[] = [];
    const counting = countingWorkflow((run, { attempt }) => {
      attempts.push(attempt);
      if (run < 3) throw new Error('not yet');
    });
    const app = startApp(account, { workflows: [counting.workflow] });
    await app.pipeline.deliver([rawEvent()]);

    await account.pass(11_000);
    await app.runDueRows();
    await account.pass(60_000);
    await app.runDueRows();

    expect(attempts).toEqual([1, 2, 3]);
    expect(account.record(addressOfRaw(rawEvent(), counting.workflow))).toMatchObject({
      state: 'settled',
      result: 'completed',
      tries: 3,
      errorCode: '',
    });
    expect(account.waiting()).toEqual([]);
  });
});

describe('a row that comes back', () => {
  const failingOnce = () =>
    countingWorkflow((run) => {
      if (run === 1) throw new Error('not yet');
    });

  it('given the process that wrote the waiting record, then it claims the job without a read', async () => {
    const account = createAccount();
    const app = startApp(account, { workflows: [failingOnce().workflow] });
    await app.pipeline.deliver([rawEvent()]);
    await account.pass(11_000);
    app.calls.length = 0;

    await app.runDueRows();

    expect(app.calls.filter((call) => call.endsWith('ledger20260101'))).toEqual([
      'commit ledger20260101',
      'commit ledger20260101',
    ]);
  });

  it('given another process has run the job since, then a claim without a read is refused, and nothing runs', async () => {
    const account = createAccount();
    const counting = failingOnce();
    const [left, other] = [1, 2].map(() => startApp(account, { workflows: [counting.workflow] }));
    await left?.pipeline.deliver([rawEvent()]);
    await account.pass(11_000);
    const [row] = account.waiting();
    await other?.runDueRows();

    await account.tables.commit('waiting', row?.shard ?? '', [
      { kind: 'insert', key: row?.name ?? '', row: row?.row ?? {} },
    ]);
    await left?.runDueRows();

    expect(counting.runs).toBe(2);
    expect(account.record(addressOfRaw(rawEvent(), counting.workflow))).toMatchObject({
      result: 'completed',
      tries: 2,
    });
    expect(account.waiting()).toEqual([]);
  });

  it('given many rows of a workflow at its limit, then a delivery of it does not wait for all of them', async () => {
    const { account, app, workflow, calls } = startHeld({ concurrency: 1 });
    const raws = Array.from({ length: 5 }, (_, n) => rawEvent({ id: `row-${n}` }));
    for (const raw of raws) {
      await app.addRow({ kind: 'job', address: addressOfRaw(raw, workflow) }, raw);
    }
    void app.runDueRows();
    await account.pass(0);

    void app.pipeline.deliver([rawEvent({ id: 'new' })]);
    await account.pass(0);
    for (let n = 0; n < 2; n += 1) {
      calls[n]?.release();
      await account.pass(0);
    }

    expect(calls.map(({ event }) => event.id)).toContain('new');
  });
});

describe('a handler that is not done by the deadline', () => {
  it('then a row will look, the POST is acknowledged, and it goes on under its renewed lease', async () => {
    const { account, app, workflow, started, calls } = startHeld({ concurrency: 1, timeout: seconds(15) });
    const [first, second] = [rawEvent({ id: 'first' }), rawEvent({ id: 'second' })];

    const answer = watched(app.pipeline.deliver([first, second]));
    const before = await started(0);
    await account.pass(8000);
    before.release();
    const call = await started(1);
    await account.pass(6900);
    const early = answer.state;
    await account.pass(100);
    const late = answer.state;
    await account.pass(6000);
    call.release();
    await account.pass(500);

    expect([early, late]).toEqual(['open', 'resolved']);
    expect(account.waiting()).toMatchObject([{ dueAt: '2026-01-01T12:01:17.000Z' }]);
    expect(account.record(addressOfRaw(second, workflow))).toMatchObject({ state: 'settled', result: 'completed' });
    await account.pass(60_000);
    await app.runDueRows();
    expect(calls).toHaveLength(2);
    expect(account.waiting()).toEqual([]);
  });
});

describe('a job that is not started by the deadline', () => {
  it('given no free slot, then a row is due at once, and there is no claim', async () => {
    const { account, app, workflow, started, calls } = startHeld({ concurrency: 1, timeout: seconds(15) });
    const second = rawEvent({ id: 'second' });
    void watched(app.pipeline.deliver([rawEvent()]));
    await started(0);
    await account.pass(1000);

    const answer = watched(app.pipeline.deliver([second]));
    await account.pass(15_000);

    expect(answer.state).toBe('resolved');
    expect(calls).toHaveLength(1);
    expect(account.record(addressOfRaw(second, workflow))).toBeUndefined();
    expect(account.waiting().map(({ dueAt }) => dueAt)).toContain('2026-01-01T12:00:16.000Z');
  });

  it('given a workflow with long jobs, then a row in the queue of long jobs is due at once, without a claim', async () => {
    const { account, app, counting, record } = startCounting(() => {}, { timeout: seconds(16) });

    await app.pipeline.deliver([rawEvent()]);

    expect(counting.runs).toBe(0);
    expect(record()).toBeUndefined();
    const [row] = account.waiting();
    expect(row).toMatchObject({ shard: expect.stringMatching(/^long-[0-7]$/), dueAt: '2026-01-01T12:00:00.000Z' });
    expect(account.due.inspect()).toEqual([]);
    expect(account.dueLong.inspect()).toEqual([JSON.stringify({ shard: row?.shard })]);
    await account.pass(500);
    await app.runDueRows();
    expect(counting.runs).toBe(1);
    expect(account.waiting()).toEqual([]);
  });
});

describe('a job that failed for good', () => {
  it.each([
    {
      given: 'NonRetriableError',
      error: new NonRetriableError('a bad code', { code: 'bad-code' }),
      tries: 8,
      letter: {
        reason: 'non-retriable',
        error: { name: 'NonRetriableError', code: 'bad-code', message: 'a bad code' },
      },
    },
    {
      given: 'its last try spent',
      error: new Error('still not'),
      tries: 1,
      letter: { reason: 'tries-spent', error: { name: 'Error', code: 'Error', message: 'still not' } },
    },
    {
      given: 'RetryAfterError beyond giveUpAfter',
      error: new RetryAfterError('busy', seconds(86_401)),
      tries: 8,
      letter: { reason: 'gave-up', error: { name: 'RetryAfterError', code: 'retry-after', message: 'busy' } },
    },
  ])('given $given, then a dead letter holds all of it', async ({ error, tries, letter }) => {
    const { account, app, address } = startCounting(() => Promise.reject(error), { retry: { tries } });

    await app.pipeline.deliver([rawEvent()]);

    expect(account.letters()).toEqual({
      'pending/failed/2026-01-01/0': {
        stage: 'failed',
        workflow: 'counting',
        address,
        redrives: 0,
        tries: letter.reason === 'gave-up' ? 0 : 1,
        crashes: 0,
        firstTryAt: '2026-01-01T12:00:00.000Z',
        deadLetteredAt: '2026-01-01T12:00:00.000Z',
        event: rawEvent(),
        ...letter,
      },
    });
    expect(account.record(address)).toMatchObject({ state: 'settled', result: 'dead', errorCode: letter.error.code });
    expect(account.waiting()).toEqual([]);
  });
});

describe('an event that makes no job', () => {
  const tooLarge = { ...rawEvent(), note: 'x'.repeat(32 * 1024) };
  const notListed = rawEvent({ source: '/subscriptions/s/workspaces/other' });

  it.each([
    {
      given: 'an invalid one',
      raw: { ...rawEvent(), data: {} },
      letter: { reason: 'invalid', problems: expect.arrayContaining([{ path: 'data.resourceType', code: 'missing' }]) },
    },
    {
      given: 'one of an unknown type',
      raw: { ...rawEvent(), eventType: 'Microsoft.Storage.BlobCreated' },
      letter: { reason: 'unknown-type' },
    },
    {
      given: 'one over 32 KiB',
      raw: tooLarge,
      letter: { reason: 'too-large', problems: [{ path: '(event)', code: 'too-large' }] },
    },
    {
      given: 'one from a workspace that is not listed',
      raw: notListed,
      letter: { reason: 'workspace-not-listed', problems: [{ path: 'source', code: 'not-listed' }] },
    },
  ])('given $given, then a dead letter holds the reason and the raw payload', async ({ raw, letter }) => {
    const account = createAccount();
    const counting = countingWorkflow();
    const workspaces = [rawEvent().topic.toLowerCase()];
    const app = startApp(account, { workflows: [counting.workflow], settings: { workspaces } });

    await app.pipeline.deliver([raw, rawEvent({ id: 'a good one' })]);
    await app.pipeline.deliver([raw]);

    expect(account.letters()).toEqual({
      'pending/invalid/2026-01-01/0': expect.objectContaining({ stage: 'invalid', event: raw, tries: 0, ...letter }),
    });
    expect(counting.runs).toBe(1);
  });

  it.each([
    { given: 'no date', raw: 'not an event' },
    { given: 'a date that is none', raw: { eventTime: 'yesterday' } },
    { given: 'null', raw: null },
  ])('given $given, then its dead letter is undated', async ({ raw }) => {
    const account = createAccount();

    await startApp(account).pipeline.deliver([raw]);

    expect(account.letters()).toMatchObject({ 'pending/invalid/undated/0': { reason: 'invalid', event: raw } });
  });

  it('given nobody wants it, then it is counted as ignored, and costs nothing', async () => {
    const app = startApp(createAccount());

    await app.pipeline.deliver([rawEvent()]);

    expect(app.counters.eventsIgnored).toBe(1);
    expect(app.calls).toEqual([]);
  });
});

describe('a process that does not know yet which addresses its jobs have', () => {
  it('given the read fails, then nothing is acknowledged, and the next delivery reads again', async () => {
    const account = createAccount({ isUpgrade: true });
    const { query } = account.tables;
    let isDown = true;
    account.tables.query = async (table, ...rest) => {
      if (isDown && table === 'appstate') throw new StorageError('http-503', 'down');
      return query(table, ...rest);
    };
    const counting = countingWorkflow();
    const app = startApp(account, { workflows: [counting.workflow] });

    await expect(app.pipeline.deliver([rawEvent()])).rejects.toMatchObject({ name: 'NotSafeError', code: 'http-503' });
    isDown = false;
    await app.pipeline.deliver([rawEvent()]);

    expect(counting.runs).toBe(1);
    expect(app.counters.eventsNotSafe).toBe(1);
  });
});

describe('storage that cannot be written', () => {
  it.each([
    { given: 'tables that fail', fault: 'fail-before' as const },
    { given: 'tables that never answer', fault: 'never' as const },
  ])('given $given, then nothing is acknowledged, and the answer is out by 20 s', async ({ fault }) => {
    const { account, app, counting } = startCounting();
    app.storageIs(() => fault);

    const answer = watched(app.pipeline.deliver([rawEvent()]));
    await account.pass(14_500);
    const before = answer.state;
    await account.pass(5500);

    expect(before).toBe('open');
    expect(answer).toMatchObject({ state: 'rejected', error: expect.any(NotSafeError) });
    expect(counting.runs).toBe(0);
    app.storageIs(() => 'ok');
    await account.pass(30_000);
    await app.pipeline.deliver([rawEvent()]);
    expect(counting.runs).toBe(1);
  });

  it.each([
    { given: 'that fails', fault: 'fail-before' as const },
    { given: 'that never answers', fault: 'never' as const },
  ])(
    'given a container for dead letters $given, then the whole POST comes again, and what is settled does not run again',
    async ({ fault }) => {
      const { account, app, counting } = startCounting();
      const post = [{ some: 'thing' }, rawEvent()];
      app.storageIs(({ on }) => (on.startsWith('pending/') ? fault : 'ok'));

      const answer = watched(app.pipeline.deliver(post));
      await account.pass(20_000);

      expect(answer).toMatchObject({ state: 'rejected', error: expect.any(NotSafeError) });
      app.storageIs(() => 'ok');
      await app.pipeline.deliver(post);
      expect(counting.runs).toBe(1);
      expect(Object.keys(account.letters())).toEqual(['pending/invalid/undated/0']);
    },
  );

  it('given a failed job whose row cannot be written, then it is not acknowledged until the row is written', async () => {
    const { account, app, counting, record } = startCounting(() => Promise.reject(new Error('no')));
    app.storageIs(({ method, on }) => (method === 'commit' && on === 'waiting' ? 'fail-before' : 'ok'));

    const answer = watched(app.pipeline.deliver([rawEvent()]));
    await account.pass(20_000);
    const { state } = answer;
    app.storageIs(() => 'ok');
    await account.pass(2000);
    await app.pipeline.deliver([rawEvent()]);

    expect(state).toBe('rejected');
    expect(counting.runs).toBe(1);
    const [retry, lookAgain] = account.waiting();
    expect([retry?.dueAt, lookAgain?.dueAt]).toEqual(['2026-01-01T12:00:10.000Z', '2026-01-01T12:01:17.000Z']);
    expect(record()).toMatchObject({ state: 'waiting', due: retry?.name, tries: 1 });
  });

  it('given only the record cannot be written, then a row makes the job safe at the deadline', async () => {
    const { account, app, counting } = startCounting();
    app.storageIs(({ on }) => (on.startsWith('ledger') ? 'fail-before' : 'ok'));

    const answer = watched(app.pipeline.deliver([rawEvent()]));
    await account.pass(15_500);

    expect(answer.state).toBe('resolved');
    expect(account.waiting()).toHaveLength(1);
    expect(counting.runs).toBe(0);
  });

  it('given an outcome that cannot be written, then deliveries share it, and the handler does not run again', async () => {
    const { account, app, started, calls, record } = startHeld();
    const first = watched(app.pipeline.deliver([rawEvent()]));
    const call = await started(0);
    app.storageIs(() => 'fail-before');
    call.release();
    await account.pass(20_000);
    const second = watched(app.pipeline.deliver([rawEvent()]));
    await account.pass(1000);
    const open = second.state;
    app.storageIs(() => 'ok');
    await account.pass(2000);

    expect([first.state, open, second.state]).toEqual(['rejected', 'open', 'resolved']);
    expect(calls).toHaveLength(1);
    expect(record()).toMatchObject({ state: 'settled', result: 'completed' });
  });
});

describe('the key of an event', () => {
  it('given one id with different data, then both are processed', async () => {
    const { app, counting } = startCounting();
    const [one, other] = [rawEvent({ resourceId: 'one' }), rawEvent({ resourceId: 'other' })];

    await app.pipeline.deliver([one, other]);

    expect(one.id).toBe(other.id);
    expect(counting.runs).toBe(2);
  });

  it('given one event in both schemas, then it is processed once', async () => {
    const { account, app, counting } = startCounting();
    const { id, topic, eventType, eventTime, data } = rawEvent();
    const cloudEvent = { specversion: '1.0', id, source: topic.toUpperCase(), type: eventType, time: eventTime, data };

    await app.pipeline.deliver([rawEvent()]);
    await app.pipeline.deliver([cloudEvent]);

    expect(counting.runs).toBe(1);
    expect(recordsOf(account)).toHaveLength(1);
  });
});

describe("a day's table that is being dropped", () => {
  it('then its jobs get rows instead of claims, and run when its name is free', async () => {
    const { account, app, counting } = startCounting();
    await account.tables.create('ledger20260101');
    await account.tables.drop('ledger20260101');

    await app.pipeline.deliver([rawEvent()]);

    expect(counting.runs).toBe(0);
    expect(account.waiting()).toMatchObject([{ dueAt: '2026-01-01T12:01:00.000Z' }]);
    await account.pass(61_000);
    await app.runDueRows();
    expect(counting.runs).toBe(1);
    expect(account.waiting()).toEqual([]);
  });
});
