import fc from 'fast-check';
import type { HealthEvent } from '../../src/events/health-event.js';
import {
  afterApplying,
  afterStarting,
  appliedOfRow,
  decideVersion,
  type KnownVersion,
  type KnownVersions,
  orderOf,
  resourceOf,
  rowOfApplied,
} from '../../src/events/order.js';
import { dicomEvent, fhirEvent } from '../../src/testing/index.js';
import { deliveriesOf, histories } from '../workflows/histories.js';

const NOON_MS = Date.parse('2026-03-14T12:00:00Z');
const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const at = (ms: number) => new Date(NOON_MS + ms).toISOString();

/** Version 5, applied at noon. */
const VERSION_5: KnownVersion = { version: 5, time: at(0), eventKey: 'applied', createdAt: undefined };
/** The same version, of a resource that is known to have been created a minute before. */
const CREATED: KnownVersion = { ...VERSION_5, createdAt: at(-MINUTE_MS) };

const NOTHING: KnownVersions = { applied: undefined, started: undefined };

const updated = (version: number, ms: number) => fhirEvent({ change: 'updated', version, time: at(ms) });
const deleted = (version: number, ms: number) => fhirEvent({ change: 'deleted', version, time: at(ms) });
const created = (version: number, ms: number) => fhirEvent({ change: 'created', version, time: at(ms) });
const withoutTime = (event: HealthEvent): HealthEvent => ({ ...event, time: undefined });

/** Version 7, which has started a minute later. */
const VERSION_7: KnownVersion = { version: 7, time: at(MINUTE_MS), eventKey: 'started', createdAt: undefined };

describe('whether a version runs', () => {
  const both = { applied: VERSION_5, started: VERSION_7 };

  it.each<{
    given: string;
    event: HealthEvent;
    key?: string;
    known?: KnownVersions;
    then: ReturnType<typeof decideVersion>;
  }>([
    { given: 'nothing was applied, or has started', event: updated(1, 0), known: NOTHING, then: 'run' },
    { given: 'a version older than what has started (L1)', event: updated(6, 0), then: 'superseded' },
    { given: 'a version older than what was applied', event: updated(4, 0), then: 'superseded' },
    { given: 'a newer one than what has started', event: updated(8, 2 * MINUTE_MS), then: 'run' },
    { given: 'the version that has started (L2)', event: updated(7, MINUTE_MS), key: 'started', then: 'run' },
    { given: 'the same version by another event', event: updated(7, MINUTE_MS), then: 'superseded' },
    { given: 'the version that was applied', event: updated(5, 0), key: 'applied', then: 'applied' },
    { given: 'a Created later than what has started', event: created(1, MINUTE_MS + SECOND_MS), then: 'run' },
    {
      given: 'a higher version, 5 minutes and 1 ms before what has started',
      event: updated(9, -4 * MINUTE_MS - 1),
      then: 'superseded',
    },
    {
      given: 'a lower version, 5 minutes and 1 ms after what has started',
      event: updated(2, 6 * MINUTE_MS + 1),
      then: 'run',
    },
    {
      given: 'what has started is older than what an earlier release has applied since',
      event: updated(6, 0),
      key: 'started',
      known: {
        applied: { ...VERSION_7, eventKey: 'applied' },
        started: { ...VERSION_5, version: 6, eventKey: 'started' },
      },
      then: 'superseded',
    },
  ])('given $given, then $then', ({ event, key = 'other', known = both, then }) => {
    expect(decideVersion(event, key, known)).toBe(then);
  });
});

describe('the started version after a start', () => {
  it.each<{ given: string; event: HealthEvent; key?: string; known: KnownVersions; createdAt: string | undefined }>([
    { given: 'a Created', event: created(1, 0), known: NOTHING, createdAt: at(0) },
    {
      given: 'an update of what was applied',
      event: updated(6, 0),
      known: { applied: CREATED, started: undefined },
      createdAt: CREATED.createdAt,
    },
    {
      given: 'an update of what has started, and is not applied',
      event: updated(2, 2 * MINUTE_MS),
      known: { applied: VERSION_5, started: { ...VERSION_7, version: 1, createdAt: at(MINUTE_MS) } },
      createdAt: at(MINUTE_MS),
    },
    {
      given: 'the same again',
      event: updated(5, 0),
      key: 'applied',
      known: { applied: undefined, started: CREATED },
      createdAt: CREATED.createdAt,
    },
    {
      given: 'an update of what an earlier release has applied since',
      event: updated(9, 2 * MINUTE_MS),
      known: { applied: { ...VERSION_7, createdAt: at(MINUTE_MS) }, started: VERSION_5 },
      createdAt: at(MINUTE_MS),
    },
  ])(
    'given $given, then the started version knows when the resource was created',
    ({ event, key = 'other', known, createdAt }) => {
      const { version, time } = event;

      expect(afterStarting(event, key, known)).toEqual({ version, time, eventKey: key, createdAt });
    },
  );
});

