import { Company } from '../../src/pipeline/company.js';
import { JobRun } from '../../src/pipeline/job-run.js';
import { giveSlots, isNewerRun, takeSlots } from '../../src/pipeline/job-slots.js';
import type { JobDeps } from '../../src/pipeline/shared.js';
import { Slots } from '../../src/pipeline/slots.js';
import { createFakeClock, dicomEvent, fhirEvent } from '../../src/testing/index.js';
import { defineWorkflow, dicom, fhir, type HealthEvent } from '../../src/workflow.js';
import { allThatFollows } from './memory-app.js';

const any = defineWorkflow({ name: 'any', on: fhir('*'), handle() {} });
const latest = defineWorkflow({ name: 'latest', on: [fhir('*'), dicom()], ordering: 'latest', handle() {} });

function runOf(event: HealthEvent, workflow = any): JobRun {
  const job = { address: event.id, eventIdDigest: event.id, event, json: '', workflow, workflowName: workflow.name };
  return new JobRun(job);
}

function startWith(concurrency: number) {
  const deps = {
    slots: new Slots<string, JobRun>(() => concurrency),
    resourceSlots: new Slots<string, JobRun>(() => 1, { isBefore: isNewerRun }),
    company: new Company<JobRun>({ clock: createFakeClock(), isLong: () => false }),
    shutdown: { isStopping: false, onAbort: new Map() },
  } as unknown as JobDeps;
  const answers: string[] = [];
  return {
    deps,
    answers,
    /** Asks for slots for the run, and adds the answer to `answers` when it is known. */
    async take(run: JobRun): Promise<void> {
      void takeSlots(run, deps).then((hasSlots) => answers.push(`${run.job.address} ${hasSlots}`));
      await allThatFollows();
    },
    async give(run: JobRun): Promise<void> {
      giveSlots(run, deps);
      await allThatFollows();
    },
  };
}

const versionOf = (version: number, resourceId = 'p1', minutes = 0) =>
  runOf(
    fhirEvent({
      id: `${resourceId}-v${version}`,
      change: 'updated',
      resourceId,
      version,
      time: new Date(Date.UTC(2026, 0, 1, 12, minutes)).toISOString(),
    }),
    latest,
  );

describe('when a job needs a slot', () => {
  it('given ordering any and a free slot, gets the slot', async () => {
    const { take, answers } = startWith(1);

    await take(runOf(fhirEvent({ id: 'a' })));

    expect(answers).toEqual(['a true']);
  });

  it('given no free slot, waits in the queue and can be taken out of it', async () => {
    const { take, answers, give } = startWith(1);
    const [first, second, third] = ['a', 'b', 'c'].map((id) => runOf(fhirEvent({ id }))) as [JobRun, JobRun, JobRun];
    for (const run of [first, second, third]) await take(run);
    const queuedThen = [first, second, third].map((run) => run.isQueued);

    second.leaveQueue();
    await give(first);

    expect(queuedThen).toEqual([false, true, true]);
    expect(answers).toEqual(['a true', 'b false', 'c true']);
    expect([second.isQueued, third.isQueued]).toEqual([false, false]);
  });

  it('given the process ends, gets no slot and takes none', async () => {
    const { take, answers, deps } = startWith(1);
    deps.shutdown.isStopping = true;
    await take(runOf(fhirEvent({ id: 'a' })));
    await take(versionOf(2));
    deps.shutdown.isStopping = false;

    await take(runOf(fhirEvent({ id: 'b' })));

    expect(answers).toEqual(['a false', 'p1-v2 false', 'b true']);
  });
});

