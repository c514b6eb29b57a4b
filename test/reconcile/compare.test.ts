import { readError } from '../../src/clients/read-error.js';
import { systemClock } from '../../src/clock.js';
import { NonRetriableError } from '../../src/errors.js';
import { parseEvent } from '../../src/events/parse.js';
import { type Comparison, compare, type Position } from '../../src/reconcile/compare.js';
import { foundEvent } from '../../src/reconcile/found-event.js';
import type { FoundPage, Span } from '../../src/reconcile/found-page.js';
import type { FoundChange, KnownChanges } from '../../src/reconcile/known-changes.js';
import { createPosition } from '../../src/reconcile/positions.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createMemoryKnownChanges } from './memory-known-changes.js';
import { SPAN, timeOf } from './services.js';

const SOURCE = '/subscriptions/1/resourceGroups/r/providers/Microsoft.HealthcareApis/workspaces/clinic';
const NOW = new Date('2026-01-01T12:00:00.000Z');

function changeOf(at: number, fields: Partial<FoundChange> = {}): FoundChange {
  const feed = { service: 'fhir', host: 'clinic-a.fhir.azurehealthcareapis.com', resourceType: 'Patient' } as const;
  return { ...feed, resourceId: `p${at}`, change: 'created', version: 1, time: timeOf(at), ...fields } as FoundChange;
}

/** Pages of so many changes each; the last page reaches the end of the span. */
function pagesOf(changes: readonly FoundChange[], size: number, span: Span): FoundPage[] {
  const left = changes.filter(({ time }) => time >= span.since && time < span.before);
  const count = Math.max(1, Math.ceil(left.length / size));
  return Array.from({ length: count }, (_, at) => {
    const page = left.slice(at * size, (at + 1) * size);
    return { changes: page, unreadable: 0, upTo: at === count - 1 ? span.before : (page.at(-1)?.time ?? span.since) };
  });
}

function createMemoryPosition(upTo?: string) {
  const saved: string[] = [];
  let current = upTo;
  const position: Position = {
    read: async () => current,
    async save(next) {
      saved.push(next);
      current = next;
    },
    async end() {
      current = undefined;
    },
  };
  return { ...position, saved, current: () => current };
}

function open(
  changes: readonly FoundChange[],
  more: Partial<Comparison> & {
    known?: Partial<KnownChanges>;
    atOnce?: number;
    perSecond?: number;
    broughtInPerSecond?: number;
    now?: Date;
  } = {},
) {
  const { known = {}, atOnce = 4, perSecond = 1e6, broughtInPerSecond = 1e6, now = NOW, ...of } = more;
  const memory = createMemoryKnownChanges();
  const controller = new AbortController();
  const spans: Span[] = [];
  const waits: number[] = [];
  const position = createMemoryPosition();
  const clock = {
    ...systemClock,
    monotonic: () => 0,
    after(ms: number, run: () => void) {
      waits.push(ms);
      const immediate = setImmediate(run);
      return () => clearImmediate(immediate);
    },
  };
  const comparison: Comparison = {
    span: SPAN,
    source: SOURCE,
    isWanted: () => true,
    position,
    async *openPages(span) {
      spans.push(span);
      yield* pagesOf(changes, 10, span);
    },
    ...of,
  };
  return {
    memory,
    spans,
    waits,
    position,
    abort: () => controller.abort(),
    run: () =>
      compare(comparison, {
        known: { ...memory, ...known },
        clock,
        storageNow: async () => now,
        pace: { atOnce, perSecond, broughtInPerSecond, signal: controller.signal },
      }),
  };
}

const changesUpTo = (count: number) => Array.from({ length: count }, (_, at) => changeOf(at));
const eventOf = (change: FoundChange) => parseEvent(foundEvent(change, SOURCE).raw);

