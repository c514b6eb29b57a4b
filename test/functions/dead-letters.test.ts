import { outcomesAnswer } from '../../src/api/dead-letters.js';
import { registerDeadLetterChanges } from '../../src/functions/change-dead-letters.js';
import { registerDeadLetters } from '../../src/functions/dead-letters.js';
import { StorageError } from '../../src/storage/table-store.js';
import { openApp } from '../dead-letters/open-app.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';

type Answer = { status?: number; headers?: Record<string, string>; jsonBody: Record<string, unknown>; body?: string };

/** The functions over an app with two dead letters of one event, and `more` invalid ones. */
async function start({ more = 0, env = {} }: { more?: number; env?: Record<string, string> } = {}) {
  const functions = createFakeFunctions();
  const opened = openApp(env);
  registerDeadLetters(functions.app, opened.app);
  registerDeadLetterChanges(functions.app, opened.app);
  await opened.die({ resourceId: 'secret-marker' });
  for (let n = 0; n < more; n += 1) await opened.deliver({ id: `secret-marker-${n}` });
  return {
    ...opened,
    functions,
    get: (name: string, query: Record<string, string> = {}) => functions.get(name, { query }) as Promise<Answer>,
    show: (name: string, id: string, headers = {}) =>
      functions.call(name, {
        params: { id },
        query: new URLSearchParams(),
        headers: new Headers(headers),
      }) as Promise<Answer>,
    post: (name: string, body: unknown, headers = {}) =>
      functions.call(name, {
        text: async () => (typeof body === 'string' ? body : JSON.stringify(body)),
        headers: new Headers({ 'content-type': 'application/json', ...headers }),
      }) as Promise<Answer>,
  };
}

