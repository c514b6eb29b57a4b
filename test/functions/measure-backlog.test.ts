import { registerMeasureBacklog } from '../../src/functions/measure-backlog.js';
import { createMemoryBlobStore } from '../../src/storage/memory-blob-store.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { defineWorkflow, fhir, minutes } from '../../src/workflow.js';
import { createRecording } from '../telemetry/recording.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

const long = defineWorkflow({ name: 'long', on: fhir('*'), timeout: minutes(20), handle() {} });
const OLD = 'MY-SUBSCRIPTION/2026/1/1/12';

async function start(options: Parameters<typeof composeMemoryApp>[0] = {}) {
  const functions = createFakeFunctions();
  const composed = composeMemoryApp({ workflows: [long], ...options });
  const recording = createRecording();
  composed.app.telemetry.exportTo(Promise.resolve(recording.exporter));
  await new Promise(setImmediate);
  registerMeasureBacklog(functions.app, composed.app);
  const measured = async () => {
    recording.clear();
    await functions.call('measureBacklog');
    return recording.records.map(({ metric, value, attributes }) => [metric, value, ...Object.values(attributes)]);
  };
  return { ...composed, functions, measured };
}

const none = (reason: string) => ['deadLettersByReason', 0, reason];
const noBlobs = () => createMemoryBlobStore({ clock: createFakeClock() });
const unreachable = async () => Promise.reject(new StorageError('unreachable', 'Of https://account/secret.'));

describe('when the backlog is measured', () => {
  it('given the timer is registered, then it runs each minute', async () => {
    const { functions } = await start();

    expect(functions.optionsOf('measureBacklog')?.schedule).toBe('0 * * * * *');
  });

  it('given nothing waits, then each measure is 0', async () => {
    const { measured } = await start();

    expect((await measured()).sort()).toEqual([
      ...['crash', 'failed', 'gave-up', 'invalid', 'non-retriable', 'too-large', 'tries-spent'].map(none),
      ...['unknown-type', 'unknown-workflow', 'workspace-not-listed'].map(none),
      ['deadLettersOldestAge', 0],
      ['deadLettersPending', 0, 'crash'],
      ['deadLettersPending', 0, 'failed'],
      ['deadLettersPending', 0, 'invalid'],
      ['deadLettersPending', 0, 'unknown-workflow'],
      ['undeliveredOldestAge', 0],
      ['undeliveredPending', 0],
      ['undeliveredUnreadable', 0],
      ['waitingOverdue', 0],
      ['waitingRows', 0],
      ['workflowPaused', 0, 'long'],
    ]);
  });

  it('given paused workflows, then the time of each pause is measured, also of a workflow that the app no longer has', async () => {
    const { app, clock, measured } = await start();
    const pause = { since: clock.now().toISOString(), by: 'ana', why: 'a person' };
    await app.pauses.pause({ ...pause, workflow: 'long' });
    clock.advance(30_000);
    await app.pauses.pause({ ...pause, workflow: 'gone', since: clock.now().toISOString() });
    clock.advance(60_000);

    expect(await measured()).toEqual(
      expect.arrayContaining([
        ['workflowPaused', 90, 'long'],
        ['workflowPaused', 60, 'gone'],
      ]),
    );
    await app.pauses.resume('long');

    expect(await measured()).toContainEqual(['workflowPaused', 0, 'long']);
  });

  it('given dead letters and undelivered events, then their number and their age are measured', async () => {
    const { app, clock, stores, measured } = await start();
    await app.pipeline.deliver([rawFhirEvent(), { id: 'invalid' }, { id: 'invalid, too' }]);
    await stores.undelivered.create(`${OLD}/1.json`, '[]');
    clock.advance(90_000);
    await stores.undelivered.create(`${OLD}/0.json`, '[]');
    await stores.undelivered.create(`resolved/${OLD}/2.json`, '[]');
    await stores.undelivered.create(`unreadable/${OLD}/3.json`, 'no json');

    const all = await measured();

    expect(all).toEqual(
      expect.arrayContaining([
        ['deadLettersPending', 2, 'invalid'],
        ['deadLettersByReason', 2, 'invalid'],
        ['deadLettersOldestAge', 90],
        ['waitingRows', 1],
        ['waitingOverdue', 90],
        ['undeliveredPending', 2],
        ['undeliveredUnreadable', 1],
        ['undeliveredOldestAge', 90],
      ]),
    );
  });

  it('given a queue of events, then the number and the age of its messages are measured', async () => {
    const { stores, clock, measured } = await start({ env: { INGRESS: 'queue' } });
    await stores.eventQueues.events.send('1');
    await stores.eventQueues.events.send('2');
    clock.advance(90_000);

    expect(await measured()).toEqual(
      expect.arrayContaining([
        ['queuedEvents', 2, 'events'],
        ['queuedEvents', 0, 'poison'],
        ['queuedEventsOldestAge', 90],
      ]),
    );
  });

  it('given a row that is due later, then nothing is overdue', async () => {
    const { app, clock, measured } = await start();
    const row = { dueAt: new Date(clock.now().getTime() + 60_000), isLong: false, event: '{}' };
    await app.waiting.add({ ...row, item: { kind: 'delivery', eventIdDigest: 'A'.repeat(22) } }, 10_000);

    expect(await measured()).toEqual(
      expect.arrayContaining([
        ['waitingRows', 1],
        ['waitingOverdue', 0],
      ]),
    );
  });

  it('given more than 5,000 undelivered events, then the count stops there, after two requests', async () => {
    const undelivered = noBlobs();
    for (let n = 0; n < 6500; n += 1) await undelivered.create(`${OLD}/${n}.json`, '[]');
    let lists = 0;
    const list: typeof undelivered.list = (...all) => {
      lists += 1;
      return undelivered.list(...all);
    };
    const { measured } = await start({ stores: { undelivered: { ...undelivered, list } } });

    expect(await measured()).toContainEqual(['undeliveredPending', 5000]);
    expect(lists).toBe(2);
  });

  it('given a part of storage fails, then its code is logged, and the rest is measured', async () => {
    const { measured, lines } = await start({ stores: { deadLetters: { ...noBlobs(), list: unreachable } } });

    const metrics = new Set((await measured()).map(([metric]) => metric));

    expect(metrics).toEqual(
      new Set([
        ...['waitingRows', 'waitingOverdue', 'workflowPaused'],
        ...['undeliveredPending', 'undeliveredUnreadable', 'undeliveredOldestAge'],
      ]),
    );
    expect(lines).toEqual(['error {"what":"backlog-not-measured","code":"dead-letters","errorCode":"unreachable"}']);
  });
});
