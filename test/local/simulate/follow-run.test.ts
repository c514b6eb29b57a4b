import { StartError } from '../../../src/local/host/start-error.js';
import { followRun } from '../../../src/local/simulate/follow-run.js';
import { createFakeClock } from '../../../src/testing/index.js';
import { dies, json, type StubApp, startStubApp, statusOf } from './stub-app.js';

const RUN = '/api/simulator/runs/0badcafe';
let app: StubApp;
afterEach(() => app.close());

/** Follows a run at a stub; each time it is shown, half a second passes. */
async function follow(answers: Parameters<typeof startStubApp>[0], interrupt = new AbortController()) {
  app = await startStubApp(answers);
  const clock = createFakeClock();
  const shown: string[] = [];
  const followed = await followRun(statusOf(), {
    runs: `${app.url}/api/simulator/runs`,
    clock,
    signal: interrupt.signal,
    show(status) {
      shown.push(status.phase);
      setImmediate(() => clock.advance(500));
    },
  });
  return { followed, shown, asked: app.asked };
}

describe('when a run is followed', () => {
  it('given a run that goes on, then its status is requested until it has ended', async () => {
    const done = statusOf({ phase: 'done', endedAt: '2026-01-01T12:01:00.000Z' });
    const answers = [statusOf({ phase: 'delivering' }), statusOf({ phase: 'checking' }), done];

    const { followed, shown, asked } = await follow({
      [`GET ${RUN}`]: (...all) => json(200, answers.shift())(...all),
    });

    expect(followed).toEqual(done);
    expect(shown).toEqual(['making', 'delivering', 'checking']);
    expect(asked).toEqual([`GET ${RUN}`, `GET ${RUN}`, `GET ${RUN}`]);
  });

  it('given an interrupt during a wait, then the run is stopped', async () => {
    const interrupt = new AbortController();
    interrupt.abort();

    const { asked } = await follow({}, interrupt);

    expect(asked).toEqual([`DELETE ${RUN}`]);
  });

  it('given an interrupt during a request, then the run is stopped, too', async () => {
    const interrupt = new AbortController();

    const { asked } = await follow(
      {
        [`GET ${RUN}`]: (...all) => {
          interrupt.abort();
          json(200, statusOf())(...all);
        },
      },
      interrupt,
    );

    expect(asked).toEqual([`GET ${RUN}`, `DELETE ${RUN}`]);
  });

  it('given the run ends during the interrupt, then nothing is stopped', async () => {
    const interrupt = new AbortController();

    const { followed, asked } = await follow(
      {
        [`GET ${RUN}`]: (...all) => {
          interrupt.abort();
          json(200, statusOf({ phase: 'done', endedAt: '2026-01-01T12:01:00.000Z' }))(...all);
        },
      },
      interrupt,
    );

    expect(followed.phase).toBe('done');
    expect(asked).toEqual([`GET ${RUN}`]);
  });

  it.each([
    { given: 'nobody answers any more', answer: dies, says: 'does not answer any more' },
    {
      given: 'the app knows it no more',
      answer: json(404, { error: { message: 'No such run.' } }),
      says: 'The run is gone: No such run.',
    },
  ])('given $given, then a StartError says so', async ({ answer, says }) => {
    const following = follow({ [`GET ${RUN}`]: answer });

    await expect(following).rejects.toThrow(StartError);
    await expect(following).rejects.toThrow(says);
  });
});
