import type { FhirEvent } from '../../src/events/health-event.js';
import { afterStarting, decideVersion, type KnownVersion, type KnownVersions } from '../../src/events/order.js';
import { fhirEvent } from '../../src/testing/index.js';
import { bound, type Model, type Step } from './explore.js';

/**
 * `ordering: 'latest'` for one resource: versions of two lives of its id arrive in any order, with duplicates, two at a
 * time, a crash at every step, leases of the resource that lapse at any time, dead letters that are redriven. Every
 * step is checked, not only the end: no row, no watermark and no fence ever goes back. The real functions decide which
 * of two versions is newer. HANDLERS in the environment sets the bound.
 */
export const latestRules = {
  noStart: 'a version is superseded by a newer one that has started (L1)',
  noRestart: 'the version that has started runs again: its next try, its redrive (L2)',
  noKey: 'who finds its own key in the watermark has been applied',
  oneWay: 'an event more than five minutes older is older, whatever its version',
  noBirth: 'a Created with a later time is a new beginning, whatever its version',
  noBeginning: 'what is older than the beginning of this life is older, whatever its version',
  noFence: 'a row refuses who has a lower fence than its writer had',
  noEtag: 'the watermark is written by who still holds the resource',
  failAdvances: 'a version that fails leaves the watermark as it was',
} as const;
export type LatestRule = keyof typeof latestRules;

/**
 * A version of the resource; later ones of `life` 1 are older than any of `life` 2, and that is what has to come out.
 */
export type Version = { name: string; life: 1 | 2; event: FhirEvent };

const BEGINNING_MS = Date.UTC(2026, 2, 14, 12);

function version(name: string, life: 1 | 2, seconds: number): Version {
  const number = Number(/\d+/.exec(name)?.[0]);
  const change = number === 1 ? 'created' : 'updated';
  const time = new Date(BEGINNING_MS + seconds * 1000).toISOString();
  return { name, life, event: fhirEvent({ id: name, version: number, change, time }) };
}

export const DAY_APART: readonly Version[] = [version('v1', 1, 0), version('v2', 1, 60), version("v1'", 2, 86_400)];
export const MINUTE_APART: readonly Version[] = [version('v2', 1, 0), version('v3', 1, 60), version("v1'", 2, 120)];

const MAX_ALIVE = 2;
const NOBODY = 0;
const NONE: Mark = { of: -1, createdAt: '' };

/** `of` is a version; -1 where there is none. */
type Mark = { of: number; createdAt: string };
type Handler = { id: number; of: number; fence: number; at: keyof ReturnType<typeof createSteps> };
export type ResourceWorld = {
  /** The newest version that was applied. */
  mark: Mark;
  /** The newest version that has started. */
  started: Mark;
  lease: { by: number; isLapsed: boolean };
  fence: number;
  /** The last fence of each version; 0 where it has had none. */
  fences: readonly number[];
  jobs: readonly ('open' | 'completed' | 'superseded' | 'dead')[];
  /** The row of the workflow's table: which version it shows, and the fence it was written under. */
  row: { of: number; fence: number };
  nextHandler: number;
  handlers: readonly Handler[];
};

