import type { Random } from '../../clock.js';
import type { Destination } from './destination.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** The wait after each failed attempt; the last wait repeats. */
const SCHEDULE_MS = [
  10 * SECOND_MS,
  30 * SECOND_MS,
  MINUTE_MS,
  5 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
];
const AT_LEAST_MS: ReadonlyMap<number, number> = new Map([
  [401, 5 * MINUTE_MS],
  [404, 5 * MINUTE_MS],
  [408, 2 * MINUTE_MS],
  [503, 30 * SECOND_MS],
]);
/** Each wait grows by up to this share. */
const SPREAD = 0.1;

const FINAL: Readonly<Record<Destination['endpointType'], readonly number[]>> = {
  WebHook: [400, 401, 403, 413],
  AzureFunction: [400, 403, 413],
};

const OUTCOMES: ReadonlyMap<number, Outcome> = new Map([
  [400, 'BadRequest'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [408, 'TimedOut'],
  [413, 'PayloadTooLarge'],
  [429, 'Busy'],
  [503, 'Busy'],
]);

/** The result of an attempt, as dead letters name it in lastDeliveryOutcome. */
export type Outcome =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'TimedOut'
  | 'PayloadTooLarge'
  | 'Busy'
  | 'GenericError'
  | 'SocketError'
  | 'ResolutionError'
  /** Its time was over before the endpoint was tried again. */
  | 'Probation';

/** A failed request: answered with a status, or with nothing. */
export type Failure = { readonly outcome: Outcome; readonly status?: number };

export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 204;
}

export function failureOf(status: number): Failure {
  return { outcome: OUTCOMES.get(status) ?? 'GenericError', status };
}

/** Whether no retry can help, so that none is made. */
export function isFinal({ status }: Failure, endpointType: Destination['endpointType']): boolean {
  return status !== undefined && FINAL[endpointType].includes(status);
}

/** After `attempts` attempts, how long to wait for the next. */
export function waitMsAfter(attempts: number, { status = 0 }: Failure, random: Random): number {
  const scheduledMs = SCHEDULE_MS[Math.min(attempts, SCHEDULE_MS.length) - 1] ?? 0;
  return Math.max(scheduledMs, AT_LEAST_MS.get(status) ?? 0) * (1 + SPREAD * random.number());
}
