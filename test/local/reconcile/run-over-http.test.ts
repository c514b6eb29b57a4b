import type { ReconcileRequest } from '../../../src/api/reconcile.js';
import { type AppClient, AppRefusal, type AppRequest } from '../../../src/local/app-client.js';
import { parseOptions } from '../../../src/local/reconcile/options.js';
import { runOverHttp } from '../../../src/local/reconcile/run-over-http.js';
import { createQuickClock } from '../../clients/quick-clock.js';
import { collect } from '../dead-letters/collect.js';

const REQUEST: ReconcileRequest = {
  id: 'r-1',
  state: 'waiting',
  since: '2026-01-01T00:00:00.000Z',
  until: null,
  service: null,
  types: null,
  workflow: null,
  findRemoved: false,
  rowsLost: false,
  dryRun: false,
  askedAt: '2026-01-01T12:00:00.000Z',
  endedAt: null,
  counts: { compared: 5, known: 3, missing: 2, unreadable: 0, broughtIn: 2 },
  parts: [
    {
      host: 'w-f.fhir.azurehealthcareapis.com',
      part: 'Patient',
      upTo: '2026-01-01T11:50:00.000Z',
      counts: { compared: 5, known: 3, missing: 2, unreadable: 0, broughtIn: 2 },
    },
  ],
  message: '5 compared, 2 missing, 2 brought in.',
};

/** Answers a POST with 202, then a GET with each of these states, the last again and again. */
async function run(args: readonly string[], ...states: Partial<ReconcileRequest>[]) {
  const asked: AppRequest[] = [];
  const interrupt = new AbortController();
  const answers = [...states];
  const client: AppClient = {
    async ask(request) {
      asked.push(request);
      if (request.body !== undefined) return { id: 'r-1', message: '' } as never;
      if (answers.length === 0) interrupt.abort();
      return { ...REQUEST, ...answers.shift() } as never;
    },
  };
  const out = collect();
  const deps = { client, clock: createQuickClock().clock, signal: interrupt.signal };
  const code = await runOverHttp(parseOptions(args), deps, { out: out.stream, err: collect().stream });
  return { code, output: out.text(), asked };
}

describe('when reconcile asks an app over HTTP', () => {
  it('given options, then the request has them, and the command waits until it has ended', async () => {
    const args = ['--since', '2025-12-01', '--types', 'Patient,Observation', '--workflow', 'one', '--dry-run'];

    const { code, output, asked } = await run(args, {}, { state: 'running' }, { state: 'done' });

    expect({ code, output }).toEqual({ code: 0, output: `${REQUEST.message}\n` });
    expect(asked.map(({ path }) => path)).toEqual(['reconcile', ...Array(3).fill('reconcile/r-1')]);
    expect(asked[0]?.body).toEqual({
      since: '2025-12-01T00:00:00.000Z',
      types: ['Patient', 'Observation'],
      workflow: 'one',
      dryRun: true,
    });
  });

  it('given --rows-lost, then the request says so', async () => {
    const { asked } = await run(['--since', '2025-12-01', '--rows-lost'], { state: 'done' });

    expect(asked[0]?.body).toEqual({ since: '2025-12-01T00:00:00.000Z', rowsLost: true, dryRun: false });
  });

  it('given --find-removed, then the request says so, without times', async () => {
    const { asked } = await run(['--find-removed', '--service', 'W-F.fhir.azurehealthcareapis.com'], { state: 'done' });

    expect(asked[0]?.body).toEqual({ findRemoved: true, dryRun: false, service: 'w-f.fhir.azurehealthcareapis.com' });
  });

  it('given --json, then it prints the state, and the parts as without --app', async () => {
    const { output } = await run(['--since', '2025-12-01', '--json'], { state: 'done' });

    const { since, counts, message } = REQUEST;
    const [{ host, part, upTo } = {}] = REQUEST.parts;
    expect(JSON.parse(output)).toEqual({
      dryRun: false,
      state: 'done',
      parts: [{ host, part, since, before: null, upTo, ...counts }],
      message,
    });
  });

  it.each([
    { given: 'a service that failed', state: { state: 'failed' } as const },
    { given: 'entries left out', state: { state: 'done', counts: { ...REQUEST.counts, unreadable: 1 } } as const },
  ])('given $given, then the exit code is 1', async ({ state }) => {
    expect((await run(['--since', '2025-12-01'], state)).code).toBe(1);
  });

  it('given Ctrl-C, then the exit code is 130', async () => {
    expect((await run(['--since', '2025-12-01'], { state: 'running' })).code).toBe(130);
  });

  it('given --rate, or a request that the app refuses, then the error names the option', async () => {
    await expect(run(['--since', '2025-12-01', '--rate', '5'])).rejects.toThrow('--rate does not go with --app');
    const refuse = async () => {
      throw new AppRefusal(400, 'no', [{ path: 'types.0', message: 'is unknown' }]);
    };
    const deps = {
      client: { ask: refuse } as AppClient,
      clock: createQuickClock().clock,
      signal: new AbortController().signal,
    };
    const output = { out: collect().stream, err: collect().stream };

    await expect(runOverHttp(parseOptions(['--since', '2025-12-01']), deps, output)).rejects.toThrow('is unknown');
  });
});
