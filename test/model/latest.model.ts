import type { FhirEvent } from '../../src/events/health-event.js';
import { afterStarting, decideVersion, type KnownVersion, type KnownVersions } from '../../src/events/order.js';
import { fhirEvent } from '../../src/testing/index.js';
import { bound, type Model, type Step } from './explore.js';

/**
 * Models `ordering: 'latest'` for one resource. Versions of its two incarnations arrive in any order, with duplicates, two
 * at a time. Handlers crash at every step, leases of the resource lapse at any time, dead letters are redriven. No step
 * may set a row, a watermark or a fence back. The app's own functions decide which of two versions is newer. The
 * environment variable HANDLERS sets the bound.
 */
export const latestRules = {
  noStart: 'L1: a version is superseded by a newer one that has started',
  noRestart: 'L2: the version that started last runs again: its next try, its redrive',
  noKey: 'L6: a job that finds its own event in the watermark is completed without a run',
  oneWay: 'L4: an event more than five minutes older is older, whatever its version',
  noBirth: 'L5: a Created with a later time is a new beginning, whatever its version',
  noBeginning: 'L5: an event before the beginning is older, whatever its version',
  noFence: 'L3: a lower fence cannot write over a row',
  noEtag: 'L7: only the holder of the resource writes its watermark',
  failAdvances: 'L8: a version that fails leaves the watermark as it was',
} as const;
export type LatestRule = keyof typeof latestRules;

/** A version of the resource. Each version of incarnation 2 is newer than all of incarnation 1. */
export type Version = { name: string; incarnation: 1 | 2; event: FhirEvent };

const BEGINNING_MS = Date.UTC(2026, 2, 14, 12);

function createVersion(name: string, incarnation: 1 | 2, seconds: number): Version {
  const number = Number(/\d+/.exec(name)?.[0]);
  const change = number === 1 ? 'created' : 'updated';
  const time = new Date(BEGINNING_MS + seconds * 1000).toISOString();
  return { name, incarnation, event: fhirEvent({ id: name, version: number, change, time }) };
}

export const DAY_APART: readonly Version[] = [
  createVersion('v1', 1, 0),
  createVersion('v2', 1, 60),
  createVersion("v1'", 2, 86_400),
];
export const MINUTE_APART: readonly Version[] = [
  createVersion('v2', 1, 0),
  createVersion('v3', 1, 60),
  createVersion("v1'", 2, 120),
];

const MAX_ALIVE = 2;
const NOBODY = 0;
const NONE: Mark = { version: -1, createdAt: '' };

