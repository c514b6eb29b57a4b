import type { Clock } from '../../../clock.js';
import type { FhirChange } from '../../changes.js';
import { isObject } from '../content/json.js';
import { refuse } from '../content/outcome.js';
import type { FhirResource } from '../content/resource-rules.js';
import { keysOf } from './index-keys.js';
import { SearchIndex } from './search-index.js';
import type { Stored, Version, WriteMethod } from './version.js';
import { VersionLog } from './version-log.js';

type Write = { resourceType: string; id: string; method: WriteMethod; resource: FhirResource | undefined };
type StoreDeps = { clock: Clock; host: string; historyBytes: number; currentBytes: number };

/** About how much memory a version takes in addition to its text. */
const BYTES_PER_VERSION = 250;
const FULL = 'The resources take all the memory that they may. Delete some, or DELETE /api/simulator to start afresh.';

/**
 * Every version of every resource, as text, in the order in which the versions were written.
 *
 * A current version is never dropped: a write that needs more than `currentBytes` is refused. Old versions are dropped
 * when they take more than `historyBytes`, in the order in which they became old. So a history can lack its beginning,
 * never its middle.
 */
export class Store {
  readonly #deps: StoreDeps;
  readonly #resources = new Map<string, Stored>();
  readonly #index = new SearchIndex();
  readonly #log = new VersionLog();
  /** Old versions, in the order in which they became old. */
  readonly #old = new Set<Version>();
  #changes: FhirChange[] = [];
  #undo: (() => void)[] | undefined;
  #sequence = 0;
  #lastAtMs = 0;
  #living = 0;
  #bytes = 0;
  #oldBytes = 0;

  constructor(deps: StoreDeps) {
    this.#deps = deps;
  }

  get(resourceType: string, id: string): Stored | undefined {
    return this.#resources.get(`${resourceType}/${id}`);
  }

  /** Returns the versions that are kept, of one type or of all, the oldest first. Some may be gone. */
  log(resourceType?: string): readonly Version[] {
    return this.#log.of(resourceType);
  }

  /** Returns the resources that have a key of the index; deleted resources have no keys. */
  having(key: string): Iterable<Stored> {
    return this.#index.with(key);
  }

  /** Makes a new version; without a resource, a version that marks the deletion. */
  write({ resourceType, id, method, resource }: Write): Version {
    const { clock, host, currentBytes } = this.#deps;
    const stored = this.get(resourceType, id);
    const number = (stored?.current.number ?? 0) + 1;
    // The clock may stand still or go back; a later version never has an earlier time.
    const atMs = Math.max(clock.now().getTime(), this.#lastAtMs);
    const text = resource && stampedText(resource, { id, number, atMs });
    const bytes = BYTES_PER_VERSION + (text === undefined ? 0 : Buffer.byteLength(text));
    if (text !== undefined && this.#bytes - this.#oldBytes + bytes > currentBytes)
      throw refuse(507, 'too-costly', FULL);
    this.#lastAtMs = atMs;
    this.#sequence += 1;
    const made = { number, sequence: this.#sequence, atMs, method, text, bytes, isGone: false };
    const version = stored ? this.#supersede(stored, made) : this.#begin({ resourceType, id }, made);
    this.#show(version, resource);
    const change = text === undefined ? 'deleted' : number === 1 ? 'created' : 'updated';
    const named = { resourceType, resourceId: id, version: number };
    this.#changes.push({ service: 'fhir', change, host, ...named, at: new Date(atMs) });
    if (!this.#undo) this.#dropOldest();
    return version;
  }

  /** Forgets a resource with all its versions. Not allowed in an attempt. */
  remove(stored: Stored): void {
    this.#resources.delete(`${stored.resourceType}/${stored.id}`);
    this.#hide(stored.current);
    for (const version of [...stored.older, stored.current]) this.#forget(version);
  }

  /** Runs `work`. Where `work` throws, nothing that it wrote stays. */
  attempt<T>(work: () => T): T {
    const changesBefore = this.#changes.length;
    const undo: (() => void)[] = [];
    this.#undo = undo;
    try {
      return work();
    } catch (error) {
      for (const undoOne of undo.reverse()) undoOne();
      this.#changes.length = changesBefore;
      throw error;
    } finally {
      this.#undo = undefined;
      this.#dropOldest();
    }
  }

  /** Returns the changes since the last call, in their order. */
  takeChanges(): FhirChange[] {
    const taken = this.#changes;
    this.#changes = [];
    return taken;
  }

  /** The numbers of resources that are not deleted, and of versions that are kept, also of those that mark deletions. */
  get counts() {
    return { resources: this.#living, versions: this.#resources.size + this.#old.size, bytes: this.#bytes };
  }

  clear(): void {
    this.#resources.clear();
    this.#index.clear();
    this.#log.clear();
    this.#old.clear();
    this.#changes = [];
    this.#living = this.#bytes = this.#oldBytes = 0;
  }

  #begin(name: { resourceType: string; id: string }, made: Omit<Version, 'stored'>): Version {
    const stored = { ...name, older: [] as Version[] } as Stored;
    this.#resources.set(`${name.resourceType}/${name.id}`, stored);
    return this.#add(stored, made, () => this.#resources.delete(`${name.resourceType}/${name.id}`));
  }

  #supersede(stored: Stored, made: Omit<Version, 'stored'>): Version {
    const before = stored.current;
    this.#hide(before);
    stored.older.push(before);
    this.#old.add(before);
    this.#oldBytes += before.bytes;
    return this.#add(stored, made, () => {
      stored.current = before;
      this.#oldBytes -= before.bytes;
      this.#old.delete(before);
      stored.older.pop();
      this.#show(before);
    });
  }

  /** Makes the version current. `undo` takes back what the caller did before. */
  #add(stored: Stored, made: Omit<Version, 'stored'>, undo: () => void): Version {
    const version: Version = { stored, ...made };
    stored.current = version;
    this.#log.push(version);
    this.#bytes += version.bytes;
    this.#undo?.push(() => {
      this.#hide(version);
      this.#bytes -= version.bytes;
      this.#log.pop(version);
      undo();
    });
    return version;
  }

  /** Counts and indexes a current version. */
  #show({ stored, text }: Version, resource?: FhirResource): void {
    if (text === undefined) return;
    this.#living += 1;
    this.#index.add(stored, keysOf(resource ?? JSON.parse(text)));
  }

  #hide({ stored, text }: Version): void {
    if (text === undefined) return;
    this.#living -= 1;
    this.#index.remove(stored, keysOf(JSON.parse(text)));
  }

  #forget(version: Version): void {
    version.isGone = true;
    this.#bytes -= version.bytes;
    if (this.#old.delete(version)) this.#oldBytes -= version.bytes;
    this.#log.noteGone(version);
  }

  #dropOldest(): void {
    for (const version of this.#old) {
      if (this.#oldBytes <= this.#deps.historyBytes) return;
      version.stored.older.shift();
      this.#forget(version);
    }
  }
}

/** Returns the JSON that is stored. The service sets version and time, whatever the resource says. */
export function stampedText(resource: FhirResource, stamp: { id: string; number: number; atMs: number }): string {
  const { resourceType, id: _itsId, meta, ...elements } = resource;
  const { versionId: _itsVersion, lastUpdated: _itsTime, ...restOfMeta } = isObject(meta) ? meta : {};
  const versionId = String(stamp.number);
  const lastUpdated = new Date(stamp.atMs).toISOString();
  return JSON.stringify({ resourceType, id: stamp.id, meta: { versionId, lastUpdated, ...restOfMeta }, ...elements });
}
