import { inspect } from 'node:util';
import fc from 'fast-check';
import { NotSafeError, Post } from '../../src/pipeline/post.js';
import { StorageError } from '../../src/storage/table-store.js';
import { createFakeClock, type FakeClock } from '../../src/testing/index.js';
import { createTestClock } from '../storage/test-clock.js';
import { allThatFollows, watched } from './memory-app.js';

/** A POST with `open` events that are not safe yet, and a deadline of 15 s. */
function startPost<C extends FakeClock>(open: number, clock = createFakeClock() as C) {
  const deadlines: number[] = [];
  const post = new Post({
    clock,
    deadlineMs: 15_000,
    onDeadline: () => deadlines.push(clock.monotonic()),
  });
  for (let i = 0; i < open; i += 1) post.addOpen();
  return { clock, post, deadlines };
}

describe('when a POST is answered', () => {
  it('given nothing is open, then the answer comes at once, and there is no deadline', async () => {
    const { clock, post, deadlines } = startPost(0);

    await post.answer();

    clock.advance(60_000);
    expect(deadlines).toEqual([]);
  });

  it('given all was safe before, then the answer comes at once', async () => {
    const { post } = startPost(2);
    post.safe();
    post.safe();

    expect(await post.answer()).toBeUndefined();
  });

  it('given some are open, then the answer comes when the last is safe, and no deadline follows', async () => {
    const { clock, post, deadlines } = startPost(2);
    const answer = watched(post.answer());

    post.safe();
    await allThatFollows();
    const before = answer.state;
    clock.advance(14_999);
    post.safe();
    await answer.promise;
    clock.advance(60_000);

    expect(before).toBe('open');
    expect(deadlines).toEqual([]);
  });

  it('given the answer is sent, at any time, then no timer is left', async () => {
    for (const atMs of [1000, 16_000, 20_000]) {
      const { clock, post } = startPost(1, createTestClock());
      const answer = watched(post.answer());
      clock.advance(atMs);
      post.safe();
      await allThatFollows();

      expect(answer.state).not.toBe('open');
      expect(clock.timers).toBe(0);
    }
  });

  it('given open events become safe between deadline and answer, then the POST succeeds', async () => {
    const { clock, post, deadlines } = startPost(1);
    const answer = watched(post.answer());
    clock.advance(19_999);

    post.safe();
    await answer.promise;

    expect(deadlines).toEqual([15_000]);
  });
});

describe('when its deadline has come', () => {
  it('given some are still open, then the deadline is reported once, and the POST fails 5 s later', async () => {
    const { clock, post, deadlines } = startPost(3);
    const answer = watched(post.answer());
    post.safe();

    clock.advance(15_000);
    clock.advance(4999);
    await allThatFollows();
    const before = answer.state;
    clock.advance(1);
    await allThatFollows();

    expect(before).toBe('open');
    expect(answer).toMatchObject({ state: 'rejected', error: expect.any(NotSafeError) });
    expect((answer.error as Error).message).toMatch(/^2 jobs or dead letters of this delivery/);
    clock.advance(60_000);
    expect(deadlines).toEqual([15_000]);
  });

  it('given the others become safe after the answer, then nothing changes', async () => {
    const { clock, post } = startPost(2);
    const answer = watched(post.answer());
    clock.advance(20_000);
    await allThatFollows();

    post.safe();
    post.unsafe(new Error('late'));
    await allThatFollows();

    expect(answer.state).toBe('rejected');
  });
});

describe('when something in it is not safe', () => {
  it('given others are still open, then the answer waits for them, and fails', async () => {
    const { post } = startPost(2);
    const answer = watched(post.answer());

    post.unsafe(new StorageError('http-503', 'down'));
    await allThatFollows();
    const before = answer.state;
    post.safe();
    await allThatFollows();

    expect(before).toBe('open');
    expect(answer).toMatchObject({ state: 'rejected', error: expect.any(NotSafeError) });
  });

  it('given it failed before the answer is requested, then the answer fails', async () => {
    const { post } = startPost(1);
    post.unsafe(new Error('down'));

    await expect(post.answer()).rejects.toBeInstanceOf(NotSafeError);
  });

  it('given several causes, then the error has the first', async () => {
    const { post } = startPost(2);
    post.unsafe(new StorageError('http-503', 'first'));
    post.unsafe(new StorageError('timeout', 'second'));

    const error = (await post.answer().catch((thrown: unknown) => thrown)) as NotSafeError;

    expect(error.message).toMatch(/^2 jobs or dead letters of this delivery .* \(http-503\)/);
    expect([error.code, error.cause]).toEqual(['http-503', undefined]);
  });

  it('given a cause that holds an event, then nothing of the event is in the error', async () => {
    const { post } = startPost(1);
    post.unsafe(Object.assign(new Error('Jane Doe'), { event: { resourceId: 'Jane Doe' } }));

    const error = await post.answer().catch((thrown: unknown) => thrown);

    expect(inspect(error, { depth: 9 })).not.toContain('Jane Doe');
    expect(String(error)).toBe(
      'NotSafeError: 1 jobs or dead letters of this delivery could not be made safe: storage failed (Error). It will come again.',
    );
  });
});

describe('when things become safe or not, in any order, with time between', () => {
  const happenings = fc.array(fc.record({ isSafe: fc.boolean(), afterMs: fc.integer({ min: 0, max: 4000 }) }), {
    minLength: 1,
    maxLength: 12,
  });

  it('given any order, then the POST succeeds exactly if everything is safe by 20 s', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, async (all) => {
        const { clock, post, deadlines } = startPost(all.length);
        const answer = watched(post.answer());
        let inTime = 0;
        let atMs = 0;
        for (const { isSafe, afterMs } of all) {
          atMs += afterMs;
          clock.advance(afterMs);
          if (isSafe && atMs < 20_000) inTime += 1;
          if (isSafe) post.safe();
          else post.unsafe(new Error('no'));
        }
        clock.advance(30_000);
        await allThatFollows();

        expect(answer.state).toBe(inTime === all.length ? 'resolved' : 'rejected');
        expect(deadlines).toEqual(atMs >= 15_000 ? [15_000] : []);
      }),
      { numRuns: 50 },
    );
  });
});
