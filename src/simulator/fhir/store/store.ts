import type { Clock } from '../../../clock.js';
import type { FhirChange } from '../../changes.js';
import { isObject } from '../content/json.js';
import { type FhirError, refuse } from '../content/outcome.js';
import type { FhirResource } from '../content/resource-rules.js';
import { keysOf } from './index-keys.js';
import { createSearchIndex, type SearchIndex } from './search-index.js';
import type { Stored, Version, WriteMethod } from './version.js';
import { createVersionLog } from './version-log.js';

/**
 * Every version of every resource, as text, in the order in which they were written.
 *
 * A current version is never dropped: what needs more than `currentBytes` is refused. Old ones are, those that became old first, when they take more than
 * `historyBytes`: hence a history always lacks its beginning, never its middle.
 */
export type Store = {
  get(resourceType: string, id: string): Stored | undefined;
  /** All versions that are kept, of one type or of all, the oldest first. Some may be gone meanwhile. */
  log(resourceType?: string): readonly Version[];
  /** The current versions that have a key of the index; those that are deleted have none. */
  having(key: string): Iterable<Stored>;
  /** Makes a new version; without a resource, one that says it is deleted. */
  write(of: { resourceType: string; id: string; method: WriteMethod; resource: FhirResource | undefined }): Version;
  /** Forgets a resource with all its versions. Not to be used in an attempt. */
  remove(stored: Stored): void;
  /** All that `work` writes, or, where it throws, nothing. */
  attempt<T>(work: () => T): T;
  /** What changed since this was asked last, in that order. */
  takeChanges(): FhirChange[];
  readonly counts: { readonly resources: number; readonly versions: number; readonly bytes: number };
  clear(): void;
};

/** About what a version takes in memory beside its text. */
const BYTES_PER_VERSION = 250;

export function createStore(deps: { clock: Clock; host: string; historyBytes: number; currentBytes: number }): Store {
  const { clock, host, historyBytes, currentBytes } = deps;
  const resources = new Map<string, Stored>();
  const index: SearchIndex<Stored> = createSearchIndex();
  const log = createVersionLog();
  /** Old versions, those first that became old first. */
  const old = new Set<Version>();
  let changes: FhirChange[] = [];
  let undo: (() => void)[] | undefined;
  let sequence = 0;
  let lastAtMs = 0;
  let living = 0;
  let bytes = 0;
  let oldBytes = 0;

  return {
    get: (resourceType, id) => resources.get(`${resourceType}/${id}`),
    log: log.of,
    having: index.with,

    write({ resourceType, id, method, resource }) {
      const stored = resources.get(`${resourceType}/${id}`);
      const number = (stored?.current.number ?? 0) + 1;
      // Time may stand still or go back; what is written later is never said to be older.
      const atMs = Math.max(clock.now().getTime(), lastAtMs);
      const text = resource && stampedText(resource, { id, number, atMs });
      const size = BYTES_PER_VERSION + (text === undefined ? 0 : Buffer.byteLength(text));
      if (text !== undefined && bytes - oldBytes + size > currentBytes) throw full();
      lastAtMs = atMs;
      sequence += 1;
      const made = { number, sequence, atMs, method, text, bytes: size, isGone: false };
      const version = stored ? supersede(stored, made) : begin({ resourceType, id }, made);
      show(version, resource);
      changes.push({
        service: 'fhir',
        change: text === undefined ? 'deleted' : number === 1 ? 'created' : 'updated',
        host,
        resourceType,
        resourceId: id,
        version: number,
        at: new Date(atMs),
      });
      if (!undo) dropOldest();
      return version;
    },

    remove(stored) {
      resources.delete(`${stored.resourceType}/${stored.id}`);
      hide(stored.current);
      for (const version of [...stored.older, stored.current]) forget(version);
    },

    attempt(work) {
      const changesBefore = changes.length;
      const undoing: (() => void)[] = [];
      undo = undoing;
      try {
        return work();
      } catch (error) {
        for (const undoOne of undoing.reverse()) undoOne();
        changes.length = changesBefore;
        throw error;
      } finally {
        undo = undefined;
        dropOldest();
      }
    },

    takeChanges() {
      const taken = changes;
      changes = [];
      return taken;
    },

    get counts() {
      return { resources: living, versions: resources.size + old.size, bytes };
    },

    clear() {
      resources.clear();
      index.clear();
      log.clear();
      old.clear();
      changes = [];
      living = bytes = oldBytes = 0;
    },
  };

  function begin(name: { resourceType: string; id: string }, made: Omit<Version, 'of'>): Version {
    const stored = { ...name, older: [] as Version[] } as Stored;
    const version: Version = { of: stored, ...made };
    stored.current = version;
    resources.set(`${name.resourceType}/${name.id}`, stored);
    appear(version);
    undo?.push(() => {
      disappear(version);
      resources.delete(`${name.resourceType}/${name.id}`);
    });
    return version;
  }

  function supersede(stored: Stored, made: Omit<Version, 'of'>): Version {
    const before = stored.current;
    const version: Version = { of: stored, ...made };
    hide(before);
    stored.older.push(before);
    old.add(before);
    oldBytes += before.bytes;
    stored.current = version;
    appear(version);
    undo?.push(() => {
      disappear(version);
      stored.current = before;
      oldBytes -= before.bytes;
      old.delete(before);
      stored.older.pop();
      show(before);
    });
    return version;
  }

  /** It is written; `show` makes it current. */
  function appear(version: Version): void {
    log.push(version);
    bytes += version.bytes;
  }

  function disappear(version: Version): void {
    hide(version);
    bytes -= version.bytes;
    log.pop(version);
  }

  /** It is the current one: it is counted and found. */
  function show({ of, text }: Version, resource?: FhirResource): void {
    if (text === undefined) return;
    living += 1;
    index.add(of, keysOf(resource ?? JSON.parse(text)));
  }

  function hide({ of, text }: Version): void {
    if (text === undefined) return;
    living -= 1;
    index.remove(of, keysOf(JSON.parse(text)));
  }

  function forget(version: Version): void {
    version.isGone = true;
    bytes -= version.bytes;
    if (old.delete(version)) oldBytes -= version.bytes;
    log.noteGone(version);
  }

  function dropOldest(): void {
    for (const version of old) {
      if (oldBytes <= historyBytes) return;
      version.of.older.shift();
      forget(version);
    }
  }
}

/** The resource as it is stored: the service says its version and its time, whatever it said of them itself. */
export function stampedText(resource: FhirResource, stamp: { id: string; number: number; atMs: number }): string {
  const { resourceType, id: _itsId, meta, ...elements } = resource;
  const { versionId: _itsVersion, lastUpdated: _itsTime, ...restOfMeta } = isObject(meta) ? meta : {};
  const versionId = String(stamp.number);
  const lastUpdated = new Date(stamp.atMs).toISOString();
  return JSON.stringify({ resourceType, id: stamp.id, meta: { versionId, lastUpdated, ...restOfMeta }, ...elements });
}

function full(): FhirError {
  const message =
    'The resources take all the memory that they may. Delete some, or DELETE /api/simulator to start afresh.';
  return refuse(507, 'too-costly', message);
}
