import { digest } from '../../src/digest.js';
import { describeEvents } from '../../src/functions/describe-events.js';
import { newRow } from '../../src/storage/job-record.js';
import type { Row } from '../../src/storage/table-store.js';
import { NonRetriableError, RetryAfterError, seconds } from '../../src/workflow.js';
import { recordOf } from '../storage/ledger.contract.js';
import { countingWorkflow } from './held-workflow.js';
import { type Account, addressOfRaw, createAccount, rawEvent, startApp } from './memory-app.js';

const raw = rawEvent();

function start(behave: (run: number) => void | Promise<void>) {
  const account = createAccount();
  const retry = { tries: 3, from: seconds(10), to: seconds(10) };
  const { workflow } = countingWorkflow(behave, { retry });
  const app = startApp(account, { workflows: [workflow] });
  const address = addressOfRaw(raw, workflow);
  return {
    account,
    workflow,
    app,
    address,
    record: () => account.record(address) as Row,
    status: () => statusOf(app),
    /** Runs the rows that are due after `ms`. */
    async later(ms: number): Promise<void> {
      await account.pass(ms);
      await app.runDueRows();
    },
  };
}

async function statusOf(app: ReturnType<typeof startApp>) {
  const events = describeEvents(await app.ledger.find(digest('event-1')), []);
  const [job] = Object.values(events[0]?.workflows ?? {});
  if (!job) throw new Error('expected a job');
  const { steps = [], ...rest } = job;
  return { ...rest, story: steps.map(({ at, ...step }) => ({ at: at.slice(14, 19), ...step })) };
}

const down = () => {
  throw Object.assign(new Error('not now'), { code: 'http-503' });
};
const noWay = () => {
  throw new NonRetriableError('never');
};

describe('the story of a job', () => {
  it('given it completes at once, then the story is complete without a further byte in the record', async () => {
    const { app, record, status } = start(() => {});
    await app.pipeline.deliver([raw]);

    expect(record()).not.toHaveProperty('steps');
    expect(await status()).toMatchObject({
      status: 'completed',
      story: [
        { at: '00:00', what: 'claimed' },
        { at: '00:00', what: 'completed' },
      ],
    });
  });

  it('given retries and a wait, then the story has each with its code and time', async () => {
    const { app, status, later } = start((run) => {
      if (run === 1) down();
      if (run === 2) throw new RetryAfterError('later', seconds(60), { code: 'http-503' });
    });
    await app.pipeline.deliver([raw]);
    await later(11_000);
    await later(61_000);

    const { story, deadLetter } = await status();

    expect(story).toEqual([
      { at: '00:00', what: 'claimed' },
      { at: '00:00', what: 'retry', code: 'http-503', until: '2026-01-01T12:00:10.000Z' },
      { at: '00:11', what: 'claimed' },
      { at: '00:11', what: 'wait', code: 'http-503', until: '2026-01-01T12:01:11.000Z' },
      { at: '01:12', what: 'claimed' },
      { at: '01:12', what: 'completed' },
    ]);
    expect(deadLetter).toBeUndefined();
  });

  it('given a process that dies, then another takes over', async () => {
    const { account, app, workflow } = start((run) => (run === 1 ? new Promise<void>(() => {}) : undefined));
    await app.addRow({ kind: 'job', address: addressOfRaw(raw, workflow) }, raw);
    void app.runDueRows();
    await account.pass(1000);
    app.crash();
    const other = startApp(account, { workflows: [workflow] });
    await account.pass(70_000);
    await other.runDueRows();

    const { story } = await statusOf(other);

    expect(story).toEqual([
      { at: '00:00', what: 'claimed' },
      { at: '01:11', what: 'taken-over' },
      { at: '01:11', what: 'completed' },
    ]);
  });

  it('given it dies, is redriven and dies again, then the story names each dead letter, whose blob exists', async () => {
    const { account, app, address, status, later } = start(noWay);
    await app.pipeline.deliver([raw]);
    const first = await status();
    await account.pass(60_000);
    await app.addRow({ kind: 'job', address, redrive: 1 }, raw);
    await later(1000);

    const { story, deadLetter, redrives } = await status();

    expect(first.story.at(-1)).toEqual({
      at: '00:00',
      what: 'dead-lettered',
      code: 'non-retriable',
      deadLetter: first.deadLetter,
    });
    expect(story).toEqual([
      { at: '00:00', what: 'claimed' },
      { at: '00:00', what: 'dead-lettered', code: 'non-retriable', deadLetter: first.deadLetter },
      { at: '01:01', what: 'redriven' },
      { at: '01:01', what: 'dead-lettered', code: 'non-retriable', deadLetter },
    ]);
    expect(redrives).toBe(1);
    const ids = [...account.blobs.inspect().keys()].map((name) => name.split('/').slice(1).join('.').slice(0, -5));
    expect(ids.sort()).toEqual([first.deadLetter, deadLetter].sort());
  });

  it('given a redrive that succeeds, then the story names its former dead letter', async () => {
    const { app, address, status, later } = start((run) => (run === 1 ? noWay() : undefined));
    await app.pipeline.deliver([raw]);
    const { deadLetter } = await status();
    await app.addRow({ kind: 'job', address, redrive: 1 }, raw);
    await later(1000);

    expect(await status()).toMatchObject({
      status: 'completed',
      deadLetter,
      story: [{}, {}, {}, { what: 'completed' }],
    });
    expect(deadLetter).toMatch(/^failed\./);
  });

  it('given an error whose code nobody declares, then the record and the story hold nothing of it (P1)', async () => {
    const { app, record, status } = start(() => {
      throw Object.assign(new Error('Muellerphi'), { code: 'Muellerphi', name: 'Muellerphi' });
    });
    await app.pipeline.deliver([raw]);

    const { story } = await status();

    expect(story.at(-1)).toMatchObject({ what: 'retry', code: 'undeclared-code' });
    expect(JSON.stringify([record(), story])).not.toContain('Muellerphi');
  });

  it('given the holder dies before or after the write of a retry, then the story has each step once', async () => {
    for (const fault of ['fail-before', 'fail-after'] as const) {
      const { account, app, status, later } = start((run) => (run === 1 ? down() : undefined));
      let writes = 0;
      app.storageIs(({ method, on }) => {
        if (method !== 'commit' || !on.startsWith('ledger')) return 'ok';
        writes += 1;
        return writes === 2 ? fault : 'ok';
      });
      void app.pipeline.deliver([raw]);
      await account.pass(5000);
      await later(11_000);
      await later(11_000);

      const { story } = await status();
      expect(story.map(({ what }) => what)).toEqual(['claimed', 'retry', 'claimed', 'completed']);
    }
  });
});

