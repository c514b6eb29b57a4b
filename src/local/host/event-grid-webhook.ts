import { jsonOf, parseAsHost } from './event-json.js';
import { describeError, type HostLog } from './host-log.js';
import type { Invoker } from './invoker.js';
import type { AppFunction } from './load-app.js';
import { type Answer, type Request, textAnswer } from './server.js';

/** The path, compared without case, unlike the function names. A slash and more text can follow. */
const EVENT_GRID_PATH = '/runtime/webhooks/eventgrid';
/** The webhooks of other extensions, which this host lacks. */
const WEBHOOKS_PATH = '/runtime/webhooks/';
const METHODS = ['GET', 'POST', 'DELETE', 'OPTIONS'];
/** Event Grid's name in the headers of CloudEvents. The handshake allows this origin where the request names none. */
export const EVENT_GRID_ORIGIN = 'eventgrid.azure.net';

type Deps = { functions: readonly AppFunction[]; invoker: Invoker; log: HostLog };

/**
 * Returns a handler like the webhook of the Event Grid extension: it answers the handshake and hands events to a
 * function. Returns undefined for a request to another path.
 */
export function createEventGridWebhook(deps: Deps): (request: Request) => Promise<Answer> | Answer | undefined {
  const functions = deps.functions.filter(({ trigger }) => trigger.type === 'eventgridtrigger');
  const targets = new Map(functions.map((target) => [target.name, target]));
  return (request) => {
    const path = request.target.split('?', 1)[0]?.toLowerCase() ?? '';
    if (!path.startsWith(WEBHOOKS_PATH)) return undefined;
    if (!METHODS.includes(request.method)) return { status: 404 };
    if (path !== EVENT_GRID_PATH && !path.startsWith(`${EVENT_GRID_PATH}/`)) return { status: 403 };
    const name = queryValue(request.target, 'functionname');
    const target = targets.get(name);
    return target ? answerFor(target, request, deps) : textAnswer(404, `cannot find function: '${name}'`);
  };
}

async function answerFor(target: AppFunction, request: Request, { invoker, log }: Deps): Promise<Answer> {
  if (request.method === 'OPTIONS') return answerHandshake(request);
  try {
    switch (request.headers['aeg-event-type']?.toLowerCase()) {
      case 'subscriptionvalidation':
        return textAnswer(200, `{"validationResponse":${toDotNetJson(validationCodeOf(jsonOf(request)))}}`);
      case 'notification':
        return await deliver(target, jsonOf(request), invoker);
      case 'unsubscribe':
        return { status: 202 };
      default:
        return { status: 400 };
    }
  } catch (error) {
    log('error', `The webhook could not read a POST to '${target.name}': ${describeError(error)}`);
    return { status: 500 };
  }
}

type Event = Record<string, unknown>;

/** Calls the function once with all events, or once per event, all at once. One failure fails the whole POST. */
async function deliver(target: AppFunction, json: unknown, invoker: Invoker): Promise<Answer> {
  const failed = textAnswer(500, `Exception while executing function: Functions.${target.name}`);
  const events = itemsOf(json);
  if (!events.every(isObject)) return failed; // the events cannot be bound, so no function runs
  // The events are parsed already, and `int` is the only type that the library does not decode.
  const call = (input: unknown, metadata: unknown) =>
    invoker.invoke(target, { int: input }, { data: { int: metadata } });
  const data = events.map((event) => event.data);
  const isBatch = target.trigger.cardinality === 'many';
  const calls = isBatch ? [call(events, data)] : events.map((event, index) => call(event, data[index]));
  const results = await Promise.allSettled(calls);
  return results.some(({ status }) => status === 'rejected') ? failed : { status: 202 };
}

function answerHandshake({ headers }: Request): Answer {
  return { status: 200, headers: { 'Webhook-Allowed-Origin': headers['webhook-request-origin'] ?? EVENT_GRID_ORIGIN } };
}

/** Returns the events of a POST. @throws TypeError where the JSON is neither an array nor an object. */
function itemsOf(json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return json;
  if (isObject(json)) return [json];
  throw new TypeError('neither an array nor an object');
}

/** Returns the validation code of the first event as text. A lone CloudEvent holds its data as a string of JSON. */
function validationCodeOf(json: unknown): string {
  const [event] = itemsOf(json);
  const sent = isObject(event) ? event.data : undefined;
  const data = typeof sent === 'string' ? parseAsHost(sent) : sent;
  const code = isObject(data) ? data.validationCode : undefined;
  if (typeof code !== 'string' && typeof code !== 'number') throw new TypeError('no validation code');
  return String(code);
}

/** Returns JSON like .NET's: special characters of HTML, and all characters beyond ASCII, are escaped. */
function toDotNetJson(text: string): string {
  const json = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '\\u0022');
  const hexOf = (char: string) => char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return `"${json.replace(/[<>&'+`\x7f-\uffff]/g, (char) => `\\u${hexOf(char)}`)}"`;
}

function isObject(value: unknown): value is Event {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns a value of the query. Like .NET, joins the values of a repeated name with commas. */
function queryValue(target: string, lowerName: string): string {
  const query = [...new URLSearchParams(target.split('?')[1])];
  return query.flatMap(([name, value]) => (name.toLowerCase() === lowerName ? [value] : [])).join(',');
}
