import { createFirstDayByChange } from '../../src/storage/first-day-by-change.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { type Fault, faultyTables } from './faults.js';

/** An account at this time, with a table of an earlier release if `isUpgrade`. */
async function openAccount({ at = '2026-03-14T12:00:00Z', isUpgrade = false } = {}) {
  const clock = createFakeClock(at);
  const tables = createMemoryTableStore({ clock });
  if (isUpgrade) await tables.create('ledger20260314');
  return { clock, tables };
}

describe('the first day whose jobs have addresses by change', () => {
  it('given an account without a ledger, then all days count', async () => {
    const { tables } = await openAccount();

    expect(await createFirstDayByChange(tables)()).toBe('');
  });

  it.each([
    { at: '2026-03-14T00:00:00Z', firstDay: '20260315' },
    { at: '2026-03-14T22:59:59Z', firstDay: '20260315' },
    { at: '2026-03-14T23:00:00Z', firstDay: '20260316' },
    { at: '2026-03-14T23:59:59Z', firstDay: '20260316' },
  ])(
    'given a ledger of an earlier release, at $at, then the first day begins an hour later or more',
    async ({ at, firstDay }) => {
      const { tables } = await openAccount({ at, isUpgrade: true });

      expect(await createFirstDayByChange(tables)()).toBe(firstDay);
    },
  );

  it('given a decision, then every later process has the same day, and reads it once', async () => {
    const { tables, clock } = await openAccount({ isUpgrade: true });
    const decided = await createFirstDayByChange(tables)();
    clock.advance(40 * 24 * 3_600_000);
    let calls = 0;
    const later = createFirstDayByChange(
      faultyTables(tables, () => {
        calls += 1;
        return 'ok';
      }),
    );

    expect([await later(), await later()]).toEqual([decided, decided]);
    expect(calls).toBe(1);
  });

  it('given two processes that decide at once, one of them after the ledger exists, then they agree', async () => {
    const { tables } = await openAccount();
    const [one, other] = [createFirstDayByChange(tables), createFirstDayByChange(tables)];
    const first = one();
    await tables.create('ledger20260314');

    const days = await Promise.all([first, other()]);

    expect(new Set(days).size).toBe(1);
    expect(await createFirstDayByChange(tables)()).toBe(days[0]);
  });

  it.each<Fault>(['fail-before', 'fail-after'])(
    'given any one call to storage has the fate %s, then the decision fails, and the next one agrees with every process',
    async (fault) => {
      for (let failing = 1; failing <= 6; failing += 1) {
        const { tables } = await openAccount({ isUpgrade: true });
        let calls = 0;
        const firstDay = createFirstDayByChange(
          faultyTables(tables, () => {
            calls += 1;
            return calls === failing ? fault : 'ok';
          }),
        );

        await expect(firstDay()).rejects.toMatchObject({ name: 'StorageError' });

        expect([await firstDay(), await createFirstDayByChange(tables)()]).toEqual(['20260315', '20260315']);
      }
    },
  );
});
