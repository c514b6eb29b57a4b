import fc from 'fast-check';
import { fhirEvent } from '../../src/testing/index.js';
import type { FhirEvent } from '../../src/workflow.js';
import { batchesOf } from './batches.js';

const STARTS_AT = Date.parse('2026-01-01T00:00:00Z');

/** The time between versions is often 0, because clocks of services are coarse. */
const gapMs = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 600_000 }));
/** Time until a hard-deleted resource is recreated. Hard deletes send no event, and versions start again. */
const goneMs = fc.integer({ min: 300_001, max: 86_400_000 });
const versions = fc.array(fc.record({ gapMs, change: fc.constantFrom('updated' as const, 'deleted' as const) }), {
  minLength: 1,
  maxLength: 4,
});

/** Histories of a resource that was hard-deleted and recreated once, oldest version first. */
export function histories(resourceId: () => string = () => 'r1'): fc.Arbitrary<FhirEvent[]> {
  return fc.tuple(versions, goneMs, versions).map(([first, pauseMs, second]) => {
    const id = resourceId();
    let atMs = STARTS_AT;
    return [first, second].flatMap((incarnation, which) => {
      if (which === 1) atMs += pauseMs;
      return incarnation.map(({ gapMs, change }, at) => {
        atMs += gapMs;
        const time = new Date(atMs).toISOString();
        return fhirEvent({
          id: `${id}.${which}.${at}`,
          resourceId: id,
          version: at + 1,
          time,
          change: at === 0 ? 'created' : change,
        });
      });
    });
  });
}

/** The events of a history in any order, each once or several times, in batches that are delivered together. */
export function deliveriesOf(history: readonly FhirEvent[]): fc.Arbitrary<FhirEvent[][]> {
  return batchesOf(history.length).map((batches) =>
    batches.map((batch) => batch.map((number) => history[number] as FhirEvent)),
  );
}
