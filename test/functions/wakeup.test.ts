import { decodeWakeup, registerRedeliver } from '../../src/functions/redeliver.js';
import { DUE_SHARD_NAMES, LONG_SHARD_NAMES } from '../../src/storage/waiting.js';
import { defineWorkflow, fhir, minutes } from '../../src/workflow.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

function start(options: { env?: Record<string, string>; timeout?: ReturnType<typeof minutes> } = {}) {
  const { env = {}, timeout = minutes(20) } = options;
  const handled: string[] = [];
  const long = defineWorkflow({ name: 'long', on: fhir('*'), timeout, handle: ({ id }) => void handled.push(id) });
  const functions = createFakeFunctions();
  const { app, stores, lines, clock } = composeMemoryApp({ workflows: [long], env });
  registerRedeliver(functions.app, app);
  return { functions, app, stores, lines, clock, handled };
}

describe('when rows wait', () => {
  it('given a long job, then the timer wakes the long queue, and its message runs the job', async () => {
    const { functions, app, stores, handled, clock } = start();
    clock.advance(1);
    await app.pipeline.deliver([rawFhirEvent()]);
    clock.advance(1);

    await functions.call('wakeDue');
    expect(stores.due.inspect()).toEqual([]);
    expect(stores.dueLong.inspect()).toHaveLength(1);
    await functions.call('redeliverLong', JSON.parse(stores.dueLong.take() ?? ''));

    expect(handled).toEqual(['event-1']);
    expect(stores.tables.inspect('waiting')).toEqual([]);
  });

  it('given the settings, then both queues are on the connection of the storage', () => {
    const { functions } = start();
    expect(functions.optionsOf('redeliver')).toMatchObject({ queueName: 'due', connection: 'EventStorage' });
    expect(functions.optionsOf('redeliverLong')).toMatchObject({ queueName: 'due-long', connection: 'EventStorage' });
  });

  it('given no EventStorage, then both queues are on the connection of the host', () => {
    const { functions } = start({ env: { EventStorage: '', AzureWebJobsStorage: 'UseDevelopmentStorage=true' } });
    expect(functions.optionsOf('redeliver')).toMatchObject({ connection: 'AzureWebJobsStorage' });
    expect(functions.optionsOf('redeliverLong')).toMatchObject({ connection: 'AzureWebJobsStorage' });
  });

  it('given a message that names no shard, then it is logged and dropped', async () => {
    const { functions, lines } = start();

    await functions.call('redeliver', { shard: 'long-1', note: 'secret' });

    expect(lines).toEqual(['warn {"what":"message-dropped","errorCode":"bad-message"}']);
  });
});

describe('when a message is decoded', () => {
  it.each([
    { given: 'a parsed object', input: { shard: '3' }, expected: { shard: '3' } },
    { given: 'JSON as text', input: '{"shard":"3","after":"row"}', expected: { shard: '3', after: 'row' } },
    { given: 'another property', input: { shard: '3', later: true }, expected: { shard: '3' } },
    { given: 'a shard of the other queue', input: { shard: 'long-3' }, expected: undefined },
    { given: 'no such shard', input: { shard: '8' }, expected: undefined },
    { given: 'a shard that is a number', input: { shard: 3 }, expected: undefined },
    { given: 'a place that is no text', input: { shard: '3', after: 1 }, expected: undefined },
    {
      given: 'a place longer than any row has a name',
      input: { shard: '3', after: 'x'.repeat(513) },
      expected: undefined,
    },
    { given: 'text that is not JSON', input: 'wake up', expected: undefined },
    { given: 'nothing', input: undefined, expected: undefined },
    { given: 'null', input: null, expected: undefined },
  ])('given $given, then $expected', ({ input, expected }) => {
    expect(decodeWakeup(input, DUE_SHARD_NAMES)).toEqual(expected);
  });

  it('given the long queue, then only long shards are valid', () => {
    expect(decodeWakeup({ shard: 'long-3' }, LONG_SHARD_NAMES)).toEqual({ shard: 'long-3' });
    expect(decodeWakeup({ shard: '3' }, LONG_SHARD_NAMES)).toBeUndefined();
  });
});
