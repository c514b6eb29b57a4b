import { keyOf } from '../../src/events/key.js';
import type { Job } from '../../src/handler/job.js';
import { JobRun } from '../../src/pipeline/job-run.js';
import { applyVersion, freeResource, takeResource } from '../../src/pipeline/latest.js';
import type { JobDeps } from '../../src/pipeline/shared.js';
import { addressOf } from '../../src/storage/address.js';
import { createGroupCommit } from '../../src/storage/group-commit.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createWatermarks } from '../../src/storage/watermarks.js';
import { fhirEvent } from '../../src/testing/index.js';
import { type Change, defineWorkflow, fhir } from '../../src/workflow.js';
import { type CallInfo, type Fault, faultyTables } from '../storage/faults.js';
import { allThatFollows, createAccount, watched } from './memory-app.js';

const BUSY = { kind: 'retry', inMs: 10_000, countsAsTry: false, code: 'resource-busy' };
const LEASE_MS = 60_000;
const workflow = defineWorkflow({ name: 'latest', on: fhir('*'), ordering: 'latest', handle() {} });

/** Starts processes over one account; each notes its calls to storage. */
function startProcesses() {
  const account = createAccount();
  const { clock, random } = account;
  return {
    account,
    mark: () => account.tables.inspect('watermarks')[0]?.row,
    process() {
      const calls: string[] = [];
      let faultFor: (call: CallInfo) => Fault = () => 'ok';
      const tables = faultyTables(account.tables, (call) => {
        calls.push(call.method);
        return faultFor(call);
      });
      const watermarks = createWatermarks({ tables, commit: createGroupCommit({ tables, clock, random }) });
      return {
        calls,
        watermarks,
        storageIs(next: (call: CallInfo) => Fault) {
          faultFor = next;
        },
        deps: { clock, random, stores: { watermarks }, settings: { leaseMs: LEASE_MS } } as unknown as JobDeps,
      };
    },
  };
}

function runOf(version: number, change: Change = 'updated', { number = 0 } = {}): Job {
  const event = fhirEvent({ id: `event-${version}`, change, version });
  const key = keyOf(event);
  const address = addressOf(key, workflow.name).replace(/0$/, String(number));
  return new JobRun({ address, eventIdDigest: key.id, event, json: '', workflow, workflowName: workflow.name }).job;
}

/** No limit but the lease. */
const NO_LIMIT = Number.POSITIVE_INFINITY;

function holdOf(claim: Awaited<ReturnType<typeof takeResource>>) {
  if (claim.kind !== 'won') throw new TypeError(`not won: ${claim.kind}`);
  return claim.hold;
}

/** Takes the resource for a job, and applies its version. */
async function apply(run: Job, deps: JobDeps): Promise<void> {
  expect(await applyVersion(holdOf(await takeResource(run, deps)), NO_LIMIT)).toBe(true);
}

describe('when a run asks for the fence of the run before', () => {
  it.each([
    { given: 'there was none', before: 'none', expected: undefined },
    { given: 'it applied its version', before: 'applies', expected: 1 },
    { given: 'it failed', before: 'fails', expected: undefined },
    { given: 'its lease lapsed', before: 'dies', expected: undefined },
    { given: 'it applied its version, and then another failed', before: 'applies, fails', expected: undefined },
    { given: 'it failed, and then another applied its version', before: 'fails, applies', expected: 2 },
  ])('given $given, then $expected (L10)', async ({ before, expected }) => {
    const { account, process } = startProcesses();
    const { deps } = process();
    let version = 1;
    for (const end of before.split(', ').filter((one) => one !== 'none')) {
      const hold = holdOf(await takeResource(runOf(version), deps));
      if (end === 'applies') await applyVersion(hold, NO_LIMIT);
      if (end === 'fails') await freeResource(hold, NO_LIMIT);
      version += 1;
    }
    await account.pass(LEASE_MS + 10_000);

    expect(await takeResource(runOf(version), deps)).toMatchObject({ kind: 'won', completedFence: expected });
  });
});