describe('when changes are compared', () => {
  it('given known and missing changes, then the missing ones are brought in, and the position moves page by page', async () => {
    const { memory, position, run } = open(changesUpTo(25));
    for (const change of changesUpTo(22)) memory.know(eventOf(change));

    const compared = await run();

    expect(compared).toEqual({
      end: 'done',
      counts: { compared: 25, known: 22, missing: 3, unreadable: 0, broughtIn: 3 },
      ...SPAN,
      upTo: SPAN.before,
    });
    expect(memory.broughtIn.map(({ event }) => event)).toMatchObject(
      [22, 23, 24].map((at) => ({ resourceId: `p${at}` })),
    );
    expect(position.saved).toEqual([timeOf(9), timeOf(19), SPAN.before]);
    expect(position.current()).toBeUndefined();
    expect(memory.asked()).toBe(25);
  });

  it('given the same comparison again, then nothing is missing', async () => {
    const { memory, run } = open(changesUpTo(25));
    await run();

    expect((await run()).counts).toMatchObject({ known: 25, missing: 0, broughtIn: 0 });
    expect(memory.broughtIn).toHaveLength(25);
  });

  it('given no position, then missing changes are counted, and nothing is brought in', async () => {
    const { memory, run } = open(changesUpTo(5), { position: undefined });

    expect((await run()).counts).toEqual({ compared: 5, known: 0, missing: 5, unreadable: 0, broughtIn: 0 });
    expect(memory.broughtIn).toEqual([]);
  });

  it('given changes that no workflow wants, then they are not looked up', async () => {
    const { memory, run } = open(changesUpTo(5), {
      isWanted: (event) => event.service === 'fhir' && event.resourceId === 'p2',
    });

    expect((await run()).counts).toMatchObject({ compared: 1, broughtIn: 1 });
    expect(memory.asked()).toBe(1);
  });

  it('given a workflow, then only its jobs are looked up and brought in', async () => {
    const { memory, run } = open(changesUpTo(1), { workflow: 'new-one' });

    await run();

    expect(memory.broughtIn).toMatchObject([{ workflow: 'new-one' }]);
  });

  it('given a change that no event can hold, then it is unreadable, and the others are compared', async () => {
    const { run } = open([changeOf(0), changeOf(1, { resourceId: 'x'.repeat(2000) }), changeOf(2)]);

    expect((await run()).counts).toMatchObject({ compared: 2, unreadable: 1, broughtIn: 2 });
  });

  it('given unreadable entries in pages, then they are counted', async () => {
    const { run } = open([], {
      async *openPages({ before }) {
        yield { changes: [], unreadable: 2, upTo: SPAN.since };
        yield { changes: [], unreadable: 1, upTo: before };
      },
    });

    expect((await run()).counts.unreadable).toBe(3);
  });

  it('given the end of the span is newer than 10 minutes, then only older changes are read (Q5)', async () => {
    const { spans, run } = open(changesUpTo(5), { now: new Date('2026-01-01T10:40:00.000Z') });

    expect(await run()).toMatchObject({ end: 'done', before: '2026-01-01T10:30:00.000Z' });
    expect(spans).toEqual([{ since: SPAN.since, before: '2026-01-01T10:30:00.000Z' }]);
  });

  it('given a span that is wholly newer than 10 minutes, then nothing is read', async () => {
    const { spans, run } = open(changesUpTo(5), { now: new Date('2026-01-01T10:10:00.000Z') });

    expect(await run()).toMatchObject({ end: 'done', counts: { compared: 0 } });
    expect(spans).toEqual([]);
  });

  it('given an earlier position, then the comparison goes on from there', async () => {
    const position = createMemoryPosition(timeOf(3));
    const { spans, run } = open(changesUpTo(5), { position });

    expect(await run()).toMatchObject({ since: timeOf(3), counts: { compared: 2 } });
    expect(spans).toEqual([{ since: timeOf(3), before: SPAN.before }]);
  });

  it.each([1, 3])('given a limit of %i look-ups at a time, then no more are under way at once', async (atOnce) => {
    let running = 0;
    let most = 0;
    const { run } = open(changesUpTo(20), {
      atOnce,
      known: {
        async isKnown() {
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
          return true;
        },
      },
    });

    await run();

    expect(most).toBe(atOnce);
  });

  it('given a rate, then look-ups wait for their turns, and missing changes for turns of their own', async () => {
    const { waits, run } = open(changesUpTo(3), { atOnce: 1, perSecond: 100, broughtInPerSecond: 10 });

    await run();

    expect(waits).toEqual([10, 100, 20, 200]);
  });
});

