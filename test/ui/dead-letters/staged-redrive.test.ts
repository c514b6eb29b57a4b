import type { Outcomes } from '../../../src/api/dead-letters.js';
import { type Progress, redriveInStages, type StagedDeps } from '../../../src/ui/dead-letters/staged-redrive.js';
import type { Failure } from '../../../src/ui/shell/request.js';

const DOWN: Failure = { kind: 'unreachable', message: 'The app does not answer.' };

describe('when dead letters are redriven in stages', () => {
  it('given all succeed, then it requests one, ten, then hundreds, each once', async () => {
    const app = fakeApp({ letters: 250 });

    const progress = await run(app, 250);

    expect(app.batches.map(({ length }) => length)).toEqual([1, 10, 100, 100, 39]);
    expect(new Set(app.batches.flat()).size).toBe(250);
    expect(progress).toMatchObject({ phase: 'finished', requested: 250, outcomes: { resolved: 250, waiting: 0 } });
  });

  it('given a number, then it requests no more than this number', async () => {
    const app = fakeApp({ letters: 1000 });

    const progress = await run(app, 300);

    expect(app.batches.flat()).toHaveLength(300);
    expect(progress.requested).toBe(300);
  });

  it.each([
    { given: 'more than were counted', letters: 260, text: 'All that was requested has ended.' },
    { given: 'fewer than were counted', letters: 240, text: 'All that was requested has ended. 10 that were counted' },
  ])('given all are wanted, and the list has $given, then it requests all of the list', async ({ letters, text }) => {
    const app = fakeApp({ letters });

    const progress = await run(app, 250, { isAll: true });

    expect(new Set(app.batches.flat()).size).toBe(letters);
    expect(progress).toMatchObject({ phase: 'finished', requested: letters, total: Math.max(250, letters) });
    expect(progress.note.startsWith(text)).toBe(true);
    expect(app.lists).toEqual([1000]);
  });

  it('given the first one fails again, then it stops', async () => {
    const app = fakeApp({ letters: 100, isFailing: () => true });

    const progress = await run(app, 100);

    expect(app.batches.flat()).toHaveLength(1);
    expect(progress).toMatchObject({
      phase: 'stopped',
      note: expect.stringContaining('the first one has failed again'),
    });
  });

  it.each([
    { failing: 3, then: 'stopped', requested: 11 },
    { failing: 2, then: 'finished', requested: 100 },
  ])(
    'given $failing of the first eleven fail again, then the redrive is $then',
    async ({ failing, then, requested }) => {
      const app = fakeApp({ letters: 100, isFailing: (index) => index > 0 && index <= failing });

      const progress = await run(app, 100);

      expect(progress).toMatchObject({ phase: then, requested });
    },
  );

  it('given the new dead letter of a job that has failed again, then it is not redriven', async () => {
    const app = fakeApp({ letters: 40, isFailing: (index) => index === 5, hasNewOnes: true });

    const progress = await run(app, 41);

    expect(app.batches.flat().filter((id) => id.endsWith('.1'))).toEqual([]);
    expect(progress).toMatchObject({ phase: 'finished', requested: 40, outcomes: { failedAgain: 1, resolved: 39 } });
  });

  it('given the app is down for a while, then it requests the same ids again, and goes on', async () => {
    const app = fakeApp({ letters: 30, failures: [undefined, undefined, DOWN, DOWN] });

    const progress = await run(app, 30);

    expect(progress).toMatchObject({ phase: 'finished', requested: 30, outcomes: { resolved: 30 } });
    expect(app.notes).toContain(`${DOWN.message} What was requested stays in storage. Asking again …`);
  });

  it('given the sign-in ends for an hour while the first one waits, then its two minutes go on after a new sign-in', async () => {
    const signedOut: Failure = { kind: 'signed-out', message: 'Sign in again, then repeat this.' };
    const app = fakeApp({ letters: 30, waitsFor: 3, failures: [undefined, undefined, ...Array(120).fill(signedOut)] });

    const progress = await run(app, 30);

    expect(progress).toMatchObject({ phase: 'finished', requested: 30, outcomes: { resolved: 30 } });
    expect(app.notes).toContain(
      'Your sign-in has ended. Sign in again in a new tab: the redrive goes on by itself. What was requested stays in storage. Asking again …',
    );
  });

  it('given another person signs in who may only look, then it stops with the message of the app', async () => {
    const [signedOut, forbidden] = (['signed-out', 'forbidden'] as const).map((kind) => ({
      kind,
      message: `You are ${kind}.`,
    }));
    const app = fakeApp({ letters: 30, failures: [undefined, undefined, signedOut, forbidden] });

    expect(await run(app, 30)).toMatchObject({ phase: 'stopped', requested: 1, note: 'You are forbidden.' });
  });

  it('given the app refuses, then it stops with the message of the app', async () => {
    const refused: Failure = { kind: 'locked', message: 'The app asks for a key.' };
    const app = fakeApp({ letters: 30, failures: [undefined, refused] });

    expect(await run(app, 30)).toMatchObject({ phase: 'stopped', note: refused.message });
  });

  it('given a person stops it, then it requests nothing more, and says what goes on', async () => {
    const app = fakeApp({ letters: 500 });
    const stopping = new AbortController();

    const progress = await run(app, 500, {
      stopping,
      onProgress: ({ requested }) => requested === 11 && stopping.abort(),
    });

    expect(app.batches.flat()).toHaveLength(11);
    expect(progress).toMatchObject({ phase: 'stopped', note: expect.stringContaining('Stopped by you.') });
  });

  it('given another person has redriven all, then it says that nothing was left', async () => {
    expect(await run(fakeApp({ letters: 0 }), 10)).toMatchObject({
      phase: 'finished',
      note: 'Nothing was left to redrive: another person may have done it.',
    });
  });

  it('given none of the first ones may be redriven, then it stops', async () => {
    const app = fakeApp({ letters: 300, code: 'too-often' });

    const progress = await run(app, 300);

    expect(progress).toMatchObject({ phase: 'stopped', requested: 11, counts: { 'too-often': 11 } });
  });

  it('given the first one has no outcome, then it stops after some time', async () => {
    const app = fakeApp({ letters: 30, isStuck: true });

    const progress = await run(app, 30);

    expect(progress).toMatchObject({ phase: 'stopped', requested: 1, note: expect.stringContaining('no outcome') });
  });

  it('given each answer takes 10 s, then it asks seven times in two minutes', async () => {
    const app = fakeApp({ letters: 30, isStuck: true, answersAfterMs: 10_000 });

    await run(app, 30);

    expect(app.asked).toBe(7); // in two minutes
  });

  it('given blobs of Event Grid, then it waits for no outcome: their events are new deliveries', async () => {
    const app = fakeApp({ letters: 120, code: 'taken-up', stage: 'undelivered' });

    const progress = await run(app, 120);

    expect(progress).toMatchObject({ phase: 'finished', requested: 120, counts: { 'taken-up': 120 } });
    expect(app.asked).toBe(0);
  });
});

