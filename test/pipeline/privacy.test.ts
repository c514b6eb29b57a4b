import { digest } from '../../src/digest.js';
import { NotSafeError } from '../../src/pipeline/post.js';
import { StorageError } from '../../src/storage/table-store.js';
import { type Context, type HealthEvent, NonRetriableError, seconds } from '../../src/workflow.js';
import { countingWorkflow, holdWorkflow } from './held-workflow.js';
import {
  asCloudEvent,
  dicomRaw,
  ERRORS,
  expectLetters,
  FATAL,
  failing,
  fhirRaw,
  HOST,
  LATER,
  logCarelessly,
  MARK,
  NAME,
  NUMBER,
  printed,
  RESOURCE,
  startWorld,
} from './marked-world.js';
import { addressOfRaw, watched } from './memory-app.js';

// Promise 5 of ARCHITECTURE.md. Every value of an event but its id, types and time holds a mark; no mark may leave the process.

describe('when a handler does well, and logs carelessly', () => {
  it.each([
    { given: 'a FHIR event in Event Grid schema', raw: fhirRaw() },
    { given: 'a FHIR event as a CloudEvent', raw: asCloudEvent(fhirRaw()) },
    { given: 'a DICOM event', raw: dicomRaw() },
    { given: 'a DICOM event as a CloudEvent', raw: asCloudEvent(dicomRaw() as never) },
  ])('given $given, then nothing of it leaves', async ({ raw }) => {
    const world = startWorld();
    const app = world.start([failing(ERRORS.message as never, 0).workflow]);

    expect(await world.deliver(app, [raw, raw])).toBe('resolved');
    expect(await world.deliver(app, [raw])).toBe('resolved');

    world.expectClean(['workflow'], { jobsCompleted: 1, jobsShared: 1, jobsDuplicate: 1 });
    expect(app.lines.filter((line) => line.includes('undeclared-code'))).toHaveLength(3);
  });

  it('given versions out of order, then nothing of what was superseded leaves', async () => {
    const world = startWorld();
    const latest = countingWorkflow((_run, context, event) => logCarelessly(event, context), { ordering: 'latest' });
    const app = world.start([latest.workflow]);

    for (const version of [3, 1]) await world.deliver(app, [fhirRaw({ id: `v${version}`, version: NUMBER + version })]);

    world.expectClean(['workflow'], { jobsCompleted: 1, jobsSuperseded: 1 });
  });
});

describe('when a handler fails', () => {
  it.each(Object.keys(ERRORS).map((given) => ({ given })))(
    'given its error quotes the event: $given, then retry and dead letter show nothing of it',
    async ({ given }) => {
      const world = startWorld();
      const app = world.start([failing(ERRORS[given] as never, 9, 2).workflow]);

      for (const raw of [fhirRaw(), dicomRaw('e2')]) await world.deliver(app, [raw]);
      await world.later(app, 15_000);

      world.expectClean(['job-retries', 'job-dead-lettered'], { jobsRetried: 2, jobsDeadLettered: 2, rowsRun: 2 });
      expectLetters(world.account, ['tries-spent', 'tries-spent']);
    },
  );

  it('given a RetryAfterError that quotes the event, then its wait shows nothing of it', async () => {
    const world = startWorld();
    const app = world.start([failing(LATER, 1).workflow]);

    await world.deliver(app, [fhirRaw()]);
    await world.later(app, 6000);

    world.expectClean(['job-waits'], { jobsRetried: 1, jobsCompleted: 1 });
  });

  it('given a NonRetriableError that quotes the event, then its dead letter holds the event, and no other word of it', async () => {
    const world = startWorld();
    const raw = fhirRaw();

    await world.deliver(world.start([failing(FATAL).workflow]), [raw]);

    world.expectClean(['job-dead-lettered'], { jobsDeadLettered: 1 });
    expectLetters(world.account, ['non-retriable'], raw);
  });

  it('given it ends after its timeout, and its error quotes the event, then nothing of the event leaves', async () => {
    const world = startWorld();
    const slow = countingWorkflow((_run, { signal }, event) => {
      return new Promise((_resolve, fail) => signal.addEventListener('abort', () => fail(FATAL(event))));
    });

    await world.deliver(world.start([slow.workflow]), [fhirRaw()], 11_000);

    world.expectClean(['job-retries'], { jobsRetried: 1, jobsHung: 0 });
    expect(world.account.record(addressOfRaw(fhirRaw(), 'counting'))).toMatchObject({ errorCode: 'timeout' });
  });

  it('given it hangs, and at last its error quotes the event, then nothing of the event leaves', async () => {
    const world = startWorld();
    const { workflow, started } = holdWorkflow();
    const app = world.start([workflow]);
    const answer = world.deliver(app, [fhirRaw()], 71_000);
    const call = await started(0);
    await answer;

    call.fail(FATAL(call.event));
    await world.account.pass(1000);

    world.expectClean(['job-hung', 'job-retries'], { jobsHung: 1, jobsPutOff: 1 });
  });
});

