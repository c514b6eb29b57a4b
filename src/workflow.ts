import type { z } from 'zod';
import type { DicomReader } from './clients/dicom-reader.js';
import type { FhirReader, FhirType } from './clients/fhir-reader.js';
import type { Change, DicomEvent, FhirEvent, HealthEvent } from './events/health-event.js';
import { isResourceType, nearestResourceType } from './fhir-types.js';
import type { Row, Value } from './storage/table-store.js';

export type { Streamed } from './clients/body.js';
export type { DicomJson, DicomReader, RenderedOptions } from './clients/dicom-reader.js';
export type { FhirParameters, FhirReader, FhirResource, FhirType, ResourceOf } from './clients/fhir-reader.js';
export type { Part } from './clients/multipart.js';
export { ReadError } from './clients/read-error.js';
export { digest, keyedDigest, shardOf } from './digest.js';
export type { Change, DicomEvent, FhirEvent, HealthEvent } from './events/health-event.js';
export { afterApplying, appliedOfRow, orderOf, resourceOf, rowOfApplied } from './events/order.js';

/** A length of time. Made by `seconds`, `minutes`, `hours`, so that nobody has to guess the unit of a number. */
export type Duration = { readonly ms: number };
export const seconds = (n: number): Duration => ({ ms: n * 1000 });
export const minutes = (n: number): Duration => ({ ms: n * 60_000 });
export const hours = (n: number): Duration => ({ ms: n * 3_600_000 });

/** Which events a workflow wants. The type parameter is what its handler will see. */
export type Selector<E extends HealthEvent = HealthEvent> = {
  readonly service: E['service'];
  /** '*' for all. DICOM has no resource types. */
  readonly resourceTypes: readonly string[] | '*';
  /** Made by `fhir.custom`: the types need not be of R4. */
  readonly isCustom?: true;
  readonly changes: readonly Change[];
  /** Never there: it only carries the type. */
  readonly event?: E;
};

const ALL_CHANGES = ['created', 'updated', 'deleted'] as const satisfies readonly Change[];

/** What a handler sees of the events that `S` selects. */
export type EventOf<S extends Selector> = S extends Selector<infer E> ? E : never;

/**
 * Selects FHIR events by resource type of R4, `'*'` for all types, and by change, all where left out. `fhir.custom` takes
 * types that R4 does not know.
 */
export function fhir<const R extends FhirType | '*', C extends Change = Change>(
  resourceTypes: R | readonly R[],
  changes: readonly C[] = ALL_CHANGES as readonly Change[] as readonly C[],
): Selector<FhirEvent<'*' extends R ? string : R, C>> {
  const types: readonly string[] = [resourceTypes].flat();
  return Object.freeze({ service: 'fhir', resourceTypes: types.includes('*') ? '*' : types, changes });
}

fhir.custom = <const R extends string, C extends Change = Change>(
  resourceTypes: R | readonly R[],
  changes: readonly C[] = ALL_CHANGES as readonly Change[] as readonly C[],
): Selector<FhirEvent<R, C>> => {
  const types: readonly string[] = [resourceTypes].flat();
  return Object.freeze({ service: 'fhir', resourceTypes: types, changes, isCustom: true });
};

/** Selects DICOM events by change, all where left out. */
export function dicom<const C extends Change = Change>(
  changes: readonly C[] = ALL_CHANGES as readonly Change[] as readonly C[],
): Selector<DicomEvent<C>> {
  return Object.freeze({ service: 'dicom', resourceTypes: '*', changes });
}

/**
 * No try can succeed: the job becomes a dead letter at once. `code`, one of the workflow's `codes`, goes into logs. The
 * message goes into the dead letter and is shown with its payload alone.
 */
export class NonRetriableError extends Error {
  override name = 'NonRetriableError';
  readonly code: string;
  constructor(message: string, options?: ErrorOptions & { code?: string }) {
    super(message, options);
    this.code = options?.code ?? 'non-retriable';
  }
}

/** Try again after `wait`. Uses up no try, but ends as a dead letter when the workflow's `retry.giveUpAfter` is over. */
export class RetryAfterError extends Error {
  override name = 'RetryAfterError';
  readonly code: string;
  readonly wait: Duration;
  constructor(message: string, wait: Duration, options?: ErrorOptions & { code?: string }) {
    super(message, options);
    this.wait = wait;
    this.code = options?.code ?? 'retry-after';
  }
}

/** A workflow that cannot be. The message names everything that is wrong with its options. */
export class WorkflowError extends TypeError {
  override name = 'WorkflowError';
}

/** A setting of the app, by its name in any case; undefined where it is absent or empty. */
export type Setting = (name: string) => string | undefined;

