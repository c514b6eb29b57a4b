import { trigger } from '@azure/functions';
import type { App } from './compose.js';
import type { FunctionApp } from './function-app.js';

/** The targets of Event Grid's subscriptions, one for each service. Each accepts events of other types, too. */
export const EVENT_GRID_FUNCTIONS = ['fhirEvents', 'dicomEvents'];

/** Hands a whole batch to one invocation: five times the throughput of one invocation per event. */
export const eventGridTrigger = trigger.generic({ type: 'eventGridTrigger', cardinality: 'many' });

export function registerEventGrid(functions: FunctionApp, { pipeline }: Pick<App, 'pipeline'>): void {
  for (const name of EVENT_GRID_FUNCTIONS) {
    functions.generic(name, {
      trigger: eventGridTrigger,
      // A host can hand over a lone event without an array.
      handler: (input: unknown, { traceContext }) =>
        pipeline.deliver(Array.isArray(input) ? input : [input], traceContext?.traceParent),
    });
  }
}
