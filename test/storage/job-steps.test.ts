import fc from 'fast-check';
import { type JobStep, readSteps, withStep } from '../../src/storage/job-steps.js';

const FIRST = '2026-03-14T12:00:00.000Z';
const ORIGIN = { firstTryAt: FIRST, redrives: 0 };
const CLAIMED: JobStep = { what: 'claimed', at: new Date(FIRST) };
const msLater = (ms: number) => new Date(Date.parse(FIRST) + ms);

/** The text after these steps. */
function textOf(steps: readonly JobStep[], origin: { firstTryAt: string; redrives: number } = ORIGIN): string {
  const [first, ...rest] = steps as [JobStep, ...JobStep[]];
  return rest.reduce((text, step) => withStep({ ...origin, steps: text }, step), withStep(origin, first));
}

describe('when a record gets a step', () => {
  it('given the first step, then the claim before it is a step, too', () => {
    const wait: JobStep = { what: 'wait', at: msLater(90), code: 'circuit-open', until: msLater(60_090) };

    expect(readSteps(textOf([wait]))).toEqual({ steps: [CLAIMED, wait], leftOut: 0 });
  });

  it('given a redrive of an expired record, then the redrive is the first step', () => {
    expect(readSteps(withStep({ ...ORIGIN, redrives: 2 }, CLAIMED)).steps[0]).toEqual({ ...CLAIMED, what: 'redriven' });
  });

  it('given any steps, then they read as written', () => {
    const at = fc.integer({ min: 0, max: 400 * 86_400_000 }).map(msLater);
    const code = fc.constantFrom('', 'http-503', 'TypeError', 'a'.repeat(64));
    const redrives = fc.integer({ min: 0, max: 999_999 });
    const stage = fc.constantFrom(undefined, 'failed' as const, 'crash' as const, 'unknown-workflow' as const);
    const what = fc.constantFrom('claimed' as const, 'taken-over' as const, 'redriven' as const);
    const retry = fc.constantFrom('retry' as const, 'wait' as const);
    const step: fc.Arbitrary<JobStep> = fc.oneof(
      fc.record({ what, at }),
      fc
        .record({ what: retry, at, code, inMs: fc.nat({ max: 7 * 86_400_000 }) })
        .map(({ inMs, ...rest }) => ({ ...rest, until: new Date(rest.at.getTime() + inMs) })),
      fc.record({ what: fc.constant('dead' as const), at, code, stage, redrives }),
    );

    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 19 }), (steps) => {
        expect(readSteps(textOf(steps))).toEqual({ steps: [CLAIMED, ...steps], leftOut: 0 });
      }),
    );
  });

  it('given thousands of waits with the longest code, then the first 4 and the last 16 stay, in less than 2 KB', () => {
    const code = 'c'.repeat(64);
    const waits = Array.from({ length: 5000 }, (_, n): JobStep[] => [
      { what: 'wait', at: msLater(n * 600_000), code, until: msLater((n + 1) * 600_000) },
      { what: 'claimed', at: msLater((n + 1) * 600_000) },
    ]).flat();

    const text = textOf(waits);

    expect(readSteps(text)).toEqual({
      steps: [CLAIMED, ...waits.slice(0, 3), ...waits.slice(-16)],
      leftOut: 10_000 - 3 - 16,
    });
    expect(text.length).toBeLessThan(2000);
  });

  it('given twenty redrives that fail, then each text is bounded, and the last dead letter that is left out is named', () => {
    const lives = Array.from({ length: 20 }, (_, redrives): JobStep[] => [
      { what: 'dead', at: msLater(redrives * 1000), code: 'gone', stage: 'crash', redrives },
      { what: 'redriven', at: msLater(redrives * 1000 + 500) },
    ]).flat();
    const waits = Array.from({ length: 30 }, (): JobStep => ({ what: 'claimed', at: msLater(100_000) }));

    expect(readSteps(textOf(lives))).toMatchObject({
      leftOut: 41 - 20,
      leftOutDead: { stage: 'crash', redrives: 11 },
    });
    expect(readSteps(textOf([...lives, ...waits]))).toMatchObject({ leftOutDead: { stage: 'crash', redrives: 19 } });
  });

  it('given a text of more steps than fit, then the last dead letter of all that are left out is named', () => {
    const steps = `${textOf([CLAIMED])} c0 c0 ${'d1/f0 d2/c1 '.repeat(2)}${'c3 '.repeat(15)}c3`;

    expect(readSteps(withStep({ ...ORIGIN, steps }, CLAIMED))).toMatchObject({
      leftOut: 5,
      leftOutDead: { stage: 'crash', redrives: 1 },
    });
  });

  it('given a clock behind that of the first claim, then the step has the time of the claim', () => {
    expect(readSteps(withStep(ORIGIN, { what: 'taken-over', at: msLater(-5000) })).steps[1]?.at).toEqual(msLater(0));
  });

  it('given a first time that is no time, then the time of the step is the first', () => {
    expect(readSteps(withStep({ ...ORIGIN, firstTryAt: '' }, CLAIMED)).steps).toEqual([CLAIMED, CLAIMED]);
  });
});

describe('when the text is of a later version, or damaged', () => {
  it('given steps of kinds that are unknown, then the others are read, and all stay', () => {
    const text = `${textOf([CLAIMED])} p9c:by-somebody x`;

    expect(readSteps(text).steps).toEqual([CLAIMED, CLAIMED]);
    expect(withStep({ ...ORIGIN, steps: text }, CLAIMED)).toBe(`${text} c0`);
  });

  it.each(['', ' ', '~', 'nonsense', '~9 c1', 'zzzzzzzzzzzz c1 r1+zzzzzzzzzzzzz', 'mmqgcx80 c r+ d/ ~x'])(
    "given '%s', then no wrong step is read, and nothing is thrown",
    (text) => {
      for (const { at } of readSteps(text).steps) expect(at.getTime()).not.toBeNaN();
      expect(typeof withStep({ ...ORIGIN, steps: text }, CLAIMED)).toBe('string');
    },
  );

  it('given any text, then reading and writing never throw', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        readSteps(withStep({ ...ORIGIN, steps: text }, CLAIMED));
      }),
    );
  });
});
