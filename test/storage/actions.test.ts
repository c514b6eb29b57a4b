import { createActions } from '../../src/storage/actions.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { TableStore } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { type Fault, faultyTables } from './faults.js';

const REDRIVE = { what: 'redrive', by: 'ana' } as const;
const DISCARD = { what: 'discard', by: 'ben', why: 'Sent by a test.' } as const;

function open(wrap: (tables: TableStore) => TableStore = (tables) => tables) {
  const clock = createFakeClock('2026-01-01T12:00:00.000Z');
  const tables = wrap(createMemoryTableStore({ clock }));
  let tokens = 0;
  return { clock, tables, actions: createActions({ tables, clock, random: { token: () => `t${tokens++}` } }) };
}

describe('when people act', () => {
  it('given actions, then the newest is first, and one that has not ended has no counts', async () => {
    const { actions, clock } = open();
    const end = await actions.begin(REDRIVE);
    clock.advance(1000);
    await actions.begin(DISCARD);
    await end({ asked: 10, gone: 1 });

    expect(await actions.list(10)).toEqual([
      { ...DISCARD, at: '2026-01-01T12:00:01.000Z', counts: null },
      { ...REDRIVE, at: '2026-01-01T12:00:00.000Z', counts: { asked: 10, gone: 1 } },
    ]);
    expect(await actions.list(1)).toHaveLength(1);
  });

  it('given two actions at the same moment, then both are listed', async () => {
    const { actions } = open();

    await Promise.all([actions.begin(REDRIVE), actions.begin(DISCARD)]);

    expect((await actions.list(10)).map(({ by }) => by).sort()).toEqual(['ana', 'ben']);
  });

  it('given a time, then all actions before it are deleted', async () => {
    const { actions, clock } = open();
    await Promise.all(Array.from({ length: 150 }, () => actions.begin(REDRIVE)));
    clock.advance(1000);
    const kept = clock.now();
    await actions.begin(DISCARD);

    expect(await actions.expire(kept)).toBe(150);
    expect(await actions.list(10)).toMatchObject([DISCARD]);
  });

  it.each(['fail-before', 'fail-after'] satisfies Fault[])(
    'given the row cannot be written (%s), then the error is thrown, so that the action does not begin',
    async (fault) => {
      const { actions } = open((tables) => faultyTables(tables, () => fault));

      await expect(actions.begin(REDRIVE)).rejects.toMatchObject({ name: 'StorageError' });
    },
  );

  it('given the counts cannot be written, or the row has expired, then nothing is thrown', async () => {
    let fault: Fault = 'ok';
    const { actions, clock } = open((tables) => faultyTables(tables, () => fault));
    const [end, endLate] = [await actions.begin(REDRIVE), await actions.begin(REDRIVE)];
    fault = 'fail-before';
    await end({ asked: 1 });
    fault = 'ok';
    clock.advance(1);
    await actions.expire(clock.now());
    await endLate({ asked: 1 });

    expect(await actions.list(10)).toEqual([]);
  });
});
