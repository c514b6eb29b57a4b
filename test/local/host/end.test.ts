import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterEach, describe, expect, it } from '@jest/globals';
import { testConnection } from '../../azurite/connection.js';
import { type HostProcess, spawnHost, startHostProcess } from '../host-process.js';
import { takePort } from '../taken-port.js';

const hosts: Pick<HostProcess, 'kill'>[] = [];
afterEach(() => Promise.all(hosts.splice(0).map((host) => host.kill())));

describe('when the host is told to end', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'given %s while a request is open, then queues still start functions, the request is answered, and appTerminate comes last',
    async (signal) => {
      const name = `queue-${randomUUID()}`;
      const queue = QueueServiceClient.fromConnectionString(testConnection()).getQueueClient(name);
      await queue.create();
      const host = await start({ FIXTURE_QUEUE: name, FixtureStorage: testConnection() });
      const answer = fetch(`${host.url}/api/untilQueued`);
      await host.printed('fixture: held');

      host.process.kill(signal);
      await host.printed('Ending');
      await queue.sendMessage(Buffer.from('{}').toString('base64'));

      expect(await (await answer).text()).toBe('finished');
      expect(await host.ended).toBe(0);
      expect(host.output()).toMatch(/Ending.*fixture: answered.*fixture: appTerminate/s);
    },
  );

  it('given functions that never end, then the host stops waiting for them, and runs appTerminate', async () => {
    const host = await start({}, ['--drain-ms', '100']);
    const answer = fetch(`${host.url}/api/forever`).catch(() => 'ended');
    await host.printed('fixture: held');

    host.process.kill('SIGTERM');

    expect(await host.ended).toBe(0);
    expect(host.output()).toMatch(/HTTP requests are still unanswered.*Functions still run.*fixture: appTerminate/s);
    expect(await answer).toBe('ended');
  });

  it('given a function that still runs, then no new request is accepted', async () => {
    const host = await start();
    const answer = fetch(`${host.url}/api/forever`).catch(() => 'ended');
    await host.printed('fixture: held');

    host.process.kill('SIGTERM');
    await host.printed('Ending');

    await expect(fetch(`${host.url}/api/calls`)).rejects.toThrow('fetch failed');
    await host.kill();
    expect(await answer).toBe('ended');
  });

  it('given a request that is still being sent, then the answer is 503, and no function gets the request', async () => {
    const host = await start();
    const held = fetch(`${host.url}/api/forever`).catch(() => 'ended');
    await host.printed('fixture: held');
    const late = request(`${host.url}/api/things/1`, { method: 'POST' });
    late.write('half of a ');
    await once(late, 'socket');
    await fetch(`${host.url}/api/nothing`); // The part that was sent before this request has arrived.

    host.process.kill('SIGTERM');
    await host.printed('Ending');
    late.end('body');

    const [response] = (await once(late, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(503);
    await host.kill();
    expect(await held).toBe('ended');
  });

  it('given a second Ctrl-C, then the process ends at once', async () => {
    const host = await start();
    const answer = fetch(`${host.url}/api/forever`).catch(() => 'ended');
    await host.printed('fixture: held');

    const again = setInterval(() => host.process.kill('SIGINT'), 100);

    expect(await host.ended).toBe(130);
    clearInterval(again);
    expect(await answer).toBe('ended');
  });

  it('given timers and queues, then they stop too', async () => {
    const host = await start({ FIXTURE_TIMER: '* * * * * *' });
    host.process.kill('SIGTERM');

    expect(await host.ended).toBe(0);
  });
});

describe('when the host starts', () => {
  it('given a timer that runs on startup, then its function is called with names in camel case', async () => {
    const host = await start({ FIXTURE_TIMER: '0 0 0 1 1 *' });

    expect(await host.takeCalls()).toMatchObject([
      { name: 'everySecond', input: { isPastDue: false, schedule: {}, scheduleStatus: { next: expect.any(String) } } },
    ]);
    expect(host.output()).toMatch(/^fixture: appStart/);
  });

  it('given a port in use, then one line says so, and the exit code is 1', async () => {
    const { port, release } = await takePort();

    const host = spawnHost(['--port', String(port)]);

    expect(await host.ended).toBe(1);
    expect(host.output()).toBe(
      `Port ${port} is in use by another program. End it, or take another port: PORT=${port + 1} npm start`,
    );
    release();
  });

  it.each([
    { given: 'a port that is none', args: ['--port', 'x'], says: "The port is 'x'; it must be a whole number" },
    { given: 'no file to load', args: ['--main', 'nothing/*.js'], says: 'Build the app first' },
    { given: 'a file that registers nothing', args: ['--main', 'calls.mjs'], says: 'registers no functions' },
  ])('given $given, then one line says so, and the exit code is 1', async ({ args, says }) => {
    const host = spawnHost(args);

    expect(await host.ended).toBe(1);
    expect(host.output()).toContain(says);
    expect(host.output().split('\n')).toHaveLength(1);
  });
});

async function start(env: NodeJS.ProcessEnv = {}, args: readonly string[] = []): Promise<HostProcess> {
  const host = await startHostProcess(env, args);
  hosts.push(host);
  return host;
}
