import type { ServiceChange } from '../../src/simulator/changes.js';
import { DicomService } from '../../src/simulator/dicom/dicom-service.js';
import { topicEventOf, writeEvent } from '../../src/simulator/event-grid/topic-event.js';
import { FhirService } from '../../src/simulator/fhir/fhir-service.js';
import { findInProcess } from '../../src/simulator/in-process.js';
import { makeImage, makeStudy } from '../../src/simulator/scenarios/images.js';
import { seededRandom } from '../../src/simulator/seeded.js';
import type { Simulator } from '../../src/simulator/simulator.js';
import { createWorld as createScenarioWorld } from '../../src/simulator/world.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { TableStore } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { imagingStudies } from '../../src/workflows/imaging-studies/imaging-studies.js';
import { observationAlerts } from '../../src/workflows/observation-alerts/observation-alerts.js';
import { patientRegistry } from '../../src/workflows/patient-registry/patient-registry.js';
import { resourceIndex } from '../../src/workflows/resource-index.js';
import { composeMemoryApp } from '../functions/memory-app.js';

/** The mean cost of one event. */
export type Cost = {
  readonly what: string;
  /** Billed requests to Table Storage: transactions, single reads and queries. */
  readonly requests: number;
  /** Rows that these transactions wrote or deleted. */
  readonly entities: number;
  /** The requests that read. */
  readonly reads: number;
  /** Requests to the FHIR or DICOM service. */
  readonly serviceRequests: number;
};

/** The built-in workflows. A workflow that a user adds does not change the documented costs. */
const workflows = [resourceIndex, patientRegistry, observationAlerts, imagingStudies];
const HUNDRED = 100;
const HOST = 'simulator-main';

/** Measures the cost of each kind of event, with every built-in workflow on. */
export async function costsOf({ postSize }: { postSize: number }): Promise<Cost[]> {
  const world = createWorld(postSize);
  const { fhir, images } = world;
  const patient = (n: number, more = {}) => ({
    resourceType: 'Patient',
    id: `p${n}`,
    identifier: [{ system: 'https://hospital.example/mrn', value: `MRN-${n}` }],
    name: [{ family: `Nguyen${n}`, given: ['Linh'] }],
    ...more,
  });
  const observation = (id: string, code: string, value: number, unit: string, at: string) => ({
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code }] },
    subject: { reference: `Patient/${id}` },
    effectiveDateTime: at,
    valueQuantity: { value, unit, system: 'http://unitsofmeasure.org', code: unit },
  });
  const MORNING = '2026-03-02T08:00:00Z';
  const NOON = '2026-03-02T12:00:00Z';

  return [
    await world.measure('Patient created', (n) => fhir.put(patient(n))),
    await world.measure('Patient updated, same names', (n) => fhir.put(patient(n, { active: true }))),
    await world.measure('Patient deleted', (n) => fhir.remove('Patient', `p${n}`)),
    await world.measure('Observation created, no rule', (n) =>
      fhir.put(observation(`o${n}`, '8302-2', 170, 'cm', NOON)),
    ),
    await world.measure('Observation created, within limits', (n) =>
      fhir.put(observation(`q${n}`, '2823-3', 4, 'mmol/L', NOON)),
    ),
    await world.measure('Observation created, an alert', (n) =>
      fhir.put(observation(`a${n}`, '2823-3', 6.5, 'mmol/L', NOON)),
    ),
    await world.measure('Observation created, first of its kind', (n) =>
      fhir.put(observation(`h${n}`, '718-7', 12, 'g/dL', MORNING)),
    ),
    await world.measure('Observation created, the next of its kind', (n) =>
      fhir.put({ ...observation(`i${n}`, '718-7', 11.5, 'g/dL', NOON), subject: { reference: `Patient/h${n}` } }),
    ),
    await world.measure('Observation updated, within limits', (n) =>
      fhir.put(observation(`q${n}`, '2823-3', 4.1, 'mmol/L', NOON)),
    ),
    await world.measure('Observation deleted, with an alert', (n) => fhir.remove('Observation', `a${n}`)),
    await world.measure('Encounter created', (n) => fhir.put({ resourceType: 'Encounter', id: `e${n}` })),
    await world.measure('Encounter updated', (n) =>
      fhir.put({ resourceType: 'Encounter', id: `e${n}`, status: 'finished' }),
    ),
    await world.measure('Encounter deleted', (n) => fhir.remove('Encounter', `e${n}`)),
    await world.measure('image created', (n) => images.store(n)),
    await world.measure('image updated', (n) => images.updateAll(n)),
    await world.measure('image deleted', (n) => images.remove(n)),
  ];
}