describe('when a process dies or ends', () => {
  it('given another process takes over, then nothing of the job leaves, also when crashes end it', async () => {
    const world = startWorld();
    const { workflow, started } = holdWorkflow();
    const raw = fhirRaw();
    for (let i = 0; i < 11; i += 1) {
      const app = world.start([workflow]);
      if (i === 0) await app.addRow({ kind: 'job', address: addressOfRaw(raw, workflow) }, raw);
      void app.runDueRows();
      await started(i);
      app.crash();
      await world.account.pass(64_000);
    }

    await world.start([workflow]).runDueRows();

    world.expectClean(['job-taken-over', 'job-dead-lettered'], { leasesTakenOver: 11, jobsDeadLettered: 1 });
    expectLetters(world.account, ['crash'], raw);
  });

  it('given the former holder goes on, then what it says of its lost lease shows nothing of the event', async () => {
    const world = startWorld();
    const { workflow, started } = holdWorkflow({ timeout: seconds(600) });
    const raw = fhirRaw();
    const frozen = world.start([workflow]);
    await frozen.addRow({ kind: 'job', address: addressOfRaw(raw, workflow) }, raw);
    const ran = frozen.runDueRows();
    const call = await started(0);
    frozen.storageIs(() => 'never');
    await world.account.pass(64_000);
    await ran;
    const later = world.start([workflow]).runDueRows();
    (await started(1)).release();
    await later;
    frozen.storageIs(() => 'ok');

    call.fail(FATAL(call.event));
    await world.account.pass(500);

    world.expectClean(['job-taken-over', 'job-lease-lost'], { leasesLost: 1, jobsCompleted: 1 });
  });

  it('given it is stopped while a handler runs, then nothing of the deferred job leaves', async () => {
    const world = startWorld();
    const { workflow } = holdWorkflow({ concurrency: 1 });
    const app = world.start([workflow]);
    void world.deliver(app, [fhirRaw(), fhirRaw({ id: 'e2', resourceId: `${RESOURCE}.2` })], 0);
    await world.account.pass(1000);

    const stopped = watched(app.pipeline.stop());
    await world.account.pass(4000);

    expect(stopped.state).toBe('resolved');
    world.expectClean(['stopping', 'stopped'], { jobsPutOff: 1 });
    expect(world.account.waiting().length).toBeGreaterThan(0);
  });
});

