/** Texts of events of the FHIR service as Event Grid sends them, one after the other. */
export type Events = { next(): string };

type Options = {
  /** Events of the same run and number are the same; each run has a day, and so a ledger table, of its own. */
  run: number;
  /** The number of the first. */
  from?: number;
  /** The share that is a copy of an earlier one of this run. */
  duplicates?: number;
  resourceType?: string;
};

const DAY_MS = 24 * 3_600_000;
const FIRST_DAY_MS = Date.UTC(2024, 0, 1);
const SOURCE =
  '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/bench/providers/Microsoft.HealthcareApis/workspaces/bench';
const HOST = 'bench-fhir.fhir.azurehealthcareapis.com';
/** Every fifth event updates what was created so many events before, and is settled by then. */
const UPDATE_EVERY = 5;
const UPDATES_BEHIND = 2001;

let runs = 0;

/** A run that no other measurement of this process has: its tables begin empty. */
export function newRun(): number {
  runs += 1;
  return runs;
}

export function createEvents({ run, from = 0, duplicates = 0, resourceType = 'Observation' }: Options): Events {
  let count = from;
  const random = createRandom(run);
  return {
    next() {
      const isDuplicate = count > from && random() < duplicates;
      const number = isDuplicate ? from + Math.floor(random() * (count - from)) : count++;
      return eventText(run, number, resourceType);
    },
  };
}

/** Put together by hand: whoever makes the load shares the processors with what it measures. */
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

/** Mulberry32: the same duplicates in every run of the bench. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
