import { digest } from '../../../src/digest.js';
import type { DicomChange, FhirChange } from '../../../src/simulator/changes.js';
import { CHAOS_LEVELS } from '../../../src/simulator/chaos/chaos.js';
import { createInterference } from '../../../src/simulator/chaos/interference.js';
import { MALFORMED, OF_ANOTHER_WORKSPACE } from '../../../src/simulator/chaos/malformed.js';
import { type TopicEvent, writeEvent } from '../../../src/simulator/event-grid/topic-event.js';
import { eventIdOf, numbersIn } from '../../../src/simulator/runs/event-name.js';
import { createPublisher } from '../../../src/simulator/runs/publisher.js';
import { createFakeClock } from '../../../src/testing/index.js';
import { defineWorkflow, fhir, type Workflow } from '../../../src/workflow.js';
import { WORKSPACE } from '../memory-simulator.js';

const RUN = '0badcafe';
const AT = new Date('2026-01-01T12:00:00.000Z');
const HOST = 'w-f.fhir.azurehealthcareapis.com';
const PATIENT: FhirChange = {
  service: 'fhir',
  change: 'created',
  host: HOST,
  resourceType: 'Patient',
  resourceId: 'p1',
  version: 1,
  at: AT,
};
const IMAGE: DicomChange = {
  service: 'dicom',
  change: 'created',
  host: 'w-d.dicom.azurehealthcareapis.com',
  partition: 'Microsoft.Default',
  studyUid: '1.2.3',
  seriesUid: '1.2.3.4',
  instanceUid: '1.2.3.4.5',
  sequenceNumber: 1,
  at: AT,
};

function start({
  seed = 0,
  malformed = 0,
  lost = 0,
  isListing = false,
  workflows = [],
}: {
  seed?: number;
  malformed?: number;
  lost?: number;
  isListing?: boolean;
  workflows?: readonly Workflow[];
} = {}) {
  const batches: { events: readonly TopicEvent[]; group: string | undefined }[] = [];
  const publisher = createPublisher({
    runId: RUN,
    seed,
    chaos: { malformed, lost },
    workflows,
    source: WORKSPACE,
    isListing,
    eventGrid: { publish: (events, group) => void batches.push({ events, group }) },
  });
  const { made } = publisher;
  return {
    ...publisher,
    sent: made.sent,
    newest: made.newest,
    batches,
    published: () => batches.flatMap(({ events }) => events),
    spoilt: () => batches.flatMap(({ events }) => events.flatMap(({ spoil }) => (spoil ? [spoil] : []))),
  };
}

const wanting = (name: string, type: string) => defineWorkflow({ name, on: fhir.custom(type), async handle() {} });

describe('when a run publishes a change', () => {
  it('given several at once, then they are one batch of the run, with ids in their order', () => {
    const run = start();

    run.publish([PATIENT, IMAGE]);

    expect(run.batches.map(({ group, events }) => [group, events.map(({ id }) => id)])).toEqual([
      [RUN, [eventIdOf(RUN, 0), eventIdOf(RUN, 1)]],
    ]);
    expect(run.made.count).toBe(2);
  });

  it('given workflows, then the run notes which of them want it, and its time', () => {
    const run = start({ workflows: [wanting('patients', 'Patient'), wanting('basics', 'Basic')] });

    run.publish([PATIENT, { ...PATIENT, resourceType: 'Basic' }, IMAGE]);

    expect([0, 1, 2].map((n) => run.sent.get(n).wanted)).toEqual([0b01, 0b10, 0]);
    expect(run.sent.get(0)).toMatchObject({ atMs: Date.parse('2026-01-01T12:00:00.000Z'), isMalformed: false });
  });

  it('given 33 workflows, then the run notes only the first 32', () => {
    const others = Array.from({ length: 32 }, (_, n) => wanting(`w${n}`, 'Basic'));
    const run = start({ workflows: [...others, wanting('last', 'Patient')] });

    run.publish([PATIENT, { ...PATIENT, resourceType: 'Basic' }]);

    expect([0, 1].map((n) => run.sent.get(n).wanted)).toEqual([0, 0xffffffff]);
  });

  it('given a resource that changes again, then its last change is its newest', () => {
    const run = start();

    run.publish([PATIENT, { ...PATIENT, resourceId: 'p2' }]);
    run.publish([{ ...PATIENT, change: 'deleted', version: 2 }]);

    expect(run.newest.get(digest(JSON.stringify([HOST, 'Patient', 'p1'])))).toEqual({
      version: 2,
      change: 'deleted',
      n: 2,
    });
    expect(run.newest.size).toBe(2);
  });

  it('given a look-up during the publication, then the event is already noted', () => {
    let noted = -1;
    const { publish, made } = createPublisher({
      runId: RUN,
      seed: 0,
      chaos: { malformed: 0, lost: 0 },
      workflows: [],
      source: WORKSPACE,
      isListing: false,
      eventGrid: {
        publish: () => {
          noted = made.sent.count;
        },
      },
    });

    publish([PATIENT]);

    expect(noted).toBe(1);
  });
});

