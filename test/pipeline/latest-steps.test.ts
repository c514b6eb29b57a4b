import { deadLettersOf } from '../../src/dead-letters/list.js';
import { tableOfDeadLetters } from '../../src/local/dead-letters/output.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { type Change, defineWorkflow, fhir, minutes, NonRetriableError, seconds } from '../../src/workflow.js';
import { allOf } from '../dead-letters/open-app.js';
import { watchWrites } from '../row-history.js';
import type { CallInfo, Fault } from '../storage/faults.js';
import { type App, addressOfRaw, createAccount, rawEvent, startApp, watched } from './memory-app.js';

const LEASE_MS = 60_000;
const eventOf = (version: number, change: Change = 'updated') => rawEvent({ id: `v${version}`, version, change });

/**
 * Processes over one account, and every version that the row of the resource, and every fence that its handlers, had.
 */
function startHospital() {
  const account = createAccount();
  const rows: unknown[] = [];
  const fences: { version: number; fence: number | undefined }[] = [];
  watchWrites(account.tables, ({ table, after }) => {
    if (table === 'newest') rows.push(after?.version);
  });
  let fate: (version: number) => void = () => {};
  const workflow = defineWorkflow({
    name: 'newest',
    on: fhir('*'),
    ordering: 'latest',
    retry: { tries: 3, from: seconds(10), to: seconds(20), giveUpAfter: minutes(10) },
    async handle({ version }, { tables, fence }) {
      fences.push({ version, fence });
      fate(version);
      await tables('newest').change('p', 'resource', () => ({ version }));
    },
  });
  return {
    account,
    rows,
    fences,
    start: () => startApp(account, { workflows: [workflow], settings: { leaseMs: LEASE_MS } }),
    /** Makes each handler call `next` before it writes. */
    handlersDo(next: (version: number) => void) {
      fate = next;
    },
    stateOf: (version: number) => account.record(addressOfRaw(eventOf(version), workflow)),
    mark: () => account.tables.inspect('watermarks')[0]?.row,
    /** Lets time pass until no row waits. */
    async comeToRest(app: App) {
      for (let round = 0; round < 30 && account.waiting().length > 0; round += 1) {
        await account.pass(10_000);
        const running = watched(app.runDueRows());
        while (running.state === 'open') await account.pass(1000);
      }
      expect(account.waiting()).toEqual([]);
    },
    async deliver(app: App, ...events: unknown[]) {
      const delivery = watched(app.pipeline.deliver(events));
      for (let second = 0; second < 25 && delivery.state === 'open'; second += 1) await account.pass(1000);
      expect(delivery.state).toBe('resolved');
    },
  };
}

type Hospital = ReturnType<typeof startHospital>;

/**
 * Calls to storage go well until the write that would say that the version was applied; `then` decides on all calls
 * from then on.
 */
function fromApplyingOn(then: () => Fault): (call: CallInfo) => Fault {
  let writes = 0;
  return ({ method, on }) => {
    if (method === 'commit' && on === 'watermarks') writes += 1;
    return writes < 3 ? 'ok' : then(); // the first one finds that there is no table
  };
}

/** Version 2 changes its row; its process dies before the watermark says so. Another process gets version 1. */
async function dieBeforeApplying(hospital: Hospital): Promise<App> {
  const { account, start } = hospital;
  const first = start();
  first.storageIs(
    fromApplyingOn(() => {
      first.crash();
      return 'never';
    }),
  );
  void first.pipeline.deliver([eventOf(2)]).catch(() => {});
  await account.pass(5000);
  expect(hospital.rows).toEqual([2]);
  await account.pass(LEASE_MS);
  const second = start();
  await hospital.deliver(second, eventOf(1));
  return second;
}

describe('when a version has written its row, and its process dies before the watermark says so', () => {
  it('given the version before it arrives, then the earlier version is superseded, and the row never goes back', async () => {
    const hospital = startHospital();
    const app = await dieBeforeApplying(hospital);

    expect(hospital.stateOf(1)).toMatchObject({ state: 'settled', result: 'superseded' });
    await hospital.deliver(app, eventOf(2));
    await hospital.comeToRest(app);

    expect(hospital.rows).toEqual([2, 2]);
    expect(hospital.stateOf(2)).toMatchObject({ state: 'settled', result: 'completed' });
  });

  it('given its next try fails for good, then the row stays, and the dead letter says that it holds the state', async () => {
    const hospital = startHospital();
    const app = await dieBeforeApplying(hospital);
    hospital.handlersDo(() => {
      throw new NonRetriableError('no');
    });

    await hospital.deliver(app, eventOf(2));
    await hospital.deliver(app, eventOf(1));
    await hospital.comeToRest(app);

    expect(hospital.rows).toEqual([2]);
    expect(hospital.stateOf(2)).toMatchObject({ state: 'settled', result: 'dead' });
    expect(hospital.account.letters()['pending/failed/2026-01-01/0']).toMatchObject({ holdsState: true });
  });

  it('given both run, then the older version never has the higher fence', async () => {
    const hospital = startHospital();
    const app = await dieBeforeApplying(hospital);
    await hospital.deliver(app, eventOf(2));
    await hospital.deliver(app, eventOf(3));
    await hospital.comeToRest(app);

    expect(hospital.fences).toEqual([
      { version: 2, fence: 1 },
      { version: 2, fence: 2 },
      { version: 3, fence: 3 },
    ]);
  });
});

