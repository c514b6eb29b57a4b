import fc from 'fast-check';
import type { Observation } from 'fhir/r4.js';
import { fhirEvent } from '../../../src/testing/index.js';
import type { FhirEvent, FhirResource } from '../../../src/workflow.js';
import type { StoryEvent } from '../every-crash.js';
import { LOINC, observation, quantity } from './observations.js';

export const HOSTS = ['a.fhir.example', 'b.fhir.example'] as const;
export const POTASSIUM = '2823-3';
export const GLUCOSE = '2345-7';

/** The rules of the stories; `expected.ts` states them a second time. */
export const RULES = {
  rules: [
    { name: 'high', code: POTASSIUM, above: 6, unit: 'mmol/L', severity: 'critical' },
    { name: 'low', code: GLUCOSE, below: 4, unit: 'mmol/L', severity: 'warning' },
    { name: 'rise', code: POTASSIUM, rise: 1, unit: 'mmol/L', within: '48h', severity: 'warning' },
    { name: 'half', code: POTASSIUM, fallPercent: 50, within: '30d', preliminary: false, severity: 'info' },
  ],
};

/** Hours after the first result: some equal, some too far apart to compare. */
const HOURS = [0, 10, 20, 20, 40, 72, 500, 2000];
const T0 = Date.parse('2026-03-01T00:00:00Z');
const STORY_AT = Date.parse('2026-01-01T00:00:00Z');

export type Step = {
  readonly host: (typeof HOSTS)[number];
  readonly id: string;
  readonly does: 'write' | 'delete' | 'make-anew';
  readonly code: string;
  readonly patient: string | undefined;
  readonly hour: number;
  readonly value: number;
  readonly status: Observation['status'];
};

/** A final potassium of the first patient, in the first service. */
export function write(id: string, hour: number, value: number, fields: Partial<Step> = {}): Step {
  const defaults = { host: HOSTS[0], does: 'write', code: POTASSIUM, patient: 'p-1', status: 'final' } as const;
  return { ...defaults, id, hour, value, ...fields };
}

const step: fc.Arbitrary<Step> = fc.record({
  host: fc.constantFrom(HOSTS[0], HOSTS[0], HOSTS[0], HOSTS[1]),
  id: fc.constantFrom('o-1', 'o-2', 'o-3', 'o-4'),
  does: fc.constantFrom('write', 'write', 'write', 'write', 'delete', 'make-anew'),
  code: fc.constantFrom(POTASSIUM, POTASSIUM, POTASSIUM, POTASSIUM, GLUCOSE, '9999-9'),
  patient: fc.constantFrom('p-1', 'p-1', 'p-1', 'p-2', undefined),
  hour: fc.constantFrom(...HOURS),
  value: fc.constantFrom(2, 3, 4, 5, 6.5, 8),
  status: fc.constantFrom('final', 'final', 'corrected', 'preliminary', 'entered-in-error', 'cancelled'),
});

export const stories = fc.array(step, { minLength: 1, maxLength: 9 }).map(storyOf);

/**
 * Returns what happens in the services, oldest first. A write is a creation or an update; hard deletes send no event.
 */
export function storyOf(steps: readonly Step[]): StoryEvent[] {
  const versions = new Map<string, number>();
  const deleted = new Set<string>();
  let atMs = STORY_AT;
  return steps.flatMap((one, n) => {
    const resource = `${one.host} ${one.id}`;
    const version = (versions.get(resource) ?? 0) + 1;
    if (one.does === 'delete' && (version === 1 || deleted.has(resource))) return [];
    const isAnew = one.does === 'make-anew' || version === 1;
    atMs += isAnew ? 400_000 : 1_000; // within five minutes, a new beginning looks like the next version
    const now = isAnew ? 1 : version;
    versions.set(resource, now);
    if (one.does === 'delete') deleted.add(resource);
    else deleted.delete(resource);
    const fields = { id: `${n}`, host: one.host, resourceId: one.id, resourceType: 'Observation', version: now };
    const change = one.does === 'delete' ? 'deleted' : isAnew ? 'created' : 'updated';
    const event = fhirEvent({ ...fields, change, time: new Date(atMs).toISOString() }) as FhirEvent;
    return [{ event, content: one.does === 'delete' ? undefined : contentOf(one, now) }];
  });
}

function contentOf({ id, code, patient, hour, value, status }: Step, version: number): FhirResource {
  const content = observation({
    id,
    status,
    code: { coding: [{ system: LOINC, code }] },
    effectiveDateTime: new Date(T0 + hour * 3_600_000).toISOString(),
    valueQuantity: quantity(`${value} mmol/L`),
  });
  const { subject: _, ...others } = content;
  const subject = patient === undefined ? {} : { subject: { reference: `Patient/${patient}` } };
  return { ...others, ...subject, meta: { versionId: String(version) } };
}
