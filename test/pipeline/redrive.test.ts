import type { Settings } from '../../src/pipeline/shared.js';
import { minutes, NonRetriableError } from '../../src/workflow.js';
import { countingWorkflow, startCounting, startHeld, startWith } from './held-workflow.js';
import { addressOfRaw, createAccount, rawEvent, recordsOf, startApp } from './memory-app.js';

/** Starts an app with a job that is dead after its first try. Each further run calls `ends`. */
async function deadJob(behave: (run: number) => void | Promise<void> = () => {}) {
  const account = createAccount();
  const seen: string[] = [];
  const counting = countingWorkflow((run, _context, event) => {
    if (event.service === 'fhir') seen.push(event.resourceId);
    if (run === 1) throw new NonRetriableError('no');
    return behave(run);
  });
  const app = startApp(account, { workflows: [counting.workflow] });
  await app.pipeline.deliver([rawEvent()]);
  const address = addressOfRaw(rawEvent(), counting.workflow);

  return {
    account,
    app,
    counting,
    seen,
    address,
    record: () => account.record(address),
    letters: () => Object.keys(account.letters()).sort(),
    async redrive(redrive: number, event: unknown = rawEvent()): Promise<void> {
      await app.addRow({ kind: 'job', address, redrive }, event);
      await app.runDueRows();
    },
  };
}

