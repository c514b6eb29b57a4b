import * as z from 'zod';
import { registerLookups } from '../../src/functions/lookups.js';
import { StorageError } from '../../src/storage/table-store.js';
import { defineWorkflow, fhir, lookup } from '../../src/workflow.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

const notes = defineWorkflow({
  name: 'notes',
  on: fhir('*'),
  async handle({ resourceId, version }, { tables }) {
    await tables('notes').change('all', resourceId, () => ({ version }));
  },
  lookup: lookup({
    name: 'notes',
    query: z.strictObject({ id: z.string(), most: z.int().max(10).optional() }),
    answer: async ({ id }, { tables, setting }) => ({
      note: (await tables('notes').get('all', id)) ?? null,
      mood: setting('MOOD') ?? null,
    }),
  }),
});

function start(env: Record<string, string> = { LOOKUPS: 'on', MOOD: 'fine' }) {
  const functions = createFakeFunctions();
  const composed = composeMemoryApp({ workflows: [notes], env });
  registerLookups(functions.app, composed.app);
  const ask = (body: string, type = 'application/json') =>
    functions.call('lookup-notes', { text: async () => body, headers: new Headers({ 'content-type': type }) });
  return { ...composed, functions, ask };
}

describe('when somebody asks a workflow', () => {
  it('given LOOKUPS is not on, then there is no function for lookups', () => {
    expect(start({}).functions.names()).toEqual([]);
  });

  it('given LOOKUPS is on, then the function takes only POST, with a function key', () => {
    expect(start().functions.optionsOf('lookup-notes')).toMatchObject({
      methods: ['POST'],
      route: 'lookups/notes',
      authLevel: 'function',
    });
  });

  it('given a question, then the lookup answers, and no cache keeps the answer', async () => {
    const { app, ask } = start();
    await app.pipeline.deliver([rawFhirEvent({ resourceId: 'r1' })]);

    expect(await ask('{"id":"r1"}')).toEqual({
      jsonBody: { note: { version: 1 }, mood: 'fine' },
      headers: { 'Cache-Control': 'no-store' },
    });
    expect(await ask('{"id":"r2"}')).toMatchObject({ jsonBody: { note: null } });
  });

  it.each([
    { body: '{"id":', status: 400, code: 'not-json' },
    { body: '', status: 400, code: 'not-json' },
    { body: '[]', status: 400, code: 'bad-query', message: '(body)' },
    { body: '{"id":5,"most":11}', status: 400, code: 'bad-query', message: 'id is a number, must be a text' },
    { body: '{"id":"a","other":1}', status: 400, code: 'bad-query', message: 'other' },
    { body: `"${'x'.repeat(65_536)}"`, status: 413, code: 'too-large' },
  ])(
    'given a query that is $code, then the answer says where, and why',
    async ({ body, status, code, message = '' }) => {
      expect(await start().ask(body)).toMatchObject({
        status,
        jsonBody: { error: { code, message: expect.stringContaining(message) } },
      });
    },
  );

  it.each(['text/plain', 'text/plain; x=application/json', 'application/x-www-form-urlencoded'])(
    'given a question as %s, which a page of another site may send, then 415 says what is needed',
    async (type) => {
      expect(await start().ask('{"id":"r1"}', type)).toMatchObject({
        status: 415,
        jsonBody: {
          error: { code: 'json-needed', message: expect.stringContaining("-H 'content-type: application/json'") },
        },
      });
    },
  );

  it('given a question with a charset, then it is answered', async () => {
    expect(await start().ask('{"id":"r1"}', 'Application/JSON; charset=utf-8')).toMatchObject({
      jsonBody: { note: null },
    });
  });

  it('given storage fails, then 503', async () => {
    const { app, functions, ask } = start();
    const failing = { ...app.workflowTables, read: () => Promise.reject(new StorageError('timeout', 'No answer.')) };
    registerLookups(functions.app, { ...app, workflowTables: failing });

    expect(await ask('{"id":"r1"}')).toMatchObject({
      status: 503,
      jsonBody: { error: { code: 'timeout' } },
    });
  });

  it('given the lookup throws, then log and answer have its code, and not its message', async () => {
    const { app, functions, lines } = start();
    const broken = { ...app.workflowTables, read: () => Promise.reject(new TypeError('secret-marker')) };
    registerLookups(functions.app, { ...app, workflowTables: broken });

    const answer = await functions.call('lookup-notes', { text: async () => '{"id":"r1"}' });

    expect(answer).toMatchObject({ status: 500, jsonBody: { error: { code: 'TypeError' } } });
    expect(lines).toEqual(['error {"what":"lookup-failed","workflow":"notes","errorCode":"TypeError"}']);
    expect(JSON.stringify(answer)).not.toContain('secret-marker');
  });

  it('given a question, then nothing of it or of the answer is logged', async () => {
    const { ask, lines } = start();
    await ask('{"id":"secret-marker"}');
    await ask('{"id":"secret-marker","other":"secret-marker"}');

    expect(lines.join('\n')).not.toContain('secret-marker');
  });
});
