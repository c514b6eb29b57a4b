import { type Clock, sleep } from '../../clock.js';
import { systemRandom } from '../../functions/random.js';
import type { ServiceChange } from '../../simulator/changes.js';
import { topicEventOf, writeEvent } from '../../simulator/event-grid/topic-event.js';
import { eventIdOf, RUN_PREFIX } from '../../simulator/runs/event-name.js';
import { play } from '../../simulator/runs/play.js';
import { type RunRequest, readRunRequest } from '../../simulator/runs/run-request.js';
import { seededRandom, uuidOf } from '../../simulator/seeded.js';
import { createServices } from '../../simulator/services.js';
import { createWorld } from '../../simulator/world.js';
import { StartError } from '../host/start-error.js';
import { OptionError } from '../options.js';
import { textOfProblems } from './options.js';

type Options = Partial<Record<'topic-endpoint' | 'topic-key', string | undefined>>;

type Event = Record<string, unknown>;
type Send = (events: Event[]) => Promise<void>;

/** Event Grid accepts 1 MB per request; an event has about 700 bytes. */
const MAX_PER_REQUEST = 500;
const MAX_WAITING = 10_000;
const POLL_MS = 20;
const SOURCE = '/subscriptions/1/resourceGroups/simulator/providers/Microsoft.HealthcareApis/workspaces/simulator';

/**
 * Publishes the events of a scenario to a custom topic in Azure; the app there shows their outcomes. Returns the exit
 * code: 0 or 130.
 */
export async function sendToTopic(
  options: Options,
  request: Record<string, unknown>,
  { clock, signal, send }: { clock: Clock; signal: AbortSignal; send?: Send },
): Promise<number> {
  const read = readRunRequest(request, Math.floor(systemRandom.number() * 2 ** 32));
  if (read.kind === 'wrong') throw new OptionError(textOfProblems(read.problems, {}));
  const publish = send ?? (await createSender(options));
  const waiting: Event[] = [];
  let isOver = false;
  const playing = playInto(waiting, read.request, { clock, signal }).finally(() => {
    isOver = true;
  });
  playing.catch(() => {}); // reported below
  let sent = 0;
  while (!signal.aborted && (waiting.length > 0 || !isOver)) {
    const batch = waiting.splice(0, MAX_PER_REQUEST);
    if (batch.length > 0) await publish(batch);
    else await sleep(clock, POLL_MS);
    sent += batch.length;
  }
  await playing.catch(({ message }: Error) => {
    throw new StartError(`The scenario failed after ${sent} events were sent: ${message}`);
  });
  process.stdout.write(`Sent ${sent} events to the topic, seed ${read.request.seed}.\n`);
  return signal.aborted ? 130 : 0;
}

/**
 * Plays a scenario in simulated services, and adds their events to `waiting`. The scenario waits while that is full.
 */
function playInto(
  waiting: Event[],
  request: RunRequest,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  const { seed, events, chaos } = request;
  const random = seededRandom(seed);
  const runId = uuidOf(systemRandom).slice(0, 8); // so that another run with the same seed has other ids
  let made = 0;
  const publish = (changes: readonly ServiceChange[]) => {
    for (const change of changes) {
      const event = topicEventOf(change, { id: eventIdOf(runId, made), source: SOURCE });
      waiting.push(writeEvent(event, 'CloudEventSchemaV1_0'));
      made += 1;
    }
  };
  const withhold = (changes: readonly ServiceChange[]) => {
    made += changes.length;
  };
  const services = createServices({ name: `${RUN_PREFIX}${runId}`, clock, random, publish, withhold });
  const world = createWorld({ services, random, clock, left: () => events - made });
  const isFull = () => waiting.length >= MAX_WAITING;
  return play({ ...request, world, burstMs: chaos.burstMs, isFull, clock, signal });
}

/** Returns a function that sends events to the topic. @throws OptionError where the endpoint is no URL */
async function createSender(options: Options): Promise<Send> {
  const endpoint = options['topic-endpoint'] ?? '';
  if (!URL.canParse(endpoint))
    throw new OptionError(
      `--topic-endpoint is '${endpoint}', must be a URL such as https://….eventgrid.azure.net/api/events.`,
    );
  const key = options['topic-key'] ?? process.env.EVENTGRID_TOPIC_KEY;
  const { AzureKeyCredential, EventGridPublisherClient } = await import('@azure/eventgrid');
  const { DefaultAzureCredential } = await import('@azure/identity');
  const credential = key ? new AzureKeyCredential(key) : new DefaultAzureCredential();
  const client = new EventGridPublisherClient(endpoint, 'CloudEvent', credential);
  return async (events) => {
    try {
      await client.send(events.map(toCloudEvent));
    } catch (error) {
      const { statusCode, code } = error as { statusCode?: number; code?: string };
      throw new StartError(
        `The topic did not take the events (${statusCode ?? code ?? 'no answer'}). It must take CloudEvents 1.0, and the ` +
          'key or identity must be allowed to send (role EventGrid Data Sender).',
      );
    }
  };
}

function toCloudEvent({ id, type, source, subject, time, data }: Event) {
  return {
    id: String(id),
    type: String(type),
    source: String(source),
    subject: String(subject),
    time: new Date(String(time)),
    data: data as Record<string, unknown>,
    datacontenttype: 'application/json',
  };
}
