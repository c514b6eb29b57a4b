import { digest } from '../../src/digest.js';
import type { NewRow } from '../../src/storage/waiting.js';
import { minutes, seconds } from '../../src/workflow.js';
import { countingWorkflow, startCounting, startHeld, startWith } from './held-workflow.js';
import { addressOfRaw, createAccount, rawEvent, startApp, watched } from './memory-app.js';

const raw = rawEvent();

describe('two rows of one job in a page', () => {
  it('given its handler runs, then the end of the process waits for it', async () => {
    const { account, app, workflow, calls } = startHeld({ timeout: seconds(14) });
    const address = addressOfRaw(raw, workflow);
    for (let rows = 0; rows < 2; rows += 1) {
      await app.addRow({ kind: 'job', address }, raw);
    }
    void app.runDueRows();
    await account.pass(2000);

    const stop = watched(app.pipeline.stop());
    await account.pass(100);
    expect([calls.length, stop.state]).toEqual([1, 'open']);
    calls[0]?.release();
    await account.pass(100);

    expect(stop.state).toBe('resolved');
    expect(account.record(address)).toMatchObject({ state: 'settled', result: 'completed' });
  });
});

describe('a row whose event is invalid to this version of the app', () => {
  const unreadable = { ...raw, eventType: 'Microsoft.HealthcareApis.FhirResourcePatched' };
  const { workflow } = countingWorkflow();
  const address = addressOfRaw(raw, workflow);

  it('given half an hour, then the row stays; after that it is replaced by a dead letter', async () => {
    const { account, app } = startWith(workflow);
    await app.addRow({ kind: 'job', address }, unreadable);

    await account.pass(minutes(29).ms);
    await app.runDueRows();
    expect([account.waiting().length, Object.keys(account.letters())]).toEqual([1, []]);
    await account.pass(minutes(2).ms);
    await app.runDueRows();

    expect(account.waiting()).toEqual([]);
    expect(Object.values(account.letters())).toMatchObject([{ reason: 'unknown-type', event: unreadable }]);
  });

  it('given its record waits for it, then the record is settled as dead', async () => {
    const account = createAccount();
    const app = startApp(account, { workflows: [countingWorkflow(() => Promise.reject(new Error('no'))).workflow] });
    await app.pipeline.deliver([raw]);
    const [row] = account.waiting();
    await account.tables.commit('waiting', row?.shard ?? '', [{ kind: 'delete', key: row?.name ?? '' }]);
    await account.tables.commit('waiting', row?.shard ?? '', [
      { kind: 'insert', key: row?.name ?? '', row: { ...row?.row, event: JSON.stringify(unreadable) } },
    ]);

    await account.pass(minutes(31).ms);
    await app.runDueRows();

    expect(account.waiting()).toEqual([]);
    expect(account.record(address)).toMatchObject({ state: 'settled', result: 'dead', errorCode: 'invalid' });
  });
});

describe('a redrive that fails for now', () => {
  it('then the earlier dead letter has moved before its row is gone', async () => {
    const account = createAccount();
    const failing = countingWorkflow(() => Promise.reject(new Error('no')), { retry: { tries: 1 } });
    await startApp(account, { workflows: [failing.workflow] }).pipeline.deliver([raw]);
    const patient = countingWorkflow(() => Promise.reject(new Error('no')));
    const app = startApp(account, { workflows: [patient.workflow] });
    const address = addressOfRaw(raw, patient.workflow);
    await app.addRow({ kind: 'job', address, redrive: 1 }, raw);

    await app.runDueRows();

    expect(account.record(address)).toMatchObject({ state: 'waiting', redrives: 1 });
    expect(Object.keys(account.letters())).toEqual(['resolved/failed/2026-01-01/0']);
  });
});

describe('many rows whose dead letters move', () => {
  it.each<{ kind: string; item: (n: number, address: string) => NewRow['item'] }>([
    { kind: 'deliveries', item: (n) => ({ kind: 'delivery', eventIdDigest: 'A'.repeat(22), deadLetter: nameOf(n) }) },
    { kind: 'jobs', item: (_, address) => ({ kind: 'job', address, eventIdDigest: digest('event-1'), redrive: 1 }) },
  ])('given 100 $kind in a page, then 32 at a time, and in the end all of them', async ({ item }) => {
    const { account, app, workflow } = startCounting();
    for (let n = 0; n < 100; n += 1) {
      const event = rawEvent({ resourceId: `patient-${n}` });
      await app.addRow(item(n, addressOfRaw(event, workflow)), event);
    }
    const { read } = account.blobs;
    let atOnce = 0;
    let most = 0;
    Object.assign(account.blobs, {
      async read(name: string) {
        atOnce += 1;
        most = Math.max(most, atOnce);
        for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        atOnce -= 1;
        return read(name);
      },
    });

    await app.runDueRows();

    expect(most).toBe(32);
    expect(account.waiting()).toEqual([]);
  });
});

function nameOf(n: number): string {
  return `invalid/undated/${String(n).padStart(22, 'A')}.0.json`;
}
