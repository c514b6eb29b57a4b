import { createTestKit } from '../../../src/testing/index.js';
import { digest, PARTITIONS, type Row } from '../../../src/workflow.js';
import { placeOfAlert } from '../../../src/workflows/observation-alerts/alert.js';
import { observationAlerts } from '../../../src/workflows/observation-alerts/observation-alerts.js';
import { HOST } from './observations.js';

const OTHER = 'other.fhir.example';
const WITHDRAWN: Row = { status: 'withdrawn', observationId: 'o' };

function start() {
  const kit = createTestKit();
  return {
    kit,
    async put(observationId: string, fields: Row = {}, { host = HOST, rule = 'high' } = {}): Promise<void> {
      const subject = String(fields.subject ?? 'Patient/p-1');
      const { partition, key } = placeOfAlert({ host, observationId }, rule);
      const row = { host, observationId, rule, status: 'active', severity: 'critical', sentRevision: 0, ...fields };
      await kit.tables('alerts').change(partition, key, () => ({ ...row, subject }), { expect: 'absent' });
      await kit.tables('activealerts').change(partition, key, () => ({ revision: 1 }));
      await kit.tables('alertpatients').change(digest(subject), key, () => ({ alertPartition: partition }));
    },
    /** Puts `count` rows with keys from `key` on into a partition. */
    async fill(table: string, place: { partition: string; key: string; count: number }, row: Row): Promise<void> {
      const { partition, key, count } = place;
      const names = Array.from({ length: count }, (_, n) => `${key}${n}`);
      await Promise.all(
        names.map((name) => kit.tables(table).change(partition, name, () => row, { expect: 'absent' })),
      );
    },
    async ask(query: object): Promise<{ names: string; isMore: unknown; alerts: Row[] }> {
      const { alerts, isMore } = (await kit.lookup(observationAlerts, query)) as { alerts: Row[]; isMore: unknown };
      return { names: alerts.map(({ observationId }) => observationId).join(' '), isMore, alerts };
    },
  };
}

describe('when all alerts are looked up', () => {
  it('given more than wanted, in all partitions, then the newest results come first, and there are more', async () => {
    const { put, ask } = start();
    for (let day = 10; day < 30; day += 1) await put(`o-${day}`, { takenAt: `2026-03-${day}T00:00:00.000Z` });

    expect(await ask({ status: 'active', limit: 3 })).toMatchObject({ names: 'o-29 o-28 o-27', isMore: true });
    expect(await ask({ status: 'active', limit: 20 })).toMatchObject({ isMore: false });
    expect(await ask({ status: 'withdrawn' })).toMatchObject({ names: '', isMore: false });
  });

  it('given results without a time, then their alerts are last; alerts of one time are ordered by name', async () => {
    const { put, ask } = start();
    await put('o-2', { takenAt: '2026-03-02T00:00:00.000Z' });
    await put('o-0');
    await put('o-1', { takenAt: '2026-03-02T00:00:00.000Z' });

    expect((await ask({ status: 'active' })).names).toBe('o-1 o-2 o-0');
  });

  it.each([
    { table: 'alerts', row: WITHDRAWN, query: { status: 'withdrawn', severity: 'info' } },
    { table: 'activealerts', row: { revision: 1 }, query: { status: 'active' } },
  ])('given as many rows of $table as the limit, then isMore is true', async ({ table, row, query }) => {
    const { fill, ask } = start();
    await fill(table, { partition: '3', key: 'k', count: 2_499 }, row);
    expect(await ask(query)).toMatchObject({ names: '', isMore: false });

    await fill(table, { partition: '3', key: 'last', count: 1 }, row);

    expect(await ask(query)).toMatchObject({ names: '', isMore: true });
  });

  it('given more withdrawn alerts than the lookup reads, then all active alerts are found', async () => {
    const { fill, put, ask } = start();
    const ids = Array.from({ length: 8 }, (_, n) => `o-${n}`);
    for (const id of ids) await put(id);
    for (const partition of PARTITIONS) await fill('alerts', { partition, key: '!', count: 2_500 }, WITHDRAWN);

    const { names, isMore } = await ask({ status: 'active' });

    expect(names.split(' ').sort()).toEqual(ids);
    expect(isMore).toBe(false);
  });

  it('given an entry whose alert is withdrawn or missing, then it is left out', async () => {
    const { kit, put, ask } = start();
    await put('o-1');
    await put('o-2', { status: 'withdrawn' });
    await kit.tables('activealerts').change('3', 'gone', () => ({ revision: 1 }));

    expect(await ask({ status: 'active' })).toMatchObject({ names: 'o-1', isMore: false });
  });
});

describe('when the alerts of one Observation are looked up', () => {
  it('given several rules, and the same id in another service, then the answer has all, without internal columns', async () => {
    const { put, ask } = start();
    await put('o-1');
    await put('o-1', { status: 'withdrawn' }, { rule: 'low' });
    await put('o-1', {}, { host: OTHER });
    await put('o-10');

    const { alerts } = await ask({ observationId: 'o-1' });

    expect(alerts.map(({ host, rule }) => `${host} ${rule}`)).toEqual([`${OTHER} high`, `${HOST} high`, `${HOST} low`]);
    expect(alerts[0]).not.toHaveProperty('sentRevision');
    expect((await ask({ observationId: 'o-1', status: 'withdrawn' })).alerts).toHaveLength(1);
  });
});

describe('when the alerts of a patient are looked up', () => {
  it('given a pointer whose alert is missing or of another patient now, then it is left out', async () => {
    const { put, ask, kit } = start();
    await put('o-1');
    await put('o-2');
    await kit.tables('alertpatients').change(digest('Patient/p-1'), 'gone', () => ({ alertPartition: '0' }));
    const { partition, key } = placeOfAlert({ host: HOST, observationId: 'o-2' }, 'high');
    await kit.tables('alerts').change(partition, key, (row) => ({ ...row, subject: 'Patient/p-2' }));

    expect(await ask({ patientId: 'p-1' })).toMatchObject({ names: 'o-1', isMore: false });
  });

  it('given as many pointers as the limit, then isMore is true', async () => {
    const { put, ask } = start();
    const days = Array.from({ length: 1_000 }, (_, n) => new Date(Date.UTC(2024, 0, n)).toISOString());
    await Promise.all(days.map((takenAt, n) => put(`o-${n}`, { takenAt })));

    expect(await ask({ patientId: 'p-1', limit: 2 })).toMatchObject({ names: 'o-999 o-998', isMore: true });
    expect(await ask({ patientId: 'p-1', limit: 1_000 })).toMatchObject({ isMore: true });
    expect(await ask({ patientId: 'p-1', status: 'withdrawn' })).toMatchObject({ names: '', isMore: true });
  });
});

describe('when the query is invalid', () => {
  it.each([
    { query: {}, says: 'must be observationId or patientId' },
    { query: { status: 'open' }, says: 'must be observationId or patientId' },
    { query: { patientId: 'p', observationId: 'o' }, says: 'must be observationId or patientId' },
    { query: { patientId: '' }, says: 'patientId' },
    { query: { status: 'active', limit: 0 }, says: 'limit' },
  ])('given $query, then it is refused, and the error lists the valid queries', async ({ query, says }) => {
    await expect(start().ask(query)).rejects.toThrow(says);
  });
});
