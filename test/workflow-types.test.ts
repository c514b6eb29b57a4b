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

  it('given a type that R4 does not know, then only by fhir.custom', () => {
    // @ts-expect-error: R4 has no Pateint
    expect(() => defineWorkflow({ name, on: fhir('Pateint'), handle() {} })).toThrow("did you mean 'Patient'?");
    // @ts-expect-error: neither in a list
    expect(() => defineWorkflow({ name, on: fhir(['Patient', 'Pateint']), handle() {} })).toThrow('Pateint');
    defineWorkflow({
      name,
      on: [fhir.custom('Pateint', ['deleted']), fhir('Patient')],
      handle: ({ resourceType }) => void (resourceType satisfies 'Pateint' | 'Patient'),
    });
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

describe('when a workflow declares `codes`, then its log takes these', () => {
  it('given codes, then no other, neither as a name of a number', () => {
    defineWorkflow({
      name,
      on: fhir('Patient'),
      codes: ['merge-refused', 'candidates'],
      handle(_event, { log }) {
        log.info('merge-refused');
        log.warn('merge-refused', { candidates: 2 });
        // @ts-expect-error: nobody declares it
        log.error('merge-refuse');
        // @ts-expect-error: a text could be anything
        log.info('merge-refused' as string);
        // @ts-expect-error: nobody declares this number
        log.info('merge-refused', { count: 2 });
      },
      task: {
        name: 'tidy',
        schedule: '0 * * * * *',
        async run({ log }) {
          log.info('candidates');
          // @ts-expect-error: nobody declares it
          log.info('tidied');
        },
      },
    });
  });

  it('given none, then nothing can be logged', () => {
    defineWorkflow({
      name,
      on: fhir('*'),
      // @ts-expect-error: nobody declares it
      handle: (_event, { log }) => log.info('seen'),
    });
  });

  it('given the code of `setup`, then it is one of them, or that of needsHosts', () => {
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
      // @ts-expect-error: nobody declares it
      setup: () => ({ kind: 'off', code: 'off' }),
    });
  });
});

/** Exactly the same type: neither may be given where the other is not. */
type Same<A, B> = [A, B] extends [B, A] ? true : false;

describe('when `on` selects events, then `resource` reads what they are about', () => {
  it('given one type', () => {
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
        // @ts-expect-error: an operation has a dollar
        await resource.operation('everything');
        // @ts-expect-error: a Patient has no status
        void patient?.status;
        // @ts-expect-error: R4 has no such type
        await resource.read('Patients', 'p1');
        // @ts-expect-error: it is no image
        await resource.study();
      },
    });
  });

  it('given several types, in a list or in several selectors', () => {
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

  it('given all types, or one that R4 does not know', () => {
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

  it('given images', () => {
    defineWorkflow({
      name,
      on: dicom(['created']),
      async handle(_event, { resource }) {
        (await resource.instance()) satisfies DicomJson | undefined;
        (await resource.study()) satisfies DicomJson[];
        // @ts-expect-error: it is no FHIR resource
        await resource.current();
      },
    });
  });

  it('given both services, then `service` tells which', () => {
    defineWorkflow({
      name,
      on: [fhir('Patient'), dicom()],
      handle(_event, { resource }) {
        true satisfies Same<typeof resource, FhirReader<'Patient'> | DicomReader>;
        if (resource.service === 'fhir') resource satisfies FhirReader<'Patient'>;
        else resource satisfies DicomReader;
        // @ts-expect-error: it may be an image
        void resource.current;
      },
    });
  });
});
