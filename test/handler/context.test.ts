import { globSync, readFileSync } from 'node:fs';
import { visible } from '../../src/handler/workflow-table.js';
import { APP_TABLES } from '../../src/storage/app-tables.js';
import { createTestKit, fhirEvent } from '../../src/testing/index.js';
import { defineWorkflow, fhir, minutes, type Row, seconds } from '../../src/workflow.js';
import { fencedTables } from '../pipeline/fenced-tables.js';
import { startHeld } from '../pipeline/held-workflow.js';
import { type Account, addressOfRaw, createAccount, rawEvent, startApp } from '../pipeline/memory-app.js';

const raw = rawEvent();

const v1 = fhirEvent({ resourceId: 'p1', version: 1 });

describe('a row of a workflow with ordering latest', () => {
  const write = (account: Account, wanted: Row | 'remove', { fence, of: resource }: { fence: number; of?: string }) =>
    fencedTables(account, fence, resource)('state').change('p', 'k', () => wanted);

  it('given a row that was written under a higher fence, then a former holder of the resource is refused', async () => {
    const account = createAccount();
    await write(account, { by: 'later' }, { fence: 2 });

    const former = write(account, { by: 'former' }, { fence: 1 });

    await expect(former).rejects.toMatchObject({ code: 'lease-lost' });
    expect(account.tables.inspect('state').map(({ row }) => row.by)).toEqual(['later']);
  });

  it('given a row that was removed under a higher fence, then a former holder cannot insert it again', async () => {
    const account = createAccount();
    await write(account, { by: 'later' }, { fence: 2 });
    await write(account, 'remove', { fence: 3 });

    const former = write(account, { by: 'former' }, { fence: 1 });

    await expect(former).rejects.toMatchObject({ code: 'lease-lost' });
    expect(account.tables.inspect('state').map(({ row }) => visible(row))).toEqual([undefined]);
  });

  it('given a row that was written for another resource, then its fence does not count', async () => {
    const account = createAccount();
    await write(account, { by: 'other' }, { fence: 9, of: 'another' });

    await write(account, { by: 'mine' }, { fence: 1 });

    expect(account.tables.inspect('state').map(({ row }) => row.by)).toEqual(['mine']);
  });
});

describe('a table, when the lease is over or nearly', () => {
  it('given a process that stood still until the last 5 s of the lease, then nothing is written, and no try is used', async () => {
    const { account, app, started } = startHeld({ timeout: minutes(5) });
    await app.pipeline.deliver([raw]);
    await account.pass(100);
    void app.runDueRows();
    const call = await started(0);

    account.clock.advance(56_000);
    const write = call.context.tables('state').change('p', 'k', () => ({ version: 1 }), { expect: 'absent' });

    await expect(write).rejects.toMatchObject({ name: 'LeaseLostError', code: 'lease-lost' });
    expect(account.tables.inspect('state')).toEqual([]);
  });

  it('given a handler for which the pipeline no longer waits, then nothing is written', async () => {
    const { account, app, workflow, started } = startHeld({ timeout: seconds(1) });
    void app.pipeline.deliver([raw]);
    const call = await started(0);
    await account.pass(62_000);

    const write = call.context.tables('state').change('p', 'k', () => ({ version: 1 }), { expect: 'absent' });

    await expect(write).rejects.toMatchObject({ code: 'lease-lost' });
    expect(account.record(addressOfRaw(raw, workflow))).toMatchObject({ state: 'waiting', errorCode: 'hung' });
  });
});

describe('a table, when a handler has ended before its writes', () => {
  it('given a newer version is applied elsewhere, then the write of the older one does not come after it', async () => {
    const account = createAccount();
    const failFetch = Promise.withResolvers<void>();
    const alert = defineWorkflow({
      name: 'alert',
      on: fhir('*'),
      ordering: 'latest',
      async handle({ version }, { tables }) {
        const isHigh = version === 1;
        await Promise.all([
          tables('alerts').change('p', 'k', (row) => (isHigh ? { high: true } : row ? 'remove' : 'keep')),
          isHigh ? failFetch.promise : undefined,
        ]);
      },
    });
    const [one, other] = [startApp(account, { workflows: [alert] }), startApp(account, { workflows: [alert] })];
    let isDown = true;
    one.storageIs(({ method, on }) => (isDown && method === 'commit' && on === 'alerts' ? 'fail-before' : 'ok'));
    void one.pipeline.deliver([rawEvent({ id: 'v1', version: 1 })]);
    await account.pass(1000);
    failFetch.reject(new Error('503'));
    await account.pass(8000); // the write is not sent again, and nobody waits for it
    const v1 = rawEvent({ id: 'v1', version: 1 });
    expect(account.record(addressOfRaw(v1, alert))).toMatchObject({ state: 'waiting', tries: 1 });
    void other.pipeline.deliver([rawEvent({ id: 'v2', version: 2, change: 'updated' })]);
    await account.pass(1000);
    isDown = false;

    for (let turns = 0; turns < 12; turns += 1) {
      await account.pass(10_000);
      await one.runDueRows();
    }

    expect(account.tables.inspect('alerts').filter(({ row }) => row._removed !== true)).toEqual([]);
    expect(account.record(addressOfRaw(rawEvent({ id: 'v2', version: 2, change: 'updated' }), alert))).toMatchObject({
      result: 'completed',
    });
  });
});

