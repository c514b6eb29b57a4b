import { systemClock } from '../../src/clock.js';
import { createAzureTableStore } from '../../src/storage/azure-table-store.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createPauses } from '../../src/storage/pauses.js';
import type { TableStore } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { testConnection } from '../azurite/connection.js';
import { type Fault, faultyTables } from './faults.js';
import { ownTables } from './ledger.contract.js';

const ANA = { workflow: 'registry', since: '2026-01-01T12:00:00.000Z', by: 'ana', why: 'the register moves' };
const BEN = { ...ANA, since: '2026-01-01T12:00:01.000Z', by: 'ben', why: 'an audit' };

describe('pauses in memory', () => pausesContract(() => createMemoryTableStore({ clock: systemClock })));

describe('pauses on Azurite', () =>
  pausesContract(() =>
    ownTables(createAzureTableStore({ kind: 'connection-string', connectionString: testConnection() })),
  ));

function pausesContract(open: () => TableStore): void {
  it('given no pause was ever made, then none is listed, and a resume changes nothing', async () => {
    const pauses = createPauses({ tables: open() });

    expect([await pauses.list(), await pauses.resume('registry')]).toEqual([[], undefined]);
  });

  it('given a pause, then every process lists it until a resume', async () => {
    const tables = open();
    const [one, other] = [createPauses({ tables }), createPauses({ tables })];

    expect(await one.pause(ANA)).toEqual(ANA);
    expect(await one.pause({ ...ANA, workflow: 'registry-2' })).toMatchObject({ workflow: 'registry-2' });
    expect(await other.list()).toEqual([ANA, { ...ANA, workflow: 'registry-2' }]);
    expect(await other.resume('registry')).toBeUndefined();

    expect((await one.list()).map(({ workflow }) => workflow)).toEqual(['registry-2']);
  });

  it('given a workflow that is paused, then a second pause gets the first', async () => {
    const pauses = createPauses({ tables: open() });
    await pauses.pause(ANA);

    expect(await pauses.pause(BEN)).toEqual(ANA);
    expect(await pauses.list()).toEqual([ANA]);
  });

  it('given two people who pause at once, then both get the pause that holds', async () => {
    const tables = open();
    const answers = await Promise.all([createPauses({ tables }).pause(ANA), createPauses({ tables }).pause(BEN)]);

    const [held] = await createPauses({ tables }).list();
    expect([ANA, BEN]).toContainEqual(held);
    expect(answers).toEqual([held, held]);
  });
}

describe('pauses, while others change them', () => {
  /** `meanwhile` happens between the read and the write of the first change. */
  function openRace(meanwhile: (others: ReturnType<typeof createPauses>) => Promise<unknown>) {
    const tables = createMemoryTableStore({ clock: createFakeClock() });
    const others = createPauses({ tables });
    let hasHappened = false;
    const commit: TableStore['commit'] = async (...all) => {
      if (!hasHappened) {
        hasHappened = true;
        await meanwhile(others);
      }
      return tables.commit(...all);
    };
    return { others, pauses: createPauses({ tables: { ...tables, commit } }) };
  }

  it('given two people who resume at once, then both get that the workflow is not paused', async () => {
    const { others, pauses } = openRace((other) => other.resume('registry'));
    await others.pause(ANA);

    expect(await pauses.resume('registry')).toBeUndefined();
  });

  it('given a pause that another person has replaced, then a resume leaves it, and returns it', async () => {
    const { others, pauses } = openRace(async (other) => {
      await other.resume('registry');
      await other.pause(BEN);
    });
    await others.pause(ANA);

    expect(await pauses.resume('registry')).toEqual(BEN);
    expect(await others.list()).toEqual([BEN]);
  });

  it('given another person pauses and resumes meanwhile, then the pause is written', async () => {
    const { others, pauses } = openRace(async (other) => {
      await other.pause(BEN);
      await other.resume('registry');
    });

    expect(await pauses.pause(ANA)).toEqual(ANA);
    expect(await others.list()).toEqual([ANA]);
  });
});

describe('pauses, when storage fails or the process dies', () => {
  const changes = {
    pause: { before: [], after: [ANA], change: (pauses: ReturnType<typeof createPauses>) => pauses.pause(ANA) },
    resume: {
      before: [ANA],
      after: [],
      change: (pauses: ReturnType<typeof createPauses>) => pauses.resume('registry'),
    },
  };

  it.each([
    { action: 'pause', fault: 'fail-before', isChanged: false },
    { action: 'pause', fault: 'fail-after', isChanged: true },
    { action: 'resume', fault: 'fail-before', isChanged: false },
    { action: 'resume', fault: 'fail-after', isChanged: true },
  ] as const)('given a $action whose write is $fault, then a second request succeeds', async (given) => {
    const { before, after, change } = changes[given.action];
    const tables = createMemoryTableStore({ clock: createFakeClock() });
    await tables.create('appstate');
    const sound = createPauses({ tables });
    for (const pause of before) await sound.pause(pause);
    let fault: Fault = given.fault;
    const pauses = createPauses({ tables: faultyTables(tables, ({ method }) => (method === 'commit' ? fault : 'ok')) });

    await expect(change(pauses)).rejects.toThrow();
    expect(await sound.list()).toEqual(given.isChanged ? after : before);
    fault = 'ok';
    await change(pauses);

    expect(await sound.list()).toEqual(after);
  });

  it('given a table that is being dropped, then the error is thrown', async () => {
    const clock = createFakeClock();
    const tables = createMemoryTableStore({ clock });
    await tables.create('appstate');
    await tables.drop('appstate');

    await expect(createPauses({ tables }).pause(ANA)).rejects.toMatchObject({ code: 'appstate-busy' });
  });
});
