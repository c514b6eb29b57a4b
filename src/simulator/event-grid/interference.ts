import type { DeliverySchema, TopicEvent } from './topic-event.js';

/** Where chaos comes in. `attempt` counts from 0, as the header aeg-delivery-count does. */
export type Interference = {
  /**
   * Of each matched event for a subscription: how long (ms of real time) each copy is held back before its first try;
   * [0] is one copy at once; [] never.
   */
  copiesOf(event: TopicEvent, subscription: string): readonly number[];
  /**
   * What becomes of a request: 'pass'; 'down': never sent, as if the connection was refused; 'lose-answer': sent, then
   * treated as no answer; 'garble': sent with its body cut in the middle.
   */
  onRequest(
    events: readonly TopicEvent[],
    subscription: string,
    attempt: number,
  ): 'pass' | 'down' | 'lose-answer' | 'garble';
  /** The schema of a request where it is not to be the subscription's. */
  schemaOf(events: readonly TopicEvent[], subscription: string, attempt: number): DeliverySchema | undefined;
};

const ONE_AT_ONCE = [0] as const;

export const noInterference: Interference = {
  copiesOf: () => ONE_AT_ONCE,
  onRequest: () => 'pass',
  schemaOf: () => undefined,
};
