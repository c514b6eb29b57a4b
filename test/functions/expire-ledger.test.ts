import { registerExpireLedger } from '../../src/functions/expire-ledger.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { defineWorkflow, fhir } from '../../src/workflow.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

const DAY_MS = 24 * 3_600_000;
const note = defineWorkflow({ name: 'note', on: fhir('*'), handle() {} });

function start(options: Parameters<typeof composeMemoryApp>[0] = {}) {
  const functions = createFakeFunctions();
  const composed = composeMemoryApp({ workflows: [note], ...options });
  registerExpireLedger(functions.app, composed.app);
  return { functions, ...composed };
}

describe('when the ledger is expired', () => {
  it.each([
    { days: 9, tables: 0, left: ['ledger20260101'] },
    { days: 10, tables: 1, left: [] },
  ])('given a day that was settled $days days ago, then $tables tables are dropped', async ({ days, tables, left }) => {
    const { functions, app, clock, stores, lines } = start();
    await app.pipeline.deliver([rawFhirEvent()]);

    clock.advance(days * DAY_MS);
    await functions.call('expireLedger');

    expect(await stores.tables.list('ledger')).toEqual(left);
    expect(lines[0]).toBe(`info {"what":"ledger-expired","numbers":{"tables":${tables},"rows":0}}`);
  });

  it('given storage fails, then a line says so, and nothing is thrown', async () => {
    const list = async () => Promise.reject(new StorageError('unreachable', 'No.'));
    const { functions, lines } = start({
      stores: { tables: { ...createMemoryTableStore({ clock: createFakeClock() }), list } },
    });

    await functions.call('expireLedger');

    expect(lines[0]).toBe('error {"what":"ledger-expiry-failed","errorCode":"unreachable"}');
  });

  it('given a bug, then its error is thrown', async () => {
    const list = async () => Promise.reject(new RangeError('a bug'));
    const { functions } = start({
      stores: { tables: { ...createMemoryTableStore({ clock: createFakeClock() }), list } },
    });

    await expect(functions.call('expireLedger')).rejects.toThrow('a bug');
  });

  it('given dead letters that were resolved long ago, then they are deleted, even if the ledger fails', async () => {
    const list = async () => Promise.reject(new StorageError('unreachable', 'No.'));
    const { functions, app, clock, lines } = start({ env: { RESOLVED_RETENTION_DAYS: '3' } });
    Object.assign(app.stores.tables, { list });
    await app.stores.deadLetters.create('resolved/failed/2026-01-01/x.0.json', '{}');
    clock.advance(3 * DAY_MS);
    await app.stores.deadLetters.create('resolved/failed/2026-01-01/y.0.json', '{}');
    clock.advance(1000);

    await functions.call('expireLedger');

    expect((await app.stores.deadLetters.list('', { limit: 10 })).blobs).toHaveLength(1);
    expect(lines[1]).toBe('info {"what":"letters-expired","count":1}');
  });

  it('given the dead letters cannot be listed, then a line says so, and nothing is thrown', async () => {
    const { functions, app, lines } = start();
    Object.assign(app.stores.deadLetters, { list: () => Promise.reject(new StorageError('unreachable', 'No.')) });

    await functions.call('expireLedger');

    expect(lines[1]).toBe('error {"what":"letters-expiry-failed","errorCode":"unreachable"}');
  });
});
