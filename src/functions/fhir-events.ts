import type { App } from './compose.js';
import { eventGridTrigger, eventsOf } from './event-grid.js';
import type { FunctionApp } from './function-app.js';

/** The target of subscriptions to FHIR events. Events of other types are accepted, too. */
export function registerFhirEvents(functions: FunctionApp, { pipeline }: Pick<App, 'pipeline'>): void {
  functions.generic('fhirEvents', {
    trigger: eventGridTrigger,
    handler: (input: unknown, { traceContext }) => pipeline.deliver(eventsOf(input), traceContext?.traceParent),
  });
}
