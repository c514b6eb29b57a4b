import { registerDeadLetters } from '../../src/functions/dead-letters.js';
import { StorageError } from '../../src/storage/table-store.js';
import { openDesk } from '../dead-letters/desk.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';

type Answer = { status?: number; headers?: Record<string, string>; jsonBody: Record<string, unknown> };

/** The functions over a desk with two letters of one event, and `more` invalid ones. */
async function start({ more = 0, env = {} }: { more?: number; env?: Record<string, string> } = {}) {
  const functions = createFakeFunctions();
  const desk = openDesk(env);
  registerDeadLetters(functions.app, desk.app);
  await desk.die({ resourceId: 'secret-marker' });
  for (let n = 0; n < more; n += 1) await desk.deliver({ id: `secret-marker-${n}` });
  return {
    ...desk,
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
  it('given letters, then each is told, without a value of its payload', async () => {
    const { get } = await start({ more: 1 });

    const { jsonBody } = await get('deadLetters');

    expect(jsonBody.letters).toHaveLength(3);
    expect(jsonBody).toMatchObject({
      letters: { 1: { stage: 'failed', error: 'non-retriable', eventId: 'event-1' } },
      next: null,
    });
    expect(JSON.stringify(jsonBody)).not.toContain('secret');
  });

  it('given pages, then each letter comes once, and the last page says that there is no more', async () => {
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

  it('given a filter and the key of the function beside it, then only those', async () => {
    const { get } = await start({ more: 1 });

    const { jsonBody } = await get('deadLetters', {
      workflow: 'one',
      from: '2026-01-01T00:00:00Z',
      code: 'KEY',
      clientId: 'c',
    });

    expect(jsonBody.letters).toHaveLength(1);
  });

  it('given they are to be grouped, then by cause with an example', async () => {
    const { get, ids } = await start({ more: 2 });
    const [invalid] = await ids();

    const { jsonBody } = await get('deadLetters', { by: 'stage,error', stage: 'invalid' });

    expect(jsonBody).toMatchObject({
      groups: [{ by: { stage: 'invalid', error: 'invalid' }, letters: 2, example: invalid }],
    });
  });

  it.each<{ query: Record<string, string>; path: string; code: string }>([
    { query: { stage: 'lost' }, path: 'stage', code: 'invalid-value' },
    { query: { reasn: 'x' }, path: 'reasn', code: 'unrecognized-keys' },
    { query: { limit: '0' }, path: 'limit', code: 'too-small' },
    { query: { limit: '1001' }, path: 'limit', code: 'too-big' },
    { query: { from: 'yesterday' }, path: 'from', code: 'invalid-format' },
    { query: { by: 'payload' }, path: 'by.0', code: 'invalid-value' },
    { query: { after: 'bm90IGpzb24' }, path: 'after', code: 'not-of-a-list' },
  ])('given $query, then 400 with path and code', async ({ query, path, code }) => {
    const { get } = await start();

    expect(await get('deadLetters', query)).toMatchObject({
      status: 400,
      jsonBody: { error: { code: 'bad-request', problems: [{ path, code }] } },
    });
  });

  it('given storage fails, then 503 with its code', async () => {
    const { get, desk } = await start();
    Object.assign(desk.letters, { list: () => Promise.reject(new StorageError('http-500', 'No.')) });

    expect(await get('deadLetters')).toMatchObject({ status: 503, jsonBody: { error: { code: 'http-500' } } });
  });
});

describe('GET dead-letters/{id}', () => {
  it('given its id, then all that is known of it, but for the payload', async () => {
    const { show, ids } = await start();
    const [id = ''] = await ids({ workflow: 'one' });

    const { jsonBody } = await show('deadLetter', id);

    expect(jsonBody).toMatchObject({ id, tries: 1, message: 'no', isResolved: false });
    expect(JSON.stringify(jsonBody)).not.toContain('secret');
  });

  it('given no such id, then 404', async () => {
    const { show } = await start();

    expect(await show('deadLetter', 'nonsense')).toMatchObject({ status: 404 });
    expect(await show('deadLetterPayload', 'nonsense')).toMatchObject({ status: 404 });
  });
});

describe('GET dead-letters/{id}/payload', () => {
  it('given its id, then the payload, for no cache to keep, and the log says that it was shown', async () => {
    const { show, ids, lines } = await start();
    const [id = ''] = await ids({ workflow: 'one' });

    const { jsonBody, headers } = await show('deadLetterPayload', id);

    expect(jsonBody).toMatchObject({ id, payload: rawFhirEvent({ resourceId: 'secret-marker' }) });
    expect(headers).toEqual({ 'Cache-Control': 'no-store' });
    expect(lines.at(-1)).toBe('info {"what":"letter-payload-shown","by":"key-holder","count":1}');
  });
});

describe('POST dead-letters/redrive', () => {
  it('given ids, then each is asked for, and the log says by whom', async () => {
    const { post, ids, rows, lines } = await start();

    const answer = await post('redriveDeadLetters', { ids: [...(await ids()), 'nonsense'] });

    expect(answer).toEqual({ jsonBody: { dryRun: false, counts: { asked: 2, gone: 1 }, next: null } });
    expect(rows()).toHaveLength(2);
    expect(JSON.parse(lines.at(-1)?.slice('info '.length) ?? '')).toEqual({
      what: 'letters-redriven',
      by: 'key-holder',
      numbers: { asked: 2, gone: 1 },
    });
  });

  it('given a filter and a limit, then a page of them, and where it goes on', async () => {
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

  it('given a dry run, then what would be asked for, and no row, nor a line in the log', async () => {
    const { post, rows, lines } = await start();
    const before = lines.length;

    expect(await post('redriveDeadLetters', { filter: {}, dryRun: true })).toMatchObject({
      jsonBody: { dryRun: true, counts: { asked: 2 } },
    });
    expect(rows()).toEqual([]);
    expect(lines).toHaveLength(before);
  });

  it('given one id and a corrected event, then that is run', async () => {
    const { post, ids, runDueRows, runs } = await start();
    const [id = ''] = await ids({ workflow: 'two' });

    await post('redriveDeadLetters', { ids: [id], event: rawFhirEvent({ resourceId: 'corrected' }) });
    await runDueRows();

    expect(runs.at(-1)).toBe('two corrected');
  });

  it.each([
    { given: 'no JSON', body: '{"ids":', path: '(body)', code: 'not-json' },
    { given: 'more than can be', body: `"${'x'.repeat(300_000)}"`, path: '(body)', code: 'too-large' },
    { given: 'neither ids nor a filter', body: {}, path: 'ids', code: 'ids-or-filter' },
    { given: 'both', body: { ids: ['a'], filter: {} }, path: 'ids', code: 'ids-or-filter' },
    { given: 'no ids', body: { ids: [] }, path: 'ids', code: 'too-small' },
    { given: 'a corrected event for several', body: { ids: ['a', 'b'], event: {} }, path: 'event', code: 'for-one-id' },
    { given: 'a corrected event that is none', body: { ids: ['a'], event: 'x' }, path: 'event', code: 'invalid-type' },
    { given: 'a word that nobody knows', body: { ids: ['a'], forse: true }, path: 'forse', code: 'unrecognized-keys' },
    { given: 'a limit beyond a thousand', body: { filter: {}, limit: 1001 }, path: 'limit', code: 'too-big' },
  ])('given $given, then it is refused by path and code', async ({ body, path, code }) => {
    const { post, rows } = await start();

    const { status, jsonBody } = await post('redriveDeadLetters', body);

    expect(status).toBe(code === 'too-large' ? 413 : 400);
    expect(jsonBody).toMatchObject({ error: { problems: [{ path, code }] } });
    expect(rows()).toEqual([]);
  });
});

describe('POST dead-letters/discard', () => {
  it('given a filter and why, then they are put away with a note, which the log does not hold', async () => {
    const { post, ids, contentOf, lines } = await start();

    const answer = await post('discardDeadLetters', { filter: { workflow: 'one' }, why: 'secret-marker was wrong' });

    expect(answer.jsonBody).toEqual({ dryRun: false, counts: { discarded: 1 }, next: null });
    expect(await ids()).toHaveLength(1);
    expect(await contentOf('resolved/')).toMatchObject({
      discarded: { by: 'key-holder', why: 'secret-marker was wrong' },
    });
    expect(lines.at(-1)).toBe('info {"what":"letters-discarded","by":"key-holder","numbers":{"discarded":1}}');
  });

  it('given no why, then it is refused', async () => {
    const { post } = await start();

    expect(await post('discardDeadLetters', { filter: {} })).toMatchObject({
      status: 400,
      jsonBody: { error: { problems: [{ path: 'why', code: 'invalid-type' }] } },
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

describe('who asks', () => {
  const HEADER = 'x-ms-client-principal-id';
  it.each([
    { given: "Azure's authentication", on: 'True', headers: { [HEADER]: '0b5c-principal' }, by: '0b5c-principal' },
    { given: "Azure's authentication and nobody", on: 'true', headers: {}, by: 'unknown' },
    { given: "Azure's authentication and no id", on: 'True', headers: { [HEADER]: 'a b "c"' }, by: 'unknown' },
    { given: 'none before the app', on: '', headers: { [HEADER]: 'somebody-else' }, by: 'key-holder' },
    { given: 'authentication that is off', on: 'False', headers: { [HEADER]: 'somebody-else' }, by: 'key-holder' },
  ])('given $given, then the log says $by', async ({ on, headers, by }) => {
    const { post, lines } = await start({ env: { WEBSITE_AUTH_ENABLED: on } });

    await post('discardDeadLetters', { ids: ['nonsense'], why: 'x' }, headers);

    expect(lines.at(-1)).toBe(`info {"what":"letters-discarded","by":"${by}","numbers":{"gone":1}}`);
  });
});