describe('a record of a release without stories', () => {
  /** Removes the steps from a record, as if an earlier release had written it. */
  async function withoutSteps(account: Account, address: string): Promise<void> {
    const table = `ledger${address.slice(0, 8)}`;
    const stored = account.tables.inspect(table).find(({ key }) => address.endsWith(key));
    if (!stored) throw new Error('expected a record');
    const { partition, key, row, etag } = stored as typeof stored & { etag: string };
    const { steps: _, ...rest } = row;
    await account.tables.commit(table, partition, [{ kind: 'replace', key, row: rest, etag }]);
  }

  it('given it waits, then it runs, and its story has a gap', async () => {
    const { account, app, workflow, address } = start((run) => (run < 3 ? down() : undefined));
    await app.pipeline.deliver([raw]);
    await account.pass(11_000);
    await app.runDueRows();
    app.crash();
    await withoutSteps(account, address);
    const other = startApp(account, { workflows: [workflow] });

    expect(await statusOf(other)).toMatchObject({
      status: 'waiting',
      story: [{ what: 'claimed' }, { what: 'retry', code: 'http-503', until: '2026-01-01T12:00:21.000Z' }],
    });
    await account.pass(11_000);
    await other.runDueRows();

    expect(await statusOf(other)).toMatchObject({
      status: 'completed',
      tries: 3,
      story: [
        { at: '00:00', what: 'claimed' },
        { at: '00:22', what: 'claimed' },
        { at: '00:22', what: 'completed' },
      ],
    });
  });

  it('given such a release redrives a job with steps, then the steps stay, and only those of that release are missing', async () => {
    const { account, app, address, status, later } = start((run) => (run === 1 ? down() : noWay()));
    await app.pipeline.deliver([raw]);
    await later(11_000);
    const { steps } = account.record(address) as { steps: string };
    const current = await app.ledger.read(address);
    if (!current) throw new Error('expected a record');
    const { steps: _, ...known } = current.record;
    await account.pass(60_000);
    const firstTryAt = account.clock.now().toISOString();
    const reopened = { ...known, firstTryAt, redrives: 1, tries: 0, errorCode: '', owner: 'another' };
    const untilMs = Number.POSITIVE_INFINITY;
    const claim = { ...reopened, state: { kind: 'running' as const, leaseMs: 60_000 }, write: known.write + 1 };
    const claimed = await app.ledger.write(address, claim, { etag: current.etag, untilMs });
    if (claimed.kind !== 'written') throw new Error('expected to be written');
    const end = { ...claim, state: { kind: 'settled' as const, result: 'completed' as const }, write: claim.write + 1 };
    await app.ledger.write(address, end, { etag: claimed.etag, isByHolder: true, untilMs });

    expect(account.record(address)).toMatchObject({ steps, result: 'completed' });
    expect((await status()).story.map(({ at, what }) => `${at} ${what}`)).toEqual([
      '00:00 claimed',
      '00:00 retry',
      '00:11 claimed',
      '01:11 completed',
    ]);
  });
});

it('given a first claim, then its row has as many bytes as without stories', () => {
  expect(Object.keys(newRow(recordOf(), undefined))).toEqual([
    'state',
    'leaseMs',
    'failing',
    'owner',
    'write',
    'firstTryAt',
  ]);
});