describe('when a resource is taken', () => {
  it('given no holder so far, then it is won with fence 1, under a lease', async () => {
    const { process, mark } = startProcesses();

    const hold = holdOf(await takeResource(runOf(2), process().deps));

    expect(hold).toMatchObject({ heldUntilMs: LEASE_MS, value: { fence: 1, write: 1, applied: undefined } });
    expect(mark()).toMatchObject({ fence: 1, write: 1, owner: hold.value.owner, leaseMs: LEASE_MS, version: -1 });
    expect(mark()).toMatchObject({ startedVersion: 2, startedKey: runOf(2).eventKey, startedCreatedAt: '' });
    expect(hold.value.owner).not.toBe('');
  });

  it.each([
    { change: 'created' as const, calls: ['commit', 'create', 'commit'] },
    { change: 'updated' as const, calls: ['read', 'commit', 'create', 'commit'] },
  ])('given a resource that was $change, then it costs $calls', async ({ change, calls }) => {
    const { process } = startProcesses();
    const one = process();

    await takeResource(runOf(2, change), one.deps);

    expect(one.calls).toEqual(calls);
  });

  it('given an older version was applied, then it is won with the next fence, and the watermark keeps that version', async () => {
    const { process, mark } = startProcesses();
    const { deps } = process();
    await apply(runOf(2), deps);

    const hold = holdOf(await takeResource(runOf(3), deps));

    expect(hold.value).toMatchObject({ fence: 2, write: 3, applied: { version: 2, eventKey: runOf(2).eventKey } });
    expect(mark()).toMatchObject({ fence: 2, version: 2, owner: hold.value.owner });
  });

  it.each([
    { given: 'a newer version', run: runOf(2), then: 'superseded' },
    { given: 'this very event', run: runOf(3), then: 'completed' },
    { given: 'the same version by another event', run: runOf(3, 'updated', { number: 1 }), then: 'superseded' },
    { given: 'a newer version than its creation', run: runOf(1, 'created'), then: 'superseded' },
  ])('given $given was applied, then $then, and nothing is written', async ({ run, then }) => {
    const { process, mark } = startProcesses();
    await apply(runOf(3), process().deps);
    const before = mark();

    expect(await takeResource(run, process().deps)).toEqual({ kind: then });
    expect(mark()).toEqual(before);
  });

  it('given the write fails, then the error is thrown after a quarter of the lease', async () => {
    const { account, process } = startProcesses();
    const one = process();
    one.storageIs(({ method }) => (method === 'read' ? 'ok' : 'fail-before'));

    const claim = watched(takeResource(runOf(2), one.deps));
    await account.pass(14_500);
    const before = claim.state;
    await account.pass(3000);

    expect(before).toBe('open');
    expect(claim).toMatchObject({ state: 'rejected', error: expect.any(StorageError) });
  });

  it('given another workflow, then both hold the resource at once', async () => {
    const { process } = startProcesses();
    const { deps } = process();
    await takeResource(runOf(2), deps);

    expect(await takeResource({ ...runOf(2), workflowName: 'other' }, deps)).toMatchObject({ kind: 'won' });
  });
});

describe('when another job holds the resource', () => {
  it.each([
    { passMs: 0, then: 'retry' },
    { passMs: 61_500, then: 'retry' },
    { passMs: 62_000, then: 'retry' },
    { passMs: 63_000, then: 'won' },
  ])('given $passMs ms since the claim, then $then', async ({ passMs, then }) => {
    const { account, process } = startProcesses();
    await takeResource(runOf(2), process().deps);
    account.clock.advance(passMs);

    expect((await takeResource(runOf(3), process().deps)).kind).toBe(then);
  });

  it('given its lease has lapsed, then the fence rises, and the former holder can apply nothing', async () => {
    const { account, process, mark } = startProcesses();
    const former = holdOf(await takeResource(runOf(2), process().deps));
    account.clock.advance(63_000);

    const later = holdOf(await takeResource(runOf(9), process().deps));
    const isApplied = await lateWrite(applyVersion(former, NO_LIMIT), account);

    expect([former.value.fence, later.value.fence]).toEqual([1, 2]);
    expect(isApplied).toBe(false);
    expect(mark()).toMatchObject({ fence: 2, owner: later.value.owner, version: -1 });
    expect(await applyVersion(later, NO_LIMIT)).toBe(true);
    expect(mark()).toMatchObject({ fence: 2, owner: '', version: 9 });
  });

  it.each([
    { given: 'its lease lives', passMs: 0 },
    { given: 'its lease has lapsed', passMs: 63_000 },
  ])('given $given, and it works on a newer version, then this one is superseded (L1)', async ({ passMs }) => {
    const { account, process, mark } = startProcesses();
    await takeResource(runOf(9), process().deps);
    account.clock.advance(passMs);
    const before = mark();

    expect(await takeResource(runOf(2), process().deps)).toEqual({ kind: 'superseded' });
    expect(mark()).toEqual(before);
  });

  async function lateWrite<T>(write: Promise<T>, account: ReturnType<typeof createAccount>): Promise<T> {
    const seen = watched(write);
    await account.pass(1000);
    return seen.promise;
  }
});

