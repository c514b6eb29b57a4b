import fc from 'fast-check';
import { InvalidEventError } from '../../src/events/invalid-event-error.js';
import { parseEvent } from '../../src/events/parse.js';
import { type RawEvent, sample, samples, someFacts, someSpelling, write } from './raw-events.js';

/** Eleven fields, the data itself, six prototype keys. */
const MAX_PROBLEMS = 18;

const everything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

const SECRET = 'a value from the payload';
const throwing = () => {
  throw new Error(SECRET);
};

/** Functions that make the values, because fast-check inspects values, and some of these throw then. */
const HOSTILE: Record<string, () => unknown> = {
  proxy: () => new Proxy({}, { get: throwing, has: throwing, ownKeys: throwing, getPrototypeOf: throwing }),
  sealedProxy: () => new Proxy({}, { getOwnPropertyDescriptor: throwing }),
  listProxy: () => new Proxy([], { get: throwing, getPrototypeOf: throwing }),
  nestedProxy: () => new Proxy({}, { get: () => HOSTILE.proxy?.() }),
  revoked() {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  cyclic() {
    const cyclic: Record<string, unknown> = {};
    cyclic.data = cyclic;
    return cyclic;
  },
  deep: () => JSON.parse(`${'{"data":'.repeat(5_000)}1${'}'.repeat(5_000)}`),
  longText: () => 'x'.repeat(100_000),
  longDigits: () => '1'.repeat(100_000),
  getter: () => Object.defineProperty({}, 'id', { get: throwing }),
  constructorGetter: () => Object.defineProperty({}, 'constructor', { get: throwing }),
  conversions: () => ({ toString: throwing, valueOf: throwing, [Symbol.toPrimitive]: throwing }),
  symbol: () => Symbol(SECRET),
  function: () => throwing,
};
const hostile: fc.Arbitrary<() => unknown> = fc.oneof(
  everything.map((value) => () => value),
  fc.constantFrom(...Object.values(HOSTILE)),
);

/** An event of which anything may have been replaced, taken away or added, in the envelope and in the data. */
const mutated: fc.Arbitrary<() => unknown> = fc
  .tuple(someFacts, someSpelling, fc.array(fc.tuple(fc.boolean(), fc.nat(), fc.option(hostile), fc.string())))
  .map(([facts, spelling, changes]) => () => {
    const raw = write(facts, spelling);
    const { data } = raw;
    for (const [isData, at, make, added] of changes) {
      const target = isData ? data : raw;
      const keys = [...Object.keys(target), added];
      const key = keys[at % keys.length] ?? added;
      if (make === null) delete target[key];
      else Object.defineProperty(target, key, { value: make(), enumerable: true, configurable: true, writable: true });
    }
    return raw;
  });

function outcomeOf(raw: unknown): 'event' | InvalidEventError {
  try {
    parseEvent(raw);
    return 'event';
  } catch (error) {
    if (error instanceof InvalidEventError) return error;
    throw error;
  }
}

describe('parseEvent', () => {
  it.each([
    { given: 'anything', raws: hostile },
    { given: 'mutated events', raws: mutated },
    {
      given: 'an event with anything for data',
      raws: hostile.map((make) => () => ({ ...sample('FhirResourceCreated.eventgrid.json'), data: make() })),
    },
  ])('given $given, then the parser throws only InvalidEventError, with a bounded list of problems', ({ raws }) => {
    fc.assert(
      fc.property(raws, (make) => {
        const outcome = outcomeOf(make());

        if (outcome === 'event') return;
        expect(outcome.problems.length).toBeGreaterThan(0);
        expect(outcome.problems.length).toBeLessThanOrEqual(MAX_PROBLEMS);
        expect(outcome.message).not.toContain(SECRET);
        expect(outcome.cause).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  it('given a getter that throws an InvalidEventError of its own, then the parser throws another', () => {
    const raw = {
      get id() {
        throw new InvalidEventError('invalid', [{ path: SECRET, code: '' }]);
      },
    };

    expect(outcomeOf(raw)).toMatchObject({ problems: [{ path: '(event)', code: 'unreadable' }] });
  });

  it('given a getter that answers differently each time, then it was called once', () => {
    let asked = 0;
    const raw = Object.defineProperty(sample('FhirResourceCreated.eventgrid.json'), 'id', {
      get: () => (asked++ === 0 ? 'first' : 7),
    });

    expect(parseEvent(raw).id).toBe('first');
    expect(asked).toBe(1);
  });

  it('given any event, then the input has not changed', () => {
    for (const { file, raw } of samples) {
      parseEvent(raw);

      expect(raw).toEqual(sample(file));
    }
  });
});

describe('the work of a parse', () => {
  it('given an event with more properties, then the parser reads no more of them', () => {
    for (const { raw } of samples) {
      const crowded = { ...raw, ...clutter(10_000), data: { ...raw.data, ...clutter(10_000) } };

      expect(readsOf(crowded)).toBe(readsOf(raw));
      expect(readsOf(crowded)).toBeLessThan(50);
    }
  });

  // The larger event of each pair would take 10,000 times as long in a quadratic parse, 100 times in a linear one.
  it.each([
    'id',
    'topic',
    'eventType',
    'eventTime',
    'resourceType',
    'resourceFhirId',
    'resourceVersionId',
    'resourceFhirAccount',
  ])('given a hundred times more in %s, then the parser takes at most linear processor time', (field) => {
    const small = ['x', '1', '2022-03-24T00:00:00.1', 'A'].map((text) => swollen(field, text, 500));
    const large = ['x', '1', '2022-03-24T00:00:00.1', 'A'].map((text) => swollen(field, text, 50_000));

    const [shortMs, longMs] = [fastestMs(small), fastestMs(large)];

    expect(longMs / Math.max(shortMs, 0.02)).toBeLessThan(1000);
  });

  function clutter(n: number): Record<string, unknown> {
    return Object.fromEntries(Array.from({ length: n }, (_, i) => [`extra${i}`, i]));
  }

  function readsOf(raw: RawEvent): number {
    let reads = 0;
    const counting: ProxyHandler<Record<string, unknown>> = {
      get(target, key) {
        reads++;
        return Reflect.get(target, key);
      },
      getOwnPropertyDescriptor(target, key) {
        reads++;
        return Reflect.getOwnPropertyDescriptor(target, key);
      },
      ownKeys(target) {
        reads += Reflect.ownKeys(target).length;
        return Reflect.ownKeys(target);
      },
    };
    parseEvent(new Proxy({ ...raw, data: new Proxy(raw.data, counting) }, counting));
    return reads;
  }

  function swollen(field: string, text: string, length: number): RawEvent {
    const raw = sample('FhirResourceCreated.eventgrid.json');
    const target = field in raw ? raw : raw.data;
    target[field] = text + text.slice(-1).repeat(length);
    return raw;
  }

  function fastestMs(raws: readonly unknown[]): number {
    const runs = Array.from({ length: 10 }, () => {
      const before = process.threadCpuUsage();
      for (const raw of raws) outcomeOf(raw);
      return process.threadCpuUsage(before).user / 1000;
    });
    return Math.min(...runs);
  }
});
