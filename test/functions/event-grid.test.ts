import { registerEventGrid } from '../../src/functions/event-grid.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { defineWorkflow, dicom, fhir } from '../../src/workflow.js';
import { rawDicomEvent, rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

function start(options: Parameters<typeof composeMemoryApp>[0] = {}) {
  const handled: string[] = [];
  const note = defineWorkflow({ name: 'note', on: [fhir('*'), dicom()], handle: ({ id }) => void handled.push(id) });
  const functions = createFakeFunctions();
  const { app } = composeMemoryApp({ workflows: [note], ...options });
  registerEventGrid(functions.app, app);
  return { functions, handled };
}

describe.each(['fhirEvents', 'dicomEvents'])('when Event Grid delivers to %s', (name) => {
  it('given its trigger, then it takes whole batches', () => {
    expect(start().functions.optionsOf(name)?.trigger).toMatchObject({ type: 'eventGridTrigger', cardinality: 'many' });
  });

  it('given a batch of both services, then every event is handled', async () => {
    const { functions, handled } = start();

    await functions.call(name, [rawFhirEvent(), rawDicomEvent()]);

    expect(handled.sort()).toEqual(['event-1', 'event-2']);
  });

  it('given a lone event, then it is handled', async () => {
    const { functions, handled } = start();

    await functions.call(name, rawFhirEvent());

    expect(handled).toEqual(['event-1']);
  });

  it('given no events, then all is well', async () => {
    const { functions, handled } = start();

    await functions.call(name, []);

    expect(handled).toEqual([]);
  });

  it('given storage that refuses everything, then it throws, so that Event Grid sends the events again', async () => {
    const tables = {
      ...createMemoryTableStore({ clock: createFakeClock() }),
      commit: async () => Promise.reject(new StorageError('http-400', 'No.', { isRejected: true })),
    };
    const { functions, handled } = start({ stores: { tables } });

    await expect(functions.call(name, [rawFhirEvent()])).rejects.toThrow('Event Grid will send it again');

    expect(handled).toEqual([]);
  });
});
