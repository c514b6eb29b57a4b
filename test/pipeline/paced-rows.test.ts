import { digest } from '../../src/digest.js';
import { RECONCILED_PREFIX } from '../../src/events/reconciled.js';
import { countingWorkflow, startWith } from './held-workflow.js';
import { rawEvent } from './memory-app.js';

const ROWS = 95;

/** An app with rows of reconciliation, and `others` rows of other events. */
async function withRows({ others = 0, rows = ROWS } = {}) {
  const counting = countingWorkflow(undefined, { concurrency: 1000 });
  const { account, app } = startWith(counting.workflow);
  const add = (id: string) =>
    app.addRow({ kind: 'delivery', eventIdDigest: digest(id) }, rawEvent({ id, resourceId: id }));
  for (let n = 0; n < rows; n += 1) await add(`${RECONCILED_PREFIX}${n}`);
  for (let n = 0; n < others; n += 1) await add(`other-${n}`);
  const ran = () => counting.runs;
  return { account, app, ran };
}

describe('rows of changes that reconciliation has found', () => {
  it('start ten at a time, 200 a second over all shards', async () => {
    const { account, app, ran } = await withRows();

    void app.runDueRows();
    await account.pass(0);
    const atOnce = ran();
    await account.pass(199);
    const after200Ms = ran();
    await account.pass(2000);

    expect(atOnce).toBeLessThanOrEqual(10);
    expect(after200Ms).toBeLessThanOrEqual(40);
    expect(ran()).toBe(ROWS);
    expect(account.waiting()).toEqual([]);
  });

  it('do not delay other rows', async () => {
    const { account, app, ran } = await withRows({ others: 50, rows: 30 });

    void app.runDueRows();
    await account.pass(0);

    expect(ran()).toBeGreaterThanOrEqual(50);
  });

  it('given two looks at once, then each row runs once', async () => {
    const { account, app, ran } = await withRows();

    void app.runDueRows();
    void app.runDueRows();
    await account.pass(10_000);

    expect([ran(), account.waiting()]).toEqual([ROWS, []]);
  });

  it('given the process ends, then no more of them start, and their rows stay', async () => {
    const { account, app, ran } = await withRows();

    void app.runDueRows();
    await account.pass(100);
    await app.pipeline.stop();
    const atTheEnd = ran();
    await account.pass(10_000);

    expect(ran()).toBe(atTheEnd);
    expect(account.waiting()).toHaveLength(ROWS - atTheEnd);
  });

  it('given a service of which they have too many for one look, then the next look goes on', async () => {
    const { account, app, ran } = await withRows({ rows: 2600 });

    void app.runDueRows();
    await account.pass(30_000);
    const first = ran();
    void app.runDueRows();
    await account.pass(30_000);

    expect(first).toBeLessThan(2600);
    expect(ran()).toBe(2600);
  });
});
