import { mulberry32 } from '../src/simulator/seeded.js';

/** Generates the JSON texts of FHIR events as Event Grid sends them. */
export type Events = { next(): string };

type Options = {
  /** The same run and number give the same event. Each run has a separate day, and so a separate ledger table. */
  run: number;
  /** The number of the first event. */
  from?: number;
  /** The share of events that copy an earlier event of this run. */
  duplicates?: number;
  resourceType?: string;
};

const DAY_MS = 24 * 3_600_000;
const FIRST_DAY_MS = Date.UTC(2024, 0, 1);
/** The workspace of all events. */
export const SOURCE =
  '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/bench/providers/Microsoft.HealthcareApis/workspaces/bench';
const HOST = 'bench-fhir.fhir.azurehealthcareapis.com';
/** Every fifth event updates the resource of the event UPDATES_BEHIND events before, which is settled by then. */
const UPDATE_EVERY = 5;
const UPDATES_BEHIND = 2001;

let runs = 0;

/** Returns a new run number, so that a measurement begins with empty tables. */
export function newRun(): number {
  runs += 1;
  return runs;
}

/** Returns a generator of events of FHIR resources: four of five create a resource, the fifth updates one. */
export function createEvents({ run, from = 0, duplicates = 0, resourceType = 'Observation' }: Options): Events {
  let count = from;
  const random = mulberry32(run); // the same in each run of the bench
  return {
    next() {
      const isDuplicate = count > from && random() < duplicates;
      const number = isDuplicate ? from + Math.floor(random() * (count - from)) : count++;
      return eventText(run, number, resourceType);
    },
  };
}

/** Concatenates strings, which is cheap: the load generator shares the processors with the measured app. */
function eventText(run: number, number: number, resourceType: string): string {
  const isUpdate = number >= UPDATES_BEHIND && number % UPDATE_EVERY === UPDATE_EVERY - 1;
  const resourceId = uuid(run, isUpdate ? number - UPDATES_BEHIND : number);
  const version = isUpdate ? 2 : 1;
  const time = new Date(FIRST_DAY_MS + run * DAY_MS + (number % DAY_MS)).toISOString();
  return (
    `{"id":"${uuid(run, number)}","topic":"${SOURCE}","subject":"${HOST}/${resourceType}/${resourceId}",` +
    `"data":{"resourceType":"${resourceType}","resourceFhirAccount":"${HOST}",` +
    `"resourceFhirId":"${resourceId}","resourceVersionId":${version}},` +
    `"eventType":"Microsoft.HealthcareApis.FhirResource${isUpdate ? 'Updated' : 'Created'}",` +
    `"dataVersion":"${version}","metadataVersion":"1","eventTime":"${time}"}`
  );
}

function uuid(run: number, number: number): string {
  return `${run.toString(16).padStart(8, '0')}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}
