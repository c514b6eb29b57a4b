import { digest } from '../../src/digest.js';
import { ledgerPlaceOf } from '../../src/storage/address.js';
import { defineWorkflow, fhir, seconds } from '../../src/workflow.js';
import { recordOf } from '../storage/ledger.contract.js';
import { addressOfRaw, createAccount, rawEvent, startApp, watched } from './memory-app.js';

describe('jobs that have crashed often', () => {
  it('given a workflow with few slots, then they leave some to new jobs', async () => {
    const account = createAccount();
    const ran: string[] = [];
    const start = (concurrency: number) =>
      startApp(account, {
        workflows: [
          defineWorkflow({
            name: 'few',
            on: fhir('*'),
            concurrency,
            timeout: seconds(14),
            retry: { tries: 50 },
            handle(event) {
              ran.push(event.id);
              return event.id.startsWith('suspect') ? new Promise<void>(() => undefined) : undefined;
            },
          }),
        ],
      });
    // Two suspects with five crashes may run together; one more may wait in the queue.
    const before = start(4);
    for (let n = 0; n < 5; n += 1) {
      const raw = rawEvent({ id: `suspect-${n}`, resourceId: `r${n}` });
      const address = addressOfRaw(raw, 'few');
      await before.ledger.write(address, recordOf({ crashes: 4, owner: raw.id }), { untilMs: 1000 });
      await before.addRow({ kind: 'job', address }, raw);
    }
    await account.pass(70_000);
    const app = start(4);
    void app.runDueRows();
    await account.pass(1000);

    const answer = watched(app.pipeline.deliver([rawEvent({ id: 'healthy', resourceId: 'h' })]));
    await account.pass(1000);

    expect(answer.state).toBe('resolved');
    expect(ran).toContain('healthy');
  });
});

it('given a process that died between the record of a job and the entry of its event, then the next writes the entry', async () => {
  const account = createAccount();
  const raw = rawEvent({ id: 'event-1' });
  const address = addressOfRaw(raw, 'tally');
  const { table, partition, change } = ledgerPlaceOf(address);
  const start = (handle: () => Promise<void>) =>
    startApp(account, { workflows: [defineWorkflow({ name: 'tally', on: fhir('*'), handle })] });
  const before = start(() => new Promise(() => undefined));
  before.pipeline.deliver([raw]).catch(() => undefined); // it hears nothing once it is dead
  await account.pass(10);
  before.crash();
  const entry = { kind: 'delete', key: `!${digest('event-1')}.${change}` } as const;
  expect(await account.tables.commit(table, partition, [entry])).toMatchObject({ kind: 'done' });
  const app = start(async () => undefined);
  expect(await app.ledger.find(digest('event-1'))).toEqual([]);

  await app.addRow({ kind: 'job', address }, raw);
  await account.pass(120_000);
  await app.runDueRows();

  expect(await app.ledger.find(digest('event-1'))).toMatchObject([
    { address, record: { state: { kind: 'settled', result: 'completed' } } },
  ]);
});
