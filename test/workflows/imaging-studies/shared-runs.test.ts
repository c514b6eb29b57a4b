import { createSharedRuns } from '../../../src/workflows/imaging-studies/shared-runs.js';

/** Shares runs that end when the test says so. */
function createRuns() {
  const begun: string[] = [];
  const ends: { resolve: (found: string) => void; reject: (error: Error) => void; close: () => void }[] = [];
  const shareRun = createSharedRuns<string>();
  return {
    begun,
    at: (number: number) => ends[number] as (typeof ends)[0],
    ask: (who: string, key = 'study') =>
      shareRun(key, (close) => {
        begun.push(who);
        return new Promise<string>((resolve, reject) => ends.push({ resolve, reject, close }));
      }),
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('when several callers share a run', () => {
  it('given an open run, then all callers share it', async () => {
    const runs = createRuns();
    const asked = ['a', 'b', 'c'].map((who) => runs.ask(who));
    await turn();

    runs.at(0).resolve('found');

    expect(await Promise.all(asked)).toEqual(['found', 'found', 'found']);
    expect(runs.begun).toEqual(['a']);
  });

  it('given a closed run, then later callers share the next, which begins when the first has ended', async () => {
    const runs = createRuns();
    const first = runs.ask('a');
    await turn();
    runs.at(0).close();
    const later = ['b', 'c', 'd'].map((who) => runs.ask(who));
    await turn();
    expect(runs.begun).toEqual(['a']);

    runs.at(0).resolve('old');
    await turn();
    expect(runs.begun).toEqual(['a', 'b']);
    runs.at(1).resolve('new');

    expect(await first).toBe('old');
    expect(await Promise.all(later)).toEqual(['new', 'new', 'new']);
  });

  it('given a run that has ended, then a caller begins another', async () => {
    const runs = createRuns();
    const first = runs.ask('a');
    await turn();
    runs.at(0).resolve('old');
    await first;

    void runs.ask('b');
    await turn();

    expect(runs.begun).toEqual(['a', 'b']);
  });

  it('given another key, then its run does not wait', async () => {
    const runs = createRuns();
    void runs.ask('a', 'one');
    void runs.ask('b', 'two');
    await turn();

    expect(runs.begun).toEqual(['a', 'b']);
  });
});

describe('when a run fails', () => {
  it('given others have joined, then its starter gets the error, and the others begin another run', async () => {
    const runs = createRuns();
    const asked = ['a', 'b', 'c'].map((who) => runs.ask(who));
    const mine = expect(asked[0]).rejects.toThrow('lease lost');
    await turn();

    runs.at(0).reject(new Error('lease lost'));
    await mine;
    await turn();
    runs.at(1).resolve('found');

    expect(await Promise.all(asked.slice(1))).toEqual(['found', 'found']);
    expect(runs.begun).toEqual(['a', 'b']);
  });

  it('given the next runs fail too, then no caller tries after three', async () => {
    const runs = createRuns();
    const asked = ['a', 'b', 'c', 'd', 'e', 'f'].map((who) => runs.ask(who));
    const ended = Promise.allSettled(asked);
    for (let run = 0; run < 3; run += 1) {
      await turn();
      runs.at(run).reject(new Error(`down ${run}`));
    }

    const reasons = (await ended).map((one) => (one as PromiseRejectedResult).reason.message);
    expect(runs.begun).toEqual(['a', 'b', 'c']);
    expect(reasons).toEqual(['down 0', 'down 1', 'down 2', 'down 2', 'down 2', 'down 2']);
  });

  it('given a caller waits for the next run, then that run still begins', async () => {
    const runs = createRuns();
    const first = runs.ask('a').catch(() => 'failed');
    await turn();
    runs.at(0).close();
    const next = runs.ask('b');
    runs.at(0).reject(new Error('down'));
    await turn();
    runs.at(1).resolve('found');

    expect([await first, await next]).toEqual(['failed', 'found']);
  });
});
