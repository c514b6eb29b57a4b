import { type InvocationContext, trigger } from '@azure/functions';
import { errorCodeOf } from '../errors.js';
import { parseJson } from '../json-text.js';
import type { ReceivedMessage } from '../storage/queue-store.js';
import type { App } from './compose.js';
import type { FunctionApp } from './serve.js';

/** The targets of Event Grid's subscriptions, one for each service. Each accepts events of other types, too. */
export const EVENT_GRID_FUNCTIONS = ['fhirEvents', 'dicomEvents'];

/** Hands a whole batch to one invocation: five times the throughput of one invocation per event. */
export const eventGridTrigger = trigger.generic({ type: 'eventGridTrigger', cardinality: 'many' });

const EVERY_MINUTE = '15 * * * * *';
/** A received message is hidden for longer than its delivery takes, which is at most 25 s. */
const HIDDEN_MS = 60_000;
/** A run of the timer stops after this time. The next run delivers the rest. */
const POISON_MS = 40_000;

type Deps = Pick<App, 'config' | 'pipeline' | 'stores' | 'clock' | 'telemetry'>;

/** Registers the functions that take events: those of the webhook, or those that read the queue `events`, never both. */
export function registerEventGrid(functions: FunctionApp, deps: Deps): void {
  const { config, pipeline } = deps;
  const deliver = (input: unknown, { traceContext }: InvocationContext) =>
    pipeline.deliver(eventsIn(input), traceContext?.traceParent);
  if (config.ingress.kind === 'webhook') {
    for (const name of EVENT_GRID_FUNCTIONS) functions.generic(name, { trigger: eventGridTrigger, handler: deliver });
    return;
  }
  // I1: the host deletes a message when the function has returned. I2: if it throws, the message is visible again after
  // 30 s, any number of times (host.json).
  functions.storageQueue('queuedEvents', {
    queueName: 'events',
    connection: config.ingress.connection,
    handler: deliver,
  });
  functions.timer('poisonedEvents', { schedule: EVERY_MINUTE, handler: () => deliverPoisoned(deps) });
}

/** Returns the events of an input. A host can pass a single event without an array, and a message of the queue holds one. */
function eventsIn(input: unknown): readonly unknown[] {
  return Array.isArray(input) ? input : [input];
}

/**
 * I3: delivers the messages that the host has moved to the poison queue, because they are not base64.
 *
 *   process dies before the events are safe    the messages are visible again after a minute
 *   process dies before the deletes            the same, and the ledger knows the events
 *   two runs at once                           each gets other messages; if both get one, the ledger knows its event
 */
async function deliverPoisoned({ stores, pipeline, clock, telemetry }: Deps): Promise<void> {
  const { poison } = stores.eventQueues ?? {};
  const untilMs = clock.monotonic() + POISON_MS;
  let count = 0;
  try {
    while (poison && clock.monotonic() < untilMs) {
      const messages = await poison.receive(HIDDEN_MS);
      if (messages.length === 0) break;
      await pipeline.deliver(messages.flatMap((message) => eventsIn(decode(message))));
      await Promise.all(messages.map((message) => poison.delete(message))); // I1
      count += messages.length;
    }
    if (count > 0) telemetry.log('warn', 'poison-taken', { count });
  } catch (error) {
    telemetry.log('error', 'poison-left', { errorCode: errorCodeOf(error) });
  }
}

/** Returns the event in a message of either encoding; the text of a message without JSON, for a dead letter. */
function decode({ text }: ReceivedMessage): unknown {
  const decoded = Buffer.from(text, 'base64').toString();
  for (const json of [text, decoded]) {
    const event = parseJson(json);
    if (event !== undefined) return event;
  }
  return text;
}
