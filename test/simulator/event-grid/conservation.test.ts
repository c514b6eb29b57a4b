import fc from 'fast-check';
import {
  type Answer,
  createTestGrid,
  DAY,
  DEAD_LETTERS,
  functionBody,
  type Got,
  MINUTE,
  noInterference,
  SECOND,
  topicEvents,
} from './test-grid.js';

const ANSWERS: readonly Answer[] = [
  200,
  202,
  400,
  401,
  403,
  404,
  408,
  413,
  429,
  500,
  503,
  'never',
  new Error('reset'),
  Object.assign(new Error('dns'), { code: 'ENOTFOUND' }),
];

type Plan = {
  answers: number[];
  published: number[];
  maxEventsPerBatch: number;
  maxDeliveryAttempts: number;
  minutes: number;
  hasDeadLetters: boolean;
  badWrites: number;
  fates: ('pass' | 'lose-answer' | 'garble')[];
  downs: boolean[];
  copies: number[][];
};

const plan: fc.Arbitrary<Plan> = fc.record({
  answers: fc.array(fc.nat(ANSWERS.length - 1), { minLength: 1, maxLength: 30 }),
  published: fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 1, maxLength: 6 }),
  maxEventsPerBatch: fc.integer({ min: 1, max: 7 }),
  maxDeliveryAttempts: fc.integer({ min: 1, max: 30 }),
  minutes: fc.integer({ min: 1, max: 1440 }),
  hasDeadLetters: fc.boolean(),
  badWrites: fc.nat(300),
  fates: fc.array(fc.constantFrom('pass' as const, 'lose-answer' as const, 'garble' as const), {
    minLength: 1,
    maxLength: 5,
  }),
  downs: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
  copies: fc.array(fc.array(fc.constantFrom(0, 0, 700), { maxLength: 3 }), { minLength: 1, maxLength: 4 }),
});

async function play(script: Plan, seed: number) {
  let asked = 0;
  let treated = 0;
  let requests = 0;
  let writes = 0;
  const letters: string[] = [];
  const test = createTestGrid((_: Got, n: number) => ANSWERS[script.answers[n % script.answers.length] ?? 0] ?? 200, {
    seed,
    interference: {
      ...noInterference,
      copiesOf: () => script.copies[asked++ % script.copies.length] ?? [],
      treatmentOf: () => ({ fate: script.fates[treated++ % script.fates.length] ?? 'pass' }),
      isDown: () => script.downs[requests++ % script.downs.length] ?? false,
    },
    writeDeadLetter: async (_container, _name, content) => {
      writes += 1;
      if (writes <= script.badWrites) throw new Error('503');
      letters.push(...JSON.parse(content).map(({ id }: { id: string }) => id));
    },
  });
  await test.grid.put(
    'sub',
    functionBody({
      destination: { maxEventsPerBatch: script.maxEventsPerBatch },
      retryPolicy: { maxDeliveryAttempts: script.maxDeliveryAttempts, eventTimeToLiveInMinutes: script.minutes },
      ...(script.hasDeadLetters ? DEAD_LETTERS : {}),
    }),
  );
  for (const [n, count] of script.published.entries()) {
    test.grid.publish(topicEvents(count, `p${n}-`));
    await test.pass(n % 2 === 0 ? 20 * SECOND : 7 * MINUTE);
  }
  await test.pass(4 * DAY);
  return { ...test, letters };
}

describe('whatever an endpoint answers', () => {
  it('given any script, then every event ends exactly once, as delivered, dead-lettered or dropped', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (script) => {
        const { grid, letters } = await play(script, 1);

        const stats = grid.stats.sub;
        if (!stats) throw new Error('There are no figures.');
        const deadLettered = sum(stats.deadLettered);
        const ended = stats.delivered + deadLettered + sum(stats.dropped);
        expect(stats.matched).toBe(script.published.reduce((all, count) => all + count, 0));
        expect({ ended, pending: grid.pending() }).toEqual({
          ended: stats.matched - stats.withheld + stats.copies,
          pending: 0,
        });
        expect(letters).toHaveLength(deadLettered);
        expect(stats.places).toEqual({ held: 0, ready: 0, sent: 0, waiting: 0, letters: 0 });
      }),
      { numRuns: 60 },
    );
  });

  it('given the same script and seed, then requests and blobs are the same, at the same times', async () => {
    await fc.assert(
      fc.asyncProperty(plan, fc.integer(), async (script, seed) => {
        const traceOf = async () => {
          const { got, letters } = await play(script, seed);
          return { letters, got: got.map(({ atMs, headers, ids }) => [atMs, headers['aeg-delivery-count'], ids]) };
        };

        expect(await traceOf()).toEqual(await traceOf());
      }),
      { numRuns: 15 },
    );
  });
});

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}