describe('when a change of a run is never delivered', () => {
  const missedOf = ({ sent }: ReturnType<typeof start>) =>
    Array.from({ length: sent.count }, (_, n) => sent.get(n).missed);

  it('given events are off, then the change counts, has no event, and is remembered', () => {
    const run = start({ malformed: 1 });

    run.withhold([PATIENT]);

    expect(run.published()).toEqual([]);
    expect([run.made.count, run.made.withheld, run.sent.count]).toEqual([1, 1, 1]);
    expect(missedOf(run)).toEqual(['off']);
    expect([...run.made.neverDelivered]).toEqual([[0, PATIENT]]);
  });

  it('given chaos, then the events that it loses are those that interference does not deliver', () => {
    const run = start({ lost: 0.3, seed: 5 });
    for (let n = 0; n < 300; n += 1) run.publish([PATIENT]);

    const nameOf = (id: string) => String([...numbersIn(RUN, id)][0]);
    const chaos = { ...CHAOS_LEVELS.none, lost: 0.3 };
    const { copiesOf } = createInterference({ chaos, seed: 5, clock: createFakeClock(), nameOf });

    const lost = run.published().map((event) => (copiesOf(event, 'any').length === 0 ? 'lost' : undefined));
    expect(missedOf(run)).toEqual(lost);
    expect(run.made.neverDelivered.size).toBeGreaterThan(50);
    expect(run.made.withheld).toBe(0);
  });

  it('given the resource changes again, then its newest change waits for the change that was never delivered', () => {
    const run = start();

    run.withhold([PATIENT]);
    run.publish([{ ...PATIENT, change: 'updated', version: 2 }, IMAGE]);

    expect([...run.newest.values()]).toEqual([
      { version: 2, change: 'updated', n: 0 },
      { version: 1, change: 'created', n: 2 },
    ]);
  });
});

describe('when a run publishes malformed events', () => {
  it('given a share of 0, then there is none', () => {
    const run = start();

    for (let n = 0; n < 500; n += 1) run.publish([PATIENT]);

    expect(run.spoilt()).toHaveLength(0);
  });

  it('given a share of 1, then each event is followed by one that counts as sent, not as valid, and that no workflow wants', () => {
    const run = start({ malformed: 1, workflows: [wanting('patients', 'Patient')] });

    run.publish([PATIENT, PATIENT]);

    expect(run.published().map(({ id, spoil }) => [id, spoil !== undefined])).toEqual([
      [eventIdOf(RUN, 0), false],
      [eventIdOf(RUN, 1), true],
      [eventIdOf(RUN, 2), false],
      [eventIdOf(RUN, 3), true],
    ]);
    expect(run.made.count).toBe(2);
    expect(run.sent.get(1)).toMatchObject({ isMalformed: true, wanted: 0, atMs: AT.getTime() });
    expect(run.newest.size).toBe(1);
  });

  it('given a share, then about that share is malformed; the seed decides which', () => {
    const where = (seed: number) => {
      const run = start({ malformed: 0.1, seed });
      for (let n = 0; n < 1000; n += 1) run.publish([PATIENT]);
      return run.published().flatMap(({ spoil }, at) => (spoil ? [at] : []));
    };

    expect(where(7).length).toBeGreaterThan(60);
    expect(where(7).length).toBeLessThan(140);
    expect(where(7)).toEqual(where(7));
    expect(where(8)).not.toEqual(where(7));
  });

  it.each([
    { service: 'fhir', change: PATIENT, other: 'dicom' },
    { service: 'dicom', change: IMAGE, other: 'fhir' },
  ])('given events of $service, then all its kinds come in turn; the seed decides the first', ({ change, other }) => {
    const kinds = MALFORMED.filter(({ service }) => service !== other).map(({ spoil }) => spoil);
    const spoiltWith = (seed: number) => {
      const run = start({ malformed: 1, seed });
      for (let n = 0; n < kinds.length; n += 1) run.publish([change]);
      return run.spoilt();
    };

    expect(spoiltWith(0)).toEqual(kinds);
    expect(spoiltWith(5)).toEqual([...kinds.slice(5), ...kinds.slice(0, 5)]);
  });

  it('given both services, then each goes through kinds of its own', () => {
    const run = start({ malformed: 1 });

    run.publish([PATIENT, IMAGE, PATIENT]);

    const [first, second] = MALFORMED;
    expect(run.spoilt()).toEqual([first?.spoil, first?.spoil, second?.spoil]);
  });

  it.each([
    { given: 'listed workspaces', isListing: true, times: 1 },
    { given: 'no list of workspaces', isListing: false, times: 0 },
  ])('given $given, then $times in a round come from another workspace', ({ isListing, times }) => {
    const run = start({ malformed: 1, isListing });
    const round = MALFORMED.filter(({ service }) => service !== 'dicom').length + (isListing ? 1 : 0);

    for (let n = 0; n < round; n += 1) run.publish([PATIENT]);

    expect(run.spoilt().filter((spoil) => spoil === OF_ANOTHER_WORKSPACE.spoil)).toHaveLength(times);
  });

  it.each([
    { service: 'fhir', change: PATIENT },
    { service: 'dicom', change: IMAGE },
  ])('given any kind of $service, then the run still finds its name in it', ({ change }) => {
    const run = start({ malformed: 1 });

    for (let n = 0; n < MALFORMED.length; n += 1) run.publish([change]);

    const nameless = run
      .published()
      .filter((event, n) => !numbersIn(RUN, JSON.stringify(writeEvent(event, 'CloudEventSchemaV1_0'))).has(n));
    expect(nameless).toEqual([]);
  });
});
