import type { Clock } from '../../../../src/clock.js';
import { systemRandom } from '../../../../src/functions/random.js';
import { DicomService } from '../../../../src/simulator/dicom/dicom-service.js';
import { FhirService } from '../../../../src/simulator/fhir/fhir-service.js';
import type { World } from '../../../../src/simulator/scenarios/scenario.js';
import type { Services } from '../../../../src/simulator/services.js';
import { createWorld } from '../../../../src/simulator/world.js';

/** Creates the services of a run, whose changes are not published. */
export function createServices(clock: Clock): Services {
  const deps = { clock, random: systemRandom, publish() {} };
  return {
    fhir: new FhirService({ ...deps, host: 'run.fhir.example' }),
    dicom: new DicomService({ ...deps, host: 'run.dicom.example' }),
  };
}

/** Returns the world of a scenario, which changes these services. */
export function createScenario(services: Services, clock: Clock): World {
  const makesEvents = { fhir: true, dicom: true };
  return createWorld({ services: { ...services, makesEvents }, random: systemRandom, clock, left: () => 0 });
}
