import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bundleOf, entryOf } from '../reconcile/services.js';

// A FHIR service with changes of patients in the last days, and the events of these changes.

/** A change of a patient. `time` is that of the service's history, `eventTime` that of the event. */
export type PatientChange = {
  readonly id: string;
  /** 1 for the first resource with this id; 2 for the one that was created after a hard delete. */
  readonly incarnation: number;
  readonly version: number;
  readonly change: 'created' | 'updated' | 'deleted';
  readonly time: string;
  readonly eventTime: string;
  /** `late`: after reconciliation. `never`: Event Grid drops the event. */
  readonly delivery: 'early' | 'late' | 'never';
  /** Whether history has the change: a hard delete removes all changes of an incarnation. */
  readonly isKept: boolean;
};

export const HOST = 'night-main.fhir.azurehealthcareapis.com';
export const SOURCE = '/subscriptions/s/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/night';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The first day of the changes, within the retention of the ledger. */
const DAYS_AGO = 3;
const ORDINARY = 50;
const RECREATED = 12;
const REMOVED = 6;
const AT_MIDNIGHT = 24;
/** The share of events that Event Grid drops. It also drops all events of the silent hours. */
const LOST = 0.05;
const SILENT = { fromHour: 20, toHour: 23 };
/** The share of lost events that arrive late. */
const LATE = 0.6;
/** Pages are small, so that a read takes many. */
const MAX_PAGE = 25;

export type World = {
  /** The beginning of the first day. */
  readonly since: string;
  readonly changes: readonly PatientChange[];
  readonly random: () => number;
};

/** Makes the changes of some 100 patients. The same seed and day give the same changes. */
export function createWorld(random: () => number, now: Date): World {
  const firstDayMs = Date.parse(`${now.toISOString().slice(0, 10)}T00:00:00.000Z`) - DAYS_AGO * 24 * HOUR_MS;
  const make = createMaker(random, firstDayMs);
  const ids = (count: number, prefix: string) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);
  const changes = [
    ...ids(ORDINARY, 'p').flatMap((id) => make.incarnation({ id, fromHour: 12 + random() * 30, isKept: true })),
    ...ids(RECREATED, 'recreated').flatMap((id, n) => [
      ...make.incarnation({ id, fromHour: 1 + n, isKept: false }),
      // Some incarnations begin on the same day, some on the next.
      ...make.incarnation({ id, incarnation: 2, fromHour: 8 + n * 2, isKept: true }),
    ]),
    ...ids(REMOVED, 'removed').flatMap((id) => make.incarnation({ id, fromHour: 10 + random() * 20, isKept: false })),
    ...ids(AT_MIDNIGHT, 'midnight').map((id, n) => make.atMidnight(id, n)),
  ];
  return { since: new Date(firstDayMs).toISOString(), changes, random };
}

type Incarnation = { id: string; incarnation?: number; fromHour: number; isKept: boolean };

function createMaker(random: () => number, firstDayMs: number) {
  const at = (ms: number) => new Date(ms).toISOString();

  function deliveryOf(hour: number, isKept: boolean): PatientChange['delivery'] {
    const isLost = random() < LOST || (hour >= SILENT.fromHour && hour < SILENT.toHour);
    if (!isLost) return 'early';
    return random() < LATE || !isKept ? 'late' : 'never'; // nobody can find a change without event and history
  }

  return {
    /** Created, some updates, and maybe a soft delete with an update after it. */
    incarnation({ id, incarnation = 1, fromHour, isKept }: Incarnation): PatientChange[] {
      const count = 2 + Math.floor(random() * 4);
      const deletedAt = random() < 0.2 ? count : random() < 0.3 ? count - 1 : 0;
      let ms = firstDayMs + fromHour * HOUR_MS;
      return Array.from({ length: count }, (_, n) => {
        ms += Math.floor((1 + random() * 15) * MINUTE_MS);
        const version = n + 1;
        const change = version === 1 ? 'created' : version === deletedAt ? 'deleted' : 'updated';
        const delivery = deliveryOf((ms - firstDayMs) / HOUR_MS, isKept);
        const eventTime = at(ms + Math.floor(random() * 3000));
        return { id, incarnation, version, change, time: at(ms), eventTime, delivery, isKept };
      });
    },

    /** History and the event are on two days. */
    atMidnight(id: string, n: number): PatientChange {
      const [before, after] = [-1, 1].map((sign) => at(firstDayMs + 24 * HOUR_MS + sign * (1 + random() * 3000)));
      const [time, eventTime] = (n % 2 === 0 ? [before, after] : [after, before]) as [string, string];
      const delivery = (['early', 'late', 'never'] as const)[Math.floor(n / 2) % 3] ?? 'early';
      return { id, incarnation: 1, version: 1, change: 'created', time, eventTime, delivery, isKept: true };
    },
  };
}

