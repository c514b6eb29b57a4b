import * as api from '../../src/api/workflows.js';
import type { App } from '../../src/functions/compose.js';
import { registerWorkflows } from '../../src/functions/workflows.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { defineWorkflow, dicom, fhir, seconds } from '../../src/workflow.js';
import { allThatFollows } from '../pipeline/memory-app.js';
import { type Fault, faultyTables } from '../storage/faults.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';
import { eventsOf, failing } from './some-events.js';

const note = defineWorkflow({
  name: 'note',
  on: [fhir(['Patient', 'Observation'], ['created', 'updated']), fhir('*', ['deleted']), dicom()],
  ordering: 'latest',
  timeout: seconds(15),
  concurrency: 3,
  retry: { tries: 5 },
  handle() {},
});
type Options = Parameters<typeof composeMemoryApp>[0];

function start(options: Options = {}, pauses: Partial<App['pauses']> = {}) {
  const functions = createFakeFunctions();
  const composed = composeMemoryApp({ workflows: [note, failing], ...options });
  registerWorkflows(functions.app, { ...composed.app, pauses: { ...composed.app.pauses, ...pauses } });
  const ask = async () => api.workflowList.parse((await functions.get('workflows')).jsonBody).workflows;
  return { ...composed, functions, ask, id: composed.app.instance.id };
}

describe('when somebody asks for the workflows', () => {
  it('given no event so far, then the answer has each with its options, in the order of the app', async () => {
    const { ask } = start();

    expect(await ask()).toEqual([
      {
        name: 'note',
        on: ['fhir Patient,Observation created,updated', 'fhir * deleted', 'dicom created,updated,deleted'],
        ...{ ordering: 'latest', timeoutSeconds: 15, maxTries: 5, concurrency: 3, paused: null, circuits: [] },
        lastHour: {
          ...{ completed: 0, superseded: 0, deadLettered: 0, retried: 0, durationP50: null, durationP99: null },
        },
      },
      expect.objectContaining({ name: 'failing', on: ['fhir * created,updated,deleted'] }),
    ]);
  });

  it('given two instances, then the answer has the sums of both, and the circuits of each', async () => {
    const clock = createFakeClock();
    const tables = createMemoryTableStore({ clock });
    const [one, other] = [start({ clock, stores: { tables } }), start({ clock, stores: { tables } })];
    other.app.instances.start();
    await allThatFollows();
    await one.app.pipeline.deliver(eventsOf(0, 2));
    await other.app.pipeline.deliver(eventsOf(100, 20));
    clock.advance(10_000);
    await allThatFollows();

    const [{ lastHour: ofNote } = {}, { lastHour: ofFailing, circuits } = {}] = await one.ask();

    expect(ofNote).toMatchObject({ completed: 22, retried: 0, durationP50: 0.0025 });
    expect(ofFailing).toMatchObject({ completed: 0, retried: 22 });
    expect(circuits).toEqual([
      { instance: one.id, state: 'closed', failuresInARow: 2, openSince: null, nextProbeAt: null },
      {
        ...{ instance: other.id, state: 'open', failuresInARow: 20 },
        ...{ openSince: '2026-01-01T12:00:00.000Z', nextProbeAt: '2026-01-01T12:00:10.000Z' },
      },
    ]);
  });

  it('given a pause, then the answer says since when, by whom and why', async () => {
    const pause = { since: '2026-01-01T11:00:00.000Z', by: 'key-holder', why: 'The downstream moves.' };
    const { ask } = start(
      {},
      {
        list: async () => [
          { workflow: 'failing', ...pause },
          { workflow: 'gone', ...pause },
        ],
      },
    );

    expect((await ask()).map(({ name, paused }) => [name, paused])).toEqual([
      ['note', null],
      ['failing', pause],
    ]);
  });

  it('given storage fails, then 503 with its code', async () => {
    let fault: Fault = 'fail-before';
    const { functions, ask } = start({
      stores: { tables: faultyTables(createMemoryTableStore({ clock: createFakeClock() }), () => fault) },
    });

    expect(await functions.get('workflows')).toMatchObject({
      status: 503,
      jsonBody: { error: { code: expect.any(String) } },
    });
    fault = 'ok';

    expect(await ask()).toHaveLength(2);
  });
});
