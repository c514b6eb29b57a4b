import type { FhirType } from '../clients/fhir-reader.js';
import type { Change, DicomEvent, FhirEvent, HealthEvent } from '../events/health-event.js';

/** The events that a workflow runs for. `E` is the type of the events that its handler gets. */
export type Selector<E extends HealthEvent = HealthEvent> = {
  readonly service: E['service'];
  /** `'*'` selects all types. DICOM events have no resource type. */
  readonly resourceTypes: readonly string[] | '*';
  /** Set by `fhir.custom`: the types need not be types of R4. */
  readonly isCustom?: true;
  readonly changes: readonly Change[];
  /** Always absent: the property only carries the type. */
  readonly event?: E;
};

const ALL_CHANGES = ['created', 'updated', 'deleted'] as readonly Change[] as readonly never[];

/** The type of the events that `S` selects. */
export type EventOf<S extends Selector> = S extends Selector<infer E> ? E : never;

/**
 * Selects FHIR events by resource type of R4 (`'*'` for all types) and by change (default: all changes). `fhir.custom`
 * takes types that are not in R4.
 */
export function fhir<const R extends FhirType | '*', C extends Change = Change>(
  resourceTypes: R | readonly R[],
  changes: readonly C[] = ALL_CHANGES,
): Selector<FhirEvent<'*' extends R ? string : R, C>> {
  const types: readonly string[] = [resourceTypes].flat();
  return Object.freeze({ service: 'fhir', resourceTypes: types.includes('*') ? '*' : types, changes });
}

fhir.custom = <const R extends string, C extends Change = Change>(
  resourceTypes: R | readonly R[],
  changes: readonly C[] = ALL_CHANGES,
): Selector<FhirEvent<R, C>> => {
  const types: readonly string[] = [resourceTypes].flat();
  return Object.freeze({ service: 'fhir', resourceTypes: types, changes, isCustom: true });
};

/** Selects DICOM events by change (default: all changes). */
export function dicom<const C extends Change = Change>(changes: readonly C[] = ALL_CHANGES): Selector<DicomEvent<C>> {
  return Object.freeze({ service: 'dicom', resourceTypes: '*', changes });
}

/** Returns whether one of the selectors in `on` selects `event`. */
export function wants({ on }: { readonly on: readonly Selector[] }, event: HealthEvent): boolean {
  return on.some(
    (selector) =>
      selector.service === event.service &&
      selector.changes.includes(event.change) &&
      (selector.resourceTypes === '*' ||
        (event.service === 'fhir' && selector.resourceTypes.includes(event.resourceType))),
  );
}
