import type { DeliverySchema, TopicEvent } from './topic-event.js';

/** The points at which chaos changes a delivery. `attempt` counts from 0, as the header aeg-delivery-count. */
export type Interference = {
  /**
   * Returns the delay of each copy of a matched event before its first attempt, in ms of real time. [0] means one copy
   * at once; [] means no delivery.
   */
  copiesOf(event: TopicEvent, subscription: string): readonly number[];
  /** Returns the treatment of an attempt. Only events with the same treatment share a request. */
  treatmentOf(event: TopicEvent, subscription: string, attempt: number): Treatment;
  /** Returns whether a request fails as if the connection was refused. */
  isDown(events: readonly TopicEvent[]): boolean;
};

/** The change that chaos makes to an attempt. */
export type Treatment = {
  /** 'lose-answer': sent, then treated as no answer; 'garble': sent with its body cut in the middle. */
  readonly fate: 'pass' | 'lose-answer' | 'garble';
  /** The schema, where it differs from the subscription's. */
  readonly schema?: DeliverySchema;
};

/** The treatment without chaos. */
export const AS_USUAL: Treatment = { fate: 'pass' };
