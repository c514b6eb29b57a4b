import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import * as z from 'zod';
import { systemClock } from '../../src/clock.js';
import { readConfig } from '../../src/config.js';
import { composeApp } from '../../src/functions/compose.js';
import { systemRandom } from '../../src/functions/random.js';
import { createAzureTableStore } from '../../src/storage/azure-table-store.js';
import { createTestKit, dicomEvent, fhirEvent } from '../../src/testing/index.js';
import type { FhirEvent, HealthEvent } from '../../src/workflow.js';
import { resourceIndex } from '../../src/workflows/resource-index.js';
import { testConnection } from '../azurite/connection.js';
import { rawOfFhir } from '../testing/raw-events.js';
import { everyCrash, everyOrder, type Scenario } from './every-crash.js';
import { deliveriesOf, histories } from './histories.js';

const OBSERVATION = { resourceType: 'Observation', resourceId: 'o1' } as const;

const IMAGE = { studyUid: '1', seriesUid: '2', instanceUid: '3' };

async function kitAfter(...events: readonly HealthEvent[]) {
  const kit = createTestKit();
  for (const event of events) await kit.run(resourceIndex, event);
  return kit;
}

async function rowsAfter(...events: readonly HealthEvent[]) {
  return (await kitAfter(...events)).rows('resources').map(({ row }) => row);
}

describe('when a resource changes', () => {
  it('given a FHIR resource, then its row names the resource and its version', async () => {
    const event = fhirEvent({ ...OBSERVATION, host: 'a.fhir.example', time: '2026-03-01T10:00:00Z' });

    expect(await rowsAfter(event)).toEqual([
      {
        service: 'fhir',
        host: 'a.fhir.example',
        ...OBSERVATION,
        version: 1,
        change: 'created',
        time: '2026-03-01T10:00:00.000Z',
        bornAt: '2026-03-01T10:00:00.000Z',
        eventKey: expect.stringMatching(/^20260301\.[\w-]{22}\.resource-index\.0$/),
      },
    ]);
  });

  it('given an image, then its row holds its UIDs', async () => {
    const row = { service: 'dicom', dicomPartition: 'Microsoft.Default', ...IMAGE, version: 7 };
    expect(await rowsAfter(dicomEvent({ ...IMAGE, version: 7 }))).toMatchObject([row]);
  });

  it('given a deleted resource, then its row stays, and refuses a late version', async () => {
    const deleted = fhirEvent({ ...OBSERVATION, change: 'deleted', version: 3 });
    const late = fhirEvent({ ...OBSERVATION, change: 'updated', version: 2 });
    expect(await rowsAfter(deleted, late)).toMatchObject([{ change: 'deleted', version: 3 }]);
  });

  it.each([
    { given: 'another id', other: fhirEvent({ ...OBSERVATION, resourceId: 'o2' }) },
    { given: 'another type', other: fhirEvent({ ...OBSERVATION, resourceType: 'Patient' }) },
    { given: 'another service', other: fhirEvent({ ...OBSERVATION, host: 'b.fhir.example' }) },
  ])('given two resources that differ in $given, then each has its row', async ({ other }) => {
    expect(await rowsAfter(fhirEvent(OBSERVATION), other)).toHaveLength(2);
  });

  it('given the keys of a row, then they reveal nothing of the resource', async () => {
    const [stored] = (await kitAfter(fhirEvent({ resourceId: 'secret-1' }))).rows('resources');

    expect(stored?.partition).toMatch(/^[0-7]$/);
    expect(stored?.key).toMatch(/^[\w-]{22}\.[\w-]{22}$/);
    expect(stored?.key).not.toContain('secret-1');
  });
});

