import { CHAOS_LEVELS, type Chaos } from '../../../src/simulator/chaos/chaos.js';
import { createInterference } from '../../../src/simulator/chaos/interference.js';
import type { TopicEvent } from '../../../src/simulator/event-grid/topic-event.js';
import { createFakeClock } from '../../../src/testing/index.js';

const event = (id: string) => ({ id }) as TopicEvent;
const events = Array.from({ length: 2000 }, (_, n) => event(`e${n}`));

function interfere(chaos: Partial<Chaos>, { seed = 7, clock = createFakeClock() } = {}) {
  const nameOf = (id: string) => (id.startsWith('e') ? id : undefined);
  return createInterference({ chaos: { ...CHAOS_LEVELS.none, ...chaos }, seed, clock, nameOf });
}

describe('when chaos interferes', () => {
  it('given the same seed, then the result is the same for every order of calls', () => {
    const resultsOf = (inOrder: readonly TopicEvent[]) => {
      const chaos = interfere(CHAOS_LEVELS.rough);
      return new Map(inOrder.map((one) => [one.id, [chaos.copiesOf(one, 's'), chaos.treatmentOf(one, 's', 1)]]));
    };

    const forth = resultsOf(events);
    const back = resultsOf(events.toReversed());

    for (const { id } of events) expect(back.get(id)).toEqual(forth.get(id));
  });

  it('given another seed, then other events are doubled', () => {
    const doubled = (seed: number) =>
      events.filter((one) => interfere({ duplicates: 0.05 }, { seed }).copiesOf(one, 's').length === 2);

    expect(doubled(1).length).toBeGreaterThan(50);
    expect(doubled(1)).not.toEqual(doubled(2));
  });

  it.each([
    {
      chaos: { duplicates: 0.1 },
      share: 0.1,
      hit: (i: ReturnType<typeof interfere>, e: TopicEvent) => i.copiesOf(e, 's').length === 2,
    },
    {
      chaos: { delays: 0.2, delayMs: 1000 },
      share: 0.2,
      hit: (i: ReturnType<typeof interfere>, e: TopicEvent) => (i.copiesOf(e, 's')[0] ?? 0) > 0,
    },
    {
      chaos: CHAOS_LEVELS.lossy,
      share: 0.05,
      hit: (i: ReturnType<typeof interfere>, e: TopicEvent) => i.copiesOf(e, 's').length === 0,
    },
    {
      chaos: { lostAnswers: 0.1 },
      share: 0.1,
      hit: (i: ReturnType<typeof interfere>, e: TopicEvent) => i.treatmentOf(e, 's', 0).fate === 'lose-answer',
    },
    {
      chaos: { garbled: 0.1 },
      share: 0.1,
      hit: (i: ReturnType<typeof interfere>, e: TopicEvent) => i.treatmentOf(e, 's', 0).fate === 'garble',
    },
    {
      chaos: { bothSchemas: true },
      share: 0.5,
      hit: (i: ReturnType<typeof interfere>, e: TopicEvent) => i.treatmentOf(e, 's', 0).schema === 'EventGridSchema',
    },
  ])('given $chaos, then about that share of events is affected', ({ chaos, share, hit }) => {
    const interference = interfere(chaos);

    const hits = events.filter((one) => hit(interference, one)).length;

    expect(hits / events.length).toBeGreaterThan(share * 0.7);
    expect(hits / events.length).toBeLessThan(share * 1.3);
  });

  it('given lost events, then every subscription loses the same, with their copies, and no malformed event is lost', () => {
    const chaos = interfere({ lost: 0.5, duplicates: 1 });
    const lostFor = (subscription: string) => events.filter((one) => chaos.copiesOf(one, subscription).length === 0);

    expect(lostFor('s').length).toBeGreaterThan(800);
    expect(lostFor('t')).toEqual(lostFor('s'));
    for (const { id } of events) {
      expect(chaos.copiesOf({ ...event(id), spoil: (written) => written }, 's')).toHaveLength(2);
    }
  });

  it('given a level other than lossy, then no event is lost', () => {
    const { lossy, ...others } = CHAOS_LEVELS;

    expect(lossy.lost).toBe(0.05);
    expect(Object.values(others).map(({ lost }) => lost)).toEqual([0, 0, 0]);
  });

  it('given another attempt or subscription, then the random choice is another', () => {
    const chaos = interfere({ lostAnswers: 0.5 });
    const fates = (subscription: string, attempt: number) =>
      events.map((one) => chaos.treatmentOf(one, subscription, attempt).fate);

    expect(fates('s', 1)).not.toEqual(fates('s', 0));
    expect(fates('t', 0)).not.toEqual(fates('s', 0));
  });

  it('given a receiver that is down every 10 s, then it is down for 2 s of each 10 s, except the first', () => {
    const clock = createFakeClock();
    const chaos = interfere({ downMs: 2000, downEveryMs: 10_000 }, { clock });
    const now = () => chaos.isDown([event('x1'), event('e1')]);

    const seen = Array.from({ length: 24 }, () => {
      const is = now();
      clock.advance(1000);
      return is;
    });

    expect(seen.flatMap((is, second) => (is ? [second] : []))).toEqual([10, 11, 20, 21]);
  });

  it('given an event of another run, then nothing happens to it', () => {
    const clock = createFakeClock();
    const all = { lostAnswers: 1, duplicates: 1, delays: 1, downMs: 10_000, downEveryMs: 1000 };
    const chaos = interfere({ ...CHAOS_LEVELS.rough, ...all }, { clock });
    clock.advance(1000);

    expect(chaos.copiesOf(event('x1'), 's')).toEqual([0]);
    expect(chaos.treatmentOf(event('x1'), 's', 0)).toEqual({ fate: 'pass' });
    expect(chaos.isDown([event('x1')])).toBe(false);
    expect(chaos.isDown([event('e1')])).toBe(true);
  });
});
