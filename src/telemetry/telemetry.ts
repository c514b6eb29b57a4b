/**
 * What leaves the process. Its types are the promise that nothing clinical does: there is no field that a payload, a
 * subject, a resource id or a name could go into, and no free text.
 */
export type Telemetry = {
  count(counter: Counter, by?: number): void;
  log(level: 'info' | 'warn' | 'error', what: What, fields?: Fields): void;
};

export type Fields = {
  eventId?: string;
  type?: string;
  resourceType?: string;
  workflow?: string;
  outcome?: string;
  try?: number;
  crashes?: number;
  redrives?: number;
  durationMs?: number;
  errorCode?: string;
  /** path:code, of what is wrong with an event. */
  problems?: string;
  shard?: string;
  count?: number;
  /** Who asked: the id of an Azure principal, never a name. */
  by?: string;
  /** Codes and numbers of a workflow's own choosing. */
  code?: string;
  numbers?: Readonly<Record<string, number>>;
};

export type What =
  | 'event-invalid'
  | 'event-not-safe'
  | 'job-retries'
  | 'job-waits'
  | 'job-dead-lettered'
  | 'job-taken-over'
  | 'job-lease-lost'
  | 'job-hung'
  | 'job-not-written'
  | 'circuit-opened'
  | 'circuit-closed'
  | 'workflow-off'
  | 'task-failed'
  | 'row-failed'
  | 'wake-failed'
  | 'message-dropped'
  | 'ledger-expired'
  | 'ledger-expiry-failed'
  | 'letters-redriven'
  | 'letters-discarded'
  | 'letter-payload-shown'
  | 'letters-expired'
  | 'letters-expiry-failed'
  | 'undelivered-taken-up'
  | 'undelivered-unreadable'
  | 'undelivered-failed'
  | 'stopping'
  | 'stopped'
  | 'workflow';

export const COUNTERS = [
  'eventsReceived',
  'eventsInvalid',
  'eventsIgnored',
  'eventsNotSafe',
  'jobsStarted',
  'jobsCompleted',
  'jobsSuperseded',
  'jobsDeadLettered',
  'jobsRetried',
  'jobsDuplicate',
  'jobsShared',
  'jobsPutOff',
  'jobsHung',
  'leasesTakenOver',
  'leasesLost',
  'rowsRun',
  'rowsLeft',
  'fhirReadsDone',
  'fhirReadsGone',
  'fhirReadsFailed',
  'dicomReadsDone',
  'dicomReadsGone',
  'dicomReadsFailed',
  'readsShared',
  'readsTriedAgain',
] as const;
export type Counter = (typeof COUNTERS)[number];

export type Counters = Record<Counter, number>;

/** Counts, and hands lines to `write`: in production the host's log, locally the console. */
export function createTelemetry(
  write: (level: 'info' | 'warn' | 'error', line: string) => void,
): Telemetry & { counters: Counters } {
  const counters = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counters;
  return {
    counters,
    count(counter, by = 1) {
      counters[counter] += by;
    },
    log(level, what, fields = {}) {
      write(level, JSON.stringify({ what, ...fields }));
    },
  };
}
