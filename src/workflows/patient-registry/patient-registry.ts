import { defineWorkflow, fhir, needsHosts } from '../../workflow.js';
import { entriesOf } from './index-keys.js';
import { lookUpPatients } from './lookup.js';
import { checkLookupKey, lookupKeyIn } from './lookup-key.js';
import { describePatient, rowOfPatient } from './patient.js';
import { placeOfPatient } from './places.js';
import { updatePatient } from './update-patient.js';

const checkHosts = needsHosts('fhir');

/**
 * Keeps table `patients`: one row for each existing patient as the service has it now, searchable by identifier and by
 * the beginning of a name. See README.md.
 */
export const patientRegistry = defineWorkflow({
  name: 'patient-registry',
  codes: ['lookup-key-absent'],
  on: fhir('Patient'),
  ordering: 'latest',
  async handle(event, { resource, tables, setting, fence, completedFence }) {
    const { host, resourceId } = event;
    const content = event.change === 'deleted' ? undefined : await resource.current();
    const patient = content && describePatient(content, event);
    const wanted = patient && { row: rowOfPatient(patient), entries: entriesOf(patient, lookupKeyIn(setting)) };
    const run = { tables, isNew: event.change === 'created', fence, completedFence };
    await updatePatient(placeOfPatient(host, resourceId), wanted, run);
  },
  setup(setting) {
    const key = checkLookupKey(setting);
    const hosts = checkHosts(setting);
    return key.kind === 'wrong' || hosts.kind === 'on' ? key : hosts;
  },
  lookup: lookUpPatients,
});