type FakeApp = ReturnType<typeof fakeApp>;

type FakeAppOptions = {
  letters: number;
  isFailing?: (index: number) => boolean;
  hasNewOnes?: boolean;
  isStuck?: boolean;
  /** The number of answers before the first outcome. */
  waitsFor?: number;
  /** How long an answer with outcomes takes. */
  answersAfterMs?: number;
  code?: string;
  stage?: 'failed' | 'undelivered';
  failures?: (Failure | undefined)[];
};

function fakeApp(options: FakeAppOptions) {
  const { letters, isFailing = () => false, hasNewOnes = false, isStuck = false } = options;
  const { waitsFor = 0, answersAfterMs = 0, code = 'asked', stage = 'failed' } = options;
  const failures = [...(options.failures ?? [])];
  const ids = Array.from({ length: letters }, (_, index) => `failed.2026-03-14.digest${index}.0`);
  if (hasNewOnes) ids.push('failed.2026-03-14.digest5.1');
  const batches: string[][] = [];
  const notes: string[] = [];
  const indexOf = (id: string) => Number(/digest(\d+)/.exec(id)?.[1]);
  let nowMs = 0;
  const app = { batches, notes, asked: 0, lists: [] as number[], deps: {} as StagedDeps };
  const orFailure = <T>(value: () => T) => {
    const failure = failures.shift();
    return Promise.resolve(failure ? { ok: false as const, failure } : { ok: true as const, value: value() });
  };
  app.deps = {
    list: ({ after = '0', limit }) =>
      orFailure(() => {
        app.lists.push(limit);
        const from = Number(after);
        const page = ids.slice(from, from + limit).map((id) => letterOf(id, stage));
        return { letters: page, next: from + limit < ids.length ? String(from + limit) : null };
      }),
    redrive: (wanted) =>
      orFailure(() => {
        batches.push([...wanted]);
        return { dryRun: false, counts: { [code]: wanted.length }, message: '', next: null };
      }),
    outcomes: (wanted) =>
      orFailure((): Outcomes => {
        app.asked += 1;
        nowMs += answersAfterMs;
        const failedAgain = wanted.filter((id) => isFailing(indexOf(id))).length;
        const ended = { resolved: wanted.length - failedAgain, failedAgain, waiting: 0, unknown: 0 };
        return isStuck || app.asked <= waitsFor
          ? { resolved: 0, failedAgain: 0, waiting: wanted.length, unknown: 0 }
          : ended;
      }),
    async sleep(ms) {
      nowMs += ms;
    },
    monotonic: () => nowMs,
  };
  return app;
}

function letterOf(id: string, stage: 'failed' | 'undelivered') {
  const texts = { reason: 'r', workflow: 'w', error: 'e', frame: '', type: 't', resourceType: '', eventId: id };
  return { id, stage, ...texts, at: '2026-03-14T12:00:00.000Z', redrives: 0, events: 1 };
}

function run(
  app: FakeApp,
  total: number,
  {
    stopping = new AbortController(),
    isAll = false,
    onProgress,
  }: { stopping?: AbortController; isAll?: boolean; onProgress?: (progress: Progress) => void } = {},
): Promise<Progress> {
  const note = (progress: Progress) => {
    app.notes.push(progress.note);
    onProgress?.(progress);
  };
  return redriveInStages({ total, isAll, signal: stopping.signal, onProgress: note }, app.deps);
}
