import type { Task } from './context.js';
import { problemsOf } from './option-problems.js';
import type { Workflow, WorkflowOptions } from './options.js';
import type { EventOf, Selector } from './selector.js';

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
