import type { App } from './compose.js';
import { eventGridTrigger, eventsOf } from './event-grid.js';
import type { FunctionApp } from './function-app.js';

/** Subscribe it to the FHIR events of a workspace. Whatever else comes is taken in all the same. */
export function registerFhirEvents(functions: FunctionApp, { pipeline }: Pick<App, 'pipeline'>): void {
  functions.generic('fhirEvents', {
    trigger: eventGridTrigger,
    handler: (input: unknown, { traceContext }) => pipeline.deliver(eventsOf(input), traceContext?.traceParent),
  });
}
