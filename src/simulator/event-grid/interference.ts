import type { DeliverySchema, TopicEvent } from './topic-event.js';

/** Where chaos comes in. `attempt` counts from 0, as the header aeg-delivery-count does. */
export type Interference = {
  /**
   * Of each matched event for a subscription: how long (ms of real time) each copy is held back before its first try;
   * [0] is one copy at once; [] never.
   */
  copiesOf(event: TopicEvent, subscription: string): readonly number[];
  /** How an attempt at an event goes. Only events that are treated alike share a request. */
  treatmentOf(event: TopicEvent, subscription: string, attempt: number): Treatment;
  /** Whether a request is never sent, as if the connection was refused. */
  isDown(events: readonly TopicEvent[]): boolean;
};

export type Treatment = {
  /** 'lose-answer': sent, then treated as no answer; 'garble': sent with its body cut in the middle. */
  readonly fate: 'pass' | 'lose-answer' | 'garble';
  /** Where it is not to be the subscription's. */
  readonly schema?: DeliverySchema;
};

export const AS_USUAL: Treatment = { fate: 'pass' };

const ONE_AT_ONCE = [0] as const;

export const noInterference: Interference = {
  copiesOf: () => ONE_AT_ONCE,
  treatmentOf: () => AS_USUAL,
  isDown: () => false,
};
