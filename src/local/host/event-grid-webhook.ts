import { type Answer, type Request, textAnswer } from './answer.js';
import { parseAsHost } from './event-json.js';
import { describeError, type HostLog } from './host-log.js';
import type { Invoker } from './invoker.js';
import type { AppFunction } from './load-app.js';

/** Compared without case, unlike the function names. */
export const EVENT_GRID_PATH = '/runtime/webhooks/eventgrid';

type Deps = { functions: readonly AppFunction[]; invoker: Invoker; log: HostLog };

/** The Event Grid extension's webhook: which requests it takes, which function gets the events, what it answers. */
export function createEventGridWebhook({ functions, invoker, log }: Deps): (request: Request) => Promise<Answer> {
  const targets = new Map(functions.filter(isEventGridFunction).map((target) => [target.name, target]));
  return async (request) => {
    const name = queryValue(request.target, 'functionname');
    const target = targets.get(name);
    if (!target) return textAnswer(404, `cannot find function: '${name}'`);
    if (request.method === 'OPTIONS') return answerHandshake(request);
    try {
      switch (request.headers['aeg-event-type']?.toLowerCase()) {
        case 'subscriptionvalidation':
          return textAnswer(200, JSON.stringify({ validationResponse: validationCodeOf(jsonOf(request)) }));
        case 'notification':
          return await deliver(target, eventsOf(jsonOf(request)), invoker);
        case 'unsubscribe':
          return { status: 202 };
        default:
          return { status: 400 };
      }
    } catch (error) {
      log('error', `The webhook could not read a POST to '${name}': ${describeError(error)}`);
      return { status: 500 };
    }
  };
}

type Event = Record<string, unknown>;

/** One call with all the events, or one call an event, all at once. What fails, fails the whole POST. */
async function deliver(target: AppFunction, events: readonly Event[], invoker: Invoker): Promise<Answer> {
  // `int` is the one form that the library hands on as it is: the events are parsed already.
  const call = (input: unknown, data: unknown) => invoker.invoke(target, { int: input }, { data: { int: data } });
  const calls =
    target.trigger.cardinality === 'many'
      ? [call(events, dataOfAll(events))]
      : events.map((event) => call(event, event.data));
  const results = await Promise.allSettled(calls);
  const hasFailed = results.some(({ status }) => status === 'rejected');
  return hasFailed ? textAnswer(500, `Exception while executing function: Functions.${target.name}`) : { status: 202 };
}

function dataOfAll(events: readonly Event[]): unknown[] {
  return events.map((event) => event.data);
}

function isEventGridFunction({ trigger }: AppFunction): boolean {
  return trigger.type === 'eventgridtrigger';
}

function answerHandshake({ headers }: Request): Answer {
  return { status: 200, headers: { 'Webhook-Allowed-Origin': headers['webhook-request-origin'] ?? '' } };
}

function jsonOf({ body }: Request): unknown {
  const text = body.toString('utf8');
  return parseAsHost(text.startsWith('\uFEFF') ? text.slice(1) : text);
}

/** @throws TypeError where something else than an object stands for an event. */
function eventsOf(json: unknown): Event[] {
  const events = Array.isArray(json) ? json : [json];
  if (!events.every(isObject)) throw new TypeError('not an event');
  return events;
}

/** The first event's; a lone CloudEvent holds its data as a string of JSON. */
function validationCodeOf(json: unknown): string {
  const [event] = eventsOf(json);
  const data = typeof event?.data === 'string' ? JSON.parse(event.data) : event?.data;
  if (!isObject(data) || typeof data.validationCode !== 'string') throw new TypeError('no validation code');
  return data.validationCode;
}

function isObject(value: unknown): value is Event {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function queryValue(target: string, lowerName: string): string {
  const query = new URLSearchParams(target.split('?')[1]);
  for (const [name, value] of query) if (name.toLowerCase() === lowerName) return value;
  return '';
}
