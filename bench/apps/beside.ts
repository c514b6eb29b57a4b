import { registerApp } from '../../src/functions/register.js';
import { defineWorkflow, fhir, minutes, seconds } from '../../src/workflow.js';

/** Which of the two has the Patients. */
export const OTHERS_TYPE = 'Observation';
export const FULL_RATE_TYPE = 'Patient';

/** An app with two workflows: one whose lag is measured, and beside it one that gets its events at full rate. */
export function registerBeside(handle: () => void): void {
  const measured = defineWorkflow({ name: 'bench-measured', on: fhir(OTHERS_TYPE), handle() {} });
  const beside = defineWorkflow({
    name: 'bench-beside',
    on: fhir(FULL_RATE_TYPE),
    // Its first retries come while the bench still runs.
    retry: { tries: 8, from: seconds(2), to: minutes(10) },
    handle,
  });
  void registerApp({ workflows: [measured, beside] });
}