describe('when a job comes back by a row', () => {
  it('given a redrive, then nothing of it leaves, and its dead letter moves unchanged', async () => {
    const world = startWorld();
    const raw = fhirRaw();
    const app = world.start([failing(FATAL, 1).workflow]);
    await world.deliver(app, [raw]);
    const [before] = world.account.blobs.inspect().values();

    await app.addRow({ kind: 'job', address: addressOfRaw(raw, 'counting'), redrive: 1 }, raw);
    await world.later(app, 0);

    world.expectClean(['job-dead-lettered'], { jobsDeadLettered: 1, jobsCompleted: 1 });
    expect([...world.account.blobs.inspect()]).toEqual([[expect.stringMatching(/^resolved\/failed\//), before]]);
  });

  it('given a redrive whose edited payload is no event, then nothing of that leaves', async () => {
    const world = startWorld();
    const app = world.start([failing(FATAL).workflow]);
    await world.deliver(app, [fhirRaw()]);

    const edited = { ...fhirRaw(), data: { patient: NAME, [NAME]: NUMBER } };
    await app.addRow({ kind: 'job', address: addressOfRaw(fhirRaw(), 'counting'), redrive: 1 }, edited);
    await world.later(app, 0);

    world.expectClean(['event-invalid'], { eventsInvalid: 1 });
    expectLetters(world.account, ['invalid', 'non-retriable']);
  });

  it('given a row with an invalid event, or no JSON, then nothing of it leaves', async () => {
    const world = startWorld();
    const app = world.start([failing(FATAL).workflow]);
    const address = addressOfRaw(fhirRaw(), 'counting');
    await app.addRow({ kind: 'job', address }, { ...fhirRaw(), data: NAME });
    const row = {
      dueAt: new Date(0),
      isLong: false,
      event: `{"${NAME}`,
      item: { kind: 'job' as const, address, eventIdDigest: digest(NAME) },
    };
    await app.waiting.add(row, 10_000);

    await world.later(app, 0);

    world.expectClean(['row-failed'], { jobsStarted: 0 });
    expect(app.lines.filter((line) => line.includes('row-failed'))).toHaveLength(2);
  });

  it('given a workflow that is missing for 30 minutes, then neither wait nor dead letter shows the event', async () => {
    const world = startWorld();
    const raw = dicomRaw();
    const app = world.start();
    await app.addRow({ kind: 'job', address: addressOfRaw(raw, 'gone') }, raw);

    for (let minute = 0; minute < 32; minute += 1) await world.later(app, 60_500);

    world.expectClean(['job-waits', 'job-dead-lettered'], { jobsDeadLettered: 1 });
    expectLetters(world.account, ['unknown-workflow'], raw);
  });

  it('given more rows than a page holds, then the messages about the others show nothing of them', async () => {
    const world = startWorld();
    const app = world.start([failing(FATAL, 0).workflow]);
    const raw = fhirRaw();
    const address = addressOfRaw(raw, 'counting');
    await Promise.all(Array.from({ length: 1001 }, () => app.addRow({ kind: 'job', address }, raw)));

    await app.runDueRows();

    const messages = world.account.due.inspect();
    expect(messages).toEqual([expect.stringContaining('"after":')]);
    expect(messages.filter((text) => MARK.test(text))).toEqual([]);
    world.expectClean(['workflow'], { jobsCompleted: 1, rowsLeft: 999 });
  });
});

describe('when an event makes no job', () => {
  const base = fhirRaw();
  const { id, ...withoutId } = base;
  const kinds: { given: string; raw: unknown; reason?: string }[] = [
    { given: 'data of other names', raw: { ...base, data: { [NAME]: NAME, patient: NUMBER } } },
    {
      given: 'data of wrong types',
      raw: { ...base, data: { ...base.data, resourceVersionId: NAME, resourceType: NAME } },
    },
    { given: 'data that is a text', raw: { ...base, data: NAME } },
    { given: 'data that is a list', raw: { ...base, data: [base.data] } },
    { given: 'no id', raw: withoutId },
    { given: 'an id that is an object', raw: { ...base, id: { name: NAME } } },
    { given: 'an id that is too long', raw: { ...base, id: NAME.repeat(200) } },
    { given: 'a time that is a name', raw: { ...base, eventTime: NAME } },
    { given: 'a version of CloudEvents that is a name', raw: { ...asCloudEvent(base), specversion: NAME } },
    { given: 'a key that is forbidden', raw: JSON.parse(`{"__proto__":"${NAME}",${JSON.stringify(base).slice(1)}`) },
    { given: 'a type that is a name', raw: { ...base, eventType: NAME }, reason: 'unknown-type' },
    { given: 'a type of another service', raw: { ...base, eventType: `Some.${RESOURCE}` }, reason: 'unknown-type' },
    { given: 'more than 32 KiB', raw: { ...base, note: NAME.repeat(4000) }, reason: 'too-large' },
    { given: 'a text', raw: NAME },
    { given: 'a list', raw: [base] },
    { given: 'a number', raw: NUMBER },
  ];

  it.each(kinds)('given $given, then a dead letter holds it, and nothing of it leaves', async ({ raw, reason }) => {
    const world = startWorld();
    const app = world.start([failing(FATAL).workflow]);

    expect(await world.deliver(app, [raw])).toBe('resolved');

    world.expectClean(['event-invalid'], { eventsInvalid: 1, jobsStarted: 0 });
    expectLetters(world.account, [reason ?? 'invalid'], raw);
  });

  it.each([base, asCloudEvent(base)])(
    'given a workspace that is not listed, then a dead letter holds the event, and nothing of it leaves',
    async (raw) => {
      const world = startWorld();
      const app = world.start([failing(FATAL).workflow], { workspaces: ['/subscriptions/s/other'] });

      expect(await world.deliver(app, [raw])).toBe('resolved');

      world.expectClean(['event-invalid'], { eventsInvalid: 1, jobsStarted: 0 });
      expectLetters(world.account, ['workspace-not-listed'], raw);
    },
  );

  it('given nobody wants it, then nothing of it leaves', async () => {
    const world = startWorld();
    const app = world.start();
    await world.deliver(app, [base, dicomRaw()]);

    expect([...world.whats()]).toEqual([]);
    expect(world.counters('eventsIgnored')).toEqual({ eventsIgnored: 2 });
    expect([...app.lines, ...printed].filter((text) => MARK.test(text))).toEqual([]);
  });
});

/** Errors of a store that breaks its contract, which must not leak either. */
const FAILURES: Record<string, () => unknown> = {
  'a StorageError': () => new StorageError(RESOURCE, `no row for ${NAME} ${NUMBER}`),
  'a StorageError with a cause': () => new StorageError('http-503', 'down', { cause: new Error(NAME) }),
  'an error of an SDK': () =>
    Object.assign(new Error(`PUT ${HOST}/${RESOURCE}`), { code: NAME, request: { body: JSON.stringify(fhirRaw()) } }),
  'a text': () => `${NAME} ${NUMBER}`,
};

/** Runs a POST with all kinds of events, its rows, a redrive and the end of the process. */
async function goThroughAll(world: ReturnType<typeof startWorld>): Promise<unknown[]> {
  const deadAtFirst = (run: number, _context: Context, event: HealthEvent) => {
    if (run === 1) throw FATAL(event);
  };
  const write = async (_run: number, { tables }: Context, event: HealthEvent) => {
    await tables('patients').change('all', event.id, () => ({ name: NAME, number: NUMBER }));
    await tables('patients').list('all');
  };
  const app = world.start([
    failing(ERRORS.message as never, 1, 2).workflow,
    countingWorkflow(deadAtFirst, { name: 'dead' }).workflow,
    countingWorkflow(() => {}, { name: 'latest', ordering: 'latest' }).workflow,
    countingWorkflow(write, { name: 'writes' }).workflow,
  ]);
  const post = [fhirRaw(), asCloudEvent(fhirRaw({ id: 'e2', resourceId: `${RESOURCE}.2` })), dicomRaw('e3'), NAME];
  const answers = [await world.deliver(app, post, 21_000)];
  for (let i = 0; i < 2; i += 1) await world.later(app, 15_000);
  const redriven = { kind: 'job' as const, address: addressOfRaw(fhirRaw(), 'dead'), redrive: 1 };
  await world.end(app.addRow(redriven, fhirRaw()));
  await world.later(app, 0);
  answers.push(await world.deliver(app, post, 21_000));
  await world.end(app.pipeline.stop());
  return answers;
}

const THROWN = Object.keys(FAILURES).map((given) => ({ given, failure: FAILURES[given] as () => unknown }));
const thrownBy = (number: number) => THROWN[number % THROWN.length]?.failure();

describe('when storage fails with errors that quote what it was asked', () => {
  it('given no error, then all paths are taken', async () => {
    const world = startWorld();

    expect(await goThroughAll(world)).toEqual(['resolved', 'resolved']);

    world.expectClean(['job-retries', 'job-dead-lettered', 'event-invalid', 'stopping', 'stopped'], {
      jobsCompleted: 9,
      jobsDeadLettered: 1,
      jobsRetried: 1,
      eventsInvalid: 2,
      eventsNotSafe: 0,
    });
    expect(world.thrown).toEqual([]);
  });

  it.each(THROWN)(
    'given $given at every call, then the POST is not safe, and no line shows the event',
    async ({ failure }) => {
      const world = startWorld();
      world.failWith(failure);

      const answers = await goThroughAll(world);

      expect(answers).toEqual([expect.any(NotSafeError), expect.any(NotSafeError)]);
      world.expectClean(['event-not-safe', 'job-not-written', 'wake-failed', 'stopped'], { eventsNotSafe: 2 });
    },
  );

  it.each(THROWN)(
    'given $given, then the error of the POST shows nothing of the event, even printed whole',
    async ({ failure }) => {
      const world = startWorld();
      world.failWith(failure);

      await goThroughAll(world);

      expect(world.thrown.length).toBeGreaterThan(0);
      expect(world.thrown.filter((text) => MARK.test(text))).toEqual([]);
    },
  );

  it('given such an error at any one call, then nothing of the event leaves', async () => {
    const plain = startWorld();
    await goThroughAll(plain);
    const whats = new Set<string>();

    for (let failing = 1; failing <= plain.calls(); failing += 1) {
      const world = startWorld();
      world.failWith((number) => (number === failing ? thrownBy(failing) : undefined));
      await goThroughAll(world);

      world.expectClean(['event-invalid', 'stopped'], {});
      for (const what of world.whats()) whats.add(what);
    }

    expect(plain.calls()).toBeGreaterThan(50);
    expect([...whats]).toEqual(expect.arrayContaining(['wake-failed', 'row-failed', 'event-not-safe']));
  });

  it('given such errors from any call on, then nothing of the event leaves', async () => {
    const plain = startWorld();
    await goThroughAll(plain);
    const whats = new Set<string>();

    for (let from = 2; from <= plain.calls(); from += 3) {
      const world = startWorld();
      world.failWith((number) => (number >= from ? thrownBy(number) : undefined));
      await goThroughAll(world);

      world.expectClean(['stopped'], {});
      for (const what of world.whats()) whats.add(what);
    }

    expect([...whats]).toEqual(expect.arrayContaining(['job-not-written', 'event-not-safe', 'job-retries']));
  });
});

describe('when a value of the event could pass for a word', () => {
  const UUID = 'f47ac10b-58cc-4372-a567-0e02b2c3d479';
  const raw = (resourceId: string) => ({ ...fhirRaw({ resourceId }), family: 'Markerson' });
  const linesOf = async (behave: (context: Context) => void, resourceId = UUID) => {
    const world = startWorld();
    const counting = countingWorkflow((_run, context) => behave(context));
    const app = world.start([counting.workflow]);
    await world.deliver(app, [raw(resourceId)]);
    expect(counting.runs).toBe(1);
    expect(app.lines).toHaveLength(1);
    return app.lines.join();
  };

  it('given an id as the code of a log, then no line has it', async () => {
    expect(await linesOf(({ log }) => log.info(UUID as never))).not.toContain(UUID);
  });

  it('given a name as the name of a number in a log, then no line has it', async () => {
    expect(await linesOf(({ log }) => log.info('saw' as never, { Markerson: 1 } as object))).not.toMatch(MARK);
  });

  it('given an id as the code of an error, then no line has it', async () => {
    const error = () => {
      throw Object.assign(new Error(), { code: 'patient-markerson' });
    };
    expect(await linesOf(error, 'patient-markerson')).not.toMatch(MARK);
  });

  it('given a name as the code of a NonRetriableError, then no line has it', async () => {
    const error = () => {
      throw new NonRetriableError('no', { code: 'Markerson' });
    };
    expect(await linesOf(error)).not.toMatch(MARK);
  });

  it('given a name as the name of an error, then no line has it', async () => {
    const error = () => {
      throw Object.assign(new Error(), { name: 'Markerson' });
    };
    expect(await linesOf(error)).not.toMatch(MARK);
  });
});
