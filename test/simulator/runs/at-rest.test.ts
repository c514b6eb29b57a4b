import { verdictAtRest } from '../../../src/simulator/runs/at-rest.js';
import type { Verdict } from '../../../src/simulator/runs/verdict.js';
import { StorageError } from '../../../src/storage/table-store.js';
import { createFakeClock } from '../../../src/testing/index.js';
import { EMPTY } from './empty-verdict.js';

function verdictOf(events: Partial<Verdict['events']>, { completed = 0 } = {}): Verdict {
  return { ...EMPTY, ok: !events.lost, events: { ...EMPTY.events, ...events }, jobs: { ...EMPTY.jobs, completed } };
}

const WELL = verdictOf({ settled: 1 });
const LOST = verdictOf({ lost: 1 });
const OPEN = verdictOf({ open: 1 });
const REFUSED = new StorageError('http-503', 'Storage could not answer: http-503.');

type Look = Verdict | Error | ((clock: ReturnType<typeof createFakeClock>) => Verdict);

/** Each look finds the next of `looks`, at the end the last one again. Returns also the second of each look. */
async function findVerdict(looks: readonly Look[], { abortAtMs = Number.POSITIVE_INFINITY } = {}) {
  const clock = createFakeClock();
  const stopping = new AbortController();
  const lookedAt: number[] = [];
  let outcome: { found?: Verdict; failed?: unknown } | undefined;
  void verdictAtRest({
    clock,
    signal: stopping.signal,
    async findVerdict() {
      const look = looks[Math.min(lookedAt.length, looks.length - 1)];
      lookedAt.push(clock.monotonic() / 1000);
      if (look instanceof Error) throw look;
      return typeof look === 'function' ? look(clock) : (look as Verdict);
    },
  }).then(
    (found) => {
      outcome = { found };
    },
    (failed: unknown) => {
      outcome = { failed };
    },
  );
  for (;;) {
    await new Promise<void>((resolve) => void setImmediate(resolve));
    if (outcome) return { ...outcome, lookedAt };
    clock.advance(1000);
    if (clock.monotonic() >= abortAtMs) stopping.abort();
  }
}

describe('when the verdict is repeated until storage is at rest', () => {
  it('given all is well at once, then there is one look', async () => {
    expect(await findVerdict([WELL])).toEqual({ found: WELL, lookedAt: [0] });
  });

  it('given something is missing at first, then looks follow, and the first good one is the verdict', async () => {
    expect(await findVerdict([LOST, OPEN, WELL, LOST])).toEqual({ found: WELL, lookedAt: [0, 2, 4] });
  });

  it.each([
    { given: 'a job that waits for hours', look: OPEN },
    { given: 'an event that is lost', look: LOST },
  ])('given $given, then the last look is the verdict after 65 s', async ({ look }) => {
    const { found, lookedAt } = await findVerdict([look]);

    expect(found).toEqual(look);
    expect(lookedAt.at(-1)).toBe(66);
  });

  it.each([
    { given: 'an event', changed: verdictOf({ open: 1, settled: 1 }) },
    { given: 'a job', changed: verdictOf({ open: 1 }, { completed: 1 }) },
  ])('given $given is settled meanwhile, then patience begins anew', async ({ changed }) => {
    const { found, lookedAt } = await findVerdict([...Array.from({ length: 31 }, () => OPEN), changed]);

    expect(found).toEqual(changed);
    expect(lookedAt.at(-1)).toBe(128); // the change was seen at 62 s
  });

  it('given storage refuses a look, then another follows', async () => {
    expect(await findVerdict([REFUSED, LOST, REFUSED, WELL])).toEqual({ found: WELL, lookedAt: [0, 2, 4, 6] });
  });

  it('given storage refuses all the time, then the error is thrown after 65 s', async () => {
    const { failed, lookedAt } = await findVerdict([REFUSED]);

    expect(failed).toBe(REFUSED);
    expect(lookedAt.at(-1)).toBe(66);
  });

  it('given anything else is thrown, then it is thrown at once', async () => {
    const mistake = new TypeError('A mistake of ours.');

    expect(await findVerdict([mistake])).toEqual({ failed: mistake, lookedAt: [0] });
  });

  it('given a look that takes long, then the next waits as long', async () => {
    const slow = (clock: ReturnType<typeof createFakeClock>) => {
      clock.advance(10_000);
      return OPEN;
    };

    expect(await findVerdict([slow, WELL])).toEqual({ found: WELL, lookedAt: [0, 20] });
  });

  it('given it is stopped, then it looks no more than once again', async () => {
    expect(await findVerdict([OPEN], { abortAtMs: 5000 })).toEqual({ found: OPEN, lookedAt: [0, 2, 4, 5] });
  });

  it('given it is stopped while storage refuses, then the error is thrown', async () => {
    expect(await findVerdict([OPEN, REFUSED], { abortAtMs: 3000 })).toMatchObject({
      failed: REFUSED,
      lookedAt: [0, 2, 3],
    });
  });
});
