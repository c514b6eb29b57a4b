import type { Device, Observation, Patient } from 'fhir/r4.js';
import type {
  Change,
  DicomEvent,
  DicomJson,
  DicomReader,
  FhirEvent,
  FhirReader,
  FhirResource,
} from '../src/workflow.js';
import { defineWorkflow, dicom, fhir, needsHosts } from '../src/workflow.js';

// The compiler is the test: a handler does not compile if its event type is wider or narrower than the selection of
// `on`.
const name = 'typed';

describe('when `on` selects events', () => {
  it('given one resource type, then the event has this type', () => {
    defineWorkflow({
      name,
      on: fhir('Patient', ['created']),
      handle: (event: FhirEvent<'Patient', 'created'>) => void event,
    });
    // @ts-expect-error: the resource is a Patient
    defineWorkflow({ name, on: fhir('Patient'), handle: ({ resourceType }) => void (resourceType satisfies 'Device') });
  });

  it('given several resource types, then the event has a union of types', () => {
    defineWorkflow({
      name,
      on: fhir(['Patient', 'Device'], ['created', 'deleted']),
      handle({ resourceType, change }) {
        resourceType satisfies 'Patient' | 'Device';
        change satisfies 'created' | 'deleted';
      },
    });
  });

  it('given all resource types, then the event has the general type', () => {
    defineWorkflow({ name, on: fhir('*'), handle: (event: FhirEvent<string, Change>) => void event });
  });

  it('given a resource type that R4 does not have, then only fhir.custom selects it', () => {
    // @ts-expect-error: R4 has no Pateint
    expect(() => defineWorkflow({ name, on: fhir('Pateint'), handle() {} })).toThrow("did you mean 'Patient'?");
    // @ts-expect-error: R4 has no Pateint, also in a list
    expect(() => defineWorkflow({ name, on: fhir(['Patient', 'Pateint']), handle() {} })).toThrow('Pateint');
    defineWorkflow({
      name,
      on: [fhir.custom('Pateint', ['deleted']), fhir('Patient')],
      handle: ({ resourceType }) => void (resourceType satisfies 'Pateint' | 'Patient'),
    });
  });

  it('given both services, then the event is a union, and `service` tells the services apart', () => {
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

describe('when a workflow declares `codes`', () => {
  it('given codes, then the log accepts only these codes, also as names of numbers', () => {
    defineWorkflow({
      name,
      on: fhir('Patient'),
      codes: ['merge-refused', 'candidates'],
      handle(_event, { log }) {
        log.info('merge-refused');
        log.warn('merge-refused', { candidates: 2 });
        // @ts-expect-error: the workflow does not declare this code
        log.error('merge-refuse');
        // @ts-expect-error: a string may hold any text
        log.info('merge-refused' as string);
        // @ts-expect-error: the workflow does not declare this number
        log.info('merge-refused', { count: 2 });
      },
      task: {
        name: 'tidy',
        schedule: '0 * * * * *',
        async run({ log }) {
          log.info('candidates');
          // @ts-expect-error: the workflow does not declare this code
          log.info('tidied');
        },
      },
    });
  });

  it('given no codes, then the log accepts no code', () => {
    defineWorkflow({
      name,
      on: fhir('*'),
      // @ts-expect-error: the workflow does not declare this code
      handle: (_event, { log }) => log.info('seen'),
    });
  });

  it('given the code of `setup`, then it must be a declared code or come from needsHosts', () => {
    defineWorkflow({
      name,
      on: fhir('*'),
      codes: ['mode-off'],
      handle() {},
      setup: (setting) => (setting('MODE') ? { kind: 'off', code: 'mode-off' } : needsHosts('fhir')(setting)),
    });
    defineWorkflow({
      name,
      on: fhir('*'),
      codes: ['mode-off'],
      handle() {},
      // @ts-expect-error: the workflow does not declare this code
      setup: () => ({ kind: 'off', code: 'off' }),
    });
  });
});

/** `true` if A and B are assignable to each other. */
type Same<A, B> = [A, B] extends [B, A] ? true : false;

describe('when a handler reads `resource`', () => {
  it('given one resource type, then the reader returns this type', () => {
    defineWorkflow({
      name,
      on: fhir('Patient'),
      async handle(_event, { resource }) {
        const patient = await resource.current();
        true satisfies Same<typeof patient, Patient | undefined>;
        patient?.birthDate satisfies string | undefined;
        const version = await resource.version();
        true satisfies Same<typeof version, Patient | undefined>;
        const device = await resource.read('Device', 'd1');
        true satisfies Same<typeof device, Device | undefined>;
        for await (const found of resource.search('Observation')) found satisfies Observation;
        // @ts-expect-error: the name of an operation begins with $
        await resource.operation('everything');
        // @ts-expect-error: a Patient has no status
        void patient?.status;
        // @ts-expect-error: R4 has no Patients
        await resource.read('Patients', 'p1');
        // @ts-expect-error: the reader is for FHIR, not for images
        await resource.study();
      },
    });
  });

  it('given several resource types, in a list or in several selectors, then the reader returns a union', () => {
    defineWorkflow({
      name,
      on: fhir(['Patient', 'Device']),
      async handle(_event, { resource }) {
        const found = await resource.current();
        true satisfies Same<typeof found, Patient | Device | undefined>;
      },
    });
    defineWorkflow({
      name,
      on: [fhir('Patient', ['created']), fhir('Device')],
      async handle(_event, { resource }) {
        const found = await resource.version();
        true satisfies Same<typeof found, Patient | Device | undefined>;
      },
    });
  });

  it('given all resource types or a custom type, then the reader returns any FHIR resource', () => {
    defineWorkflow({
      name,
      on: fhir('*'),
      async handle(_event, { resource }) {
        const found = await resource.current();
        true satisfies Same<typeof found, FhirResource | undefined>;
        if (found?.resourceType === 'Patient') found.birthDate satisfies string | undefined;
      },
    });
    defineWorkflow({
      name,
      on: fhir.custom('Unheard', ['created']),
      handle: async (_event, { resource }) => void ((await resource.current()) satisfies FhirResource | undefined),
    });
  });

  it('given images, then the reader returns DICOM JSON', () => {
    defineWorkflow({
      name,
      on: dicom(['created']),
      async handle(_event, { resource }) {
        (await resource.instance()) satisfies DicomJson | undefined;
        (await resource.study()) satisfies DicomJson[];
        // @ts-expect-error: the reader is for images, not for FHIR
        await resource.current();
      },
    });
  });

  it('given both services, then `service` tells the readers apart', () => {
    defineWorkflow({
      name,
      on: [fhir('Patient'), dicom()],
      handle(_event, { resource }) {
        true satisfies Same<typeof resource, FhirReader<'Patient'> | DicomReader>;
        if (resource.service === 'fhir') resource satisfies FhirReader<'Patient'>;
        else resource satisfies DicomReader;
        // @ts-expect-error: the event may be about an image
        void resource.current;
      },
    });
  });
});
