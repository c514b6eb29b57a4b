import { eventIdOf } from '../../../src/simulator/runs/event-name.js';
import { redriveUndelivered } from '../../../src/simulator/runs/redrive.js';
import { createMemoryBlobStore } from '../../../src/storage/memory-blob-store.js';
import { createFakeClock } from '../../../src/testing/index.js';

const RUN = '0badcafe';

type Options = { since?: string; abortAtMs?: number };

async function redrive(
  answers: (number | 'reset')[],
  blobs: Record<string, unknown[]>,
  { since = '2026-01-01T00:00:00.000Z', abortAtMs = Number.POSITIVE_INFINITY }: Options = {},
) {
  const clock = createFakeClock();
  const undelivered = createMemoryBlobStore({ clock });
  for (const [name, events] of Object.entries(blobs)) await undelivered.create(name, JSON.stringify(events));
  const bodies: unknown[][] = [];
  const postedAtMs: number[] = [];
  const stopping = new AbortController();
  let isDone = false;
  const redriving = redriveUndelivered({
    runId: RUN,
    undelivered,
    since: new Date(since),
    url: 'http://app.test',
    clock,
    signal: stopping.signal,
    async post({ body }) {
      bodies.push(JSON.parse(body));
      postedAtMs.push(clock.monotonic());
      const answer = answers.shift() ?? 202;
      if (answer === 'reset') throw new Error('ECONNRESET');
      return { status: answer, headers: new Headers(), body: '' };
    },
  }).finally(() => {
    isDone = true;
  });
  for (;;) {
    await new Promise<void>((resolve) => void setImmediate(resolve));
    if (isDone) break;
    clock.advance(1000);
    if (clock.monotonic() >= abortAtMs) stopping.abort();
  }
  return { redriven: await redriving, left: [...undelivered.inspect().keys()], bodies, postedAtMs };
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

  it("given a blob with the run's and others' events, then all are sent, and only its own are counted", async () => {
    const { redriven, left, bodies } = await redrive([], { a: [own(0), { id: 'other' }] });

    expect({ redriven, left }).toEqual({ redriven: 1, left: [] });
    expect(bodies).toEqual([[own(0), { id: 'other' }]]);
  });

  it('given a blob that is older than the run, then it stays where it is', async () => {
    const blobs = { a: [own(0)] };

    expect(await redrive([], blobs, { since: '2026-01-01T12:00:01.000Z' })).toMatchObject({
      redriven: 0,
      left: ['a'],
      bodies: [],
    });
    expect(await redrive([], blobs, { since: '2026-01-01T12:00:00.000Z' })).toMatchObject({ redriven: 1, left: [] });
  });

  it('given 101 events in a blob, then they are sent in two requests, and counted once', async () => {
    const { redriven, bodies } = await redrive([], { a: Array.from({ length: 101 }, (_, n) => own(n)) });

    expect(redriven).toBe(101);
    expect(bodies.map((body) => body.length)).toEqual([100, 1]);
  });

  it('given its second request is refused, then the blob stays, and all of it is sent again', async () => {
    const { redriven, left, bodies } = await redrive([202, 500], { a: Array.from({ length: 101 }, (_, n) => own(n)) });

    expect({ redriven, left }).toEqual({ redriven: 101, left: [] });
    expect(bodies.map((body) => body.length)).toEqual([100, 1, 100, 1]);
  });

  it.each([500, 400, 'reset'] as const)('given %s at first, then it is tried again after 2 s', async (answer) => {
    expect(await redrive([answer], { a: [own(0)] })).toMatchObject({
      redriven: 1,
      left: [],
      postedAtMs: [0, 2000],
    });
  });

  it('given one of two is refused, then only that one is sent again', async () => {
    const { redriven, bodies } = await redrive([500], { a: [own(0)], b: [own(1)] });

    expect(redriven).toBe(2);
    expect(bodies).toEqual([[own(0)], [own(1)], [own(0)]]);
  });

  it('given it is never taken, then it ends after five tries, and the dead letter is still there', async () => {
    const answers = Array.from({ length: 20 }, () => 500);

    expect(await redrive(answers, { a: [own(0)] })).toMatchObject({
      redriven: 0,
      left: ['a'],
      postedAtMs: [0, 2000, 4000, 6000, 8000],
    });
  });

  it('given it is stopped, then it is not tried again', async () => {
    const answers = Array.from({ length: 20 }, () => 500);

    expect(await redrive(answers, { a: [own(0)] }, { abortAtMs: 3000 })).toMatchObject({ postedAtMs: [0, 2000] });
  });
});
