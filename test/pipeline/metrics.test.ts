import { NonRetriableError, seconds } from '../../src/workflow.js';
import { createRecording, shapeOf } from '../telemetry/recording.js';
import { countingWorkflow, holdWorkflow, startHeld } from './held-workflow.js';
import { addressOfRaw, allThatFollows, createAccount, rawEvent, startApp, watched } from './memory-app.js';

// It is 12:00:00 on 1 January 2026, and an event is of that time unless it says otherwise.

type Workflows = NonNullable<Parameters<typeof startApp>[1]>['workflows'];

async function start(workflows: Workflows = [countingWorkflow().workflow]) {
  const account = createAccount();
  const recording = createRecording();
  const app = startApp(account, { workflows, exporter: recording.exporter });
  await allThatFollows();
  return { account, app, ...recording };
}

describe('when events come', () => {
  it('given events of each kind, then they are counted by kind', async () => {
    const { app, valuesOf } = await start();

    await app.pipeline.deliver([
      rawEvent(),
      rawEvent({ id: 'e2', change: 'deleted' }),
      { ...rawEvent({ id: 'e3' }), eventType: 'Microsoft.HealthcareApis.DicomImageCreated', data: IMAGE },
      { id: 'invalid' },
    ]);

    expect(valuesOf('events').map(([value, { outcome, type }]) => [value, outcome, type.split('.').at(-1)])).toEqual([
      [1, 'taken', 'FhirResourceCreated'],
      [1, 'taken', 'FhirResourceDeleted'],
      [1, 'ignored', 'DicomImageCreated'],
      [1, 'invalid', 'unknown'],
    ]);
  });

  it('given storage fails, then all of the POST is counted as not safe', async () => {
    const { account, app, valuesOf } = await start();
    app.storageIs(() => 'fail-before');

    const answer = watched(app.pipeline.deliver([rawEvent(), rawEvent({ id: 'e2' })]));
    await account.pass(21_000);

    expect(answer.state).toBe('rejected');
    expect(valuesOf('events').slice(-1)).toEqual([[2, { outcome: 'not-safe', type: 'unknown' }]]);
  });

  it('given an id that occurs again, then it counts as reused if its data differ', async () => {
    const { app, valuesOf } = await start();

    await app.pipeline.deliver([rawEvent(), rawEvent(), rawEvent({ version: 2 })]);
    await app.pipeline.deliver([rawEvent({ version: 2 }), rawEvent({ id: 'other', version: 3 })]);

    expect(valuesOf('idsReused')).toEqual([[1, {}]]);
  });
});

describe('when a job is settled', () => {
  it.each([
    { afterMs: -2000, lagS: 0, lag: 'within-1s' },
    { afterMs: 0, lagS: 0, lag: 'within-1s' },
    { afterMs: 1000, lagS: 1, lag: 'within-1s' },
    { afterMs: 1001, lagS: 1.001, lag: 'within-5s' },
    { afterMs: 5000, lagS: 5, lag: 'within-5s' },
    { afterMs: 5001, lagS: 5.001, lag: 'over-5s' },
  ])('given $afterMs ms after its event, then its lag is $lagS s, $lag', async ({ afterMs, lagS, lag }) => {
    const { account, app, valuesOf } = await start();
    const time = new Date(account.clock.now().getTime() - afterMs).toISOString();

    await app.pipeline.deliver([rawEvent({ time })]);

    const attributes = { workflow: 'counting', outcome: 'completed' };
    expect(valuesOf('jobs')).toEqual([[1, attributes]]);
    expect(valuesOf('jobLag')).toEqual([[lagS, attributes]]);
    expect(valuesOf('jobsSettled')).toEqual([[1, { ...attributes, lag }]]);
    expect(valuesOf('jobTries')).toEqual([[1, attributes]]);
  });

  it('given an event without a time, then its lag is not recorded', async () => {
    const { app, valuesOf } = await start();
    const { eventTime: _, topic, eventType, dataVersion: __, ...rest } = rawEvent() as Record<string, unknown>;

    await app.pipeline.deliver([{ specversion: '1.0', source: topic, type: eventType, ...rest }]);

    expect(valuesOf('jobs')).toEqual([[1, { workflow: 'counting', outcome: 'completed' }]]);
    expect([...valuesOf('jobLag'), ...valuesOf('jobsSettled')]).toEqual([]);
  });

  it('given it was redriven, then its lag counts separately', async () => {
    const fatal = countingWorkflow((run) => {
      if (run === 1) throw new NonRetriableError('no');
    });
    const { account, app, valuesOf, clear } = await start([fatal.workflow]);
    await app.pipeline.deliver([rawEvent()]);
    expect(valuesOf('jobsSettled')).toEqual([
      [1, { workflow: 'counting', outcome: 'dead-lettered', lag: 'within-1s' }],
    ]);
    clear();

    await app.addRow({ kind: 'job', address: addressOfRaw(rawEvent(), 'counting'), redrive: 1 }, rawEvent());
    await account.pass(1000);
    await app.runDueRows();

    expect(valuesOf('jobsSettled')).toEqual([[1, { workflow: 'counting', outcome: 'completed', lag: 'redriven' }]]);
    expect(valuesOf('jobLag')).toEqual([]);
  });

  it('given versions out of order, then the older one is superseded', async () => {
    const { app, valuesOf } = await start([countingWorkflow(() => {}, { ordering: 'latest' }).workflow]);

    for (const version of [3, 1])
      await app.pipeline.deliver([rawEvent({ id: `v${version}`, version, change: 'updated' })]);

    expect(valuesOf('jobs').map(([, { outcome }]) => outcome)).toEqual(['completed', 'superseded']);
    expect(valuesOf('jobTries').map(([tries]) => tries)).toEqual([1, 0]);
  });
});

