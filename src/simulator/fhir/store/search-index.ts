import type { Stored } from './version.js';

/** Finds resources by their keys. A key with one resource needs no set. */
export class SearchIndex {
  readonly #resources = new Map<string, Stored | Set<Stored>>();

  add(resource: Stored, keys: readonly string[]): void {
    for (const key of keys) {
      const found = this.#resources.get(key);
      if (found === undefined) this.#resources.set(key, resource);
      else if (found instanceof Set) found.add(resource);
      else if (found !== resource) this.#resources.set(key, new Set([found, resource]));
    }
  }

  remove(resource: Stored, keys: readonly string[]): void {
    for (const key of keys) {
      const found = this.#resources.get(key);
      const isEmpty = found instanceof Set ? found.delete(resource) && found.size === 0 : found === resource;
      if (isEmpty) this.#resources.delete(key);
    }
  }

  /** Returns all resources that have the key. */
  with(key: string): Iterable<Stored> {
    const found = this.#resources.get(key) ?? [];
    return 'id' in found ? [found] : found;
  }

  clear(): void {
    this.#resources.clear();
  }
}
