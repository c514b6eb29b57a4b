import {
  type Change,
  type DicomEvent,
  defineWorkflow,
  dicom,
  type FhirEvent,
  fhir,
  type HealthEvent,
  hours,
  minutes,
  NonRetriableError,
  RetryAfterError,
  seconds,
  type WorkflowOptions,
  wants,
} from '../src/workflow.js';

const PATIENT_CREATED: FhirEvent = {
  service: 'fhir',
  change: 'created',
  type: 'Microsoft.HealthcareApis.FhirResourceCreated',
  id: '1',
  source: '/w',
  time: undefined,
  resourceType: 'Patient',
  resourceId: 'a',
  version: 1,
  host: 'h',
};
const IMAGE_DELETED: DicomEvent = {
  service: 'dicom',
  change: 'deleted',
  type: 'Microsoft.HealthcareApis.DicomImageDeleted',
  id: '2',
  source: '/w',
  time: undefined,
  studyUid: '1',
  seriesUid: '2',
  instanceUid: '3',
  partition: 'Microsoft.Default',
  version: 1,
  host: 'h',
};

const options = (changed: Partial<WorkflowOptions<HealthEvent>> = {}): WorkflowOptions<HealthEvent> => ({
  name: 'index',
  on: [fhir('*'), dicom()],
  handle() {},
  ...changed,
});