describe('a decision to write nothing', () => {
  const toggle = defineWorkflow({
    name: 'toggle',
    on: fhir('*'),
    handle: ({ version }, { tables }) =>
      tables('states').change('p', 'k', (row) =>
        row?.on === (version % 2 === 1) ? 'keep' : { on: version % 2 === 1 },
      ),
  });

  it('given a known row that is out of date, then the row is read first', async () => {
    const account = createAccount();
    const [one, other] = [startApp(account, { workflows: [toggle] }), startApp(account, { workflows: [toggle] })];
    const at = (version: number, resourceId = 'r') =>
      rawEvent({ id: `v${version}`, version, change: 'updated', resourceId });
    await one.pipeline.deliver([at(2)]);
    const { read } = account.tables;
    let isLate = true;
    account.tables.read = async (...args) => {
      const answer = await read(...args);
      if (args[0] !== 'states' || !isLate) return answer;
      isLate = false;
      return new Promise((resolve) => void account.clock.after(2000, () => resolve(answer)));
    };
    void one.pipeline.deliver([at(4, 'another')]);
    await account.pass(500);
    void other.pipeline.deliver([at(5)]);
    await account.pass(500);
    expect(account.tables.inspect('states').map(({ row }) => row.on)).toEqual([true]);

    void one.pipeline.deliver([at(6)]);
    await account.pass(5000);

    expect(account.tables.inspect('states').map(({ row }) => row.on)).toEqual([false]);
  });

  it('given a row that was expected to be absent, then it is removed all the same', async () => {
    const kit = createTestKit();
    await kit.tables('states').change('p', 'k', () => ({ on: true }));

    await kit.tables('states').change('p', 'k', () => 'remove', { expect: 'absent' });

    expect(kit.rows('states')).toEqual([]);
  });
});

describe('a call that workflows may not make', () => {
  const touching = (table: string, row: Row = {}) =>
    defineWorkflow({
      name: 'touching',
      on: fhir('*'),
      handle: (_event, { tables }) => tables(table).change('p', 'k', () => row),
    });

  it.each([...Object.values(APP_TABLES), 'Watermarks', 'ledger20260314'])(
    'given table %s, then it is refused for good',
    async (table) => {
      expect(await createTestKit().run(touching(table), v1)).toMatchObject({
        kind: 'dead-lettered',
        code: 'reserved-table',
      });
    },
  );

  it('given a file that uses a table of the app, then it takes the name of the table from APP_TABLES', () => {
    // reconcile/indexed-resources.ts reads a table of the workflow resource-index.
    const files = globSync('src/{storage,instances,reconcile}/**/*.ts', { exclude: ['**/indexed-resources.ts'] });

    expect(files.filter((file) => /TABLE = '/.test(readFileSync(file, 'utf8')))).toEqual([]);
  });

  it("given a property that begins with '_', then it is refused for good", async () => {
    const result = await createTestKit().run(touching('state', { _fence: 9 }), v1);

    expect(result).toMatchObject({ kind: 'dead-lettered', code: 'reserved-property' });
  });

  it('given codes that the workflow does not declare, then the log has undeclared-code in their place', async () => {
    const kit = createTestKit();
    const talkative = defineWorkflow({
      name: 'talkative',
      on: fhir('*'),
      codes: ['weighed', 'weight-kg'],
      handle(_event, { log }) {
        log.info('weighed', { 'weight-kg': 70 });
        log.info('Jane Doe, born 1970' as 'weighed', { Doe: 70 } as object);
      },
    });

    await kit.run(talkative, v1);

    expect(kit.logged).toEqual([
      { level: 'info', code: 'weighed', numbers: { 'weight-kg': 70 } },
      { level: 'info', code: 'undeclared-code', numbers: { 'undeclared-code': 70 } },
    ]);
  });
});
