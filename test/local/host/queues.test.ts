import { randomUUID } from 'node:crypto';
import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testConnection } from '../../azurite/connection.js';
import { eventually } from '../eventually.js';
import { type Call, type HostProcess, startHostProcess } from '../host-process.js';

const name = `queue-${randomUUID()}`;
const service = QueueServiceClient.fromConnectionString(testConnection());
const queue = service.getQueueClient(name);
const poison = service.getQueueClient(`${name}-poison`);
const calls: Call[] = [];
let host: HostProcess;

beforeAll(async () => {
  host = await startHostProcess({ FIXTURE_QUEUE: name, FixtureStorage: testConnection() });
  await queue.create(); // The host has looked for the queue before.
});
afterAll(() => host.kill());

describe('when a message is in a queue', () => {
  it.each([
    { given: 'JSON', text: '{"shard":3}', seen: { shard: 3 } },
    { given: 'text', text: 'wake up', seen: 'wake up' },
    { given: 'text beyond ASCII', text: 'grüß', seen: 'grüß' },
  ])('given $given, then the function gets it, and it is deleted', async ({ text, seen }) => {
    await send(queue, text);

    const call = await eventually(() => takeCall(seen));

    expect(call.metadata).toMatchObject({ dequeueCount: 1, id: expect.any(String), popReceipt: expect.any(String) });
    await eventually(() => isEmpty(queue));
  });

  it('given a function that throws, then its message is tried maxDequeueCount times, then is in the poison queue', async () => {
    await send(queue, '{"fail":"always"}');

    const [message] = await eventually(() => peek(poison));

    expect(Buffer.from(message ?? '', 'base64').toString()).toBe('{"fail":"always"}');
    await collect();
    expect(calls.filter(isOf({ fail: 'always' })).map((call) => call.metadata?.dequeueCount)).toEqual([1, 2, 3]);
    await eventually(() => isEmpty(queue));
    await poison.clearMessages();
  });

  it('given a message that is not base64, then it is in the poison queue, and no function has seen it', async () => {
    await queue.sendMessage('not base64!');

    expect(await eventually(() => peek(poison))).toEqual(['not base64!']);
    await collect();
    expect(calls.filter(isOf('not base64!'))).toEqual([]);
    await eventually(() => isEmpty(queue));
    await poison.clearMessages();
  });
});

async function send(to: QueueClient, text: string): Promise<void> {
  await to.sendMessage(Buffer.from(text).toString('base64'));
}

async function collect(): Promise<void> {
  calls.push(...(await host.takeCalls()));
}

async function takeCall(input: unknown): Promise<Call | undefined> {
  await collect();
  return calls.find(isOf(input));
}

function isOf(input: unknown): (call: Call) => boolean {
  return (call) => JSON.stringify(call.input) === JSON.stringify(input);
}

/** Returns the messages as stored; undefined for none. */
async function peek(queue: QueueClient): Promise<string[] | undefined> {
  if (!(await queue.exists())) return undefined;
  const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 32 });
  return peekedMessageItems.length > 0 ? peekedMessageItems.map((item) => item.messageText) : undefined;
}

/** Returns true if the queue has no message, not even a hidden one. */
async function isEmpty(queue: QueueClient): Promise<true | undefined> {
  return (await queue.getProperties()).approximateMessagesCount === 0 ? true : undefined;
}
