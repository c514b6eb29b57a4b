import { digest } from '../../../digest.js';
import type { HealthEvent } from '../../../events/health-event.js';
import { resourceOf } from '../../../events/order.js';
import type { TableStore } from '../../../storage/table-store.js';
import type { Services } from '../../services.js';

/** Compares a workflow's tables, at the end of a run, with the final state of the run's services. */
export type TableCheck = {
  /** The workflow's name. An app without the workflow skips the check. */
  readonly workflow: string;
  check(run: CheckedRun): Promise<Checked>;
};

/** The parts of a run that a check reads. */
export type CheckedRun = {
  /** The tables of the workflows. */
  readonly tables: TableStore;
  /** The run's services, which do not change any more. */
  readonly services: Services;
  readonly newest: Newest;
  /** Older rows belong to other runs. */
  readonly since: Date;
  /** True if every change of the run has an event that is delivered. */
  readonly isWhole: boolean;
  /** Returns whether the workflow has completed event `n`. A resource is checked only if its newest event is completed. */
  hasCompleted(n: number): boolean;
};

/** `problems` has a sentence for each wrong row, which names versions and no other value of a resource. */
export type Checked = { readonly rows: number; readonly problems: readonly string[] };

/**
 * The newest change of a resource. `n` is the number of its event in the run, or that of an earlier change of the resource
 * that is never delivered: without that change, the app cannot have the right state.
 */
export type NewestChange = { readonly version: number; readonly change: string; readonly n: number };
/** The newest change by the run of each resource, by the resource's digest. */
export type Newest = ReadonlyMap<string, NewestChange>;

/**
 * Returns whether the run's newest event of a resource is completed; false for a resource without an event of the run.
 */
export function isNewestCompleted(
  { newest, hasCompleted }: { newest: ReadonlyMap<string, { readonly n: number }>; hasCompleted(n: number): boolean },
  resource: object,
): boolean {
  const change = newest.get(digest(resourceOf(resource as HealthEvent)));
  return change !== undefined && hasCompleted(change.n);
}

/** Returns a function that says whether the newest event of a FHIR resource of the run is completed. */
export function settledIn(run: CheckedRun, resourceType: string): (id: unknown) => boolean {
  const { host } = run.services.fhir;
  return (id) => isNewestCompleted(run, { service: 'fhir', host, resourceType, resourceId: String(id) });
}