describe('the redrive of a dead job', () => {
  it('given it succeeds, then the job is completed, its dead letters have moved, and its row is deleted', async () => {
    const job = await deadJob();

    await job.redrive(1);

    expect(job.counting.runs).toBe(2);
    expect(job.record()).toMatchObject({ state: 'settled', result: 'completed', redrives: 1, tries: 1 });
    expect(job.letters()).toEqual(['resolved/failed/2026-01-01/0']);
    expect(job.account.waiting()).toEqual([]);
  });

  it('given it fails again, then the job has a dead letter with its number, and the earlier one has moved', async () => {
    const job = await deadJob(() => Promise.reject(new NonRetriableError('still no')));

    await job.redrive(1);
    await job.redrive(2);

    expect(job.record()).toMatchObject({ state: 'settled', result: 'dead', redrives: 2 });
    expect(job.letters()).toEqual([
      'pending/failed/2026-01-01/2',
      'resolved/failed/2026-01-01/0',
      'resolved/failed/2026-01-01/1',
    ]);
    expect(job.account.waiting()).toEqual([]);
  });

  it.each([
    { given: 'the number it has', redrive: 1 },
    { given: 'a number below', redrive: 0 },
  ])('given $given, then nothing runs, and the row goes', async ({ redrive }) => {
    const job = await deadJob(() => Promise.reject(new NonRetriableError('still no')));
    await job.redrive(1);

    await job.redrive(redrive);

    expect(job.counting.runs).toBe(2);
    expect(job.account.waiting()).toEqual([]);
  });

  it('given two requests for it, then it runs once', async () => {
    const job = await deadJob();
    await job.app.addRow({ kind: 'job', address: job.address, redrive: 1 }, rawEvent());

    await job.redrive(1);
    await job.account.pass(1000);
    await job.app.runDueRows();

    expect(job.counting.runs).toBe(2);
    expect(job.account.waiting()).toEqual([]);
  });

  it('given it is retried, then the retry counts as the same redrive', async () => {
    const job = await deadJob((run) => {
      if (run === 2) throw new Error('not yet');
    });

    await job.redrive(1);
    const between = job.record();
    await job.account.pass(11_000);
    await job.app.runDueRows();

    expect(between).toMatchObject({ state: 'waiting', redrives: 1, tries: 1 });
    expect(job.record()).toMatchObject({ state: 'settled', result: 'completed', redrives: 1, tries: 2 });
    expect(job.letters()).toEqual(['resolved/failed/2026-01-01/0']);
    expect(job.account.waiting()).toEqual([]);
  });

  it('given its handler is still at work, then a delivery shares it, and a second row stays', async () => {
    const { account, app, started, calls, address } = startHeld();
    const delivered = app.pipeline.deliver([rawEvent()]);
    (await started(0)).fail(new NonRetriableError('no'));
    await delivered;
    await app.addRow({ kind: 'job', address, redrive: 1 }, rawEvent());
    const ran = app.runDueRows();
    const call = await started(1);

    await app.pipeline.deliver([rawEvent()]);
    await app.addRow({ kind: 'job', address, redrive: 1 }, rawEvent());
    await app.runDueRows();

    expect(calls).toHaveLength(2);
    expect(account.waiting()).toHaveLength(2);
    call.release();
    await ran;
  });

  it('given its payload was edited, then the same job runs with the edited event', async () => {
    const job = await deadJob();

    await job.redrive(1, rawEvent({ resourceId: 'corrected' }));

    expect(job.seen).toEqual(['resource-1', 'corrected']);
    expect(job.record()).toMatchObject({ result: 'completed', redrives: 1 });
    expect(recordsOf(job.account)).toHaveLength(1);
    expect(job.letters()).toEqual(['resolved/failed/2026-01-01/0']);
  });

  it('given the edited payload is no event, then it gets another dead letter, and the first one is still pending', async () => {
    const job = await deadJob();

    await job.redrive(1, { ...rawEvent(), data: {} });

    expect(job.counting.runs).toBe(1);
    expect(job.record()).toMatchObject({ result: 'dead', redrives: 0 });
    expect(job.letters()).toEqual(['pending/failed/2026-01-01/0', 'pending/invalid/2026-01-01/0']);
    expect(job.account.waiting()).toEqual([]);
  });

  it('given its record has expired, then a new record has the number of the redrive', async () => {
    const job = await deadJob();
    await job.account.tables.drop('ledger20260101');
    await job.account.pass(41_000);

    await job.redrive(1);

    expect(job.record()).toMatchObject({ state: 'settled', result: 'completed', redrives: 1, id: 'event-1' });
    expect(job.letters()).toEqual(['resolved/failed/2026-01-01/0']);
  });

  it('given the dead letter cannot be moved, then the row stays until it is, and nothing runs again', async () => {
    const job = await deadJob();
    job.app.storageIs(({ method, on }) => (method === 'delete' && on.startsWith('pending/') ? 'fail-before' : 'ok'));

    await job.redrive(1);
    const rows = job.account.waiting();
    job.app.storageIs(() => 'ok');
    await job.app.runDueRows();

    expect(rows).toHaveLength(1);
    expect(job.counting.runs).toBe(2);
    expect(job.letters()).toEqual(['resolved/failed/2026-01-01/0']);
    expect(job.account.waiting()).toEqual([]);
  });
});

describe('the dead letter of a job', () => {
  it.each([
    { given: 'that runs for long', timeout: minutes(20), isLong: true },
    { given: 'that does not', timeout: minutes(0.1), isLong: undefined },
  ])('given one $given, then it says so, for who redrives it', async ({ timeout, isLong }) => {
    const { account, app } = startCounting(() => Promise.reject(new NonRetriableError('no')), { timeout });

    await app.pipeline.deliver([rawEvent()]);
    await account.pass(1);
    await app.runDueRows();

    expect(account.letters()['pending/failed/2026-01-01/0']?.isLong).toBe(isLong);
  });
});

describe('the redrive of a completed job', () => {
  it('then nothing runs, whatever its number', async () => {
    const { account, app, counting, address } = startCounting();
    await app.pipeline.deliver([rawEvent()]);

    await app.addRow({ kind: 'job', address, redrive: 9 }, rawEvent());
    await app.runDueRows();

    expect(counting.runs).toBe(1);
    expect(account.record(address)).toMatchObject({ result: 'completed', redrives: 0 });
    expect(account.waiting()).toEqual([]);
  });
});

