import { pauseAnswer } from '../../src/api/workflows.js';
import { registerWorkflows } from '../../src/functions/workflows.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { defineWorkflow, fhir } from '../../src/workflow.js';
import { type Fault, faultyTables } from '../storage/faults.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';
import { CLIENT, claimsOf, headersOf, PERSON } from './principal.js';

type Request = { name?: string; body?: unknown; headers?: Record<string, string> };
type Answer = { status?: number; jsonBody: Record<string, unknown> };

const NOW = '2026-01-01T12:00:00.000Z';
const WHY = 'MARKER-of-a-person';
const runs: string[] = [];
const workflow = (name: string) => defineWorkflow({ name, on: fhir('*'), handle: () => void runs.push(name) });
const workflows = [workflow('patient-registry'), workflow('tally')];

function start(options: Parameters<typeof composeMemoryApp>[0] = {}) {
  const functions = createFakeFunctions();
  const composed = composeMemoryApp({ workflows, ...options });
  registerWorkflows(functions.app, composed.app);
  runs.length = 0;
  const post = (action: 'pause' | 'resume', { name = 'tally', body = {}, headers = {} }: Request) =>
    functions.call(`${action}Workflow`, {
      params: { name },
      text: async () => JSON.stringify(body),
      headers: new Headers({ 'content-type': 'application/json', ...headers }),
    }) as Promise<Answer>;
  const pause = (name = 'tally', why = WHY, headers = {}) => post('pause', { name, body: { why }, headers });
  const resume = (name = 'tally', body: unknown = {}) => post('resume', { name, body });
  return { functions, ...composed, post, pause, resume };
}

describe('POST workflows/{name}/pause and /resume', () => {
  it('given a pause, then its jobs wait, and the answer and the list say who, why and since', async () => {
    const { app, pause, lines } = start();

    const answer = await pause();
    await app.pipeline.deliver([rawFhirEvent()]);

    const paused = { since: NOW, by: 'key-holder', why: WHY };
    expect(answer).toEqual({ jsonBody: { name: 'tally', paused } });
    expect(pauseAnswer.parse(answer.jsonBody)).toEqual(answer.jsonBody);
    expect(await app.pauses.list()).toEqual([{ workflow: 'tally', ...paused }]);
    expect(runs).toEqual(['patient-registry']);
    expect(lines).toEqual(['info {"what":"workflow-paused","workflow":"tally","by":"key-holder"}']);
  });

  it('given pauses and a resume of two people, then each action says who, why, and what it changed', async () => {
    const { app, clock, pause, resume } = start();

    await pause();
    clock.advance(1000);
    await pause('tally', 'another reason');
    clock.advance(1000);
    await resume();

    expect(await app.actions.list(10)).toMatchObject([
      { what: 'resume', workflow: 'tally', counts: { resumed: 1 } },
      { what: 'pause', why: 'another reason', counts: { unchanged: 1 } },
      { what: 'pause', workflow: 'tally', by: 'key-holder', why: WHY, at: NOW, counts: { paused: 1 } },
    ]);
  });

  it('given a resume, then its jobs run', async () => {
    const { app, clock, pause, resume, lines } = start();
    await pause();
    await app.pipeline.deliver([rawFhirEvent({ id: 'one' })]);

    const answer = await resume();
    clock.advance(10_000);
    await app.pipeline.deliver([rawFhirEvent({ id: 'two' })]);

    expect(answer).toEqual({ jsonBody: { name: 'tally', paused: null } });
    expect(await app.pauses.list()).toEqual([]);
    expect(runs).toContain('tally');
    expect(lines.at(-1)).toBe('info {"what":"workflow-resumed","workflow":"tally","by":"key-holder"}');
  });

  it('given two people, then the second gets the pause of the first, and both are in the log', async () => {
    const { clock, pause, lines } = start({ env: { WEBSITE_AUTH_ENABLED: 'true' } });
    const [ana, ben] = [PERSON, CLIENT];
    const as = (oid: string) => headersOf(claimsOf({ oid }));
    await pause('tally', 'one', as(ana));
    clock.advance(1000);

    const answer = await pause('tally', 'two', as(ben));

    expect(answer.jsonBody).toEqual({ name: 'tally', paused: { since: NOW, by: ana, why: 'one' } });
    expect(lines).toEqual([
      `info {"what":"workflow-paused","workflow":"tally","by":"${ana}"}`,
      `info {"what":"workflow-paused","workflow":"tally","by":"${ben}"}`,
    ]);
  });

  it('given a workflow that is not paused, then a resume says so', async () => {
    expect((await start().resume()).jsonBody).toEqual({ name: 'tally', paused: null });
  });

  it.each(['pause', 'resume'] as const)(
    'given a name that no workflow has, then %s is 404 with the nearest',
    async (action) => {
      const { app, lines, post } = start();

      expect(await post(action, { name: 'patient-registri', body: action === 'pause' ? { why: WHY } : {} })).toEqual({
        status: 404,
        jsonBody: {
          error: {
            code: 'no-such-workflow',
            message:
              'The app has no workflow of this name. Did you mean patient-registry? Its workflows: patient-registry, tally.',
          },
        },
      });
      expect([await app.pauses.list(), lines]).toEqual([[], []]);
    },
  );

  it('given a paused workflow that the app no longer has, then it can be resumed', async () => {
    const { app, resume } = start();
    await app.pauses.pause({ workflow: 'gone', since: NOW, by: 'ana', why: WHY });

    expect((await resume('gone')).jsonBody).toEqual({ name: 'gone', paused: null });
    expect(await app.pauses.list()).toEqual([]);
  });

  it.each([
    { given: 'no reason', action: 'pause', body: {} },
    { given: 'a blank reason', action: 'pause', body: { why: ' \n' } },
    { given: 'a reason of 501 characters', action: 'pause', body: { why: WHY.padEnd(501, 'x') } },
    { given: 'an unknown property', action: 'pause', body: { why: WHY, until: NOW } },
    { given: 'a property', action: 'resume', body: { why: WHY } },
  ] as const)('given $given, then $action is 400, and quotes nothing', async ({ action, body }) => {
    const { app, post, lines } = start();

    const answer = await post(action, { body });

    expect(answer.status).toBe(400);
    expect(JSON.stringify([answer, lines])).not.toContain(WHY);
    expect(await app.pauses.list()).toEqual([]);
  });

  it.each(['pause', 'resume'] as const)('given a body that is not declared as JSON, then %s is 415', async (action) => {
    const answer = await start().post(action, { body: { why: WHY }, headers: { 'content-type': 'text/plain' } });

    expect(answer).toMatchObject({ status: 415, jsonBody: { error: { code: 'json-needed' } } });
  });

  it.each(['fail-before', 'fail-after'] as const)(
    'given a write that is %s, then 503, and asking again pauses',
    async (fault) => {
      let next: Fault = 'ok';
      const tables = faultyTables(createMemoryTableStore({ clock: createFakeClock() }), ({ method }) =>
        method === 'commit' ? next : 'ok',
      );
      const { app, pause, lines } = start({ stores: { tables } });
      await app.ledger.open();
      next = fault;

      expect(await pause()).toMatchObject({ status: 503 });
      expect(lines).toEqual([]);
      next = 'ok';
      expect((await pause()).jsonBody).toEqual({ name: 'tally', paused: { since: NOW, by: 'key-holder', why: WHY } });

      expect(lines).toEqual(['info {"what":"workflow-paused","workflow":"tally","by":"key-holder"}']);
    },
  );
});
