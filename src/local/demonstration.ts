import { randomBytes } from 'node:crypto';
import { type Clock, sleep } from '../clock.js';
import type { Config } from '../config.js';
import { CONTENT_TYPES, DEMO_WORKSPACE, type DemoEvent, type Schema, writeEvent } from './demo-events.js';
import { FLAKY_PREFIX } from './demo-flaky.js';
import { findDeadLetter } from './find-dead-letter.js';

type Deps = { url: string; config: Config; clock: Clock };

/** What is delivered, in this order. */
type Delivery = { readonly what: string; readonly event: DemoEvent; readonly isInvalid?: true };

/** A retry is woken by a timer every 10 s, and the queue between is polled every 2 s. */
const LONGEST_WAIT_MS = 60_000;
const LOOK_AGAIN_MS = 500;
/** Storage counts in whole seconds, by a clock of its own. */
const CLOCKS_DIFFER_MS = 5000;

/** Delivers six events as Event Grid does, waits until each is settled, and prints what became of them. Never throws. */
export async function demonstrate(deps: Deps): Promise<void> {
  process.stdout.write(
    '\nThe demonstration: six deliveries, as from Event Grid. The fourth must not run again; the last fails first.\n\n',
  );
  try {
    const since = new Date(deps.clock.now().getTime() - CLOCKS_DIFFER_MS);
    const rows: string[][] = [['delivered', 'event', 'schema', 'answer', 'what became of it']];
    const answers: { delivery: Delivery; answer: number }[] = [];
    for (const delivery of planDeliveries(deps)) answers.push({ delivery, answer: await deliver(delivery, deps.url) });
    for (const { delivery, answer } of answers) {
      const { what, event } = delivery;
      rows.push([what, event.id, event.schema, String(answer), await followUp(delivery, since, deps)]);
    }
    process.stdout.write(writeTable(rows));
  } catch (error) {
    process.stdout.write(`The demonstration failed, the app goes on: ${(error as Error).message}\n`);
  }
}

function planDeliveries({ config, clock }: Deps): Delivery[] {
  const run = randomBytes(3).toString('hex');
  const make = (name: string, version: number, schema: Schema, more: Partial<DemoEvent> = {}): DemoEvent => ({
    id: `demo-${run}-${name}`,
    schema,
    change: 'created',
    resourceType: 'Patient',
    resourceId: `demo-${run}`,
    version,
    workspace: config.workspaces?.[0] ?? DEMO_WORKSPACE,
    at: new Date(clock.now().getTime() + version),
    ...more,
  });
  const created = make('created', 1, 'eventGrid');
  return [
    { what: 'created', event: created },
    { what: 'updated', event: make('updated', 2, 'cloudEvents', { change: 'updated' }) },
    { what: 'deleted', event: make('deleted', 3, 'eventGrid', { change: 'deleted' }) },
    { what: 'created, again', event: created },
    {
      what: 'invalid: no resource type',
      event: make('invalid', 1, 'cloudEvents', { resourceType: '' }),
      isInvalid: true,
    },
    {
      what: 'fails, then succeeds',
      event: make('flaky', 1, 'eventGrid', { resourceType: 'Basic', resourceId: `${FLAKY_PREFIX}${run}` }),
    },
  ];
}

async function deliver({ event }: Delivery, url: string): Promise<number> {
  const headers = { 'aeg-event-type': 'Notification', 'content-type': CONTENT_TYPES[event.schema] };
  const written = writeEvent(event);
  const body = JSON.stringify(event.schema === 'eventGrid' ? [written] : written);
  const response = await fetch(`${url}/runtime/webhooks/EventGrid?functionName=fhirEvents`, {
    method: 'POST',
    headers: { ...headers, 'aeg-delivery-count': '0', 'aeg-subscription-name': 'DEMO', 'aeg-metadata-version': '1' },
    body,
  });
  return response.status;
}

/** In words, or `not settled yet` when the time is over. */
async function followUp({ event, isInvalid }: Delivery, since: Date, { url, config, clock }: Deps): Promise<string> {
  const giveUpAt = clock.monotonic() + LONGEST_WAIT_MS;
  let outcome: string | undefined;
  while (outcome === undefined && clock.monotonic() < giveUpAt) {
    if (isInvalid) {
      const name = await findDeadLetter(config.storage, event.id, since);
      if (name) outcome = `a dead letter: ${name}`;
      else if (config.storage.kind === 'identity') return 'a dead letter, in the container dead-letters';
    } else outcome = describeOutcome((await (await fetch(`${url}/api/events/${event.id}`)).json()) as Found);
    if (outcome === undefined) await sleep(clock, LOOK_AGAIN_MS);
  }
  return outcome ?? `not settled after ${LONGEST_WAIT_MS / 1000} s; see ${url}/api/events/${event.id}`;
}

type Found = {
  events?: { state: 'open' | 'settled'; workflows: Record<string, { status: string; tries: number }> }[];
};

/** Undefined while it is open. */
function describeOutcome({ events = [] }: Found): string | undefined {
  const [event] = events;
  if (event?.state !== 'settled') return undefined;
  return Object.entries(event.workflows)
    .map(([name, { status, tries }]) => `${name} ${status} (${tries} ${tries === 1 ? 'try' : 'tries'})`)
    .join(', ');
}

function writeTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map(
      (row) =>
        `  ${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
}
