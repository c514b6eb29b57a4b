import type { Random } from '../../clock.js';
import type { Destination } from './destination.js';
import type { SendResult } from './send.js';

/** The wait after each failed attempt, from 10 s to 12 h; the last wait repeats. */
const SCHEDULE_S = [10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200];
/** The shortest wait after these statuses. */
const AT_LEAST_S: Readonly<Record<number, number>> = { 401: 300, 404: 300, 408: 120, 503: 30 };
/** A wait grows by up to this share at random. */
const SPREAD = 0.1;

const FINAL: Readonly<Record<Destination['endpointType'], readonly number[]>> = {
  WebHook: [400, 401, 403, 413],
  AzureFunction: [400, 403, 413],
  StorageQueue: [400, 403, 413],
};

const OUTCOMES = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  408: 'TimedOut',
  413: 'PayloadTooLarge',
  429: 'Busy',
  503: 'Busy',
} as const;

/** The result of an attempt, as dead letters name it in lastDeliveryOutcome. */
export type Outcome =
  | (typeof OUTCOMES)[keyof typeof OUTCOMES]
  | 'GenericError'
  | 'SocketError'
  | 'ResolutionError'
  /** The event expired before the endpoint was tried again. */
  | 'Probation';

/** A failed request: answered with a status, or with nothing. */
export type Failure = { readonly outcome: Outcome; readonly status?: number };

/** Returns why a request has failed; undefined if it acknowledges the events, by a status of 200 to 204. */
export function failureOf(result: SendResult): Failure | undefined {
  if (result.kind === 'timed-out') return { outcome: 'TimedOut' };
  if (result.kind === 'no-answer') return { outcome: result.outcome };
  const { status } = result.answer;
  const outcomes: Readonly<Record<number, Outcome>> = OUTCOMES;
  return status >= 200 && status <= 204 ? undefined : { outcome: outcomes[status] ?? 'GenericError', status };
}

/** Returns whether no retry can help, so that none is made. */
export function isFinal({ status }: Failure, endpointType: Destination['endpointType']): boolean {
  return status !== undefined && FINAL[endpointType].includes(status);
}

/** Returns the wait before the next attempt, after `attempts` attempts. */
export function waitMsAfter(attempts: number, { status = 0 }: Failure, random: Random): number {
  const scheduledS = SCHEDULE_S[Math.min(attempts, SCHEDULE_S.length) - 1] ?? 0;
  return Math.max(scheduledS, AT_LEAST_S[status] ?? 0) * 1000 * (1 + SPREAD * random.number());
}
