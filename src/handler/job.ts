import type { HealthEvent } from '../events/health-event.js';
import type { Address } from '../storage/address.js';
import type { ReaderOf, Workflow } from '../workflow.js';

/** One event for one workflow. Never changes. */
export type Job = {
  readonly address: Address;
  readonly event: HealthEvent;
  /** The same for both envelope schemas, and for every redelivery. A corrected payload keeps the key of the original. */
  readonly eventKey: string;
  readonly eventIdDigest: string;
  /** The event as the function received it. */
  readonly json: string;
  readonly workflowName: string;
  /** Undefined if this process does not know the workflow. */
  readonly workflow: Workflow | undefined;
};

/**
 * Returns the reader of the resource of `event`, which works until `signal` aborts. All jobs with the same event object (the
 * jobs of one event, in a delivery or in a page of rows) can share its reads.
 */
export type ReaderFor = (event: HealthEvent, signal: AbortSignal) => ReaderOf<HealthEvent>;

/** Returns the fields of a job that logs and spans may hold. */
export function loggableFieldsOf(job: Pick<Job, 'event' | 'workflowName'>): {
  eventId: string;
  type: string;
  workflow: string;
  resourceType?: string;
} {
  const { event, workflowName } = job;
  return {
    eventId: event.id,
    type: event.type,
    workflow: workflowName,
    ...(event.service === 'fhir' ? { resourceType: event.resourceType } : {}),
  };
}

/** Returns the workflow's name for metrics. The name in a row of an unknown workflow could be any text. */
export function workflowLabelOf({ workflow }: Pick<Job, 'workflow'>): string {
  return workflow?.name ?? 'unknown';
}
