import * as api from '../../src/api/overview.js';
import { MINUTE_INDEX, MINUTES, SPANS, WORKFLOW_INDEX } from '../../src/instances/hour.js';
import { BUSY_MS, type Heartbeat, IDLE_MS, rowOf, seenOf } from '../../src/instances/row.js';
import { checkCommit } from '../../src/storage/table-rules.js';
import type { Row, Stored } from '../../src/storage/table-store.js';

const WRITTEN_AT = new Date('2026-01-01T12:00:00.000Z');
const MINUTE = WRITTEN_AT.getTime() / 60_000;
const SPAN = MINUTE / 10;
const later = (ms: number) => new Date(WRITTEN_AT.getTime() + ms);
const stored = (row: Row): Stored => ({ partition: 'instances', key: 'i1', row, etag: '1', modifiedAt: WRITTEN_AT });

const recent = (eventId: string) => ({
  ...{ at: '2026-01-01T11:59:59.000Z', eventId, type: 'Microsoft.HealthcareApis.FhirResourceCreated' },
  ...{ resourceType: 'Patient', workflow: 'note', outcome: 'completed' as const, try: 1, durationMs: 1.5 },
  errorCode: '',
});
const CIRCUIT = {
  ...{ workflow: 'note', state: 'open' as const, failuresInARow: 20 },
  ...{ openSince: '2026-01-01T11:58:00.000Z', nextProbeAt: '2026-01-01T12:00:10.000Z' },
};
const HEARTBEAT: Heartbeat = {
  startedAt: new Date('2026-01-01T09:00:00.000Z'),
  state: 'running',
  nextInMs: BUSY_MS,
  hour: {
    minutes: new Map([
      [MINUTE, [1, 2, 0, 0, 0, 0, 3]],
      [MINUTE - 59, [9]],
    ]),
    spans: new Map([[SPAN, new Map([['note', [5, 0, 0, 0, 1]]])]]),
    eventsPerSecond: 1.5,
  },
  circuits: [CIRCUIT],
  recent: [recent('e2'), recent('e1')],
};

describe('when a heartbeat is written and read', () => {
  it('given numbers of each kind, then they are read as they were written', () => {
    const { nextInMs: _, ...written } = HEARTBEAT;

    expect(seenOf(stored(rowOf(HEARTBEAT)), WRITTEN_AT)).toEqual({ ...written, id: 'i1', seenAt: WRITTEN_AT });
  });

  it('given nothing has happened, then the row is small', () => {
    const hour = { minutes: new Map(), spans: new Map(), eventsPerSecond: 0 };

    const row = rowOf({ ...HEARTBEAT, hour, circuits: [], recent: [] });

    expect(JSON.stringify(row).length).toBeLessThan(300);
  });

  it('given the most numbers of 50 workflows with the longest names, then storage takes the row, whole', () => {
    const many = (length: number) => new Array<number>(length).fill(9_999_999);
    const names = Array.from({ length: 50 }, (_, n) => `${n}`.padStart(63, 'w'));
    const hour = {
      minutes: new Map(Array.from({ length: MINUTES }, (_, ago) => [MINUTE - ago, many(MINUTE_INDEX.end)])),
      spans: new Map(
        Array.from({ length: SPANS }, (_, ago) => [
          SPAN - ago,
          new Map(names.map((name) => [name, many(WORKFLOW_INDEX.end)])),
        ]),
      ),
      eventsPerSecond: 5000.1,
    };
    const circuits = names.map((workflow) => ({ ...CIRCUIT, workflow }));
    const runs = Array.from({ length: 50 }, (_, n) => ({
      ...recent(`event-${n}`.padEnd(120, 'x')),
      workflow: names[n] ?? '',
    }));
    const heartbeat = { ...HEARTBEAT, hour, circuits, recent: runs };

    const row = rowOf(heartbeat);

    checkCommit('instances', 'instances', [{ kind: 'upsert', key: 'i1', row }]);
    expect(seenOf(stored(row), WRITTEN_AT)).toMatchObject({ hour, circuits, recent: runs });
  });

  it('given ids and workflows that do not fit, then the newest runs and the busiest workflows are kept', () => {
    const runs = Array.from({ length: 50 }, (_, n) => recent(`${n} ${'\u0001'.repeat(1000)}`));
    const workflows = new Map(Array.from({ length: 1000 }, (_, n) => [`workflow-${n}`, new Array<number>(20).fill(n)]));
    const hour = { ...HEARTBEAT.hour, spans: new Map([[SPAN, workflows]]) };

    const row = rowOf({ ...HEARTBEAT, hour, recent: runs });
    const seen = seenOf(stored(row), WRITTEN_AT);

    checkCommit('instances', 'instances', [{ kind: 'upsert', key: 'i1', row }]);
    expect(seen?.recent.map(({ eventId }) => eventId.split(' ')[0])).toEqual(['0', '1', '2', '3', '4']);
    const kept = [...(seen?.hour.spans.get(SPAN)?.keys() ?? [])];
    expect(kept.length).toBeGreaterThan(300);
    expect(kept[0]).toBe('workflow-999');
  });
});

