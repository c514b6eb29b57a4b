import { importUndelivered } from '../../../src/dead-letters/import-undelivered.js';
import { eventIdOf } from '../../../src/simulator/runs/event-name.js';
import { importUndeliveredOf } from '../../../src/simulator/runs/redrive.js';
import { composeMemoryApp } from '../../functions/memory-app.js';
import { faultyBlobs } from '../../storage/faults.js';
import { rawFhirEvent } from '../../testing/raw-events.js';

const RUN = '0badcafe';

const undelivered = (id: string) => ({ ...rawFhirEvent({ id }), deadLetterReason: 'TimeToLiveExceeded' });
const own = (n: number) => undelivered(eventIdOf(RUN, n));
const other = undelivered('other');

async function redrive(
  blobs: Record<string, unknown[]>,
  {
    since = '2026-01-01T00:00:00.000Z',
    failures = 0,
    takenUpAtMs,
  }: { since?: string; failures?: number; takenUpAtMs?: number } = {},
) {
  const { app, clock, stores } = composeMemoryApp();
  const store = app.stores.undelivered;
  for (const [name, events] of Object.entries(blobs)) await store.create(name, JSON.stringify(events));
  let left = failures;
  const failing = faultyBlobs(store, ({ method }) => {
    if (method !== 'read' || left === 0) return 'ok';
    left -= 1;
    return 'fail-before';
  });
  let isDone = false;
  const redriving = importUndeliveredOf({
    runId: RUN,
    since: new Date(since),
    deadLetterStores: { ...app.deadLetterStores, undelivered: failing },
    clock,
    isLeftToOthers: takenUpAtMs !== undefined,
    signal: new AbortController().signal,
  }).finally(() => {
    isDone = true;
  });
  redriving.catch(() => {});
  while (!isDone) {
    for (let turn = 0; turn < 30 && !isDone; turn += 1)
      await new Promise<void>((resolve) => void setImmediate(resolve));
    if (isDone) break;
    if (clock.monotonic() === takenUpAtMs)
      for (const name of Object.keys(blobs)) await importUndelivered(name, app.deadLetterStores);
    clock.advance(1000);
  }
  const names = (await store.list('', { limit: 100 })).blobs.map(({ name }) => name);
  const rows = stores.tables.inspect('waiting').map(({ row }) => JSON.parse(String(row.event)) as { id: string });
  return { redriving, names, ids: rows.map(({ id }) => id).sort(), passedMs: clock.monotonic() };
}

describe('when a run redrives what Event Grid gave up on', () => {
  it('given its dead letters, then each event gets a row, and the blobs move to resolved/', async () => {
    const { redriving, names, ids } = await redrive({ A: [own(0), own(1)], B: [own(2)] });

    expect(await redriving).toBe(3);
    expect(names).toEqual(['resolved/A', 'resolved/B']);
    expect(ids).toEqual([own(0).id, own(1).id, own(2).id]);
  });

  it('given dead letters of other runs, then they do not move', async () => {
    const { redriving, names, ids } = await redrive({ A: [other] });

    expect({ redriven: await redriving, names, ids }).toEqual({ redriven: 0, names: ['A'], ids: [] });
  });

  it("given a blob with the run's and others' events, then all have rows, and only its own are counted", async () => {
    const { redriving, ids } = await redrive({ A: [own(0), other] });

    expect(await redriving).toBe(1);
    expect(ids).toEqual([own(0).id, 'other']);
  });

  it('given a blob that is older than the run, then it does not move', async () => {
    const late = await redrive({ A: [own(0)] }, { since: '2026-01-01T12:00:01.000Z' });

    expect({ redriven: await late.redriving, names: late.names }).toEqual({ redriven: 0, names: ['A'] });
  });

  it('given the timer has imported some, then those count, and get no second row', async () => {
    const { redriving, names, ids } = await redrive({ 'resolved/A': [own(0)], B: [own(1)] });

    expect(await redriving).toBe(2);
    expect(names).toEqual(['resolved/A', 'resolved/B']);
    expect(ids).toEqual([own(1).id]);
  });

  it('given others must import them, then the run waits for that, and counts the imported events', async () => {
    const { redriving, names, passedMs } = await redrive({ A: [own(0)], B: [own(1)] }, { takenUpAtMs: 6000 });

    expect(await redriving).toBe(2);
    expect(names).toEqual(['resolved/A', 'resolved/B']);
    expect(passedMs).toBe(7000);
  });

  it('given storage fails, then it tries again after 2 s', async () => {
    const { redriving, names, passedMs } = await redrive({ A: [own(0)] }, { failures: 1 });

    expect(await redriving).toBe(1);
    expect(names).toEqual(['resolved/A']);
    expect(passedMs).toBe(2000);
  });

  it('given storage goes on failing, then it gives up after five tries, and nothing has moved', async () => {
    const { redriving, names } = await redrive({ A: [own(0)] }, { failures: 5 });

    await expect(redriving).rejects.toMatchObject({ code: 'fault' });
    expect(names).toEqual(['A']);
  });
});
