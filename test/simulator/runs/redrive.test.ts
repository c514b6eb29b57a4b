import { eventIdOf } from '../../../src/simulator/runs/event-name.js';
import { redriveUndelivered } from '../../../src/simulator/runs/redrive.js';
import { createMemoryBlobStore } from '../../../src/storage/memory-blob-store.js';
import { createFakeClock } from '../../../src/testing/index.js';

const RUN = '0badcafe';

async function redrive(answers: (number | 'reset')[], blobs: Record<string, unknown[]>) {
  const clock = createFakeClock();
  const undelivered = createMemoryBlobStore({ clock });
  for (const [name, events] of Object.entries(blobs)) await undelivered.create(name, JSON.stringify(events));
  const bodies: unknown[][] = [];
  let isDone = false;
  const redriving = redriveUndelivered({
    runId: RUN,
    undelivered,
    since: new Date('2026-01-01T00:00:00.000Z'),
    url: 'http://app.test',
    clock,
    signal: new AbortController().signal,
    async post({ body }) {
      bodies.push(JSON.parse(body));
      const answer = answers.shift() ?? 202;
      if (answer === 'reset') throw new Error('ECONNRESET');
      return { status: answer, headers: new Headers(), body: '' };
    },
  }).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    clock.advance(1000);
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  return { redriven: await redriving, left: [...undelivered.inspect().keys()], bodies };
}

const own = (n: number) => ({ id: eventIdOf(RUN, n), deadLetterReason: 'TimeToLiveExceeded' });

describe('when a run redrives what Event Grid gave up on', () => {
  it('given it is taken, then each event was sent once, and its blob is gone', async () => {
    const { redriven, left, bodies } = await redrive([], { a: [own(0), own(1)], b: [own(2)] });

    expect({ redriven, left }).toEqual({ redriven: 3, left: [] });
    expect(bodies.flat()).toHaveLength(3);
  });

  it("given somebody else's dead letters, then they stay where they are", async () => {
    const { redriven, left, bodies } = await redrive([], { a: [{ id: 'other' }] });

    expect({ redriven, left, bodies }).toEqual({ redriven: 0, left: ['a'], bodies: [] });
  });

  it.each([500, 'reset'] as const)('given %s at first, then it is tried again', async (answer) => {
    expect(await redrive([answer], { a: [own(0)] })).toMatchObject({ redriven: 1, left: [] });
  });

  it('given it is never taken, then it ends, and the dead letter is still there', async () => {
    const answers = Array.from({ length: 20 }, () => 500);

    expect(await redrive(answers, { a: [own(0)] })).toMatchObject({ redriven: 0, left: ['a'] });
  });
});
