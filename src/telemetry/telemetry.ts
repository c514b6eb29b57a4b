import type { AttributesOf, MetricName } from './metrics.js';

/**
 * What leaves the process. Its types are the promise that nothing clinical does: there is no field that a payload, a
 * subject, a resource id or a name could go into, and no free text.
 */
export type Telemetry = {
  /** For `stats` alone. */
  count(counter: Counter, by?: number): void;
  /** Adds to a counter or a histogram, or says what a gauge shows now. What `stats` tells of it is counted, too. */
  record<M extends MetricName>(metric: M, value: number, attributes: AttributesOf<M>): void;
  log(level: Level, what: What, fields?: Fields): void;
  /** Begins a trace, or goes on with the one of this W3C `traceparent`. Undefined where nobody will see it. */
  trace(name: SpanName, traceParent: string | undefined, fields?: Fields): Span | undefined;
};

export type Level = 'info' | 'warn' | 'error';

export type SpanName = 'deliver' | 'redeliver' | 'parse' | 'job' | 'claim' | 'workflow' | 'settle';

/** A part of a trace, which lasts until it is ended. */
export type Span = {
  /** Undefined where there are enough of them already. */
  child(name: SpanName, fields?: Fields): Span | undefined;
  end(fields?: Fields): void;
};

/** Where it all goes, if anywhere but to `stats` and the console. */
export type Exporter = Pick<Telemetry, 'record' | 'trace'> & {
  /** `line` is what the console shows. */
  log(level: Level, what: What, fields: Fields, line: string): void;
  /** Begins to send what there is. */
  flush(): void;
  /** Sends what there is, and ends. Resolves within `withinMs`, also where a flush is still under way; never rejects. Where left out: 3 s. */
  stop(withinMs?: number): Promise<void>;
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
  | 'lookup-failed'
  | 'row-failed'
  | 'wake-failed'
  | 'storage-not-prepared'
  | 'message-dropped'
  | 'ledger-expired'
  | 'ledger-expiry-failed'
  | 'backlog-not-measured'
  | 'export-off'
  | 'export-failed'
  | 'letters-redriven'
  | 'letters-discarded'
  | 'letter-payload-shown'
  | 'letters-expired'
  | 'letters-expiry-failed'
  | 'undelivered-taken-up'
  | 'undelivered-left'
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

const JOBS: Record<AttributesOf<'jobs'>['outcome'], Counter> = {
  completed: 'jobsCompleted',
  superseded: 'jobsSuperseded',
  'dead-lettered': 'jobsDeadLettered',
  retried: 'jobsRetried',
  'put-off': 'jobsPutOff',
  duplicate: 'jobsDuplicate',
  shared: 'jobsShared',
};
const READS = {
  fhir: { done: 'fhirReadsDone', gone: 'fhirReadsGone', failed: 'fhirReadsFailed' },
  dicom: { done: 'dicomReadsDone', gone: 'dicomReadsGone', failed: 'dicomReadsFailed' },
} as const;

/** What `stats` tells of metrics: sums over all workflows and types. */
const COUNTED: { readonly [M in MetricName]?: (attributes: AttributesOf<M>) => Counter | undefined } = {
  events: ({ outcome }) =>
    outcome === 'invalid' ? 'eventsInvalid' : outcome === 'ignored' ? 'eventsIgnored' : undefined,
  jobs: ({ outcome }) => JOBS[outcome],
  leasesTakenOver: () => 'leasesTakenOver',
  leasesLost: () => 'leasesLost',
  reads: ({ service, outcome }) => READS[service][outcome],
};

/** What is said before the libraries are loaded: a fraction of a second. What is beyond is only counted. */
const MAX_HELD = 10_000;

export type AppTelemetry = Telemetry & {
  readonly counters: Counters;
  /** From now on all goes there as well, once it has been loaded. Where that fails a line says so, and that is all. */
  exportTo(loading: Promise<Exporter>): void;
  /** Begins to send what there is. */
  flush(): void;
  /** Sends what there is. Resolves within `withinMs`, and never rejects. */
  stop(withinMs?: number): Promise<void>;
};

/** Counts, and hands lines to `write`: in production the host's log, locally the console. */
export function createTelemetry(write: (level: Level, line: string) => void): AppTelemetry {
  const counters = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counters;
  let exporter: Exporter | undefined;
  let held: ((exporter: Exporter) => void)[] | undefined;
  const telemetry: AppTelemetry = {
    counters,
    count(counter, by = 1) {
      counters[counter] += by;
    },
    record(metric, value, attributes) {
      const counter = COUNTED[metric]?.(attributes);
      if (counter) counters[counter] += value;
      if (exporter) exporter.record(metric, value, attributes);
      else if (held) hold((later) => later.record(metric, value, attributes));
    },
    log(level, what, fields = {}) {
      const line = JSON.stringify({ what, ...fields });
      write(level, line);
      if (exporter) exporter.log(level, what, fields, line);
      else if (held) hold((later) => later.log(level, what, fields, line));
    },
    trace: (name, traceParent, fields) => exporter?.trace(name, traceParent, fields),
    exportTo(loading) {
      held = [];
      loading
        .then((loaded) => {
          exporter = loaded;
          for (const replay of held ?? []) replay(loaded);
        })
        .catch(() => telemetry.log('error', 'export-off'))
        .finally(() => {
          held = undefined;
        });
    },
    flush: () => exporter?.flush(),
    stop: async (withinMs) => exporter?.stop(withinMs),
  };
  return telemetry;

  function hold(replay: (exporter: Exporter) => void): void {
    if (held && held.length < MAX_HELD) held.push(replay);
  }
}

/** Runs `run` as a part of `span`, where there is one. */
export function traced<T>(span: Span | undefined, name: SpanName, run: () => Promise<T>): Promise<T> {
  const part = span?.child(name);
  return part ? run().finally(() => part.end()) : run();
}
