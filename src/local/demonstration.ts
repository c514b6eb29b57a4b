import { randomBytes } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import { type Clock, sleep } from '../clock.js';
import type { Config } from '../config.js';
import { printable } from '../printable.js';
import { FLAKY_PREFIX } from './demo-flaky.js';

type Deps = { url: string; config: Config; clock: Clock };

/** A line for a step: what was done, the status of the answer, and the result of its event. */
type Row = { readonly what: string; readonly answer: number; readonly outcomes: readonly string[] };

/** A change of a resource in the simulated FHIR service. */
type Step = { readonly what: string; readonly method: 'PUT' | 'DELETE'; readonly path: string; readonly body?: object };

/** More than a retry takes: it is due after some seconds, is found within 10 s, and its queue is polled every 2 s. */
const MAX_WAIT_MS = 60_000;
const LOOK_AGAIN_MS = 500;
/** A terminal has 80 columns; four are margins. */
const MAX_LINE = 76;
/** Storage dates blobs in whole seconds, by its own clock. */
const CLOCKS_DIFFER_MS = 5000;
const NO_EVENT = 'no event: nothing has changed';
const MEANINGS = [
  ['completed', 'the workflow has handled the event, in this many tries'],
  ['superseded', 'a newer version was applied before: nothing was left to do'],
  ['dead-lettered', 'the workflow has failed for good: the job is a dead letter'],
  ['a dead letter', 'kept with the reason, to be corrected and run again'],
  ['not settled yet', 'the app still works on the event'],
] as const;

/** Changes resources of the simulator one after another, and prints the outcome of each event. Never throws. */
export async function demonstrate(deps: Deps): Promise<void> {
  process.stdout.write(
    '\nThe demonstration changes resources in a simulated FHIR service. A simulated\nEvent Grid delivers the events of the changes to the app. Each step is shown\nwith the status of the answer and the outcome of the event.\n\n',
  );
  try {
    const since = new Date(deps.clock.now().getTime() - CLOCKS_DIFFER_MS);
    const rows: Row[] = [];
    for (const step of planSteps()) {
      const { answer, event } = await makeChange(step, deps);
      // Wait for the outcome here: the next change would supersede this one.
      const outcomes = event ? [...(await outcomeOf(event, deps)), `event ${event}`] : [NO_EVENT];
      rows.push({ what: step.what, answer, outcomes });
    }
    if (deps.config.ingress.kind === 'webhook') rows.push(await sendInvalid(deps, since));
    const all = rows.flatMap(({ outcomes }) => outcomes).join();
    const meanings = MEANINGS.filter(([outcome]) => all.includes(outcome));
    const width = Math.max(...meanings.map(([outcome]) => outcome.length));
    const legend = meanings.map(([outcome, meaning]) => `  ${outcome.padEnd(width)}   ${meaning}\n`).join('');
    process.stdout.write(`${textOfRows(rows)}\n${legend}`);
  } catch (error) {
    process.stdout.write(`The demonstration failed; the app continues: ${printable((error as Error).message)}\n`);
  }
}

function planSteps(): Step[] {
  const run = randomBytes(3).toString('hex');
  const path = `Patient/demo-${run}`;
  const patient = (family: string) => ({ resourceType: 'Patient', id: `demo-${run}`, name: [{ family }] });
  const flaky = `${FLAKY_PREFIX}${run}`;
  return [
    { what: 'create a Patient', method: 'PUT', path, body: patient('Nguyen') },
    { what: 'update it', method: 'PUT', path, body: patient('Okafor') },
    { what: 'update it to the same', method: 'PUT', path, body: patient('Okafor') },
    { what: 'delete it', method: 'DELETE', path },
    {
      what: 'fails, then succeeds',
      method: 'PUT',
      path: `Basic/${flaky}`,
      body: { resourceType: 'Basic', id: flaky, code: { text: 'demo' } },
    },
  ];
}

/** Makes the change of a step. Returns the status of the answer, and the new event of the resource, if there is one. */
async function makeChange(step: Step, { url }: Deps) {
  const { method, path, body } = step;
  const before = await newestEventOf(path, url);
  const { status } = await fetch(`${url}/api/simulator/fhir/${path}`, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/fhir+json' } }),
  });
  const event = await newestEventOf(path, url);
  return { answer: status, event: event === before ? undefined : event };
}