describe('when defineWorkflow declares a workflow', () => {
  it('given only the required options, then the workflow has the defaults and is frozen', () => {
    const workflow = defineWorkflow({ name: 'index', on: fhir('Patient'), handle() {} });

    expect(workflow).toMatchObject({
      name: 'index',
      on: [{ service: 'fhir', resourceTypes: ['Patient'], changes: ['created', 'updated', 'deleted'] }],
      ordering: 'any',
      timeoutMs: 10_000,
      concurrency: 256,
      retry: { tries: 8, fromMs: 10_000, toMs: 21_600_000, giveUpAfterMs: 86_400_000 },
    });
    expect(Object.isFrozen(workflow)).toBe(true);
  });

  it('given every option, then the workflow has these values', () => {
    const workflow = defineWorkflow(
      options({
        ordering: 'latest',
        timeout: minutes(25),
        concurrency: 1,
        retry: { tries: 1, from: seconds(1), to: seconds(1), giveUpAfter: hours(168) },
      }),
    );

    expect(workflow).toMatchObject({
      ordering: 'latest',
      timeoutMs: 1_500_000,
      concurrency: 1,
      retry: { tries: 1, fromMs: 1000, toMs: 1000, giveUpAfterMs: 604_800_000 },
    });
  });

  it('given a workflow, then every part of it is frozen', () => {
    const workflow = defineWorkflow({ name: 'index', on: fhir('Patient'), handle() {} });

    for (const part of [workflow, workflow.on, workflow.on[0], workflow.retry])
      expect(Object.isFrozen(part)).toBe(true);
  });

  it('given a handler that uses `this`, then `this` is the options', () => {
    const workflow = defineWorkflow({
      name: 'self',
      on: dicom(),
      handle() {
        throw new TypeError(this.name);
      },
    });

    expect(() => workflow.handle(IMAGE_DELETED, {} as never)).toThrow('self');
  });

  it.each([
    { given: 'an empty name', wrong: { name: '' }, expected: 'its name must be' },
    { given: 'a name with a capital letter', wrong: { name: 'Index' }, expected: 'its name must be' },
    { given: 'a name that begins with a digit', wrong: { name: '1st' }, expected: 'its name must be' },
    { given: 'a name of 64 characters', wrong: { name: 'a'.repeat(64) }, expected: 'its name must be' },
    { given: 'a name with a dot', wrong: { name: 'a.b' }, expected: 'its name must be' },
    { given: 'no selector', wrong: { on: [] }, expected: '`on` selects nothing' },
    { given: 'no resource types', wrong: { on: fhir([]) }, expected: '`on` selects nothing' },
    {
      given: 'a resource type that R4 does not have',
      wrong: { on: fhir('MedicationRequst' as 'Patient') },
      expected:
        "FHIR R4 has no resource type 'MedicationRequst' (did you mean 'MedicationRequest'?); a type of your own",
    },
    {
      given: 'a resource type in lower case',
      wrong: { on: [dicom(), fhir(['patient' as 'Patient', 'Device'])] },
      expected: "no resource type 'patient' (did you mean 'Patient'?)",
    },
    {
      given: 'a resource type without a similar type in R4',
      wrong: { on: fhir('Potato' as 'Patient') },
      expected: "no resource type 'Potato'; a type of your own is selected by fhir.custom('Potato')",
    },
    {
      given: 'an invalid custom type',
      wrong: { on: fhir.custom('*') },
      expected: "'*' cannot be a resource type",
    },
    {
      given: 'a code that is a sentence',
      wrong: { codes: ['Jane Doe'] as never[] },
      expected: "the code 'Jane Doe' must be",
    },
    {
      given: 'a lookup with a capital letter',
      wrong: { lookup: { name: 'Things' } as never },
      expected: 'the name of `lookup` must be 1 to 31',
    },
    {
      given: 'a lookup of 32 characters',
      wrong: { lookup: { name: 'a'.repeat(32) } as never },
      expected: 'the name of `lookup`',
    },
    {
      given: 'a task that begins with a capital letter',
      wrong: { task: { name: 'Tidy' } as never },
      expected: 'the name of `task` must be 1 to 63',
    },
    { given: 'a task with a dash', wrong: { task: { name: 'ti-dy' } as never }, expected: 'the name of `task`' },
    { given: 'no changes', wrong: { on: [fhir('*'), dicom([])] }, expected: '`on` selects nothing' },
    {
      given: 'an unknown ordering',
      wrong: { ordering: 'first' as 'any' },
      expected: "`ordering` must be 'any' or 'latest'",
    },
    {
      given: 'a timeout of 0 s',
      wrong: { timeout: seconds(0) },
      expected: '`timeout` is 0 ms, must be 1 to 1500000 ms',
    },
    { given: 'a timeout of 26 minutes', wrong: { timeout: minutes(26) }, expected: '`timeout` is 1560000 ms' },
    { given: 'a timeout of NaN', wrong: { timeout: seconds(Number.NaN) }, expected: '`timeout` is NaN ms' },
    { given: 'a concurrency of 0', wrong: { concurrency: 0 }, expected: '`concurrency` is 0, must be 1 to 10000' },
    { given: 'a concurrency of 1.5', wrong: { concurrency: 1.5 }, expected: '`concurrency` must be whole' },
    { given: '0 tries', wrong: { retry: { tries: 0 } }, expected: '`retry.tries` is 0, must be 1 to 100' },
    { given: '2.5 tries', wrong: { retry: { tries: 2.5 } }, expected: '`retry.tries` must be whole' },
    {
      given: 'a first wait longer than the longest wait',
      wrong: { retry: { from: hours(2), to: hours(1) } },
      expected: '`retry.from` is 7200000 ms, must be 1 to 3600000 ms',
    },
    {
      given: 'a longest wait of more than a week',
      wrong: { retry: { to: hours(169) } },
      expected: '`retry.to` is 608400000 ms',
    },
    {
      given: 'a giveUpAfter of 0 s',
      wrong: { retry: { giveUpAfter: seconds(0) } },
      expected: '`retry.giveUpAfter` is 0 ms, must be 1 to 604800000 ms',
    },
  ])('given $given, then the error says so', ({ wrong, expected }) => {
    expect(() => defineWorkflow(options(wrong))).toThrow(expected);
  });

  it('given no handler, which JavaScript allows, then the error says so', () => {
    const without = { ...options({}), handle: undefined } as never;

    expect(() => defineWorkflow(without)).toThrow('`handle` must be a function');
  });

  it('given several wrong options, then the error lists all problems', () => {
    expect(() => defineWorkflow(options({ name: 'X', on: [], concurrency: -1 }))).toThrow(
      "Workflow 'X' cannot be: its name must be 1 to 63 of a-z, 0-9 and '-', a letter first; `on` selects nothing; `concurrency` is -1, must be 1 to 10000.",
    );
  });
});