describe('whether an event is newer than the applied version', () => {
  it.each<{ given: string; event: HealthEvent; applied?: KnownVersion; then: ReturnType<typeof orderOf> }>([
    { given: 'a lower version, 5 minutes and 1 ms later', event: updated(4, 5 * MINUTE_MS + 1), then: 'newer' },
    { given: 'a lower version, 5 minutes later', event: updated(4, 5 * MINUTE_MS), then: 'older' },
    { given: 'a higher version, 5 minutes later', event: updated(6, 5 * MINUTE_MS), then: 'newer' },
    { given: 'a higher version, 5 minutes and 1 ms later', event: updated(6, 5 * MINUTE_MS + 1), then: 'newer' },
    { given: 'a higher version, 5 minutes and 1 ms earlier', event: updated(6, -5 * MINUTE_MS - 1), then: 'older' },
    { given: 'a higher version, 5 minutes earlier', event: updated(6, -5 * MINUTE_MS), then: 'newer' },
    { given: 'a lower version, 5 minutes earlier', event: updated(4, -5 * MINUTE_MS), then: 'older' },
    { given: 'a lower version, a day earlier', event: updated(4, -1440 * MINUTE_MS), then: 'older' },
    { given: 'a Created of a higher version, a day earlier', event: created(6, -1440 * MINUTE_MS), then: 'older' },

    { given: 'a higher version at the same time', event: updated(6, 0), then: 'newer' },
    { given: 'the same version at the same time', event: updated(5, 0), then: 'older' },
    { given: 'a lower version at the same time', event: updated(4, 0), then: 'older' },
    { given: 'a higher version, a second earlier', event: updated(6, -SECOND_MS), then: 'newer' },
    { given: 'a lower version, a second later', event: updated(4, SECOND_MS), then: 'older' },
    { given: 'the same version, a second later', event: updated(5, SECOND_MS), then: 'older' },
    { given: 'a Deleted of a lower version, a second later', event: deleted(4, SECOND_MS), then: 'older' },
    { given: 'a Deleted of a higher version, a second later', event: deleted(6, SECOND_MS), then: 'newer' },

    { given: 'a Created of a lower version, a second later', event: created(1, SECOND_MS), then: 'newer' },
    { given: 'a Created of the same version, a second later', event: created(5, SECOND_MS), then: 'newer' },
    { given: 'the first Created, later by less than clocks may be apart', event: created(1, 999), then: 'older' },
    { given: 'a Created of a lower version, at the same time', event: created(1, 0), then: 'older' },
    { given: 'a Created of a lower version, earlier', event: created(1, -1), then: 'older' },
    { given: 'a Created of a higher version, earlier', event: created(6, -1), then: 'newer' },
    {
      given: 'a Created of DICOM with a lower number, later',
      event: dicomEvent({ version: 4, time: at(SECOND_MS) }),
      then: 'older',
    },
    { given: 'a Created of DICOM with a higher number', event: dicomEvent({ version: 6, time: at(0) }), then: 'newer' },
    {
      given: 'an event of DICOM with a lower number, 5 minutes and 1 ms later',
      event: dicomEvent({ version: 1, time: at(5 * MINUTE_MS + 1) }),
      then: 'newer',
    },

    { given: 'a higher version without a time', event: withoutTime(updated(6, 0)), then: 'newer' },
    { given: 'a lower version without a time', event: withoutTime(updated(4, 0)), then: 'older' },
    { given: 'a Created of a lower version without a time', event: withoutTime(created(1, 0)), then: 'older' },
    {
      given: 'a higher version without a time, and a creation',
      event: withoutTime(updated(6, 0)),
      applied: CREATED,
      then: 'newer',
    },
    {
      given: 'a higher version, a day earlier than what has no time',
      event: updated(6, -1440 * MINUTE_MS),
      applied: { ...VERSION_5, time: undefined },
      then: 'newer',
    },
    {
      given: 'a lower version, a day later than what has no time',
      event: updated(4, 1440 * MINUTE_MS),
      applied: { ...VERSION_5, time: undefined },
      then: 'older',
    },
    {
      given: 'a Created of a lower version, and nothing applied that has a time',
      event: created(1, 1440 * MINUTE_MS),
      applied: { ...VERSION_5, time: undefined },
      then: 'older',
    },

    {
      given: 'a higher version, 1,001 ms before the creation',
      event: updated(6, -MINUTE_MS - 1001),
      applied: CREATED,
      then: 'older',
    },
    {
      given: 'a higher version, a second before the creation: clocks may be that much apart',
      event: updated(6, -MINUTE_MS - SECOND_MS),
      applied: CREATED,
      then: 'newer',
    },
    { given: 'a higher version after the creation', event: updated(6, -1), applied: CREATED, then: 'newer' },
    { given: 'a lower version after the creation', event: updated(4, -1), applied: CREATED, then: 'older' },
    { given: 'another creation, later', event: created(1, 1), applied: CREATED, then: 'newer' },
    { given: 'a creation before this one', event: created(1, -2 * MINUTE_MS), applied: CREATED, then: 'older' },
    {
      given: 'a Created of a higher version, long before the creation',
      event: created(6, -3 * MINUTE_MS),
      applied: CREATED,
      then: 'older',
    },
  ])('given $given, then the event is $then', ({ event, applied = VERSION_5, then }) => {
    expect(orderOf(event, 'its key', applied)).toBe(then);
  });

  it.each([created(1, 0), updated(1, -1440 * MINUTE_MS), withoutTime(deleted(1, 0))])(
    'given nothing has been applied, then the event is newer (case %#)',
    (event) => {
      expect(orderOf(event, 'its key', undefined)).toBe('newer');
    },
  );

  it.each([
    updated(5, 0),
    created(5, MINUTE_MS),
    updated(9, 1440 * MINUTE_MS),
    updated(1, -1440 * MINUTE_MS),
    withoutTime(updated(5, 0)),
  ])('given the key of the event, then the event is the same, whatever its other fields (case %#)', (event) => {
    expect(orderOf(event, 'applied', CREATED)).toBe('same');
  });
});

