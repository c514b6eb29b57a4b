import type { Clock, Random } from '../clock.js';
import { writePart10 } from './dicom/write-part10.js';
import type { FhirOutcome } from './fhir/fhir-service.js';
import type { Resource, World } from './scenarios/scenario.js';
import type { SwitchableServices } from './services.js';

const MISTAKE = 'The scenario made a change that was refused';

/** A FHIR resource of a service. */
export type ResourceName = { readonly host: string; readonly resourceType: string; readonly resourceId: string };

type WorldDeps = {
  readonly services: SwitchableServices;
  readonly random: Random;
  readonly clock: Clock;
  readonly left: () => number;
  readonly whenHardDeleted?: (resource: ResourceName) => void;
};

/** Returns a scenario's world, which changes `services`. Throws for a refused change: the scenario is wrong. */
export function createWorld(deps: WorldDeps): World {
  const { random, clock, left, whenHardDeleted = () => {} } = deps;
  const { fhir, dicom, makesEvents } = deps.services;
  let lastMs = 0;
  return {
    random,
    now,
    left,
    create: (resource) => accepted(fhir.apply({ method: 'POST', resource })).id ?? '',
    update: (resource) => void accepted(fhir.apply({ method: 'PUT', resource })),
    remove: (resourceType, id) => void accepted(fhir.apply({ method: 'DELETE', resourceType, id })),

    hardDelete(resourceType, id) {
      accepted(fhir.apply({ method: 'DELETE', resourceType, id, isHard: true }));
      whenHardDeleted({ host: fhir.host, resourceType, resourceId: id });
    },

    switchEvents: (isOn) => void Object.assign(makesEvents, { fhir: isOn, dicom: isOn }),

    transact(entries) {
      const requestOf = ({ resourceType: url }: Resource) => ({ method: 'POST', url });
      const entry = entries.map((one) => ({ ...one, request: requestOf(one.resource) }));
      accepted(fhir.apply({ method: 'BUNDLE', bundle: { resourceType: 'Bundle', type: 'transaction', entry } }));
    },

    store(image) {
      const stored = dicom.store(writePart10(image));
      if (stored.status === 'refused') throw new TypeError(`${MISTAKE}: ${stored.problems.join(', ')}`);
      return stored.status === 'stored';
    },

    removeImages: (of) => void dicom.delete(of),

    updateStudy(studyUid, values) {
      const updated = dicom.update({ studyUid }, values);
      if (updated.status === 'refused') throw new TypeError(`${MISTAKE}: ${updated.problems.join(', ')}`);
    },
  };

  /** Returns a new time at each call. With an equal time, an update could change nothing and make no event. */
  function now(): Date {
    lastMs = Math.max(lastMs + 1, clock.now().getTime());
    return new Date(lastMs);
  }
}

function accepted(outcome: FhirOutcome): FhirOutcome {
  if (outcome.problem === undefined) return outcome;
  throw new TypeError(`${MISTAKE}: ${outcome.status}, ${outcome.problem}`);
}