describe('when a resource is looked up', () => {
  it('given two services hold the same id, then the answer lists both, each with its last change', async () => {
    const kit = await kitAfter(
      fhirEvent({ ...OBSERVATION, host: 'a.fhir.example', version: 4 }),
      fhirEvent({ ...OBSERVATION, host: 'b.fhir.example', change: 'deleted', version: 2 }),
      fhirEvent({ ...OBSERVATION, resourceId: 'o2' }),
    );
    const a = { service: 'fhir', host: 'a.fhir.example', ...OBSERVATION, version: 4, change: 'created' };
    const b = { host: 'b.fhir.example', version: 2, change: 'deleted' };

    const { resources } = await kit.lookup(resourceIndex, OBSERVATION);

    expect(resources).toHaveLength(2);
    expect(resources).toContainEqual({ ...a, time: '2026-01-01T12:04:00.000Z' });
    expect(resources).toContainEqual(expect.objectContaining(b));
  });

  it('given an image in two partitions, then the answer has both', async () => {
    const kit = await kitAfter(
      dicomEvent({ ...IMAGE, partition: 'Microsoft.Default' }),
      dicomEvent({ ...IMAGE, partition: 'clinic-b' }),
      dicomEvent({ ...IMAGE, instanceUid: '4' }),
    );

    const resources = (await kit.lookup(resourceIndex, IMAGE)).resources as { dicomPartition: string }[];

    const partitions = resources.map(({ dicomPartition }) => dicomPartition);
    expect(partitions.sort()).toEqual(['Microsoft.Default', 'clinic-b']);
  });

  it('given an unknown resource, then the answer is empty', async () => {
    expect(await createTestKit().lookup(resourceIndex, OBSERVATION)).toEqual({ resources: [] });
  });

  it.each([
    {},
    { resourceType: 'Patient' },
    { ...OBSERVATION, host: 'a' },
    { resourceType: 'Patient', resourceId: '' },
    [],
  ])('given %j, then the query is refused', async (query) => {
    await expect(createTestKit().lookup(resourceIndex, query)).rejects.toBeInstanceOf(z.ZodError);
  });
});

describe('when versions of a resource arrive in any order, several times, some of them together', () => {
  const casesOf = (all: ReturnType<typeof histories>) =>
    all.chain((history) => fc.tuple(fc.constant(history), deliveriesOf(history)));

  it('given a table in memory, then the row ends at the newest', async () => {
    await fc.assert(
      fc.asyncProperty(casesOf(histories()), async ([history, batches]) => {
        const kit = createTestKit();

        for (const batch of batches) await Promise.all(batch.map((event) => kit.run(resourceIndex, event)));

        expect(kit.rows('resources').map(({ row }) => row)).toMatchObject([newestOf(history)]);
      }),
      { numRuns: 500 },
    );
  });

  it('given Table Storage and the whole app, then the row ends at the newest', async () => {
    const app = composeApp(readConfig({ EventStorage: testConnection() }), {
      workflows: [resourceIndex],
      clock: systemClock,
      random: systemRandom,
      telemetryWrite: () => {},
    });
    const resources = createAzureTableStore({ kind: 'connection-string', connectionString: testConnection() });
    await fc.assert(
      fc.asyncProperty(casesOf(histories(randomUUID)), async ([history, batches]) => {
        for (const batch of batches) await app.pipeline.deliver(batch.map(rawOfFhir));

        const { rows } = await resources.query('resources', {
          anyOf: [{ property: 'resourceId', is: 'eq', value: idOf(history) }],
          limit: 10,
        });
        expect(rows.map(({ row }) => row)).toMatchObject([newestOf(history)]);
      }),
      { numRuns: 10 },
    );
  });
});

describe('when storage fails and processes die at any moment', () => {
  const named = { resourceType: 'Patient', resourceId: 'p1' } as const;
  const at = (minute: number) => `2026-01-01T12:0${minute}:00.000Z`;
  const scenario: Scenario = {
    workflow: resourceIndex,
    story: [
      { event: fhirEvent({ ...named, id: 'e1', time: at(0) }) },
      { event: fhirEvent({ ...OBSERVATION, id: 'e2', time: at(1) }) },
      { event: fhirEvent({ ...named, id: 'e3', change: 'updated', version: 2, time: at(2) }) },
      { event: fhirEvent({ ...OBSERVATION, id: 'e4', change: 'deleted', version: 2, time: at(3) }) },
      { event: dicomEvent({ id: 'e5', version: 7, time: at(4) }) },
    ],
    look: (rows) =>
      rows('resources')
        .map(({ row: { service, change, version } }) => `${service} ${change} ${version}`)
        .sort(),
    expected: ['dicom created 7', 'fhir deleted 2', 'fhir updated 2'],
  };

  it('given each trouble at each call to storage, then the table is that of the newest versions', async () => {
    expect(await everyCrash(scenario)).toBeGreaterThan(100);
  });

  it('given any order, duplicates and several troubles, then the table is that of the newest versions', async () => {
    await everyOrder(scenario, 100);
  });
});

function newestOf(history: readonly FhirEvent[]): { version: number; change: string; time: string | undefined } {
  const { version, change, time } = history.at(-1) as FhirEvent;
  return { version, change, time };
}

function idOf([event]: readonly FhirEvent[]): string {
  return event?.resourceId ?? '';
}