describe('the applied version after an event', () => {
  it('given any event, then the version has its number, time and key', () => {
    expect(afterApplying(updated(6, 7), 'its key', CREATED)).toMatchObject({
      version: 6,
      time: at(7),
      eventKey: 'its key',
    });
  });

  it.each<{ given: string; event: HealthEvent; before: KnownVersion | undefined; createdAt: string | undefined }>([
    { given: 'a Created, and nothing before', event: created(1, 0), before: undefined, createdAt: at(0) },
    { given: 'a Created after another resource', event: created(1, 7), before: CREATED, createdAt: at(7) },
    { given: 'a Created of a higher version', event: created(6, 7), before: CREATED, createdAt: at(7) },
    { given: 'a Created without a time', event: withoutTime(created(6, 0)), before: CREATED, createdAt: undefined },
    { given: 'an update, and nothing before', event: updated(2, 0), before: undefined, createdAt: undefined },
    { given: 'a higher version', event: updated(6, 7), before: CREATED, createdAt: at(-MINUTE_MS) },
    { given: 'a higher version, deleted', event: deleted(6, 7), before: CREATED, createdAt: at(-MINUTE_MS) },
    {
      given: 'a higher version, with an unknown creation',
      event: updated(6, 7),
      before: VERSION_5,
      createdAt: undefined,
    },
    {
      given: 'the same version again, of a recreated resource',
      event: updated(5, 7),
      before: CREATED,
      createdAt: undefined,
    },
    { given: 'a lower version, of a recreated resource', event: updated(2, 7), before: CREATED, createdAt: undefined },
    { given: 'an image that was created', event: dicomEvent({ time: at(0) }), before: undefined, createdAt: undefined },
  ])('given $given, then the resource was created at $createdAt', ({ event, before, createdAt }) => {
    expect(afterApplying(event, 'its key', before).createdAt).toBe(createdAt);
  });
});