export function latestModel(versions: readonly Version[], broken?: LatestRule): Model<ResourceWorld> {
  const maxHandlers = bound('HANDLERS', 5);
  const steps = createSteps(versions, broken);
  const isNewer = (one: number, other: number) => newer(versions[one], versions[other]);

  return {
    start: {
      mark: NONE,
      started: NONE,
      lease: { by: NOBODY, isLapsed: false },
      fence: 0,
      fences: versions.map(() => 0),
      jobs: versions.map(() => 'open'),
      row: { of: -1, fence: 0 },
      nextHandler: 1,
      handlers: [],
    },

    *next(world) {
      const { handlers, lease, nextHandler } = world;
      for (const [of, { name }] of versions.entries()) {
        if (nextHandler > maxHandlers || handlers.length === MAX_ALIVE) break;
        // One handler a job: the job's own lease.
        if (handlers.some((handler) => handler.of === of)) continue;
        if (world.jobs[of] === 'dead') yield [`${name} is redriven`, { ...world, jobs: world.jobs.with(of, 'open') }];
        if (world.jobs[of] !== 'open') continue;
        const handler: Handler = { id: nextHandler, of, fence: 0, at: 'take' };
        yield [`${name} arrives`, { ...world, nextHandler: nextHandler + 1, handlers: [...handlers, handler] }];
      }
      if (lease.by !== NOBODY && !lease.isLapsed) {
        yield ['the lease of the resource lapses', { ...world, lease: { ...lease, isLapsed: true } }];
      }
      for (const handler of handlers) {
        yield [`${versions[handler.of]?.name} crashes at ${handler.at}`, end(world, handler)];
        yield* steps[handler.at](world, handler);
      }
    },

    wrong({ mark, started, row, fences, jobs, handlers }, before) {
      if (isNewer(before.mark.of, mark.of)) return 'the watermark went back';
      if (isNewer(before.started.of, started.of)) return 'the version that has started went back';
      if (isNewer(before.row.of, row.of)) return 'the row went back';
      for (const [of, fence] of fences.entries()) {
        if (fences.some((other, newer) => isNewer(newer, of) && other > 0 && other < fence))
          return 'an older version holds a higher fence';
      }
      for (const [of, job] of jobs.entries()) {
        if (job === 'superseded' && !isNewer(mark.of, of) && !isNewer(started.of, of))
          return 'superseded by nothing that was applied or has started';
        if (job === 'completed' && handlers.length === 0 && isNewer(of, row.of))
          return 'the row is older than what has completed';
      }
      return undefined;
    },
  };
}

