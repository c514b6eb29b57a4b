import type { StoredDeadLetter } from '../../src/dead-letters/store/dead-letter.js';
import { defineWorkflow, fhir, NonRetriableError } from '../../src/workflow.js';
import { startWith } from './held-workflow.js';
import { type Account, createAccount, rawEvent, startApp, watched } from './memory-app.js';

/** JSON.stringify cannot write so many levels. */
const DEPTH = 10_000;
/** Returns arrays within arrays, from 20 KB of JSON. */
const nested = (): unknown => JSON.parse(`${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}`);

const storedLetters = ({ blobs }: Account): StoredDeadLetter[] =>
  [...blobs.inspect().values()].map((content) => JSON.parse(content) as StoredDeadLetter);
const eventsIn = (letters: readonly StoredDeadLetter[]): unknown[] =>
  letters.flatMap(({ event, causes }) => (causes ? (event as unknown[]) : [event]));

describe('invalid events, when their container is down', () => {
  it('given their POSTs have failed, then no more of their dead letters are written', async () => {
    const { account, app } = startWith();
    app.storageIs(({ method }) => (method === 'create' ? 'fail-before' : 'ok'));
    const posts = [100, 500].map((events) => Array.from({ length: events }, (_, n) => ({ none: n })));

    const answers = [];
    for (const post of posts) {
      answers.push(watched(app.pipeline.deliver(post)));
      await account.pass(30_000);
    }
    app.calls.length = 0;
    await account.pass(600_000);

    expect(answers.map(({ state }) => state)).toEqual(['rejected', 'rejected']);
    expect(app.calls).toEqual([]);
  });
});

describe('when many events of one delivery are invalid', () => {
  it.each([
    { events: 100, writes: 100 },
    { events: 101, writes: 1 },
    { events: 5000, writes: 1 },
    { events: 10_001, writes: 3 },
  ])('given $events, then $writes dead letters hold them, and a redelivery adds none', async ({ events, writes }) => {
    const { account, app } = startWith();
    const post = Array.from({ length: events }, (_, n) => ({ none: n }));

    await app.pipeline.deliver(post);
    const letters = storedLetters(account);

    expect(app.calls.filter((call) => call.startsWith('create'))).toHaveLength(writes);
    expect(letters).toHaveLength(writes);
    expect(eventsIn(letters)).toEqual(post);

    account.clock.advance(3_600_000);
    await startApp(account).pipeline.deliver(post);
    expect(storedLetters(account)).toEqual(letters);
  });

  it('given 100,000 equal events, then they have one dead letter, and each is counted', async () => {
    const { account, app } = startWith();

    await app.pipeline.deliver(Array.from({ length: 100_000 }, () => ({})));

    expect(app.calls.filter((call) => call.startsWith('create'))).toHaveLength(1);
    expect(storedLetters(account)).toMatchObject([{ reason: 'invalid', event: {} }]);
    expect(app.counters).toMatchObject({ eventsReceived: 100_000, eventsInvalid: 100_000 });
  });

  it('given several reasons and problems, then each reason has a dead letter, with the problems of each event', async () => {
    const account = createAccount();
    const none = Array.from({ length: 120 }, (_, n) => ({ none: n }));
    const other = Array.from({ length: 3 }, (_, n) => ({ ...rawEvent(), eventType: 'Other.Kind', id: `o-${n}` }));
    const wrong = Array.from({ length: 30 }, (_, n) => ({ ...rawEvent(), id: `w-${n}`, topic: 7 }));
    const mixed = none.flatMap((raw, n) => [raw, ...(wrong[n] ? [wrong[n]] : []), ...(other[n] ? [other[n]] : [])]);

    await startApp(account).pipeline.deliver([...mixed, rawEvent()]);

    const letters = storedLetters(account);
    const cause = (events: number) => ({ problems: expect.any(Array), events });
    expect(letters.map(({ reason }) => reason).sort()).toEqual(['invalid', 'unknown-type']);
    const invalid = letters.find(({ reason }) => reason === 'invalid');
    expect(invalid).toMatchObject({
      stage: 'invalid',
      tries: 0,
      redrives: 0,
      error: { code: 'invalid', message: '150 events of one delivery are invalid.' },
      causes: [cause(120), cause(30)],
      event: [...none, ...wrong],
    });
    expect(invalid?.causes?.[1]?.problems).toEqual([{ path: 'topic', code: 'invalid-type' }]);
  });

  it('given large events, then each dead letter holds about a megabyte', async () => {
    const account = createAccount();
    const post = Array.from({ length: 300 }, (_, n) => ({ none: n, more: 'x'.repeat(50_000) }));

    await startApp(account).pipeline.deliver(post);

    const sizes = [...account.blobs.inspect().values()].map(({ length }) => length);
    expect(eventsIn(storedLetters(account))).toEqual(post);
    expect(sizes).toHaveLength(15);
    expect(Math.max(...sizes)).toBeLessThan(1_200_000);
  });

  it('given the process dies between two writes, then the redelivery writes the others', async () => {
    const account = createAccount();
    const post = Array.from({ length: 12_000 }, (_, n) => ({ none: n }));
    const dying = startApp(account);
    let writes = 0;
    dying.storageIs(({ method }) => {
      if (method === 'create') writes += 1;
      return writes === 2 ? 'never' : 'ok';
    });
    void watched(dying.pipeline.deliver(post));
    await account.pass(1000);
    expect(storedLetters(account)).toHaveLength(2);

    await startApp(account).pipeline.deliver(post);

    expect(storedLetters(account)).toHaveLength(3);
    expect(eventsIn(storedLetters(account))).toEqual(expect.arrayContaining([post[0], post[11_999]]));
  });

  it('given one of their dead letters cannot be written, then the delivery fails', async () => {
    const { account, app } = startWith();
    let writes = 0;
    app.storageIs(({ method }) => {
      if (method === 'create') writes += 1;
      return method === 'create' && writes !== 1 ? 'fail-before' : 'ok';
    });

    const answer = watched(app.pipeline.deliver(Array.from({ length: 12_000 }, (_, n) => ({ none: n }))));
    await account.pass(30_000);

    expect(answer).toMatchObject({ state: 'rejected', error: { name: 'NotSafeError' } });
  });
});

describe('when an event is nested deeper than JSON.stringify can write', () => {
  it('given it is invalid, then its dead letter holds all of it, without a space', async () => {
    const account = createAccount();

    await startApp(account).pipeline.deliver([{ none: nested() }]);

    const [content = ''] = account.blobs.inspect().values();
    expect(content).toContain(`{"none":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}`);
    expect(content.length).toBeLessThan(3 * DEPTH);
  });

  it('given a job of it, then it waits, runs and is dead-lettered as any other', async () => {
    const account = createAccount();
    const seen: string[] = [];
    const workflow = defineWorkflow({
      name: 'deep',
      on: fhir('*'),
      handle({ id }) {
        seen.push(id);
        throw seen.length === 1 ? new Error('not now') : new NonRetriableError('no');
      },
    });
    const app = startApp(account, { workflows: [workflow] });

    await app.pipeline.deliver([{ ...rawEvent(), more: nested() }]);
    await account.pass(60_000);
    await app.runDueRows();

    expect(seen).toEqual(['event-1', 'event-1']);
    const [content = ''] = account.blobs.inspect().values();
    expect(content).toContain(`"more":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}`);
    expect(account.waiting()).toEqual([]);
  });
});