describe('a row that holds a delivery', () => {
  const item = { kind: 'delivery', eventIdDigest: 'AAAAAAAAAAAAAAAAAAAAAA' } as const;

  it('given an event, then each workflow that wants it runs once, and the row is deleted', async () => {
    const account = createAccount();
    const [one, other] = [countingWorkflow(() => {}, { name: 'one' }), countingWorkflow(() => {}, { name: 'other' })];
    const app = startApp(account, { workflows: [one.workflow, other.workflow] });
    await app.pipeline.deliver([rawEvent()]);
    await app.addRow(item, rawEvent());
    await app.addRow(item, rawEvent({ id: 'another' }));

    await app.runDueRows();

    expect([one.runs, other.runs]).toEqual([2, 2]);
    expect(account.waiting()).toEqual([]);
  });

  it('given an invalid event, then it gets a dead letter, and the row is deleted', async () => {
    const { account, app } = startWith();
    await app.addRow(item, { some: 'thing' });

    await app.runDueRows();

    expect(Object.keys(account.letters())).toEqual(['pending/invalid/undated/0']);
    expect(account.waiting()).toEqual([]);
  });

  describe('of a dead letter', () => {
    const NAME = `invalid/undated/${'d'.repeat(22)}.0.json`;

    async function withDeadLetter(settings: Partial<Settings> = {}) {
      const account = createAccount();
      const counting = countingWorkflow();
      const app = startApp(account, { workflows: [counting.workflow], settings });
      await account.blobs.create(`pending/${NAME}`, '{}');
      return { account, counting, app, letters: () => Object.keys(account.letters()).sort() };
    }

    it('given an event, then it runs, and the dead letter has moved', async () => {
      const { app, counting, letters, account } = await withDeadLetter();
      await app.addRow({ ...item, deadLetter: NAME }, rawEvent());

      await app.runDueRows();

      expect(counting.runs).toBe(1);
      expect(letters()).toEqual(['resolved/invalid/undated/0']);
      expect(account.waiting()).toEqual([]);
    });

    it.each([
      { given: 'what still is none', raw: { some: 'thing' }, settings: {}, others: ['pending/invalid/undated/0'] },
      {
        given: 'an event of a workspace that is not listed',
        raw: rawEvent(),
        settings: { workspaces: ['/another'] },
        others: ['pending/invalid/2026-01-01/0', 'pending/invalid/undated/0'],
      },
    ])('given $given, then the dead letter stays, beside that of what came', async ({ raw, settings, others }) => {
      const { app, letters, account, counting } = await withDeadLetter(settings);
      await app.addRow({ ...item, deadLetter: NAME }, raw);

      await app.runDueRows();

      expect(letters()).toEqual(others);
      expect(counting.runs).toBe(0);
      expect(account.waiting()).toEqual([]);
    });

    it('given the dead letter cannot be moved, then the row stays until it is, and nothing runs again', async () => {
      const { app, counting, letters, account } = await withDeadLetter();
      await app.addRow({ ...item, deadLetter: NAME }, rawEvent());
      app.storageIs(({ method, on }) => (method === 'delete' && on.startsWith('pending/') ? 'fail-before' : 'ok'));

      await app.runDueRows();
      const between = letters();
      app.storageIs(() => 'ok');
      await app.runDueRows();

      expect(between).toEqual(['pending/invalid/undated/0', 'resolved/invalid/undated/0']);
      expect(letters()).toEqual(['resolved/invalid/undated/0']);
      expect(counting.runs).toBe(1);
      expect(account.waiting()).toEqual([]);
    });
  });

  it('given storage fails, then the row stays for a later run', async () => {
    const { account, app } = startWith();
    await app.addRow(item, { some: 'thing' });
    app.storageIs(({ on }) => (on.startsWith('pending/') ? 'fail-before' : 'ok'));

    const ran = app.runDueRows();
    await account.pass(20_000);
    await ran;

    expect(account.waiting()).toHaveLength(1);
    app.storageIs(() => 'ok');
    await app.runDueRows();
    expect(account.waiting()).toEqual([]);
  });
});