async function newestEventOf(path: string, url: string): Promise<string | undefined> {
  type Events = { events: { id: string }[] };
  return (await get<Events>(`${url}/api/simulator/events?subject=${encodeURIComponent(path)}`)).events[0]?.id;
}

/** Waits for the outcome of an event, and returns it in words; `not settled yet` after MAX_WAIT_MS. */
async function outcomeOf(id: string, { url, clock }: Deps): Promise<readonly string[]> {
  return lookUntilFound(clock, ['not settled yet; look again at', `${url}/api/events/${id}`], async () => {
    if (await isDelivering(url)) return undefined; // a queued job has no record yet
    return describeOutcomes(await get<Found>(`${url}/api/events/${id}`));
  });
}

async function isDelivering(url: string): Promise<boolean> {
  const { eventGrid } = await get<{ eventGrid: Record<string, { pending: number }> }>(`${url}/api/simulator`);
  return Object.values(eventGrid).some(({ pending }) => pending > 0);
}

async function get<T>(url: string): Promise<T> {
  return (await fetch(url)).json() as Promise<T>;
}

async function sendInvalid({ url, config, clock }: Deps, since: Date): Promise<Row> {
  const id = `demo-${randomBytes(3).toString('hex')}-invalid`;
  const { status } = await fetch(`${url}/runtime/webhooks/EventGrid?functionName=fhirEvents`, {
    method: 'POST',
    headers: { 'aeg-event-type': 'Notification', 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify([{ id, eventType: 'Microsoft.HealthcareApis.FhirResourceCreated', data: {} }]),
  });
  const inContainer = ['a dead letter, in the container dead-letters'];
  const outcomes = await lookUntilFound(clock, inContainer, async () => {
    if (config.storage.kind === 'identity') return inContainer;
    const name = await findDeadLetter(config.storage.connectionString, id, since);
    return name === undefined ? undefined : ['a dead letter, with this id:', name];
  });
  return { what: 'send an invalid event', answer: status, outcomes };
}

/** Returns the name of the dead letter that holds `text` and was written after `since`, if there is one yet. */
async function findDeadLetter(connectionString: string, text: string, since: Date): Promise<string | undefined> {
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient('dead-letters');
  if (!(await container.exists())) return undefined;
  for await (const { name, properties } of container.listBlobsFlat({ prefix: 'pending/invalid/' })) {
    if (properties.lastModified < since) continue;
    const content = await container.getBlobClient(name).downloadToBuffer();
    if (content.includes(text)) return name;
  }
  return undefined;
}

/** Calls `look` again and again until it returns a value. Returns `fallback` after MAX_WAIT_MS. */
async function lookUntilFound<T>(clock: Clock, fallback: T, look: () => Promise<T | undefined>): Promise<T> {
  const giveUpAtMs = clock.monotonic() + MAX_WAIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (clock.monotonic() >= giveUpAtMs) return fallback;
    await sleep(clock, LOOK_AGAIN_MS);
  }
}

type Found = {
  events?: { state: 'open' | 'settled'; workflows: Record<string, { status: string; tries: number }> }[];
};

/** Returns the outcome of each workflow in words; undefined while a job of the event is open. */
function describeOutcomes({ events = [] }: Found): string[] | undefined {
  const [event] = events;
  if (event?.state !== 'settled') return undefined;
  return Object.entries(event.workflows).map(
    ([name, { status, tries }]) => `${name} ${status} (${tries} ${tries === 1 ? 'try' : 'tries'})`,
  );
}

function textOfRows(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ what }) => what.length));
  const lines = rows.flatMap(({ what, answer, outcomes }) =>
    outcomes.map((outcome, at) => {
      const first = (at === 0 ? `${what.padEnd(width)}  ${answer}` : '').padEnd(width + 5);
      const isWide = first.length + outcome.length > MAX_LINE;
      return `  ${isWide ? '  ' : `${first}  `}${printable(outcome)}\n`;
    }),
  );
  return lines.join('');
}