describe('the applied version as columns of a row', () => {
  const time = fc.option(
    fc
      .date({ min: new Date('2015-01-01Z'), max: new Date('2100-01-01Z'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    { nil: undefined },
  );
  const anyApplied = fc.record({ version: fc.maxSafeInteger(), time, eventKey: fc.string(), createdAt: time });

  it('given any version, then it is read as it was written', () => {
    fc.assert(
      fc.property(anyApplied, (applied) => {
        expect(appliedOfRow(rowOfApplied(applied))).toEqual(applied);
      }),
    );
  });

  it('given any version, then every column is there, so that a merge leaves nothing of the version before', () => {
    fc.assert(
      fc.property(anyApplied, anyApplied, (before, applied) => {
        expect(appliedOfRow({ ...rowOfApplied(before), ...rowOfApplied(applied) })).toEqual(applied);
      }),
    );
  });

  it('given a row that has only a version, then the rest is not known', () => {
    expect(appliedOfRow({ version: 3 })).toEqual({ version: 3, time: undefined, eventKey: '', createdAt: undefined });
  });
});

describe('the resource of an event', () => {
  it.each<{ given: string; one: HealthEvent; other: HealthEvent }>([
    { given: 'versions of a FHIR resource', one: created(1, 0), other: deleted(7, MINUTE_MS) },
    { given: 'another event id', one: fhirEvent({ id: 'a' }), other: fhirEvent({ id: 'b' }) },
    { given: 'versions of an image', one: dicomEvent(), other: dicomEvent({ change: 'deleted', version: 9 }) },
    {
      given: 'an image without a partition and one in Microsoft.Default',
      one: dicomEvent(),
      other: dicomEvent({ partition: 'Microsoft.Default' }),
    },
  ])('given $given, then the resource is the same', ({ one, other }) => {
    expect(resourceOf(one)).toBe(resourceOf(other));
  });

  it('given another service, type, id, partition or image, then the resource is another', () => {
    const events: HealthEvent[] = [
      fhirEvent({}),
      fhirEvent({ host: 'other.fhir.example' }),
      fhirEvent({ resourceType: 'Observation' }),
      fhirEvent({ resourceId: 'resource-2' }),
      fhirEvent({ resourceType: 'Patient', resourceId: 'a","b' }),
      dicomEvent({}),
      dicomEvent({ host: 'other.dicom.example' }),
      dicomEvent({ partition: 'other' }),
      dicomEvent({ studyUid: '1.2.9' }),
      dicomEvent({ seriesUid: '1.2.9' }),
      dicomEvent({ instanceUid: '1.2.9' }),
    ];

    expect(new Set(events.map(resourceOf)).size).toBe(events.length);
  });
});

describe('when the events of a resource arrive', () => {
  it('given a resource recreated after minutes, in any order, each once or often, then the newest version is the last', () => {
    const arrivals = histories().chain((history) => fc.tuple(fc.constant(history), deliveriesOf(history)));

    fc.assert(
      fc.property(arrivals, ([history, lots]) => expectNewest(history, lots.flat())),
      { numRuns: 500 },
    );
  });

  it('given recreations more than five minutes apart, in any order, then the newest version is the last', () => {
    const incarnations = incarnationsOf({ max: 4, apartMs: { min: 5 * MINUTE_MS + 1, max: 1440 * MINUTE_MS } });

    fc.assert(
      fc.property(inAnyOrder(incarnations), ([history, arriving]) => expectNewest(history, arriving)),
      { numRuns: 500 },
    );
  });

  it('given recreations seconds apart, in order, with earlier events again in between, then the applied version never goes back', () => {
    const incarnations = incarnationsOf({ max: 4, apartMs: { min: SECOND_MS + 1, max: 10 * MINUTE_MS } });
    const again = fc.array(fc.nat(), { minLength: 30, maxLength: 30 });

    fc.assert(
      fc.property(incarnations, again, (history, picks) => {
        const arriving = history.flatMap((event, index) => [
          event,
          ...[0, 1].map((which) => history[(picks[2 * index + which] ?? 0) % (index + 1)] as HealthEvent),
        ]);
        expectNewest(history, arriving);
      }),
      { numRuns: 500 },
    );
  });

  it('given a resource recreated after seconds with only its Created, in any order, then the Created is the last', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 2 * MINUTE_MS }), { maxLength: 4 });
    const history = fc
      .tuple(gaps, fc.integer({ min: SECOND_MS + 1, max: 10 * MINUTE_MS }))
      .map(([incarnation, apartMs]) => historyOf([[0, ...incarnation], [apartMs]]));

    fc.assert(
      fc.property(inAnyOrder(history), ([events, arriving]) => expectNewest(events, arriving)),
      { numRuns: 500 },
    );
  });

  it('given one resource whose times may be half a second wrong, in any order, then the newest version is the last', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 2 * MINUTE_MS }), { maxLength: 5 });
    const wrongByMs = fc.array(fc.integer({ min: -499, max: 499 }), { minLength: 7, maxLength: 7 });
    const history = fc.tuple(gaps, wrongByMs).map(([[first = 0, ...incarnation], wrong]) =>
      historyOf([[0, first, ...incarnation]]).map((event, index) => ({
        ...event,
        time: new Date(Date.parse(event.time ?? '') + (wrong[index] ?? 0)).toISOString(),
      })),
    );

    fc.assert(
      fc.property(inAnyOrder(history), ([events, arriving]) => expectNewest(events, arriving)),
      { numRuns: 500 },
    );
  });

  it('given events without a time, in any order, then the highest version is the last', () => {
    const history = fc
      .integer({ min: 1, max: 6 })
      .map((versions) => historyOf([Array.from({ length: versions }, () => 0)]).map(withoutTime));

    fc.assert(fc.property(inAnyOrder(history), ([events, arriving]) => expectNewest(events, arriving)));
  });

  it('given images of a service recreated after minutes, in any order, then the newest version is the last', () => {
    const incarnations = incarnationsOf({ max: 3, apartMs: { min: 5 * MINUTE_MS + 1, max: 1440 * MINUTE_MS } });
    const images = incarnations.map((events) =>
      events.map(({ id, time, change, version }) => dicomEvent({ id, change, version, ...(time && { time }) })),
    );

    fc.assert(
      fc.property(inAnyOrder<HealthEvent>(images), ([history, arriving]) => expectNewest(history, arriving)),
      { numRuns: 500 },
    );
  });
});