/**
 * Whether a workflow can run with these settings. 'off': it does not run, and a line at the start says why, by one of its
 * `codes`. 'wrong': the app does not start; each problem reads `NAME is FOUND, must be EXPECTED`, of which FOUND stays in
 * the log.
 */
export type Setup<C extends string = HostsAbsent> =
  | { kind: 'on' }
  | { kind: 'off'; code: C }
  | { kind: 'wrong'; problems: readonly string[] };

/** The code of `needsHosts`; no workflow has to declare it. */
export type HostsAbsent = `${HealthEvent['service']}-hosts-absent`;

/** The `setup` of a workflow that reads: off where the settings list no service to read from, and none is simulated. */
export function needsHosts(service: HealthEvent['service']): (setting: Setting) => Setup {
  const hosts = service === 'fhir' ? 'FHIR_HOSTS' : 'DICOM_HOSTS';
  return (setting) =>
    setting(hosts) !== undefined || setting('SIMULATOR') === 'on'
      ? { kind: 'on' }
      : { kind: 'off', code: `${service}-hosts-absent` };
}

/** What may look at a workflow's tables and change nothing. */
export type LookupContext = {
  readonly tables: (name: string) => Pick<WorkflowTable, 'get' | 'list'>;
  readonly setting: Setting;
};

/**
 * A question that people may ask of a workflow's tables: `POST /api/lookups/{name}` with a JSON body, where `LOOKUPS` is
 * on. Made by `lookup`, which keeps the type of the question.
 */
export type Lookup = {
  /** 1 to 31 of a-z, 0-9 and '-', a letter first. */
  readonly name: string;
  /** What the body must be. What is wrong with it is told by path and reason, without values. */
  readonly query: z.ZodType;
  /** The body of the answer. It may hold clinical data; nothing of it is logged. */
  answer(query: unknown, context: LookupContext): Promise<Readonly<Record<string, unknown>>>;
};

/** @see Lookup */
export function lookup<Q extends z.ZodType>(of: {
  name: string;
  query: Q;
  answer(query: z.output<Q>, context: LookupContext): Promise<Readonly<Record<string, unknown>>>;
}): Lookup {
  return of as Lookup;
}

/** What a task is given. Its tables are those of the workflow; its writes are conditional, and nobody's lease guards them. */
export type TaskContext<C extends string = never> = Pick<Context<HealthEvent, C>, 'tables' | 'log' | 'setting'> & {
  readonly now: () => Date;
  /** Aborts when the process ends. */
  readonly signal: AbortSignal;
};

/** Something of a workflow's that is due again and again, whether or not there are events: a timer function. */
export type Task<C extends string = string> = {
  /** The name of the function: 1 to 63 letters and digits, a small letter first. */
  readonly name: string;
  /** Six fields: second, minute, hour, day, month, day of the week; UTC. */
  readonly schedule: string;
  /** It runs in one process at a time, though a second may begin while the first is being killed. What it throws is logged. */
  run(context: TaskContext<C>): Promise<void>;
};

/** What reads the resource of events `E`; of both services, `resource.service` tells which. */
export type ReaderOf<E extends HealthEvent> =
  | ([Extract<E, FhirEvent>] extends [never] ? never : FhirReader<Extract<E, FhirEvent>['resourceType']>)
  | ([Extract<E, DicomEvent>] extends [never] ? never : DicomReader);

/** The second argument of a handler. `C`: the codes that its log takes. */
export type Context<E extends HealthEvent = HealthEvent, C extends string = never> = {
  /** Reads what the event is about, which it does not hold. What is gone is undefined; what fails, throws `ReadError`. */
  readonly resource: ReaderOf<E>;
  /** Tables of the workflow's own; made when first written to. Names: 3 to 63 letters and digits. */
  readonly tables: (name: string) => WorkflowTable;
  readonly log: WorkflowLog<C>;
  readonly setting: Setting;
  /** Aborts when the time is over, the lease is lost or the process ends. Pass it on to whatever waits. */
  readonly signal: AbortSignal;
  /**
   * With `ordering: 'latest'`: higher than in the run before for this resource, and never higher for an older version than
   * for a newer one. Pass it on to effects elsewhere. Else undefined.
   */
  readonly fence: number | undefined;
  /** 1 for the first try. */
  readonly attempt: number;
  /** The same for every try of this job, and nothing else's. */
  readonly idempotencyKey: string;
};