describe('GET dead-letters', () => {
  it('given dead letters, then each is listed, without a value of its payload', async () => {
    const { get } = await start({ more: 1 });

    const { jsonBody } = await get('deadLetters');

    expect(jsonBody.letters).toHaveLength(3);
    expect(jsonBody).toMatchObject({
      letters: { 1: { stage: 'failed', error: 'non-retriable', eventId: 'event-1' } },
      next: null,
    });
    expect(JSON.stringify(jsonBody)).not.toContain('secret');
  });

  it('given pages, then each dead letter comes once, and the last page says that there is no more', async () => {
    const { get, ids } = await start({ more: 5 });
    const seen: string[] = [];
    const pages: number[] = [];

    let next: unknown;
    do {
      const { jsonBody } = await get('deadLetters', { limit: '3', ...(next ? { after: String(next) } : {}) });
      const letters = jsonBody.letters as { id: string }[];
      pages.push(letters.length);
      seen.push(...letters.map(({ id }) => id));
      next = jsonBody.next;
    } while (next);

    expect(pages).toEqual([3, 3, 1]);
    expect(seen).toEqual(await ids());
  });

  it('given a filter and a function key in the query, then only matching ones are listed', async () => {
    const { get } = await start({ more: 1 });

    const { jsonBody } = await get('deadLetters', {
      workflow: 'one',
      from: '2026-01-01T00:00:00Z',
      code: 'KEY',
      clientId: 'c',
    });

    expect(jsonBody.letters).toHaveLength(1);
  });

  it('given `resolved`, then only resolved ones are listed, page by page, with the same filter', async () => {
    const { get, post, ids } = await start({ more: 3 });
    const pending = await ids({ stage: 'invalid' });
    await post('discardDeadLetters', { filter: { stage: 'invalid' }, why: 'a test' });

    const first = await get('deadLetters', { resolved: 'true', stage: 'invalid', limit: '2' });
    const second = await get('deadLetters', { resolved: 'true', limit: '2', after: String(first.jsonBody.next) });

    const idsOf = ({ jsonBody }: Answer) => (jsonBody.letters as { id: string }[]).map(({ id }) => id);
    expect([...idsOf(first), ...idsOf(second)]).toEqual(pending);
    expect([first.jsonBody.next, second.jsonBody.next]).toEqual([expect.any(String), null]);
    expect((await get('deadLetters', { resolved: 'false' })).jsonBody.letters).toHaveLength(2);
    expect(await get('deadLetters', { resolved: 'true', by: 'stage' })).toMatchObject({
      jsonBody: { groups: [{ by: { stage: 'invalid' }, letters: 3 }] },
    });
  });

  it('given grouping, then each cause has an example', async () => {
    const { get, ids } = await start({ more: 2 });
    const [invalid] = await ids();

    const { jsonBody } = await get('deadLetters', { by: 'stage,error', stage: 'invalid' });

    expect(jsonBody).toMatchObject({
      groups: [{ by: { stage: 'invalid', error: 'invalid' }, letters: 2, example: invalid }],
    });
  });

  it.each<{ query: Record<string, string>; path: string; code: string; message: string }>([
    {
      query: { stage: 'lost' },
      path: 'stage',
      code: 'invalid-value',
      message: "is 'lost', must be one of invalid, failed, crash, unknown-workflow, undelivered",
    },
    {
      query: { reasn: 'x' },
      path: 'reasn',
      code: 'unrecognized-keys',
      message:
        'is not known here, must be one of stage, reason, workflow, error, frame, type, resourceType, from, to, limit, after, until, by, resolved',
    },
    { query: { limit: '0' }, path: 'limit', code: 'too-small', message: "is '0', must be at least 1" },
    { query: { limit: '1001' }, path: 'limit', code: 'too-big', message: "is '1001', must be at most 1000" },
    { query: { limit: 'x' }, path: 'limit', code: 'invalid-type', message: "is 'x', must be a number" },
    {
      query: { from: 'yesterday' },
      path: 'from',
      code: 'invalid-format',
      message: "is 'yesterday', must be a time such as 2026-03-14T12:00:00Z",
    },
    {
      query: { by: 'payload' },
      path: 'by',
      code: 'not-fields',
      message:
        "is 'payload', must be one or more of stage, reason, workflow, error, frame, type, resourceType, with commas between",
    },
    {
      query: { after: 'bm90IGpzb24' },
      path: 'after',
      code: 'not-of-a-list',
      message: 'is not the `next` of a list, must be one that an earlier answer held',
    },
  ])('given $query, answers 400 with path, code and what is allowed', async ({ query, path, code, message }) => {
    const { get } = await start();

    expect(await get('deadLetters', query)).toMatchObject({
      status: 400,
      jsonBody: { error: { code: 'bad-request', message: `${path} ${message}`, problems: [{ path, code, message }] } },
    });
  });

  it.each([
    { filter: { workflow: 'onee' }, says: "is 'onee'", similar: 'one' },
    { filter: { reason: 'inval' }, says: "is 'inval'", similar: 'invalid' },
    { filter: { type: 'FhirResourceUpdate' }, says: "is 'FhirResourceUpdate'", similar: 'FhirResourceUpdated' },
  ])(
    'given $filter, which nothing has, then every request is refused with the nearest name',
    async ({ filter, ...is }) => {
      const { get, post } = await start();
      const [field = ''] = Object.keys(filter);
      const refused = (path: string) => ({
        status: 400,
        jsonBody: { error: { problems: [{ path, code: 'unknown-name', message: expect.stringContaining(is.says) }] } },
      });

      const answers = [await get('deadLetters', filter), await get('deadLetters', { ...filter, by: 'stage' })];
      const changes = [
        await post('redriveDeadLetters', { filter }),
        await post('discardDeadLetters', { filter, why: 'test' }),
      ];

      for (const answer of answers) expect(answer).toMatchObject(refused(field));
      for (const answer of changes) expect(answer).toMatchObject(refused(`filter.${field}`));
      expect(JSON.stringify(answers[0])).toContain(`Did you mean ${is.similar}?`);
    },
  );

  it('given a workflow of the app without dead letters, and a short event type, then the list is empty', async () => {
    const { get } = await start();

    expect((await get('deadLetters', { workflow: 'one', type: 'DicomImageCreated' })).jsonBody).toMatchObject({
      letters: [],
    });
  });

  it('given storage fails, then 503 with its code', async () => {
    const { get, deadLetterStores } = await start();
    Object.assign(deadLetterStores.blobs, { list: () => Promise.reject(new StorageError('http-500', 'No.')) });

    expect(await get('deadLetters')).toMatchObject({ status: 503, jsonBody: { error: { code: 'http-500' } } });
  });
});

