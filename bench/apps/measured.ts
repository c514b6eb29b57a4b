import { registerApp } from '../../src/functions/register.js';
import type { Workflow } from '../../src/workflow.js';

const READS = /^(Patient|Observation)\/([\w-]+)$/;

/**
 * Registers an app whose FHIR resources come from its own process: reads cost no network and no second process, so that
 * the app and its storage are measured. Needs the setting SIMULATOR=on.
 */
export async function registerMeasured(workflows: readonly Workflow[]): Promise<void> {
  await registerApp({
    workflows,
    loadSimulator: async () => ({
      async registerSimulator(_functions, { readers }) {
        readers.answerInProcess(() => answer);
      },
    }),
  });
}

function answer({ path }: { path: string }) {
  const [, type, id = ''] = READS.exec(path) ?? [];
  const resource = type === 'Patient' ? patient(id) : type === 'Observation' ? observation(id) : undefined;
  return resource ? { status: 200, body: JSON.stringify(resource) } : { status: 404 };
}

function patient(id: string) {
  const n = id.slice(-6);
  return {
    resourceType: 'Patient',
    id,
    meta: { versionId: '1' },
    identifier: [{ system: 'https://hospital.example/mrn', value: `MRN-${id}` }],
    name: [{ use: 'official', family: `Nguyen${n}`, given: ['Linh'] }],
    gender: 'female',
    birthDate: '1970-02-03',
  };
}

/** A height, for which there is no rule. */
function observation(id: string) {
  return {
    resourceType: 'Observation',
    id,
    meta: { versionId: '1' },
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8302-2' }] },
    subject: { reference: 'Patient/p1' },
    effectiveDateTime: '2026-03-02T12:00:00Z',
    valueQuantity: { value: 170, unit: 'cm', system: 'http://unitsofmeasure.org', code: 'cm' },
  };
}