describe('when another process takes the resource between read and write', () => {
  /** Takes the resource in one process, and calls `meanwhile` with another process between the read and the write. */
  async function takeWith(run: Job, meanwhile: (deps: JobDeps) => Promise<unknown>) {
    const { process, mark } = startProcesses();
    const [one, other] = [process(), process()];
    await apply(runOf(1, 'created'), other.deps);
    const { read } = one.watermarks;
    let reads = 0;
    const slow = {
      ...one.watermarks,
      async read(key: Parameters<typeof read>[0]) {
        const found = await read(key);
        reads += 1;
        if (reads === 1) await meanwhile(other.deps);
        return found;
      },
    };
    const claim = await takeResource(run, { ...one.deps, stores: { watermarks: slow } } as unknown as JobDeps);
    return { claim, mark };
  }

  it.each([
    {
      given: 'and works on it',
      run: runOf(5),
      meanwhile: (deps: JobDeps) => takeResource(runOf(4), deps),
      then: BUSY,
    },
    {
      given: 'and applies a newer one',
      run: runOf(5),
      meanwhile: (deps: JobDeps) => apply(runOf(6), deps),
      then: { kind: 'superseded' },
    },
    {
      given: 'and applies the same',
      run: runOf(5),
      meanwhile: (deps: JobDeps) => apply(runOf(5), deps),
      then: { kind: 'completed' },
    },
  ])('given it takes it $given, then it is decided anew: $then.kind', async ({ run, meanwhile, then }) => {
    expect((await takeWith(run, meanwhile)).claim).toEqual(then);
  });

  it('given it applies an older version, then the resource is won with the next fence', async () => {
    const { claim, mark } = await takeWith(runOf(5), (deps) => apply(runOf(4), deps));

    expect(holdOf(claim).value).toMatchObject({ fence: 3, applied: { version: 4 } });
    expect(mark()).toMatchObject({ fence: 3, version: 4 });
  });

  it('given a creation that is not the first event of its resource, then it is superseded after a conflict and a read', async () => {
    const { process } = startProcesses();
    await apply(runOf(2), process().deps);
    const one = process();

    expect(await takeResource(runOf(1, 'created'), one.deps)).toEqual({ kind: 'superseded' });
    expect(one.calls).toEqual(['commit', 'read']);
  });

  it('given two at once, then one gets the resource', async () => {
    const { process } = startProcesses();

    const claims = await Promise.all([runOf(2), runOf(3), runOf(4)].map((run) => takeResource(run, process().deps)));

    expect(claims.map(({ kind }) => kind).sort()).toEqual(['retry', 'retry', 'won']);
  });

  it('given four conflicts in a row, then the resource counts as busy', async () => {
    const { process } = startProcesses();
    const { deps } = process();
    let writes = 0;
    const current = { mark: { applied: undefined, fence: 1, owner: '', write: 1, leaseMs: 0 }, etag: 'e', ageMs: 0 };
    const watermarks = {
      read: async () => current,
      async write() {
        writes += 1;
        return { kind: 'conflict', current };
      },
    };

    const claim = await takeResource(runOf(2), { ...deps, stores: { watermarks } } as unknown as JobDeps);

    expect(claim).toEqual(BUSY);
    expect(writes).toBe(4);
  });
});

describe('when the table is being dropped', () => {
  it('then it is busy, and nothing is written', async () => {
    const { account, process, mark } = startProcesses();
    await account.tables.create('watermarks');
    await account.tables.drop('watermarks');

    const one = process();

    expect(await takeResource(runOf(2), one.deps)).toEqual(BUSY);
    expect(one.calls).toEqual(['read', 'commit']);
    expect(mark()).toBeUndefined();
  });
});

