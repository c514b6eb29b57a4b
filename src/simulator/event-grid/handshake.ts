import { type Clock, sleep } from '../../clock.js';
import { type Post, type PostAnswer, type PostRequest, send } from './send.js';
import type { Subscription } from './subscription.js';
import { timeText } from './topic-event.js';

/** The sender of CloudEvents, as their headers name it. */
export const ORIGIN = 'eventgrid.azure.net';
const REQUESTS_PER_MINUTE = '1000';
const MAX_ATTEMPTS = 2;
const RETRY_MS = 5000;

/**
 * 'awaiting': the endpoint took the request, but has not agreed yet; a person may still agree at the validation URL.
 */
type Handshake = { kind: 'agreed' } | { kind: 'awaiting' } | { kind: 'failed'; message: string };

/** Asks a webhook whether it wants the events. An Azure function agrees without a request. */
export async function shakeHands(deps: {
  subscription: Subscription;
  id: string;
  code: string;
  validationUrl: string;
  post: Post;
  clock: Clock;
  signal: AbortSignal;
}): Promise<Handshake> {
  const { subscription, code, validationUrl, post, clock, signal } = deps;
  const { destination, eventDeliverySchema } = subscription;
  if (destination.endpointType !== 'WebHook') return { kind: 'agreed' };

  const isCloudEvents = eventDeliverySchema === 'CloudEventSchemaV1_0';
  const request = isCloudEvents
    ? optionsRequest(destination.endpointUrl, validationUrl)
    : noticeRequest({
        ...deps,
        notice: 'SubscriptionValidation',
        data: { validationCode: code, validationUrl },
        url: destination.endpointUrl,
        at: clock.now(),
      });
  const what = `${request.method} ${destination.endpointUrl.split('?')[0]}`;
  for (let attempt = 1; ; attempt += 1) {
    const result = await send({ post, clock, request, signal });
    switch (result.kind) {
      case 'answered':
        return isCloudEvents ? classifyOptions(result.answer, what) : classifyValidation(result.answer, what, code);
      case 'no-answer':
        return failed(`${what} was not answered (${result.outcome}): check that the endpoint is running.`);
      case 'timed-out':
        if (attempt === MAX_ATTEMPTS || signal.aborted) return failed(`${what} was not answered within 30 s.`);
        await sleep(clock, RETRY_MS, signal);
        break;
      default:
        throw new TypeError(`unhandled ${JSON.stringify(result satisfies never)}`);
    }
  }
}

type Request = Omit<PostRequest, 'signal'>;

type Notice = {
  notice: 'SubscriptionValidation' | 'SubscriptionDeletion';
  data: Record<string, unknown>;
  subscription: Subscription;
  url: string;
  id: string;
  at: Date;
};

/** Returns the request with which Event Grid sends an event about the subscription itself. */
export function noticeRequest({ notice, data, subscription, url, id, at }: Notice): Request {
  const event = {
    id,
    topic: subscription.topic,
    subject: '',
    data,
    eventType: `Microsoft.EventGrid.${notice === 'SubscriptionDeletion' ? 'SubscriptionDeleted' : notice}Event`,
    eventTime: timeText(at),
    metadataVersion: '1',
    dataVersion: '1',
  };
  return {
    url,
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'aeg-event-type': notice,
      'aeg-subscription-name': subscription.name.toUpperCase(),
      'aeg-delivery-count': '0',
      'aeg-metadata-version': '1',
      'aeg-data-version': '1',
    },
    body: JSON.stringify([event]),
  };
}

function optionsRequest(url: string, callback: string): Request {
  return {
    url,
    method: 'OPTIONS',
    headers: {
      'webhook-request-origin': ORIGIN,
      'webhook-request-rate': REQUESTS_PER_MINUTE,
      'webhook-request-callback': callback,
    },
    body: '',
  };
}

function classifyValidation({ status, body }: PostAnswer, what: string, code: string): Handshake {
  if (status !== 200)
    return failed(`${what} was answered ${status}; answer 200 with {"validationResponse": "<code>"}.`);
  const found = validationResponseOf(body);
  if (found === undefined) return { kind: 'awaiting' };
  return found === code ? { kind: 'agreed' } : failed(`${what} was answered with another code than it was sent.`);
}

function validationResponseOf(body: string): unknown {
  try {
    const answer: unknown = JSON.parse(body);
    return (answer as { validationResponse?: unknown } | null)?.validationResponse;
  } catch {
    return undefined;
  }
}

/** Reads the permission, a header. Without the header, the permission may still come through the callback. */
function classifyOptions({ status, headers }: PostAnswer, what: string): Handshake {
  const allowed = headers.get('webhook-allowed-origin');
  const isTaken = status >= 200 && status <= 299;
  if (isTaken && (allowed === '*' || allowed?.toLowerCase() === ORIGIN)) return { kind: 'agreed' };
  if (isTaken && allowed === null) return { kind: 'awaiting' };
  const found = allowed === null ? 'without WebHook-Allowed-Origin' : `with WebHook-Allowed-Origin: ${allowed}`;
  return failed(`${what} was answered ${status} ${found}; answer 200 with WebHook-Allowed-Origin: ${ORIGIN}.`);
}

function failed(message: string): Handshake {
  return { kind: 'failed', message };
}
