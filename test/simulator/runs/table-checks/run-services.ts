import type { Clock } from '../../../../src/clock.js';
import { systemRandom } from '../../../../src/functions/random.js';
import { createDicomService } from '../../../../src/simulator/dicom/dicom-service.js';
import { createFhirService } from '../../../../src/simulator/fhir/fhir-service.js';
import type { Services } from '../../../../src/simulator/services.js';

/** Services as a run has them, whose changes nobody hears of. */
export function createServices(clock: Clock): Services {
  const deps = { clock, random: systemRandom, publish() {} };
  return {
    fhir: createFhirService({ ...deps, host: 'run.fhir.example' }),
    dicom: createDicomService({ ...deps, host: 'run.dicom.example' }),
  };
}
