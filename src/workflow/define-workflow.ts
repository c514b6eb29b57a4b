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
  DEFINED_AT.set(workflow, callerOf(defineWorkflow) ?? 'an unknown place');
  return Object.freeze(workflow);
}

const DEFINED_AT = new WeakMap<Workflow, string>();

/** Returns file, line and column of the code that defined `workflow`, in `dist` or in the package's bundle. */
export function definedAt(workflow: Workflow): string {
  return DEFINED_AT.get(workflow) ?? 'an unknown place';
}

function callerOf(callee: (options: never) => unknown): string | undefined {
  const trace = { stack: '' };
  Error.captureStackTrace(trace, callee);
  return /^ +at (?:.*\()?(.+:\d+:\d+)\)?$/m.exec(trace.stack)?.[1];
}