/** `version` is an index of `versions`; -1 for none. */
type Mark = { version: number; createdAt: string };
type Handler = { id: number; version: number; fence: number; at: keyof ReturnType<typeof createSteps> };
export type ResourceWorld = {
  /** The newest version that was applied. */
  mark: Mark;
  /** The newest version that has started. */
  started: Mark;
  lease: { by: number; isLapsed: boolean };
  fence: number;
  /** The last fence of each version; 0 for none. */
  fences: readonly number[];
  jobs: readonly ('open' | 'completed' | 'superseded' | 'dead')[];
  /** The row of the workflow's table: the version that it shows, and the fence of its writer. */
  row: { version: number; fence: number };
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
      row: { version: -1, fence: 0 },
      nextHandler: 1,
      handlers: [],
    },

    *nextSteps(world) {
      const { handlers, lease, nextHandler } = world;
      for (const [version, { name }] of versions.entries()) {
        if (nextHandler > maxHandlers || handlers.length === MAX_ALIVE) break;
        // The lease of a job allows it one handler at a time.
        if (handlers.some((handler) => handler.version === version)) continue;
        if (world.jobs[version] === 'dead')
          yield [`${name} is redriven`, { ...world, jobs: world.jobs.with(version, 'open') }];
        if (world.jobs[version] !== 'open') continue;
        const handler: Handler = { id: nextHandler, version, fence: 0, at: 'take' };
        yield [`${name} arrives`, { ...world, nextHandler: nextHandler + 1, handlers: [...handlers, handler] }];
      }
      if (lease.by !== NOBODY && !lease.isLapsed) {
        yield ['the lease of the resource lapses', { ...world, lease: { ...lease, isLapsed: true } }];
      }
      for (const handler of handlers) {
        yield [`${versions[handler.version]?.name} crashes at ${handler.at}`, end(world, handler)];
        yield* steps[handler.at](world, handler);
      }
    },

    fault({ mark, started, row, fences, jobs, handlers }, before) {
      if (isNewer(before.mark.version, mark.version)) return 'the watermark went back';
      if (isNewer(before.started.version, started.version)) return 'the version that has started went back';
      if (isNewer(before.row.version, row.version)) return 'the row went back';
      for (const [version, fence] of fences.entries()) {
        if (fences.some((other, newer) => isNewer(newer, version) && other > 0 && other < fence))
          return 'an older version holds a higher fence';
      }
      for (const [version, job] of jobs.entries()) {
        if (job === 'superseded' && !isNewer(mark.version, version) && !isNewer(started.version, version))
          return 'superseded by nothing that was applied or has started';
        if (job === 'completed' && handlers.length === 0 && isNewer(version, row.version))
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
          return yield step('finds itself applied', endJob(world, handler, 'completed'));
        case 'superseded':
          return yield step('is superseded', endJob(world, handler, 'superseded'));
        case 'run': {
          if (lease.by !== NOBODY && !lease.isLapsed) return yield step('finds the resource busy', end(world, handler));
          const fence = world.fence + 1;
          const fences = world.fences.with(handler.version, fence);
          const taken = { ...world, started: startIn(world, handler), fence, fences, lease: leaseOf(handler) };
          return yield step('takes the resource', change(taken, handler, { at: 'handle', fence }));
        }
        default:
          throw new TypeError(`unhandled ${decision satisfies never}`);
      }
    },

    *handle(world: ResourceWorld, handler: Handler): Iterable<Step<ResourceWorld>> {
      if (!holds(world, handler) || world.lease.isLapsed)
        return yield step('sees its lease lapsed', end(world, handler));
      yield step('is at work', change(world, handler, { at: 'write' }));
      const failed = broken === 'failAdvances' ? apply(world, handler) : world;
      yield step('fails for good', endJob(free(failed), handler, 'dead'));
    },

    *write(world: ResourceWorld, handler: Handler): Iterable<Step<ResourceWorld>> {
      if (world.row.fence > handler.fence && broken !== 'noFence')
        return yield step('is fenced off by the row', end(world, handler));
      const written = { ...world, row: { version: handler.version, fence: handler.fence } };
      yield step('writes its row', change(written, handler, { at: 'mark' }));
    },

    *mark(world: ResourceWorld, handler: Handler): Iterable<Step<ResourceWorld>> {
      if (!holds(world, handler) && broken !== 'noEtag')
        return yield step('is fenced off by the watermark', end(world, handler));
      yield step('is in the watermark', change(free(apply(world, handler)), handler, { at: 'record' }));
    },

    *record(world: ResourceWorld, handler: Handler): Iterable<Step<ResourceWorld>> {
      yield step('is completed', endJob(world, handler, 'completed'));
    },
  };

  function versionOf({ version }: Pick<Handler, 'version'>): Version {
    const found = versions[version];
    if (!found) throw new RangeError(`no version ${version}`);
    return found;
  }

  function versionIn({ version, createdAt }: Mark): KnownVersion | undefined {
    if (version < 0) return undefined;
    const { name, event } = versionOf({ version });
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
      case 'oneWay': // no known time is later than that of the event
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
    return { version: handler.version, createdAt };
  }

  function apply(world: ResourceWorld, handler: Handler): ResourceWorld {
    const mark = world.started.version === handler.version ? world.started : startIn(world, handler);
    return { ...world, mark };
  }

  /** A step's text does not name the version: its place in the trace shows the version. */
  function step(text: string, world: ResourceWorld): Step<ResourceWorld> {
    return [text, world];
  }
}

function newer(one: Version | undefined, other: Version | undefined): boolean {
  if (!one || !other) return one !== undefined;
  return one.incarnation === other.incarnation
    ? one.event.version > other.event.version
    : one.incarnation > other.incarnation;
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
  return end({ ...world, jobs: world.jobs.with(handler.version, job) }, handler);
}