describe('when a row grows old', () => {
  it.each([
    { given: 'a busy one after 30 s', nextInMs: BUSY_MS, ageMs: 30_000, state: 'running', rate: 1.5 },
    { given: 'a busy one after more', nextInMs: BUSY_MS, ageMs: 30_001, state: 'silent', rate: 0 },
    { given: 'an idle one after 31 s', nextInMs: IDLE_MS, ageMs: 31_000, state: 'running', rate: 0 },
    { given: 'an idle one after 80 s', nextInMs: IDLE_MS, ageMs: 80_000, state: 'running', rate: 0 },
    { given: 'an idle one after more', nextInMs: IDLE_MS, ageMs: 80_001, state: 'silent', rate: 0 },
    { given: 'one that promises nothing for a day', nextInMs: 86_400_000, ageMs: 80_001, state: 'silent', rate: 0 },
  ])('given $given, then the instance is $state', ({ nextInMs, ageMs, state, rate }) => {
    const seen = seenOf(stored(rowOf({ ...HEARTBEAT, nextInMs })), later(ageMs));

    expect(seen).toMatchObject({ state, hour: { eventsPerSecond: rate } });
  });

  it('given a row that says stopped, then the instance never is silent, and has no circuits and no rate', () => {
    const seen = seenOf(stored(rowOf({ ...HEARTBEAT, state: 'stopped' })), later(3_000_000));

    expect(seen).toMatchObject({ state: 'stopped', circuits: [], hour: { eventsPerSecond: 0 } });
  });
});

describe('when a row is not as this release writes it', () => {
  const good = rowOf(HEARTBEAT);
  const read = (change: Row) => seenOf(stored({ ...good, ...change }), WRITTEN_AT);

  it('given columns of a newer release, then they are ignored', () => {
    expect(read({ another: 'column', minutes2: '[[1]]' })).toEqual(read({}));
  });

  it('given numbers of another format, then they are left out, and the rest is read', () => {
    const seen = read({ format: 2 });

    expect(seen).toMatchObject({ id: 'i1', recent: [{ eventId: 'e2' }, { eventId: 'e1' }], circuits: [CIRCUIT] });
    expect([seen?.hour.minutes.size, seen?.hour.spans.size]).toEqual([0, 0]);
  });

  it.each([{ startedAt: '' }, { startedAt: 7 }, { startedAt: 'yesterday' }])(
    'given %j, then the row is no instance',
    (row) => {
      expect(read(row)).toBeUndefined();
      expect(seenOf(stored({}), WRITTEN_AT)).toBeUndefined();
    },
  );

  const HOSTILE = [
    ...['', '{', 'null', '{}', '"x"', '[[]]', '[null]', '[[{}]]', '[["a"]]', '[[-1,2]]', '[[1.5,2]]', '[[1e300,1]]'],
    ...[
      '[[1,1e300]]',
      '[[1,9007199254740991]]',
      '[{"__proto__":1}]',
      `[[1,"${'n'.repeat(64)}",1]]`,
      `${'['.repeat(10_000)}`,
      5,
      true,
    ],
  ];
  it.each(HOSTILE.map((value) => ({ value })))('given $value in every list, then the lists are empty', ({ value }) => {
    const columns = ['minutes', 'circuits', 'recent', ...Array.from({ length: SPANS }, (_, at) => `span${at}`)];

    const seen = read(Object.fromEntries(columns.map((column) => [column, value])));

    expect(seen).toMatchObject({ circuits: [], recent: [] });
    expect([...(seen?.hour.minutes.values() ?? [])].flat().filter((count) => !(count <= 1e9))).toEqual([]);
    expect(seen?.hour.spans.size).toBe(0);
  });

  it('given one item among good ones that is not understood, then only that item is left out', () => {
    const odd = { ...recent('odd'), outcome: 'unheard-of' };

    const seen = read({ recent: JSON.stringify([odd, { ...recent('e1'), newer: 1 }]) });

    expect(seen?.recent).toEqual([recent('e1')]);
  });

  it.each([-1, 1e300, 'many', true])('given the rate %j, then it is 0', (eventsPerSecond) => {
    expect(read({ eventsPerSecond })?.hour.eventsPerSecond).toBe(0);
  });

  it('given an unknown state, then the instance counts as running until it is silent', () => {
    expect(read({ state: 'dreaming' })?.state).toBe('running');
    expect(seenOf(stored({ ...good, state: 'dreaming' }), later(90_000))?.state).toBe('silent');
  });

  it('given runs of another release, then the answer of `recent` still takes them', () => {
    const runs = (read({})?.recent ?? []).map((run) => ({ ...run, instance: 'i1' }));

    expect(() => api.recent.parse({ jobs: runs })).not.toThrow();
  });
});