describe('when a version was applied', () => {
  it('then the watermark says so, and is free, in one write', async () => {
    const { process, mark } = startProcesses();
    const one = process();
    const hold = holdOf(await takeResource(runOf(1, 'created'), one.deps));
    one.calls.length = 0;

    expect(await applyVersion(hold, NO_LIMIT)).toBe(true);
    expect(one.calls).toEqual(['commit']);
    expect(mark()).toMatchObject({
      version: 1,
      time: '2026-01-01T12:01:00.000Z',
      bornAt: '2026-01-01T12:01:00.000Z',
      eventKey: runOf(1, 'created').eventKey,
      owner: '',
      fence: 1,
      write: 2,
    });
  });

  it('given the answer is lost, then the process recognises its write', async () => {
    const { account, process, mark } = startProcesses();
    const one = process();
    const hold = holdOf(await takeResource(runOf(2), one.deps));
    let commits = 0;
    one.storageIs(({ method }) => (method === 'commit' && ++commits === 1 ? 'fail-after' : 'ok'));

    const applied = watched(applyVersion(hold, NO_LIMIT));
    await account.pass(2000);

    expect(await applied.promise).toBe(true);
    expect(commits).toBe(1);
    expect(mark()).toMatchObject({ version: 2, owner: '' });
  });

  it('given the watermark cannot be written, then the version is not applied, and nothing is thrown', async () => {
    const { account, process, mark } = startProcesses();
    const one = process();
    const hold = holdOf(await takeResource(runOf(2), one.deps));
    one.storageIs(() => 'fail-before');

    const applied = watched(applyVersion(hold, NO_LIMIT));
    await account.pass(59_000);
    const before = applied.state;
    await account.pass(3000);

    expect(before).toBe('open');
    expect(await applied.promise).toBe(false);
    expect(mark()).toMatchObject({ version: -1, owner: hold.value.owner });
  });
});

describe('when a version has failed', () => {
  async function startWithFailed(version: number) {
    const { process, mark } = startProcesses();
    const { deps } = process();
    await apply(runOf(2, 'created'), deps);
    await freeResource(holdOf(await takeResource(runOf(version), deps)), NO_LIMIT);
    return { deps, mark };
  }

  it('then the resource is free, what was applied stays, and an older version is superseded', async () => {
    const { deps, mark } = await startWithFailed(9);

    expect(mark()).toMatchObject({ version: 2, startedVersion: 9, owner: '', fence: 2 });
    expect(await takeResource(runOf(3), deps)).toEqual({ kind: 'superseded' });
  });

  it.each([
    { given: 'it comes again', version: 9 },
    { given: 'a newer one comes', version: 10 },
  ])(
    'given $given, then it is won with the next fence, and knows when the resource was created',
    async ({ version }) => {
      const { deps, mark } = await startWithFailed(9);

      const hold = holdOf(await takeResource(runOf(version), deps));

      expect(hold.value).toMatchObject({ fence: 3, applied: { version: 2 }, started: { version } });
      expect(mark()).toMatchObject({
        version: 2,
        startedVersion: version,
        startedCreatedAt: '2026-01-01T12:02:00.000Z',
      });
    },
  );

  it('given a newer version has started since, then its redrive is superseded', async () => {
    const { deps } = await startWithFailed(9);
    await freeResource(holdOf(await takeResource(runOf(10), deps)), NO_LIMIT);

    expect(await takeResource(runOf(9), deps)).toEqual({ kind: 'superseded' });
  });

  it('given it is redriven with a corrected payload, then the version of the payload counts', async () => {
    const { deps, mark } = await startWithFailed(9);
    const corrected = { ...runOf(9), event: runOf(4).event };

    await apply(corrected, deps);

    expect(mark()).toMatchObject({ version: 4, startedVersion: 4, eventKey: runOf(9).eventKey });
    expect(await takeResource(runOf(5), deps)).toMatchObject({ kind: 'won' });
  });

  it('given the resource cannot be freed, then nothing is thrown, and its lease lapses', async () => {
    const { account, process } = startProcesses();
    const one = process();
    const hold = holdOf(await takeResource(runOf(2), one.deps));
    one.storageIs(() => 'fail-before');
    const freed = watched(freeResource(hold, NO_LIMIT));
    await account.pass(10_000);
    const during = await takeResource(runOf(3), process().deps); // newer than what has started
    await account.pass(54_000);
    await allThatFollows();

    expect(freed.state).toBe('resolved');
    expect(during).toEqual(BUSY);
    expect((await takeResource(runOf(3), process().deps)).kind).toBe('won');
  });
});