describe('when jobs of ordering latest need a slot', () => {
  it('given one resource, runs one job at a time, the newest version first', async () => {
    const { take, answers, give } = startWith(10);
    const runs = [versionOf(2), versionOf(3), versionOf(5), versionOf(4)];
    for (const run of runs) await take(run);
    const before = [...answers];

    await give(runs[0] as JobRun);
    await give(runs[2] as JobRun);

    expect(before).toEqual(['p1-v2 true']);
    expect(answers).toEqual(['p1-v2 true', 'p1-v5 true', 'p1-v4 true']);
  });

  it('given several resources, jobs do not wait for each other', async () => {
    const { take, answers } = startWith(10);

    for (const run of [versionOf(2, 'p1'), versionOf(2, 'p2'), runOf(dicomEvent({ id: 'image' }), latest)])
      await take(run);

    expect(answers).toEqual(['p1-v2 true', 'p2-v2 true', 'image true']);
  });

  it('given the slot of its resource but none of its workflow, waits and keeps the first', async () => {
    const { take, answers, give } = startWith(1);
    const [other, first, second] = [versionOf(2, 'p2'), versionOf(2), versionOf(3)];
    for (const run of [other, first, second]) await take(run);

    await give(other);
    const between = [...answers];
    await give(first);

    expect(between).toEqual(['p2-v2 true', 'p1-v2 true']);
    expect(answers).toEqual(['p2-v2 true', 'p1-v2 true', 'p1-v3 true']);
  });

  it('given it leaves the queue of its workflow, the slot of its resource goes to the next job', async () => {
    const { take, answers, give } = startWith(1);
    const [other, first, second] = [versionOf(2, 'p2'), versionOf(2), versionOf(3)];
    for (const run of [other, first, second]) await take(run);

    first.leaveQueue();
    await allThatFollows();
    await give(other);

    expect(answers).toEqual(['p2-v2 true', 'p1-v2 false', 'p1-v3 true']);
  });

  it('given it leaves the queue of its resource, takes no slot of its workflow', async () => {
    const { take, answers, give } = startWith(2);
    const [first, second] = [versionOf(2), versionOf(3)];
    for (const run of [first, second]) await take(run);

    second.leaveQueue();
    await allThatFollows();
    await take(versionOf(2, 'p2'));
    await give(first);
    await take(versionOf(2, 'p3'));
    await take(versionOf(2, 'p4'));

    expect(answers).toEqual(['p1-v2 true', 'p1-v3 false', 'p2-v2 true', 'p3-v2 true']);
  });
});

describe('when a suspect runs alone', () => {
  async function startAlone() {
    const started = startWith(2);
    const suspect = runOf(fhirEvent({ id: 'suspect' }));
    await started.take(suspect);
    expect(await started.deps.company.enterAsSuspect(suspect, 1)).toEqual({ isAlone: true });
    return { ...started, suspect };
  }

  it('given an ordinary job, waits until the suspect has given its slots back', async () => {
    const { take, give, answers, suspect } = await startAlone();

    await take(runOf(fhirEvent({ id: 'a' })));
    const before = [...answers];
    await give(suspect);

    expect(before).toEqual(['suspect true']);
    expect(answers).toEqual(['suspect true', 'a true']);
  });

  it('given an ordinary job that leaves the queue, its slot is free again', async () => {
    const { take, give, answers, suspect } = await startAlone();
    const late = runOf(fhirEvent({ id: 'late' }));
    await take(late);

    late.leaveQueue();
    await allThatFollows();
    await give(suspect);
    for (const id of ['a', 'b']) await take(runOf(fhirEvent({ id })));

    expect(answers.slice(1)).toEqual(['late false', 'a true', 'b true']);
  });
});

describe('when two versions are in a queue', () => {
  it.each([
    { given: 'a higher version', a: versionOf(3), b: versionOf(2), then: true },
    { given: 'a lower version', a: versionOf(2), b: versionOf(3), then: false },
    { given: 'the same version', a: versionOf(2), b: versionOf(2), then: false },
    { given: 'a lower version, 5 minutes later', a: versionOf(1, 'p1', 5), b: versionOf(9), then: false },
    { given: 'a lower version, 6 minutes later', a: versionOf(1, 'p1', 6), b: versionOf(9), then: true },
    { given: 'a higher version, 6 minutes earlier', a: versionOf(9), b: versionOf(1, 'p1', 6), then: false },
    { given: 'a higher version, 5 minutes earlier', a: versionOf(9), b: versionOf(1, 'p1', 5), then: true },
    { given: 'a higher version and no time', a: untimed(3), b: versionOf(2, 'p1', 59), then: true },
    { given: 'a lower version, and the other has no time', a: versionOf(2, 'p1', 59), b: untimed(3), then: false },
  ])('given $given, then it goes first: $then', ({ a, b, then }) => {
    expect(isNewerRun(a, b)).toBe(then);
  });

  function untimed(version: number): JobRun {
    const run = versionOf(version);
    return new JobRun({ ...run.job, event: { ...run.job.event, time: undefined } });
  }
});
