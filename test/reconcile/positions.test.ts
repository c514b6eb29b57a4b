import { createPosition } from '../../src/reconcile/positions.js';
import type { TableStore } from '../../src/storage/table-store.js';
import { memoryTables, TABLE_STORES } from '../storage/table-stores.js';

const NAME = { host: 'h', part: 'history', since: '2026-01-01T00:00:00.000Z', until: '', workflow: '', types: '' };
const at = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`;

describe.each(TABLE_STORES)('the position of a comparison, on $on', ({ create }) => {
  let run = 0;
  const open = (tables: TableStore) => {
    run += 1;
    const name = { ...NAME, host: `host-${process.pid}-${run}` };
    return { again: () => createPosition(name, { tables }), name };
  };

  it('given no earlier comparison, then there is no position', async () => {
    expect(await open(create()).again().read()).toBeUndefined();
  });

  it('given a process that was killed, then the next one reads its position', async () => {
    const { again } = open(create());
    const killed = again();
    await killed.read();
    await killed.save(at(1));
    await killed.save(at(2));

    expect(await again().read()).toBe(at(2));
  });

  it('given a comparison that has reached its end, then the next one starts at the beginning', async () => {
    const { again } = open(create());
    const position = again();
    await position.save(at(1));
    await position.end();

    expect(await again().read()).toBeUndefined();
  });

  it('given two processes at once, then the position never goes back, and both can save', async () => {
    const { again } = open(create());
    const [one, other] = [again(), again()];
    await one.save(at(5));
    await other.save(at(3));
    expect(await again().read()).toBe(at(5));

    await other.save(at(7));
    await one.save(at(6));
    await one.save(at(8));

    expect(await again().read()).toBe(at(8));
  });

  it('given two processes of which one ends, then the other keeps its position until its end', async () => {
    const { again } = open(create());
    const [one, other] = [again(), again()];
    await one.save(at(5));
    await other.save(at(6));

    await one.end();
    expect(await again().read()).toBe(at(6));

    await other.end();
    expect(await again().read()).toBeUndefined();
  });

  it('given the row was deleted by another process, then a later save writes it again', async () => {
    const { again } = open(create());
    const [one, other] = [again(), again()];
    await one.save(at(5));
    await other.read();
    await other.end();

    await one.save(at(6));

    expect(await again().read()).toBe(at(6));
  });

  it('given another span, service, part, workflow or types, then the position is another', async () => {
    const tables = create();
    const { again, name } = open(tables);
    await again().save(at(1));

    for (const field of ['host', 'part', 'since', 'until', 'workflow', 'types']) {
      expect(await createPosition({ ...name, [field]: 'other' }, { tables }).read()).toBeUndefined();
    }
  });
});

it('given a table that is being dropped, then saving throws', async () => {
  const tables: TableStore = { ...memoryTables(), commit: async () => ({ kind: 'table-busy' }) };

  await expect(createPosition(NAME, { tables }).save(at(1))).rejects.toMatchObject({ code: 'table-busy' });
});

it('given a row that others keep changing, then saving throws', async () => {
  const tables: TableStore = { ...memoryTables(), commit: async () => ({ kind: 'refused', index: 0, why: 'changed' }) };

  await expect(createPosition(NAME, { tables }).save(at(1))).rejects.toMatchObject({ code: 'contention' });
});
