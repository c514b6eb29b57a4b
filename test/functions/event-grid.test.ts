import { registerEventGrid } from '../../src/functions/event-grid.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { defineWorkflow, dicom, fhir } from '../../src/workflow.js';
import { faultyQueue, type Plan } from '../storage/faults.js';
import { createMemoryQueueStore } from '../storage/memory-queue-store.js';
import { rawDicomEvent, rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

const clock = createFakeClock();
const refusing = () => ({
  ...createMemoryTableStore({ clock }),
  commit: async () => Promise.reject(new StorageError('http-400', 'No.', { isRejected: true })),
});

function start(options: Parameters<typeof composeMemoryApp>[0] = {}, plan: Plan = () => 'ok') {
  const handled: string[] = [];
  const note = defineWorkflow({ name: 'note', on: [fhir('*'), dicom()], handle: ({ id }) => void handled.push(id) });
  const functions = createFakeFunctions();
  const poison = createMemoryQueueStore({ clock });
  const eventQueues = { events: createMemoryQueueStore({ clock }), poison: faultyQueue(poison, plan) };
  const stores = { eventQueues, ...options.stores };
  const { app, lines } = composeMemoryApp({ workflows: [note], clock, ...options, stores });
  registerEventGrid(functions.app, app);
  return { functions, handled, app, lines, poison };
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

  it('given no events, then the delivery succeeds', async () => {
    const { functions, handled } = start();

    await functions.call(name, []);

    expect(handled).toEqual([]);
  });

  it('given storage that refuses everything, then it throws, so that Event Grid sends the events again', async () => {
    const { functions, handled } = start({ stores: { tables: refusing() } });

    await expect(functions.call(name, [rawFhirEvent()])).rejects.toThrow('It will come again');

    expect(handled).toEqual([]);
  });
});

describe('when events come by a queue', () => {
  const QUEUE = { env: { INGRESS: 'queue' } };
  const json = (id: string) => JSON.stringify(rawFhirEvent({ id, resourceId: id }));
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  it('given the trigger of the queue, then the webhook is closed, and a message is one event', async () => {
    const { functions, handled } = start(QUEUE);

    await functions.call('queuedEvents', rawFhirEvent());

    expect(functions.names()).toEqual(['queuedEvents', 'poisonedEvents']);
    expect(functions.optionsOf('queuedEvents')).toMatchObject({ queueName: 'events', connection: 'EventStorage' });
    expect(handled).toEqual(['event-1']);
  });

  it('given an account for undelivered events, then the queue is in that account', () => {
    const { functions } = start({ env: { INGRESS: 'queue', UndeliveredStorage: 'UseDevelopmentStorage=true' } });

    expect(functions.optionsOf('queuedEvents')?.connection).toBe('UndeliveredStorage');
  });

  it('given a text that is no event, then it gets a dead letter, and the message is deleted', async () => {
    const { functions, app } = start(QUEUE);

    await functions.call('queuedEvents', 'no JSON');

    expect((await app.deadLetters.count(10)).byStage.invalid).toBe(1);
  });

  it('given storage that refuses everything, then it throws, so that the message comes again', async () => {
    const { functions, handled } = start({ ...QUEUE, stores: { tables: refusing() } });

    await expect(functions.call('queuedEvents', rawFhirEvent())).rejects.toThrow('It will come again');

    expect(handled).toEqual([]);
  });

  it('given poisoned messages, plain or in base64, then each event is handled once, and the messages are deleted', async () => {
    const { functions, handled, poison, app } = start(QUEUE);
    for (let n = 0; n < 40; n += 1) poison.put(n % 2 === 0 ? json(`e${n}`) : base64(json(`e${n}`)));
    poison.put('neither of both');

    await functions.call('poisonedEvents');

    expect(new Set(handled)).toEqual(new Set(Array.from({ length: 40 }, (_, n) => `e${n}`)));
    expect([handled.length, await poison.length()]).toEqual([40, 0]);
    expect((await app.deadLetters.count(10)).byStage.invalid).toBe(1);
  });

  it('given poison while storage fails, then a line says so, and the message is visible again after a minute', async () => {
    const { functions, poison, lines } = start({ ...QUEUE, stores: { tables: refusing() } });
    poison.put(json('e'));

    await functions.call('poisonedEvents');

    expect(lines.at(-1)).toBe('error {"what":"poison-left","errorCode":"http-400"}');
    expect([poison.inspect().length, await poison.length()]).toEqual([0, 1]);
    clock.advance(60_000);
    expect(await poison.oldestAt()).toBeDefined();
  });

  it.each(['never', 'fail-after'] as const)(
    'given a delete of poison that ends with %s, then its event runs once',
    async (fault) => {
      const { functions, handled, poison } = start(QUEUE, (call) =>
        call.method === 'delete' && call.number === 2 ? fault : 'ok',
      );
      poison.put(json('e'));

      const first = functions.call('poisonedEvents');
      for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
      clock.advance(60_000); // the limit of a call, and the time for which the message is hidden
      await first;
      await functions.call('poisonedEvents');

      expect([handled, await poison.length()]).toEqual([['e'], 0]);
    },
  );
});
