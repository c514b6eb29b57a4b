import { afterEach, describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../../src/simulator/runs/verdict.js';
import { EMPTY } from '../../simulator/runs/empty-verdict.js';
import { useAppFolder } from '../app-folder.js';
import type { TestProcess } from '../test-process.js';
import { dies, json, type StubApp, startStubApp, statusOf } from './stub-app.js';

const folder = useAppFolder();
let app: StubApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

const RUNS = '/api/simulator/runs';
const RUN = `${RUNS}/0badcafe`;
const VERDICT: Verdict = {
  ...EMPTY,
  events: { ...EMPTY.events, sent: 100, settled: 100 },
  jobs: { ...EMPTY.jobs, completed: 100 },
};
const DONE = statusOf({ phase: 'done', endedAt: '2026-01-01T12:01:00.000Z', verdict: VERDICT });

async function simulate(
  answers: Parameters<typeof startStubApp>[0],
  args: readonly string[] = [],
): Promise<{ simulation: TestProcess; app: StubApp }> {
  app = await startStubApp(answers);
  return { simulation: folder.start('src/local/simulate/main.ts', ['--url', app.url, ...args]), app };
}

describe('when npm run simulate is given an app that runs', () => {
  it('given options, then they are in the request for the run, and no other setting changes', async () => {
    const { simulation, app } = await simulate({ [`GET ${RUN}`]: json(200, DONE) }, [
      ...['--scenario', 'outage', '--events', '5', '--rate', '2.5', '--chaos', 'light', '--seed', '9'],
      ...['--time-scale', '60'],
    ]);

    expect(await simulation.ended).toBe(0);
    expect(app.asked).toEqual(['GET /api/simulator', `POST ${RUNS}`, `GET ${RUN}`]);
    expect(JSON.parse(app.bodies[1] ?? '')).toEqual({
      scenario: 'outage',
      events: 5,
      rate: 2.5,
      chaos: 'light',
      seed: 9,
      timeScale: 60,
    });
  });

  it('given no options, then only the scenario is named', async () => {
    const { simulation, app } = await simulate({ [`GET ${RUN}`]: json(200, DONE) });

    expect(await simulation.ended).toBe(0);
    expect(JSON.parse(app.bodies[1] ?? '')).toEqual({ scenario: 'clinic-day' });
  });

  it.each([
    { given: 'all is well', status: DONE, code: 0 },
    { given: 'something is wrong', status: { ...DONE, verdict: { ...VERDICT, ok: false } }, code: 1 },
    { given: 'somebody else stopped it', status: { ...DONE, phase: 'stopped', verdict: null }, code: 3 },
    { given: 'it has failed', status: { ...DONE, phase: 'failed', verdict: null, error: 'StorageError' }, code: 3 },
  ])('given $given, then the exit code is $code', async ({ status, code }) => {
    const { simulation } = await simulate({ [`GET ${RUN}`]: json(200, status) });

    expect(await simulation.ended).toBe(code);
  });

  it('given --json, then standard output is the status as JSON, and progress is on standard error', async () => {
    const { simulation } = await simulate({ [`GET ${RUN}`]: json(200, DONE) }, ['--json']);

    expect(await simulation.ended).toBe(0);
    expect(JSON.parse(simulation.stdout())).toEqual(DONE);
    expect(simulation.output()).toContain('making events');
    expect(simulation.stdout()).not.toContain('making events');
  });

  it('given the app dies in mid-run, then the exit code is 3, and the error says that the app does not answer', async () => {
    const { simulation, app } = await simulate({ [`GET ${RUN}`]: dies }, ['--json']);

    expect(await simulation.ended).toBe(3);
    expect(simulation.output()).toContain(`The app does not answer any more: ${app.url}`);
    expect(simulation.stdout()).toBe('');
  });

  it('given the app was started anew in mid-run, then the exit code is 3, and the error says that the run is gone', async () => {
    const notFound = json(404, { error: { message: 'There is no such run.' } });
    const { simulation } = await simulate({ [`GET ${RUN}`]: notFound });

    expect(await simulation.ended).toBe(3);
    expect(simulation.output()).toContain('The run is gone: There is no such run.');
  });

  it.each([
    { given: 'a run is under way', status: 409, code: 3, says: 'Run 1 is under way.' },
    { given: 'the app refuses the request', status: 400, code: 2, says: 'rate: too small' },
  ])('given $given, then the exit code is $code, and the error says so', async ({ status, code, says }) => {
    const { simulation } = await simulate({ [`POST ${RUNS}`]: json(status, { error: { message: says } }) });

    expect(await simulation.ended).toBe(code);
    expect(simulation.output()).toContain(says);
  });

  it('given an app that refuses a request of this version, then the error names the option', async () => {
    const details = [{ path: 'timeScale', message: 'must be a number from 1 to 10' }];
    const { simulation } = await simulate({ [`POST ${RUNS}`]: json(400, { error: { message: 'No.', details } }) }, [
      '--time-scale',
      '60',
    ]);

    expect(await simulation.ended).toBe(2);
    expect(simulation.output()).toContain("--time-scale is '60', must be a number from 1 to 10.");
  });

  it('given an answer with control characters, then they are escaped', async () => {
    const { simulation } = await simulate({ [`POST ${RUNS}`]: json(409, { error: { message: '\x1b[2J\rforged' } }) });

    expect(await simulation.ended).toBe(3);
    expect(simulation.output()).toContain('\\u001b[2J\\rforged');
  });

  it('given an answer without a reason, then the error names its status', async () => {
    const { simulation } = await simulate({ [`POST ${RUNS}`]: (_, response) => void response.writeHead(502).end('x') });

    expect(await simulation.ended).toBe(3);
    expect(simulation.output()).toContain('the app answered 502');
  });

  it('given an app without a simulator, then the exit code is 3, the error says how to turn it on, and no run begins', async () => {
    const { simulation, app } = await simulate({ 'GET /api/simulator': json(404, {}) });

    expect(await simulation.ended).toBe(3);
    expect(simulation.output()).toContain('SIMULATOR=on');
    expect(app.asked).toEqual(['GET /api/simulator']);
  });
});

describe('when npm run simulate is ended by Ctrl-C', () => {
  it('given a run, then the app stops the run, and the exit code is 130', async () => {
    const { simulation, app } = await simulate({});
    await simulation.printed('making events');

    simulation.process.kill('SIGINT');

    expect(await simulation.ended).toBe(130);
    expect(app.asked.filter((what) => !what.startsWith('GET'))).toEqual([`POST ${RUNS}`, `DELETE ${RUN}`]);
  });
});
