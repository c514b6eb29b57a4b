import { defineWorkflow, fhir } from '../../src/workflow.js';
import { rawFhirEvent } from '../testing/raw-events.js';

/** A workflow whose handler always throws. */
export const failing = defineWorkflow({
  name: 'failing',
  on: fhir('*'),
  handle() {
    throw new Error('down');
  },
});

/** Returns `count` events of as many resources. `from` makes their ids. */
export const eventsOf = (from: number, count: number, time?: string) =>
  Array.from({ length: count }, (_, n) =>
    rawFhirEvent({ id: `e${from + n}`, resourceId: `r${from + n}`, ...(time && { time }) }),
  );