describe('when a workflow selects events with `on`', () => {
  it.each([
    { given: 'the type of the event', on: fhir('Patient'), event: PATIENT_CREATED, expected: true },
    {
      given: 'the type and the change of the event',
      on: fhir('Patient', ['created']),
      event: PATIENT_CREATED,
      expected: true,
    },
    { given: 'another change', on: fhir('Patient', ['updated', 'deleted']), event: PATIENT_CREATED, expected: false },
    { given: 'another type', on: fhir('Observation'), event: PATIENT_CREATED, expected: false },
    { given: 'a custom type', on: fhir.custom('Patients'), event: PATIENT_CREATED, expected: false },
    {
      given: 'the type of the event as a custom type',
      on: fhir.custom(['X', 'Patient']),
      event: PATIENT_CREATED,
      expected: true,
    },
    {
      given: 'a list with the type of the event',
      on: fhir(['Observation', 'Patient']),
      event: PATIENT_CREATED,
      expected: true,
    },
    { given: 'all types', on: fhir('*'), event: PATIENT_CREATED, expected: true },
    { given: 'all types in a list', on: fhir(['*', 'Observation']), event: PATIENT_CREATED, expected: true },
    { given: 'all types of the other service', on: dicom(), event: PATIENT_CREATED, expected: false },
    { given: 'all images', on: dicom(), event: IMAGE_DELETED, expected: true },
    { given: 'images with the change of the event', on: dicom(['deleted']), event: IMAGE_DELETED, expected: true },
    { given: 'images with another change', on: dicom(['created']), event: IMAGE_DELETED, expected: false },
    { given: 'all of FHIR', on: fhir('*'), event: IMAGE_DELETED, expected: false },
    { given: 'a list of selectors', on: [fhir('Patient'), dicom()], event: IMAGE_DELETED, expected: true },
  ])('given $given in `on`, then wants returns $expected', ({ on, event, expected }) => {
    expect(wants(defineWorkflow(options({ on: on as WorkflowOptions<HealthEvent>['on'] })), event)).toBe(expected);
  });
});

describe('when a handler receives an event', () => {
  /** `true` only if the two types are equal, so that passing `true` is the assertion. */
  type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
  const isSame = <A, B>(same: Same<A, B>) => expect(same).toBe(true);

  it('given one resource type and one change, then the event has exactly these types', () => {
    defineWorkflow({
      name: 'a',
      on: fhir('Observation', ['created']),
      handle(event) {
        isSame<typeof event, FhirEvent<'Observation', 'created'>>(true);
        isSame<typeof event.type, 'Microsoft.HealthcareApis.FhirResourceCreated'>(true);
      },
    }).handle(PATIENT_CREATED, {} as never);
    expect.assertions(2);
  });

  it('given lists of resource types and changes, then the event has unions', () => {
    defineWorkflow({
      name: 'a',
      on: fhir(['Patient', 'Person'], ['created', 'updated']),
      handle(event) {
        isSame<typeof event.resourceType, 'Patient' | 'Person'>(true);
        isSame<typeof event.change, 'created' | 'updated'>(true);
      },
    }).handle(PATIENT_CREATED, {} as never);
    expect.assertions(2);
  });

  it('given all resource types, then the event has any type and any change', () => {
    defineWorkflow({
      name: 'a',
      on: fhir('*'),
      handle(event) {
        isSame<typeof event.resourceType, string>(true);
        isSame<typeof event.change, Change>(true);
      },
    }).handle(PATIENT_CREATED, {} as never);
    expect.assertions(2);
  });

  it('given images, then the event is a DICOM event', () => {
    defineWorkflow({
      name: 'a',
      on: dicom(['deleted']),
      handle(event) {
        isSame<typeof event, DicomEvent<'deleted'>>(true);
      },
    }).handle(IMAGE_DELETED, {} as never);
    expect.assertions(1);
  });

  it('given both services, then the event is a union, and `service` tells the services apart', () => {
    defineWorkflow({
      name: 'a',
      on: [fhir('Patient'), dicom(['deleted'])],
      handle(event) {
        isSame<typeof event, FhirEvent<'Patient'> | DicomEvent<'deleted'>>(true);
        if (event.service === 'dicom') isSame<typeof event.change, 'deleted'>(true);
      },
    }).handle(IMAGE_DELETED, {} as never);
    expect.assertions(2);
  });
});

describe('when a handler creates an error', () => {
  it('given a code, then the error has it; given no code, then the error has the default code of its class', () => {
    const cause = new Error('why');

    expect(new NonRetriableError('no', { code: 'no-such-unit', cause })).toMatchObject({ code: 'no-such-unit', cause });
    expect(new NonRetriableError('no').code).toBe('non-retriable');
    expect(new RetryAfterError('later', minutes(1))).toMatchObject({ code: 'retry-after', wait: { ms: 60_000 } });
  });
});