export type WorkflowTable = {
  get(partition: string, key: string): Promise<Row | undefined>;
  /** Rows with `from` <= key < `to`, in order of the key: the first `limit`, 1,000 where that is left out. */
  list(partition: string, range?: { from?: string; to?: string; limit?: number }): Promise<{ key: string; row: Row }[]>;
  /**
   * Reads the row, asks `decide` what is to become of it, and writes that on condition that the row is still as it
   * was read; if it is not, asks again. `keep` writes nothing. `decide` may be called several times, and once more after
   * its own write where the answer to it was lost: no effects in it, and nothing that may not be done twice.
   * `expect: 'absent'` saves the read where the row is probably not there yet.
   */
  change(
    partition: string,
    key: string,
    decide: (current: Row | undefined) => Row | 'keep' | 'remove',
    options?: { expect?: 'absent' },
  ): Promise<void>;
};

/**
 * Writes a line to the logs: a code and numbers, whose names are codes too. Codes are those that the workflow declares in
 * `codes`; any other text is logged as `undeclared-code`, so nothing about a patient can get there.
 */
export type WorkflowLog<C extends string> = Record<
  'info' | 'warn' | 'error',
  (code: C, numbers?: Readonly<Partial<Record<C, number>>>) => void
>;

export type WorkflowOptions<E extends HealthEvent, S extends Selector = Selector<E>, C extends string = never> = {
  /** Stable, for it is part of the address of its jobs: 1 to 63 of a-z, 0-9 and '-', beginning with a letter. */
  name: string;
  on: S | readonly S[];
  /**
   * Every code that leaves the process: of `log`, with the names of its numbers, of errors and of `setup`. Each is 1 to 64
   * of a-z, 0-9 and '-', a letter first. Any other code is recorded as `undeclared-code`.
   */
  codes?: readonly C[];
  /** `any`: every event, in whatever order. `latest`: never an older version of a resource over a newer one. Default `any`. */
  ordering?: 'any' | 'latest';
  /** How long one try may take; default 10 s, at most 25 minutes. More than DEADLINE_SECONDS runs apart from the delivery. */
  timeout?: Duration;
  /** How many at a time in one process; default 256. */
  concurrency?: number;
  /** Default: 8 tries, 10 s to 6 h apart; `giveUpAfter` (24 h) ends what keeps asking for RetryAfterError. */
  retry?: { tries?: number; from?: Duration; to?: Duration; giveUpAfter?: Duration };
  handle(event: E, context: Context<E, NoInfer<C>>): Promise<void> | void;
  /** Asked once, at the start. Without it the workflow is on. */
  setup?(setting: Setting): Setup<NoInfer<C> | HostsAbsent>;
  lookup?: Lookup;
  task?: Task<NoInfer<C>>;
};

export type Workflow = {
  readonly name: string;
  readonly on: readonly Selector[];
  readonly codes: readonly string[];
  readonly ordering: 'any' | 'latest';
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly retry: {
    readonly tries: number;
    readonly fromMs: number;
    readonly toMs: number;
    readonly giveUpAfterMs: number;
  };
  readonly handle: (event: HealthEvent, context: Context<HealthEvent, string>) => Promise<void> | void;
  readonly setup: (setting: Setting) => Setup<string>;
  readonly lookup: Lookup | undefined;
  readonly task: Task | undefined;
};

/**
 * Declares a workflow to run for each event that `on` selects.
 * @throws TypeError that lists everything that is wrong with `options`.
 * @example
 * import { defineWorkflow, fhir, seconds } from '../src/workflow.js';
 *
 * const greet = defineWorkflow({ name: 'greet', on: fhir('Patient', ['created']), timeout: seconds(5), handle() {} });
 * assert.equal(greet.name, 'greet');
 */
export function defineWorkflow<S extends Selector, const C extends string = never>(
  options: WorkflowOptions<EventOf<S>, S, C>,
): Workflow {
  const { retry = {}, handle } = options;
  const workflow: Workflow = {
    name: options.name,
    on: Object.freeze([options.on].flat()) as readonly Selector[],
    codes: Object.freeze([...(options.codes ?? [])]),
    ordering: options.ordering ?? 'any',
    timeoutMs: options.timeout?.ms ?? 10_000,
    concurrency: options.concurrency ?? 256,
    retry: Object.freeze({
      tries: retry.tries ?? 8,
      fromMs: retry.from?.ms ?? 10_000,
      toMs: retry.to?.ms ?? 6 * 3_600_000,
      giveUpAfterMs: retry.giveUpAfter?.ms ?? 24 * 3_600_000,
    }),
    handle: (typeof handle === 'function' ? handle.bind(options) : handle) as unknown as Workflow['handle'],
    setup: options.setup?.bind(options) ?? (() => ON),
    lookup: options.lookup,
    task: options.task as Task | undefined,
  };
  const problems = problemsOf(workflow);
  if (problems.length > 0) throw new WorkflowError(`Workflow '${options.name}' cannot be: ${problems.join('; ')}.`);
  PLACES.set(workflow, callerOf(defineWorkflow) ?? 'an unknown place');
  return Object.freeze(workflow);
}

