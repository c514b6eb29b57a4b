import { registerApp } from '../../src/functions/register.js';
import { defineWorkflow, fhir, minutes, seconds } from '../../src/workflow.js';

/** The resource type of each workflow's events. */
export const OTHERS_TYPE = 'Observation';
export const FULL_RATE_TYPE = 'Patient';

/** Registers two workflows: the bench measures the lag of the first while the second gets events at full rate. */
export function registerBeside(handle: () => void): void {
  const measured = defineWorkflow({ name: 'bench-measured', on: fhir(OTHERS_TYPE), handle() {} });
  const beside = defineWorkflow({
    name: 'bench-beside',
    on: fhir(FULL_RATE_TYPE),
    // The first retries run while the bench still measures.
    retry: { tries: 8, from: seconds(2), to: minutes(10) },
    handle,
  });
  void registerApp({ workflows: [measured, beside] });
}