/** Applies the newer ones of `arriving`. Expects that each is later in `history` than those before, and the last is its end. */
function expectNewest(history: readonly HealthEvent[], arriving: readonly HealthEvent[]): void {
  let applied: KnownVersion | undefined;
  let last = -1;
  const seen: string[] = [];
  const wanted: string[] = [];
  for (const event of arriving) {
    const index = history.indexOf(event);
    const order = orderOf(event, event.id, applied);
    seen.push(`${event.id} is ${order}`);
    wanted.push(`${event.id} is ${index > last ? 'newer' : index === last ? 'same' : 'older'}`);
    if (order === 'newer') applied = afterApplying(event, event.id, applied);
    last = Math.max(last, index);
  }
  expect(seen).toEqual(wanted);
  expect(applied?.eventKey).toBe(history.at(-1)?.id);
}

/** `gaps[incarnation][n]`: the time since the event before. Versions of each incarnation start at 1. */
function historyOf(gaps: readonly (readonly number[])[], isDeleted: (n: number) => boolean = () => false) {
  let ms = 0;
  let made = 0;
  return gaps.flatMap((incarnation, which) =>
    incarnation.map((gapMs, index) => {
      ms += gapMs;
      made += 1;
      const change = index === 0 ? 'created' : isDeleted(made) ? 'deleted' : 'updated';
      return fhirEvent({ id: `${which}.${index + 1}`, version: index + 1, time: at(ms), change }) as HealthEvent;
    }),
  );
}

/** Several incarnations of one id, oldest event first. Versions of one incarnation are often of one moment. */
function incarnationsOf({ max, apartMs }: { max: number; apartMs: { min: number; max: number } }) {
  const gapMs = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10 * MINUTE_MS }));
  const incarnation = fc
    .tuple(fc.integer(apartMs), fc.array(gapMs, { maxLength: 4 }))
    .map(([first, later]) => [first, ...later]);
  const incarnations = fc.array(incarnation, { minLength: 2, maxLength: max });
  return fc
    .tuple(incarnations, fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }))
    .map(([gaps, deletions]) => historyOf(gaps, (n) => deletions[n % deletions.length] ?? false));
}

/** A history, and its events in any order, each once or several times. */
function inAnyOrder<E extends HealthEvent>(history: fc.Arbitrary<E[]>): fc.Arbitrary<[E[], E[]]> {
  return history.chain((events) => {
    const again = fc.array(fc.constantFrom(...events), { maxLength: events.length });
    const arriving = again.chain((twice) => {
      const all = [...events, ...twice];
      return fc.shuffledSubarray(all, { minLength: all.length });
    });
    return fc.tuple(fc.constant(events), arriving);
  });
}
