import { isResourceType, nearestResourceType } from '../fhir-types.js';
import type { Task } from './context.js';
import type { Workflow, WorkflowOptions } from './options.js';
import type { EventOf, Selector } from './selector.js';

const MAX_TIMEOUT_MS = 25 * 60_000;
const ON = Object.freeze({ kind: 'on' });

/** The error of `defineWorkflow`. The message names every problem of the options. */
export class WorkflowError extends TypeError {
  override name = 'WorkflowError';
}

/**
 * Declares a workflow to run for each event that `on` selects.
 * @throws WorkflowError that lists every problem of `options`.
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
  const trace = { stack: '' };
  Error.captureStackTrace(trace, defineWorkflow);
  TRACES.set(workflow, trace);
  return Object.freeze(workflow);
}

/** A trace becomes text only when `definedAt` reads it, because that takes long. */
const TRACES = new WeakMap<Workflow, { readonly stack: string }>();

/** Returns the source file that defined `workflow`; in the package's bundle, or in a test, file, line and column. */
export function definedAt(workflow: Workflow): string {
  const [, place = 'an unknown place'] =
    /^ +at (?:.*\()?(.+:\d+:\d+)\)?$/m.exec(TRACES.get(workflow)?.stack ?? '') ?? [];
  return place.replace(/^.*\/dist\/(.+)\.js:\d+:\d+$/, 'src/$1.ts');
}

/** Returns a message for each problem of the options that `w` was made of. */
function problemsOf(w: Workflow): string[] {
  const between = (what: string, value: number, [from, to, unit]: readonly [number, number, string]) =>
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
    ...between('`timeout`', w.timeoutMs, [1, MAX_TIMEOUT_MS, ' ms']),
    ...between('`concurrency`', w.concurrency, [1, 10_000, '']),
    ...(Number.isInteger(w.concurrency) ? [] : ['`concurrency` must be whole']),
    ...between('`retry.tries`', w.retry.tries, [1, 100, '']),
    ...(Number.isInteger(w.retry.tries) ? [] : ['`retry.tries` must be whole']),
    ...between('`retry.from`', w.retry.fromMs, [1, w.retry.toMs, ' ms']),
    ...between('`retry.to`', w.retry.toMs, [w.retry.fromMs, 7 * 24 * 3_600_000, ' ms']),
    ...between('`retry.giveUpAfter`', w.retry.giveUpAfterMs, [1, 7 * 24 * 3_600_000, ' ms']),
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
