import type { AttributesOf, MetricName } from './metrics.js';

/**
 * All data that leaves the process as counters, lines, metrics and traces. The types allow no clinical data: there is
 * no field for a payload, a subject, a resource id, a name or free text (P1).
 */
export type Telemetry = {
  /** Adds to a counter of `stats`. */
  count(counter: Counter, by?: number): void;
  /** Adds to a counter or a histogram, or sets a gauge. Adds to the counter of `stats` for this metric too. */
  record<M extends MetricName>(metric: M, value: number, attributes: AttributesOf<M>): void;
  /** Records that a run of a job has ended: the page shows the last runs. */
  ended(run: EndedRun): void;
  log(level: Level, what: What, fields?: Fields): void;
  /** Begins a trace, or continues that of this W3C `traceparent`. Undefined if the trace is not sent. */
  trace(name: SpanName, traceParent: string | undefined, fields?: Fields): Span | undefined;
};

/** A run of a job that has settled the job, or after which the job waits. */
export type EndedRun = Readonly<
  Required<Pick<Fields, 'eventId' | 'type' | 'resourceType' | 'workflow' | 'try' | 'errorCode'>>
> & {
  readonly outcome: AttributesOf<'jobsSettled'>['outcome'] | 'retried';
  /** The run time of the handler; undefined if no handler ran. */
  readonly durationMs: number | undefined;
};

/** Observes this process. Called for each event and job, so an observer must be fast, and must not throw. */
export type Observer = Pick<Telemetry, 'record' | 'ended'>;

type Level = 'info' | 'warn' | 'error';

export type SpanName = 'deliver' | 'redeliver' | 'parse' | 'job' | 'claim' | 'workflow' | 'settle';

/** A part of a trace, until `end` is called. */
export type Span = {
  /** Undefined if the span has its maximum of children. */
  child(name: SpanName, fields?: Fields): Span | undefined;
  end(fields?: Fields): void;
};

/** Sends telemetry to the destinations in the settings. */
export type Exporter = Pick<Telemetry, 'record' | 'trace'> & {
  /** `line`: the text for the console. */
  log(level: Level, fields: Fields & { readonly what: What }, line: string): void;
  /** Starts to send the data so far. */
  flush(): void;
  /** Sends the data so far, and ends. Resolves within `withinMs` (default 3 s), even during a flush; never rejects. */
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
  /** The problems of an event, as path:code. */
  problems?: string;
  shard?: string;
  count?: number;
  /** The object id of the caller, or `key-holder`; never a name. */
  by?: string;
  /** Codes and numbers that a workflow logs; the role that a caller lacks. */
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
  | 'workflow-paused'
  | 'workflow-resumed'
  | 'pauses-not-read'
  | 'task-failed'
  | 'lookup-asked'
  | 'lookup-failed'
  | 'changes-shown'
  | 'access-refused'
  | 'row-failed'
  | 'wake-failed'
  | 'storage-not-prepared'
  | 'message-dropped'
  | 'ledger-expired'
  | 'ledger-expiry-failed'
  | 'backlog-not-measured'
  | 'heartbeat-not-written'
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
  | 'poison-taken'
  | 'poison-left'
  | 'fhir-batches-refused'
  | 'changes-brought-in'
  | 'reconcile-failed'
  | 'reconcile-behind-retention'
  | 'reconcile-workspace-unknown'
  | 'reconcile-asked'
  | 'reconcile-request-done'
  | 'reconcile-request-failed'
  | 'stopping'
  | 'stopped'
  | 'workflow';

const COUNTERS = [
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
  'changesCompared',
  'changesMissing',
] as const;
export type Counter = (typeof COUNTERS)[number];

type Counters = Record<Counter, number>;

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

/** The counters of `stats` for metrics: sums over all workflows and types. */
const COUNTED: { readonly [M in MetricName]?: (attributes: AttributesOf<M>) => Counter | undefined } = {
  events: ({ outcome }) =>
    outcome === 'invalid' ? 'eventsInvalid' : outcome === 'ignored' ? 'eventsIgnored' : undefined,
  jobs: ({ outcome }) => JOBS[outcome],
  leasesTakenOver: () => 'leasesTakenOver',
  leasesLost: () => 'leasesLost',
  reads: ({ service, outcome }) => READS[service][outcome],
  changesCompared: () => 'changesCompared',
  changesMissing: () => 'changesMissing',
};

type AppTelemetry = Telemetry &
  Pick<Exporter, 'flush' | 'stop'> & {
    readonly counters: Counters;
    /** Sends telemetry to this exporter too, once it is loaded. If it cannot be loaded, a line says so. */
    exportTo(loading: Promise<Exporter>): void;
  };

/** Returns the app's telemetry. `write` gets the lines: for the host's log in production, for the console locally. */
export function createTelemetry(write: (level: Level, line: string) => void, observer?: Observer): AppTelemetry {
  const counters = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counters;
  const exporter = new LateExporter();
  const telemetry: AppTelemetry = {
    counters,
    count(counter, by = 1) {
      counters[counter] += by;
    },
    record(metric, value, attributes) {
      const counter = COUNTED[metric]?.(attributes);
      if (counter) counters[counter] += value;
      observer?.record(metric, value, attributes);
      exporter.send((to) => to.record(metric, value, attributes));
    },
    ended: (run) => observer?.ended(run),
    log(level, what, fields = {}) {
      const logged = { what, ...fields };
      const line = JSON.stringify(logged);
      write(level, line);
      exporter.send((to) => to.log(level, logged, line));
    },
    trace: (name, traceParent, fields) => exporter.loaded?.trace(name, traceParent, fields),
    exportTo: (loading) => void exporter.load(loading).catch(() => telemetry.log('error', 'export-off')),
    flush: () => exporter.loaded?.flush(),
    stop: async (withinMs) => exporter.loaded?.stop(withinMs),
  };
  return telemetry;
}

/** The calls that are held while an exporter is loaded, a fraction of a second. Further calls are dropped. */
const MAX_HELD = 10_000;

/** Passes calls to an exporter that is loaded later. Calls before `load` are dropped. */
class LateExporter {
  loaded: Exporter | undefined;
  #held: ((exporter: Exporter) => void)[] | undefined;

  send(call: (exporter: Exporter) => void): void {
    if (this.loaded) call(this.loaded);
    else if (this.#held && this.#held.length < MAX_HELD) this.#held.push(call);
  }

  async load(loading: Promise<Exporter>): Promise<void> {
    this.#held = [];
    try {
      this.loaded = await loading;
      for (const call of this.#held) call(this.loaded);
    } finally {
      this.#held = undefined;
    }
  }
}

/** Returns the result of `run`, which is a part of `span` if there is a span. */
export function traced<T>(span: Span | undefined, name: SpanName, run: () => Promise<T>): Promise<T> {
  const part = span?.child(name);
  return part ? run().finally(() => part.end()) : run();
}