/** Returns the newest change of each patient, by id. */
export function newestOf(changes: readonly PatientChange[]): Map<string, PatientChange> {
  return new Map(changes.toSorted(byTime).map((change) => [change.id, change]));
}

/** Returns the event of a change, in the schema with this name. */
export function eventOf(made: PatientChange, schema: 'cloud-event' | 'event-grid') {
  const { id: resourceId, version, change, eventTime } = made;
  const data = { resourceType: 'Patient', resourceFhirAccount: HOST, resourceFhirId: resourceId };
  const subject = `${HOST}/Patient/${resourceId}`;
  const id = `event-${nameOf(made)}`;
  const type = `Microsoft.HealthcareApis.FhirResource${change.charAt(0).toUpperCase()}${change.slice(1)}`;
  const whole = { ...data, resourceVersionId: version };
  return schema === 'cloud-event'
    ? { id, source: SOURCE, specversion: '1.0', type, subject, time: eventTime, data: whole }
    : { id, topic: SOURCE, eventType: type, subject, eventTime, data: whole, dataVersion: '1', metadataVersion: '1' };
}

export function nameOf({ id, incarnation, version }: PatientChange): string {
  return `${id}-incarnation${incarnation}-v${version}`;
}

/** A FHIR service over HTTP that has the kept changes. `asked` counts the pages that it was asked for. */
export async function startFhirService(changes: readonly PatientChange[]) {
  const kept = changes.filter(({ isKept }) => isKept).sort(byTime);
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    const url = new URL(request.url ?? '', `http://${request.headers.host}`);
    if (/^(\/Patient)?\/_history$/.test(url.pathname)) answerHistory(kept, { url, response });
    else answerRead(kept, { url, response });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

type Asked = { url: URL; response: ServerResponse };

function answerHistory(kept: readonly PatientChange[], { url, response }: Asked): void {
  const { searchParams: query } = url;
  const [since, before] = [query.get('_since') ?? '', query.get('_before') ?? '~'];
  const matching = kept.filter(({ time }) => time >= since && time < before);
  if (query.get('_sort') !== '_lastUpdated') matching.reverse();
  const from = Number(query.get('ct') ?? 0);
  const to = from + Math.min(MAX_PAGE, Number(query.get('_count') ?? 10));
  url.searchParams.set('ct', String(to));
  const entries = matching
    .slice(from, to)
    .map(({ change, ...version }) =>
      entryOf({ type: 'Patient', ...version, ...(change === 'deleted' && { method: 'DELETE' }) }),
    );
  respond(response, 200, bundleOf(entries, to < matching.length ? url.href : undefined));
}

/** Answers 410 for a deleted patient, 404 for a hard-deleted one. */
function answerRead(kept: readonly PatientChange[], { url, response }: Asked): void {
  const newest = newestOf(kept).get(url.pathname.replace('/Patient/', ''));
  if (!newest) respond(response, 404, { resourceType: 'OperationOutcome' });
  else if (newest.change === 'deleted') respond(response, 410, { resourceType: 'OperationOutcome' });
  else respond(response, 200, entryOf({ type: 'Patient', ...newest }).resource);
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(body));
}

function byTime(one: PatientChange, other: PatientChange): number {
  return one.time < other.time ? -1 : one.time > other.time ? 1 : 0;
}