const PLACES = new WeakMap<Workflow, string>();

/** Where `workflow` was defined: file, line and column of the code that runs, in `dist` or in the package's bundle. */
export function definedAt(workflow: Workflow): string {
  return PLACES.get(workflow) ?? 'an unknown place';
}

function callerOf(callee: (options: never) => unknown): string | undefined {
  const trace = { stack: '' };
  Error.captureStackTrace(trace, callee);
  return /^ +at (?:.*\()?(.+:\d+:\d+)\)?$/m.exec(trace.stack)?.[1];
}

/** Whether `workflow` wants `event`. */
export function wants(workflow: Workflow, event: HealthEvent): boolean {
  return workflow.on.some(
    (selector) =>
      selector.service === event.service &&
      selector.changes.includes(event.change) &&
      (selector.resourceTypes === '*' ||
        (event.service === 'fhir' && selector.resourceTypes.includes(event.resourceType))),
  );
}

const ON = Object.freeze({ kind: 'on' });
const MAX_TIMEOUT_MS = 25 * 60_000;

function problemsOf(w: Workflow): string[] {
  const between = (what: string, value: number, from: number, to: number, unit: string) =>
    value >= from && value <= to ? [] : [`${what} is ${value}${unit}, must be ${from} to ${to}${unit}`];
  return [
    ...(/^[a-z][a-z0-9-]{0,62}$/.test(w.name) ? [] : ["its name must be 1 to 63 of a-z, 0-9 and '-', a letter first"]),
    ...(w.on.length > 0 && w.on.every((s) => s.changes.length > 0 && s.resourceTypes.length > 0)
      ? []
      : ['`on` selects nothing']),
    ...w.on.flatMap(typeProblemsOf),
    ...w.codes
      .filter((code) => !/^[a-z][a-z0-9-]{0,63}$/.test(code))
      .map((code) => `the code '${code}' must be 1 to 64 of a-z, 0-9 and '-', a letter first`),
    ...(typeof w.handle === 'function' ? [] : ['`handle` must be a function']),
    ...(w.lookup === undefined || /^[a-z][a-z0-9-]{0,30}$/.test(w.lookup.name)
      ? []
      : ["the name of `lookup` must be 1 to 31 of a-z, 0-9 and '-', a letter first"]),
    ...(w.task === undefined || /^[a-z][A-Za-z0-9]{0,62}$/.test(w.task.name)
      ? []
      : ['the name of `task` must be 1 to 63 letters and digits, a small letter first']),
    ...(['any', 'latest'].includes(w.ordering) ? [] : ["`ordering` must be 'any' or 'latest'"]),
    ...between('`timeout`', w.timeoutMs, 1, MAX_TIMEOUT_MS, ' ms'),
    ...between('`concurrency`', w.concurrency, 1, 10_000, ''),
    ...(Number.isInteger(w.concurrency) ? [] : ['`concurrency` must be whole']),
    ...between('`retry.tries`', w.retry.tries, 1, 100, ''),
    ...(Number.isInteger(w.retry.tries) ? [] : ['`retry.tries` must be whole']),
    ...between('`retry.from`', w.retry.fromMs, 1, w.retry.toMs, ' ms'),
    ...between('`retry.to`', w.retry.toMs, w.retry.fromMs, 7 * 24 * 3_600_000, ' ms'),
    ...between('`retry.giveUpAfter`', w.retry.giveUpAfterMs, 1, 7 * 24 * 3_600_000, ' ms'),
  ];
}

function typeProblemsOf({ service, resourceTypes, isCustom }: Selector): string[] {
  if (service !== 'fhir' || resourceTypes === '*') return [];
  if (isCustom) {
    return resourceTypes
      .filter((type) => !/^[A-Z][A-Za-z0-9]*$/.test(type))
      .map((type) => `'${type}' cannot be a resource type, which has a capital letter first, then letters and digits`);
  }
  return resourceTypes
    .filter((type) => !isResourceType(type))
    .map((type) => {
      const nearest = nearestResourceType(type);
      const hint = nearest === undefined ? '' : ` (did you mean '${nearest}'?)`;
      return `FHIR R4 has no resource type '${type}'${hint}; a type of your own is selected by fhir.custom('${type}')`;
    });
}

export type { Row, Value };