/** The app with counting stores in memory, and simulated services to read from. */
function createWorld(postSize: number) {
  const clock = createFakeClock();
  const random = seededRandom(1);
  const counts = { requests: 0, entities: 0, reads: 0, service: 0 };
  let changes: ServiceChange[] = [];
  const publish = (made: readonly ServiceChange[]) => void changes.push(...made);
  const fhir = new FhirService({ host: `${HOST}.fhir.azurehealthcareapis.com`, clock, random, publish });
  const dicom = new DicomService({ host: `${HOST}.dicom.azurehealthcareapis.com`, clock, random, publish });
  const { app } = composeMemoryApp({
    workflows,
    clock,
    random,
    env: { SIMULATOR: 'on', LOOKUP_KEY: Buffer.alloc(32, 7).toString('base64') },
    stores: { tables: counted(createMemoryTableStore({ clock }), counts) },
  });
  const find = findInProcess({
    serviceNames: () => ['main'],
    services: () => ({ fhir, dicom }),
  } as unknown as Simulator);
  app.readers.answerInProcess((kind, host) => {
    const service = find(kind, host);
    return (
      service &&
      ((request) => {
        counts.service += 1;
        return service(request);
      })
    );
  });
  const services = { fhir, dicom, makesEvents: { fhir: true, dicom: true } };
  const scenario = createScenarioWorld({ services, random, clock, left: () => 0 });
  const study = makeStudy(random, clock.now());
  const stored = Array.from({ length: HUNDRED }, (_, n) => makeImage(random, study, n));

  return {
    fhir: { put: scenario.update, remove: scenario.remove },
    images: {
      store: (n: number) => void scenario.store(stored[n] ?? {}),
      /** Updates all images at once, as the service does. */
      updateAll: (n: number) =>
        void (
          n === 0 &&
          scenario.updateStudy(study.studyUid, { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Other^Name' }] } })
        ),
      remove: (n: number) =>
        scenario.removeImages({ studyUid: study.studyUid, seriesUid: study.seriesUid, instanceUid: uidOf(stored[n]) }),
    },

    /** Makes a hundred changes, delivers their events in POSTs of `postSize`, and returns the mean cost. */
    async measure(what: string, change: (n: number) => void): Promise<Cost> {
      const before = { ...counts };
      clock.advance(60_000);
      for (let n = 0; n < HUNDRED; n += 1) change(n);
      const events = changes.map((one, n) =>
        writeEvent(topicEventOf(one, { id: `${what} ${n}`, source: '/subscriptions/1' }), 'CloudEventSchemaV1_0'),
      );
      changes = [];
      if (events.length !== HUNDRED) throw new Error(`${what}: ${events.length} events`);
      const { jobsCompleted } = app.telemetry.counters;
      for (let at = 0; at < HUNDRED; at += postSize) await app.pipeline.deliver(events.slice(at, at + postSize));
      if (app.telemetry.counters.jobsCompleted < jobsCompleted + HUNDRED) throw new Error(`${what}: not completed`);
      const each = (after: number, first: number) => (after - first) / HUNDRED;
      return {
        what,
        requests: each(counts.requests, before.requests),
        entities: each(counts.entities, before.entities),
        reads: each(counts.reads, before.reads),
        serviceRequests: each(counts.service, before.service),
      };
    },
  };
}

function counted(store: TableStore, counts: { requests: number; entities: number; reads: number }): TableStore {
  const read = () => {
    counts.requests += 1;
    counts.reads += 1;
  };
  return {
    ...store,
    commit(table, partition, operations, ...rest) {
      counts.requests += 1;
      counts.entities += operations.length;
      return store.commit(table, partition, operations, ...rest);
    },
    read(...all) {
      read();
      return store.read(...all);
    },
    query(table, asked, ...rest) {
      if (asked.partition !== 'pauses') read(); // no cost of an event: one read in 10 s, whatever comes
      return store.query(table, asked, ...rest);
    },
  };
}

function uidOf(image: ReturnType<typeof makeImage> | undefined): string {
  return String(image?.['00080018']?.Value?.[0]);
}