describe('when a job is not settled yet', () => {
  it('given its handler fails once, then it is retried, and settled with two tries', async () => {
    const flaky = countingWorkflow(async (run) => {
      if (run === 1) throw new Error('down');
    });
    const { account, app, valuesOf } = await start([flaky.workflow]);

    await app.pipeline.deliver([rawEvent()]);
    await account.pass(15_000);
    await app.runDueRows();

    expect(valuesOf('jobs').map(([, { outcome }]) => outcome)).toEqual(['retried', 'completed']);
    expect(valuesOf('jobTries').map(([tries]) => tries)).toEqual([2]);
    expect(valuesOf('workflowDuration').map(([, { outcome }]) => outcome)).toEqual(['failed', 'done']);
  });

  it('given it comes again while it runs, and after it has been settled, then it is shared, then a duplicate', async () => {
    const { workflow, started } = holdWorkflow();
    const { app, valuesOf } = await start([workflow]);
    const first = app.pipeline.deliver([rawEvent(), rawEvent()]);
    (await started(0)).release();
    await first;

    await app.pipeline.deliver([rawEvent()]);

    expect(valuesOf('jobs').map(([, { outcome }]) => outcome)).toEqual(['shared', 'completed', 'duplicate']);
  });

  it('given its handler is not done by the deadline, then it is deferred, and its duration is recorded at its end', async () => {
    const { workflow, started } = holdWorkflow({ timeout: seconds(15) });
    const { account, app, valuesOf } = await start([workflow]);
    void app.pipeline.deliver([rawEvent()]);
    const call = await started(0);
    await account.pass(15_000);

    call.release();
    await account.pass(1000);

    expect(valuesOf('jobs').map(([, { outcome }]) => outcome)).toEqual(['put-off', 'completed']);
    expect(valuesOf('workflowDuration')).toEqual([[15, { workflow: 'held', outcome: 'done' }]]);
  });

  it('given its process dies, then the next process counts the takeover, under `unknown` for a workflow that it does not have', async () => {
    const { account, app: first, started, address } = startHeld();
    await first.addRow({ kind: 'job', address }, rawEvent());
    void first.runDueRows();
    await started(0);
    first.crash();
    await account.pass(64_000);
    const recording = createRecording();
    const later = startApp(account, { workflows: [], exporter: recording.exporter });

    await later.runDueRows();

    expect(recording.valuesOf('leasesTakenOver')).toEqual([[1, { workflow: 'unknown' }]]);
    expect(recording.valuesOf('jobs')).toEqual([[1, { workflow: 'unknown', outcome: 'retried' }]]);
  });

  it('given a workflow fails 20 times in a row, then its circuit opens once', async () => {
    const failing = countingWorkflow(() => {
      throw new Error('down');
    });
    const { app, valuesOf } = await start([failing.workflow]);

    await app.pipeline.deliver(Array.from({ length: 40 }, (_, n) => rawEvent({ id: `e${n}` })));

    expect(valuesOf('circuitsOpened')).toEqual([[1, { workflow: 'counting' }]]);
  });
});

describe('when traces are exported', () => {
  const TRACE_PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  it('given a POST, then its trace is that of the invocation, with a part for each job', async () => {
    const { app, traces } = await start();

    await app.pipeline.deliver([rawEvent(), { id: 'invalid' }], TRACE_PARENT);

    expect(traces.map(shapeOf)).toEqual(['deliver(parse job(claim workflow settle))']);
    expect(traces[0]).toMatchObject({ traceParent: TRACE_PARENT, fields: { count: 2 } });
    expect(traces[0]?.parts[1]?.fields).toEqual({
      eventId: 'event-1',
      type: 'Microsoft.HealthcareApis.FhirResourceCreated',
      resourceType: 'Patient',
      workflow: 'counting',
      outcome: 'completed',
    });
  });

  it('given a retry, then it is part of the trace of the message that woke it', async () => {
    const flaky = countingWorkflow(async (run) => {
      if (run === 1) throw new Error('down');
    });
    const { account, app, traces } = await start([flaky.workflow]);
    await app.pipeline.deliver([rawEvent()]);
    await account.pass(15_000);

    await app.runDueRows();

    expect(traces.map(shapeOf)).toEqual([
      'deliver(parse job(claim workflow settle))',
      'redeliver(job(claim workflow settle))',
    ]);
    const workflows = traces.map(({ parts }) => parts.find(({ name }) => name === 'job')?.parts[1]?.fields);
    expect(workflows).toEqual([
      { workflow: 'counting', outcome: 'threw', errorCode: 'threw' },
      { workflow: 'counting', outcome: 'ok' },
    ]);
  });

  it('given storage fails, then the trace says so', async () => {
    const { account, app, traces } = await start();
    app.storageIs(() => 'never');

    void app.pipeline.deliver([rawEvent()]).catch(() => {});
    await account.pass(21_000);

    expect(traces[0]).toMatchObject({ isOver: true, fields: { errorCode: 'timeout' } });
  });

  it('given a trace that is not sampled, then nothing is recorded', async () => {
    const account = createAccount();
    const recording = createRecording({ isSampled: false });
    const app = startApp(account, { workflows: [countingWorkflow().workflow], exporter: recording.exporter });

    await app.pipeline.deliver([rawEvent()]);

    expect(recording.traces).toEqual([]);
    expect(app.counters.jobsCompleted).toBe(1);
  });
});

const IMAGE = {
  imageStudyInstanceUid: '1.2',
  imageSeriesInstanceUid: '1.2.3',
  imageSopInstanceUid: '1.2.3.4',
  serviceHostName: 'w-s.dicom.azurehealthcareapis.com',
  sequenceNumber: 1,
};