function createSteps(versions: readonly Version[], broken: LatestRule | undefined) {
  return {
    *take(world: ResourceWorld, handler: Handler): Iterable<Step<ResourceWorld>> {
      const { lease } = world;
      const decision = decideIn(world, versionOf(handler));
      switch (decision) {
        case 'applied':
          return yield say('finds itself applied', endJob(world, handler, 'completed'));
        case 'superseded':
          return yield say('is superseded', endJob(world, handler, 'superseded'));
        case 'run': {
          if (lease.by !== NOBODY && !lease.isLapsed) return yield say('finds the resource busy', end(world, handler));
          const fence = world.fence + 1;
          const fences = world.fences.with(handler.of, fence);
          const taken = { ...world, started: startIn(world, handler), fence, fences, lease: leaseOf(handler) };
          return yield say('takes the resource', change(taken, handler, { at: 'handle', fence }));
        }
        default:
          throw new TypeError(`unhandled ${decision satisfies never}`);
      }
    },

    *handle(world: ResourceWorld, handler: Handler): Iterable<Step<ResourceWorld>> {
      if (!holds(world, handler) || world.lease.isLapsed)
        return yield say('sees its lease lapsed', end(world, handler));
      yield say('is at work', change(world, handler, { at: 'write' }));
      const failed = broken === 'failAdvances' ? apply(world, handler) : world;
      yield say('fails for good', endJob(free(failed), handler, 'dead'));
    },

    *write(world: ResourceWorld, handler: Handler): Iterable<Step<ResourceWorld>> {
      if (world.row.fence > handler.fence && broken !== 'noFence')
        return yield say('is fenced off by the row', end(world, handler));
      const written = { ...world, row: { of: handler.of, fence: handler.fence } };
      yield say('writes its row', change(written, handler, { at: 'mark' }));
    },

    *mark(world: ResourceWorld, handler: Handler): Iterable<Step<ResourceWorld>> {
      if (!holds(world, handler) && broken !== 'noEtag')
        return yield say('is fenced off by the watermark', end(world, handler));
      yield say('is in the watermark', change(free(apply(world, handler)), handler, { at: 'record' }));
    },

    *record(world: ResourceWorld, handler: Handler): Iterable<Step<ResourceWorld>> {
      yield say('is completed', endJob(world, handler, 'completed'));
    },
  };

  function versionOf({ of }: Pick<Handler, 'of'>): Version {
    const version = versions[of];
    if (!version) throw new RangeError(`no version ${of}`);
    return version;
  }

  function versionIn({ of, createdAt }: Mark): KnownVersion | undefined {
    if (of < 0) return undefined;
    const { name, event } = versionOf({ of });
    return { version: event.version, time: event.time, eventKey: name, createdAt: createdAt || undefined };
  }

  function knownIn({ mark, started }: ResourceWorld): KnownVersions {
    return { applied: versionIn(mark), started: versionIn(started) };
  }

  function decideIn(world: ResourceWorld, { name, event }: Version): ReturnType<typeof decideVersion> {
    const known = knownIn(world);
    const without = (changes: Partial<KnownVersion>): KnownVersions => ({
      applied: known.applied && { ...known.applied, ...changes },
      started: known.started && { ...known.started, ...changes },
    });
    const { applied, started } = known;
    switch (broken) {
      case 'noStart':
        return decideVersion(event, name, { applied, started: undefined });
      case 'noRestart':
        return decideVersion(event, name, { applied, started: started && { ...started, eventKey: '' } });
      case 'noKey':
        return decideVersion(event, name, { applied: applied && { ...applied, eventKey: '' }, started });
      case 'oneWay': // a time from which this event is not older
        return decideVersion(event, name, {
          applied: applied && { ...applied, time: min(applied.time, event.time), createdAt: undefined },
          started: started && { ...started, time: min(started.time, event.time), createdAt: undefined },
        });
      case 'noBirth':
        return decideVersion({ ...event, change: 'updated' }, name, known);
      case 'noBeginning':
        return decideVersion(event, name, without({ createdAt: undefined }));
      default:
        return decideVersion(event, name, known);
    }
  }

  function startIn(world: ResourceWorld, handler: Handler): Mark {
    const { name, event } = versionOf(handler);
    const { createdAt = '' } = afterStarting(event, name, knownIn(world));
    return { of: handler.of, createdAt };
  }

  function apply(world: ResourceWorld, handler: Handler): ResourceWorld {
    const mark = world.started.of === handler.of ? world.started : startIn(world, handler);
    return { ...world, mark };
  }

  /** A step's text does not name the version: its place in the trace shows the version. */
  function say(text: string, world: ResourceWorld): Step<ResourceWorld> {
    return [text, world];
  }
}

function newer(one: Version | undefined, other: Version | undefined): boolean {
  if (!one || !other) return one !== undefined;
  return one.life > other.life || (one.life === other.life && one.event.version > other.event.version);
}

function min(one: string | undefined, other: string | undefined): string | undefined {
  return one !== undefined && other !== undefined && one < other ? one : other;
}

function holds({ lease }: ResourceWorld, { id }: Handler): boolean {
  return lease.by === id;
}

function leaseOf({ id }: Handler): ResourceWorld['lease'] {
  return { by: id, isLapsed: false };
}

function free(world: ResourceWorld): ResourceWorld {
  return { ...world, lease: { by: NOBODY, isLapsed: false } };
}

function change(world: ResourceWorld, { id }: Handler, changes: Partial<Handler>): ResourceWorld {
  return {
    ...world,
    handlers: world.handlers.map((handler) => (handler.id === id ? { ...handler, ...changes } : handler)),
  };
}

function end(world: ResourceWorld, { id }: Handler): ResourceWorld {
  return { ...world, handlers: world.handlers.filter((handler) => handler.id !== id) };
}

function endJob(world: ResourceWorld, handler: Handler, job: 'completed' | 'superseded' | 'dead'): ResourceWorld {
  return end({ ...world, jobs: world.jobs.with(handler.of, job) }, handler);
}