describe('when a comparison ends early', () => {
  it('given an abort within a page, then what is under way is finished, and the position stays before the page', async () => {
    const opened = open(changesUpTo(30), {
      atOnce: 2,
      known: {
        async isKnown(event) {
          if (event.service === 'fhir' && event.resourceId === 'p15') opened.abort();
          return true;
        },
      },
    });

    const compared = await opened.run();

    expect(compared).toMatchObject({ end: 'stopped', upTo: timeOf(9) });
    expect(compared.counts.compared).toBeLessThan(18);
    expect(opened.position.saved).toEqual([timeOf(9)]);
    expect(opened.position.current()).toBe(timeOf(9));
  });

  it.each([
    { given: 'a service that fails', error: readError('fhir', 'forbidden', 'refused (403).') },
    { given: 'a page that is too large', error: new NonRetriableError('Too large.', { code: 'fhir-too-large' }) },
  ])(
    'given $given at the second page, then the comparison fails, with the position after the first page',
    async ({ error }) => {
      const { position, run } = open([], {
        async *openPages() {
          yield { changes: changesUpTo(3), unreadable: 0, upTo: timeOf(2) };
          throw error;
        },
      });

      expect(await run()).toMatchObject({ end: 'failed', error, upTo: timeOf(2), counts: { broughtIn: 3 } });
      expect(position.current()).toBe(timeOf(2));
    },
  );

  it('given storage that fails for a moment, then the call is repeated', async () => {
    let failures = 2;
    const { waits, run } = open(changesUpTo(1), {
      known: {
        async isKnown() {
          failures -= 1;
          if (failures >= 0) throw new StorageError('busy', 'Storage is busy.');
          return false;
        },
      },
    });

    expect(await run()).toMatchObject({ end: 'done', counts: { compared: 1, broughtIn: 1 } });
    expect(waits).toEqual([1000, 5000]);
  });

  it('given storage that keeps failing, then the comparison ends with the error, and the position stays', async () => {
    let calls = 0;
    const { position, run } = open(changesUpTo(10), {
      atOnce: 1,
      known: {
        async bringIn() {
          calls += 1;
          throw new StorageError('timeout', 'Storage has not answered.');
        },
      },
    });

    expect(await run()).toMatchObject({ end: 'failed', error: { code: 'timeout' }, counts: { broughtIn: 0 } });
    expect(calls).toBe(4);
    expect(position.saved).toEqual([]);
  });

  it('given a bug, then it is thrown', async () => {
    const { run } = open(changesUpTo(1), {
      known: { isKnown: () => Promise.reject(new TypeError('a bug')) },
    });

    await expect(run()).rejects.toThrow('a bug');
  });
});

describe('when a process dies during a comparison', () => {
  const NAME = { host: 'h', part: 'history', since: SPAN.since, until: '', workflow: '', types: '' };
  const changes = changesUpTo(25);
  /** Each call to storage of an undisturbed comparison: 25 look-ups, 25 rows, 1 read, 3 saves and 1 end. */
  const CALLS = 55;

  /** A comparison whose process dies before or after the effect of call number `at`. */
  async function runAndDie(shared: ReturnType<typeof openShared>, at: number, when: 'before' | 'after') {
    let calls = 0;
    const dying =
      <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        calls += 1;
        if (calls > at || (calls === at && when === 'before')) throw new TypeError('killed');
        const result = await call(...args);
        if (calls === at) throw new TypeError('killed');
        return result;
      };
    const { read, save, end } = createPosition(NAME, shared);
    const { isKnown, bringIn } = shared.memory;
    const { run } = open(changes, {
      position: { read: dying(read), save: dying(save), end: dying(end) },
      known: { isKnown: dying(isKnown), bringIn: dying(bringIn) },
    });
    return { result: await run().catch((error: Error) => error), calls: () => calls };
  }

  const openShared = () => ({
    memory: createMemoryKnownChanges(),
    tables: createMemoryTableStore({ clock: systemClock }),
  });

  it('given no kill, then the comparison makes the expected number of calls to storage', async () => {
    const { result, calls } = await runAndDie(openShared(), Number.POSITIVE_INFINITY, 'before');

    expect(result).toMatchObject({ end: 'done' });
    expect(calls()).toBe(CALLS);
  });

  it.each(['before', 'after'] as const)(
    'given a kill %s each call, then the next run brings in the rest, once',
    async (when) => {
      for (let at = 1; at <= CALLS; at += 1) {
        const shared = openShared();
        const killed = await runAndDie(shared, at, when);
        expect(killed.result).toBeInstanceOf(TypeError);

        const next = await runAndDie(shared, Number.POSITIVE_INFINITY, 'before');

        expect(next.result).toMatchObject({ end: 'done' });
        const names = shared.memory.broughtIn.map(({ event }) => event.service === 'fhir' && event.resourceId);
        expect({ at, names: names.sort() }).toEqual({ at, names: changes.map((_, one) => `p${one}`).sort() });
        expect(shared.tables.inspect('reconcile')).toEqual([]);
      }
    },
  );

  it('given two comparisons at once, then all changes are known, and no position is left', async () => {
    const shared = openShared();

    const both = await Promise.all([1, 2].map(() => runAndDie(shared, Number.POSITIVE_INFINITY, 'before')));

    expect(both.map(({ result }) => result)).toMatchObject([{ end: 'done' }, { end: 'done' }]);
    expect(new Set(shared.memory.broughtIn.map(({ event }) => event.id)).size).toBe(25);
    expect(shared.tables.inspect('reconcile')).toEqual([]);
  });
});
