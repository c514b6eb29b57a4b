import type { Change, DicomEvent, FhirEvent } from '../src/workflow.js';
import { defineWorkflow, dicom, fhir } from '../src/workflow.js';

// What the compiler says is the test: a handler that is given more, or less, than `on` selects does not compile.
const name = 'typed';

describe('when `on` selects events, then the handler gets the type of these', () => {
  it('given one type', () => {
    defineWorkflow({
      name,
      on: fhir('Patient', ['created']),
      handle: (event: FhirEvent<'Patient', 'created'>) => void event,
    });
    // @ts-expect-error: it is a Patient
    defineWorkflow({ name, on: fhir('Patient'), handle: ({ resourceType }) => void (resourceType satisfies 'Device') });
  });

  it('given several types', () => {
    defineWorkflow({
      name,
      on: fhir(['Patient', 'Device'], ['created', 'deleted']),
      handle({ resourceType, change }) {
        resourceType satisfies 'Patient' | 'Device';
        change satisfies 'created' | 'deleted';
      },
    });
  });

  it('given all types', () => {
    defineWorkflow({ name, on: fhir('*'), handle: (event: FhirEvent<string, Change>) => void event });
  });

  it('given both services', () => {
    defineWorkflow({
      name,
      on: [fhir(['Patient', 'Device']), dicom(['deleted'])],
      handle(event) {
        event satisfies FhirEvent<'Patient' | 'Device'> | DicomEvent<'deleted'>;
        if (event.service === 'fhir') event.resourceType satisfies 'Patient' | 'Device';
        else event.change satisfies 'deleted';
      },
    });
    // @ts-expect-error: an image has no resource type
    defineWorkflow({ name, on: [fhir('Patient'), dicom()], handle: ({ resourceType }) => void resourceType });
  });
});