describe('GET dead-letters/{id}', () => {
  it('given its id, then the answer has all its fields without the payload', async () => {
    const { show, ids } = await start();
    const [id = ''] = await ids({ workflow: 'one' });

    const { jsonBody } = await show('deadLetter', id);

    expect(jsonBody).toMatchObject({ id, tries: 1, isResolved: false });
    expect(jsonBody).not.toHaveProperty('message');
    expect(JSON.stringify(jsonBody)).not.toContain('secret');
  });

  it('given no such id, then 404', async () => {
    const { show } = await start();

    expect(await show('deadLetter', 'nonsense')).toMatchObject({ status: 404 });
    expect(await show('deadLetterPayload', 'nonsense')).toMatchObject({ status: 404 });
  });
});

describe('GET dead-letters/{id}/payload', () => {
  it('given its id, then the answer is the payload, no cache keeps it, and the log says that it was shown', async () => {
    const { show, ids, lines } = await start();
    const [id = ''] = await ids({ workflow: 'one' });

    const { body = '', headers } = await show('deadLetterPayload', id);

    expect(JSON.parse(body)).toMatchObject({
      id,
      message: 'no',
      payload: rawFhirEvent({ resourceId: 'secret-marker' }),
    });
    expect(headers).toEqual({ 'Cache-Control': 'no-store', 'Content-Type': 'application/json' });
    expect(lines.at(-1)).toBe('info {"what":"letter-payload-shown","by":"key-holder","count":1}');
  });
});