describe('when storage answers nothing for most of the lease before the watermark says that a version was applied', () => {
  it('given another process gets the version before it, then the row never goes back', async () => {
    const hospital = startHospital();
    const { account, start } = hospital;
    const first = start();
    let sinceMs: number | undefined;
    first.storageIs(
      fromApplyingOn(() => {
        sinceMs ??= account.clock.monotonic();
        return account.clock.monotonic() < sinceMs + 55_000 ? 'never' : 'ok';
      }),
    );
    void first.pipeline.deliver([eventOf(2)]).catch(() => {});
    await account.pass(LEASE_MS + 3000);
    expect(hospital.rows).toEqual([2]);
    expect(hospital.mark()).toMatchObject({ version: -1 });

    const second = start();
    await hospital.deliver(second, eventOf(1));
    await hospital.deliver(second, eventOf(2));
    await hospital.comeToRest(second);

    expect(new Set(hospital.rows)).toEqual(new Set([2]));
    expect(hospital.stateOf(1)).toMatchObject({ result: 'superseded' });
  });
});

describe('when a version fails for good', () => {
  const asThrown = () => {
    throw new NonRetriableError('no');
  };

  it('then the list of dead letters says that it holds the state, without a read', async () => {
    const { account, start, handlersDo, deliver } = startHospital();
    const app = start();
    handlersDo(asThrown);

    await deliver(app, eventOf(2));

    const letters = await allOf(
      deadLettersOf({ blobs: account.blobs, undelivered: createMemoryBlobStore(account) }, {}),
    );
    expect(letters).toMatchObject([{ reason: 'non-retriable', holdsState: true }]);
    expect(tableOfDeadLetters(letters, undefined)).toMatch(/STATE .*\n.* {2}held /);
    expect(app.calls.filter((call) => call === 'read watermarks')).toHaveLength(1);
  });

  /**
   * Lets the process die when the record says that the job fails; after `meanwhile`, another process writes the dead letter.
   */
  async function dieBeforeDeadLetter(meanwhile: (hospital: Hospital, app: App) => Promise<void>) {
    const hospital = startHospital();
    const { account, start, handlersDo, deliver } = hospital;
    const first = start();
    handlersDo(asThrown);
    first.storageIs(({ on }) => {
      if (on.startsWith('pending/')) first.crash();
      return on.startsWith('pending/') ? 'never' : 'ok';
    });
    void first.pipeline.deliver([eventOf(2)]).catch(() => {});
    await account.pass(LEASE_MS + 5000);
    handlersDo(() => {});
    const second = start();
    await meanwhile(hospital, second);
    await deliver(second, eventOf(2));
    await hospital.comeToRest(second);
    return account.letters()['pending/failed/2026-01-01/0'];
  }

  it('given another process writes the dead letter, then it says so, too', async () => {
    expect(await dieBeforeDeadLetter(async () => {})).toMatchObject({ reason: 'failed', holdsState: true });
  });

  it('given a newer version has started before that, then it does not say so', async () => {
    const letter = await dieBeforeDeadLetter(({ deliver }, app) => deliver(app, eventOf(3)));

    expect(letter).toMatchObject({ reason: 'failed' });
    expect(letter).not.toHaveProperty('holdsState');
  });
});

describe('when a version is applied', () => {
  it('then saying that it starts costs no request to storage', async () => {
    const { start, deliver } = startHospital();
    await deliver(start(), eventOf(1, 'created'));
    const app = start();

    await deliver(app, eventOf(2));

    expect(app.calls).toEqual([
      'commit ledger20260101',
      'read watermarks',
      'commit watermarks',
      'read newest',
      'commit newest',
      'commit watermarks',
      'commit ledger20260101',
    ]);
  });
});

describe('when the table watermarks is lost', () => {
  it('given a resource with five changes, then the next change waits until its fence is above theirs, and is applied', async () => {
    const hospital = startHospital();
    const app = hospital.start();
    for (const version of [1, 2, 3, 4, 5]) await hospital.deliver(app, eventOf(version));
    await hospital.account.tables.drop('watermarks');
    await hospital.account.pass(60_000); // the name is blocked for a while

    await hospital.deliver(app, eventOf(6));
    await hospital.comeToRest(app);

    expect(hospital.rows.at(-1)).toBe(6);
    expect(hospital.fences.filter(({ version }) => version === 6).map(({ fence }) => fence)).toEqual([1, 2, 3, 4, 5]);
    expect(await hospital.stateOf(6)).toMatchObject({ state: 'settled', result: 'completed' });
  });
});