describe('when a payload is nested 5,000 levels deep', () => {
  it('lists, shows and discards it, and redrives the others', async () => {
    const { get, show, post, deadLetterStores, ids } = await start();
    const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`;
    await deadLetterStores.undelivered.create(
      'SUB/2026/1/1/1/deep.json',
      `[{"deadLetterReason":"TimeToLiveExceeded","data":${deep}}]`,
    );
    const [id = ''] = await ids({ stage: 'undelivered' });

    expect((await get('deadLetters')).jsonBody).toMatchObject({ letters: { length: 3 } });
    expect((await show('deadLetter', id)).jsonBody).toMatchObject({ id, reason: 'TimeToLiveExceeded' });
    expect((await show('deadLetterPayload', id)).body).toContain(deep);
    expect((await post('redriveDeadLetters', { filter: { stage: 'failed' } })).jsonBody).toMatchObject({
      counts: { asked: 2 },
    });
    expect((await post('discardDeadLetters', { filter: {}, why: 'too deep' })).jsonBody).toMatchObject({
      counts: { discarded: 3 },
    });
    expect((await show('deadLetter', id)).jsonBody).toMatchObject({ isResolved: true, discarded: { why: 'too deep' } });
  });
});

describe('POST dead-letters/redrive', () => {
  it('given a redrive, then the rows are woken at once, and a dry run wakes nothing', async () => {
    const { post, stores } = await start();

    await post('redriveDeadLetters', { filter: {}, dryRun: true });
    expect(await stores.due.length()).toBe(0);
    await post('redriveDeadLetters', { filter: {} });

    expect(await stores.due.length()).toBeGreaterThan(0);
  });

  it('given ids, then each redrive is requested, and the log says by whom', async () => {
    const { post, ids, rows, lines } = await start();

    const answer = await post('redriveDeadLetters', { ids: [...(await ids()), 'nonsense'] });

    expect(answer).toEqual({
      jsonBody: {
        dryRun: false,
        counts: { asked: 2, gone: 1 },
        message:
          '2 dead letters: redrive requested (the app runs the job when it next reads its rows, within seconds if it is up). ' +
          '1 dead letter: not found (no pending dead letter has this id: it is resolved, or the id is wrong).',
        next: null,
      },
    });
    expect(rows()).toHaveLength(2);
    expect(JSON.parse(lines.at(-1)?.slice('info '.length) ?? '')).toEqual({
      what: 'letters-redriven',
      by: 'key-holder',
      numbers: { asked: 2, gone: 1 },
    });
  });

  it('given a filter and a limit, then a page is redriven, and the answer says where the next begins', async () => {
    const { post, rows } = await start({ more: 4 });

    const first = await post('redriveDeadLetters', { filter: { stage: 'invalid' }, limit: 3, force: true });
    const second = await post('redriveDeadLetters', {
      filter: { stage: 'invalid' },
      limit: 3,
      force: true,
      after: first.jsonBody.next,
    });

    expect(first.jsonBody).toMatchObject({ counts: { asked: 3 }, next: expect.any(String) });
    expect(second.jsonBody).toMatchObject({ counts: { asked: 1 }, next: null });
    expect(rows()).toHaveLength(4);
  });

  it('given a dry run, then the answer says what would be requested, and there is no row and no line in the log', async () => {
    const { post, rows, lines } = await start();
    const before = lines.length;

    expect(await post('redriveDeadLetters', { filter: {}, dryRun: true })).toMatchObject({
      jsonBody: { dryRun: true, counts: { asked: 2 } },
    });
    expect(rows()).toEqual([]);
    expect(lines).toHaveLength(before);
  });

  it('given one id and a corrected event, then the corrected event runs', async () => {
    const { post, ids, runDueRows, runs } = await start();
    const [id = ''] = await ids({ workflow: 'two' });

    await post('redriveDeadLetters', { ids: [id], event: rawFhirEvent({ resourceId: 'corrected' }) });
    await runDueRows();

    expect(runs.at(-1)).toBe('two corrected');
  });

  it.each([
    {
      given: 'no JSON',
      body: '{"ids":\n nope}',
      path: '(body)',
      code: 'not-json',
      message: 'is not JSON: line 2, column 2 is where it stops being JSON',
    },
    {
      given: 'too large a body',
      body: `"${'x'.repeat(300_000)}"`,
      path: '(body)',
      code: 'too-large',
      message: 'has 300002 characters, must have at most 262144',
    },
    {
      given: 'neither ids nor a filter',
      body: {},
      path: 'ids',
      code: 'ids-or-filter',
      message: 'is missing, and so is filter: exactly one of the two must be there',
    },
    {
      given: 'both',
      body: { ids: ['a'], filter: {} },
      path: 'ids',
      code: 'ids-or-filter',
      message: 'is there beside filter: exactly one of the two must be there',
    },
    {
      given: 'no ids',
      body: { ids: [] },
      path: 'ids',
      code: 'too-small',
      message: 'has 0 items, must have at least 1',
    },
    {
      given: 'a corrected event for several',
      body: { ids: ['a', 'b'], event: {} },
      path: 'event',
      code: 'for-one-id',
      message: 'is for exactly one id, and ids holds 2',
    },
    {
      given: 'a corrected event that is no object',
      body: { ids: ['a'], event: 'x' },
      path: 'event',
      code: 'invalid-type',
      message: 'is a text, must be an object',
    },
    {
      given: 'a property that is not known',
      body: { ids: ['a'], forse: true },
      path: 'forse',
      code: 'unrecognized-keys',
      message: 'is not known here, must be one of ids, filter, limit, after, dryRun, force, event',
    },
    {
      given: 'a property of the filter that is not known',
      body: { filter: { satge: 'x' } },
      path: 'filter.satge',
      code: 'unrecognized-keys',
      message: 'is not known here, must be one of stage, reason, workflow, error, frame, type, resourceType, from, to',
    },
    {
      given: 'a limit beyond a thousand',
      body: { filter: {}, limit: 1001 },
      path: 'limit',
      code: 'too-big',
      message: 'is 1001, must be at most 1000',
    },
  ])('given $given, is refused with path, code and what is allowed', async ({ body, path, code, message }) => {
    const { post, rows } = await start();

    const { status, jsonBody } = await post('redriveDeadLetters', body);

    expect(status).toBe(code === 'too-large' ? 413 : 400);
    expect(jsonBody).toMatchObject({ error: { message: `${path} ${message}`, problems: [{ path, code, message }] } });
    expect(rows()).toEqual([]);
  });

  it('given a corrected event that is not valid, says at which path, what is allowed, and no value', async () => {
    const { post, ids } = await start();
    const [id = ''] = await ids({ workflow: 'one' });
    const event = rawFhirEvent();
    const wrong = { ...event, data: { ...event.data, resourceVersionId: 'secret-marker' } };

    const { jsonBody } = await post('redriveDeadLetters', { ids: [id], event: wrong });

    expect(jsonBody).toMatchObject({
      counts: { 'not-an-event': 1 },
      problems: [{ id, path: 'data.resourceVersionId', code: 'invalid-type' }],
      message: expect.stringContaining(
        `${id}: data.resourceVersionId has the wrong type, must be a whole number from 0 to 9,007,199,254,740,991.`,
      ),
    });
    expect(JSON.stringify(jsonBody)).not.toContain('secret');
  });
});

describe('POST dead-letters/discard', () => {
  it('given a filter and a reason, then the dead letters are discarded with a note, which the log does not hold', async () => {
    const { post, ids, contentOf, lines } = await start();

    const answer = await post('discardDeadLetters', { filter: { workflow: 'one' }, why: 'secret-marker was wrong' });

    expect(answer.jsonBody).toEqual({
      dryRun: false,
      counts: { discarded: 1 },
      message: '1 dead letter: discarded (moved to resolved/ with the note).',
      next: null,
    });
    expect(await ids()).toHaveLength(1);
    expect(await contentOf('resolved/')).toMatchObject({
      discarded: { by: 'key-holder', why: 'secret-marker was wrong' },
    });
    expect(lines.at(-1)).toBe('info {"what":"letters-discarded","by":"key-holder","numbers":{"discarded":1}}');
  });

  it('given actions of both kinds, then each is listed with its counts and reason, and a dry run is not', async () => {
    const { app, post, ids } = await start();
    const [one = ''] = await ids();

    await post('redriveDeadLetters', { ids: [one, 'nonsense'] });
    await post('discardDeadLetters', { ids: [one], why: 'No longer needed.' });
    await post('discardDeadLetters', { filter: {}, why: 'Not done.', dryRun: true });

    expect(new Set(await app.actions.list(10))).toEqual(
      new Set([
        {
          at: expect.any(String),
          what: 'discard',
          by: 'key-holder',
          why: 'No longer needed.',
          counts: { discarded: 1 },
        },
        { at: expect.any(String), what: 'redrive', by: 'key-holder', counts: { asked: 1, gone: 1 } },
      ]),
    );
  });

  it('given the action cannot be written, then nothing is discarded', async () => {
    const { app, post, ids } = await start();
    app.actions.begin = async () => Promise.reject(new StorageError('http-503', 'No.'));

    expect(await post('discardDeadLetters', { filter: {}, why: 'No longer needed.' })).toMatchObject({ status: 503 });
    expect(await ids()).toHaveLength(2);
  });

  it('given no reason, then the request is refused', async () => {
    const { post } = await start();

    expect(await post('discardDeadLetters', { filter: {} })).toMatchObject({
      status: 400,
      jsonBody: { error: { problems: [{ path: 'why', code: 'invalid-type', message: 'is missing, must be a text' }] } },
    });
  });
});

describe('when a body is not declared as JSON', () => {
  it.each([
    { type: 'text/plain', name: 'redriveDeadLetters', body: { filter: {} } },
    { type: 'application/x-www-form-urlencoded', name: 'redriveDeadLetters', body: { filter: {} } },
    { type: 'text/plain', name: 'discardDeadLetters', body: { filter: {}, why: 'x' } },
    { type: '', name: 'discardDeadLetters', body: { filter: {}, why: 'x' } },
  ])('given $type to $name, then 415 says what is needed, and nothing has changed', async ({ type, name, body }) => {
    const { post, ids, rows } = await start();
    const before = await ids();

    expect(await post(name, body, { 'content-type': type })).toMatchObject({
      status: 415,
      jsonBody: { error: { code: 'json-needed', message: expect.stringContaining('must be application/json') } },
    });
    expect(await ids()).toEqual(before);
    expect(rows()).toEqual([]);
  });
});

describe('POST dead-letters/outcomes', () => {
  it('given ids of several kinds, then the answer counts each outcome, and holds nothing of a payload', async () => {
    const { post, ids, runDueRows } = await start({ more: 1 });
    const [invalid = '', one = '', two = ''] = await ids();
    await post('redriveDeadLetters', { ids: [one] });
    await runDueRows();

    const { jsonBody } = await post('deadLetterOutcomes', { ids: [invalid, one, two, two, 'no-id'] });

    expect(outcomesAnswer.parse(jsonBody)).toEqual({ resolved: 1, failedAgain: 1, waiting: 1, unknown: 1 });
  });

  it.each([{ ids: [] }, { ids: Array.from({ length: 1001 }, String) }, {}, { ids: ['a'], more: 1 }])(
    'given a body that is wrong, then 400',
    async (body) => {
      const { post } = await start();

      expect((await post('deadLetterOutcomes', body)).status).toBe(400);
    },
  );
});
