/** Finds members by their keys. A key with one member needs no set. */
export type SearchIndex<T extends object> = {
  add(member: T, keys: readonly string[]): void;
  remove(member: T, keys: readonly string[]): void;
  /** All members that have the key. */
  with(key: string): Iterable<T>;
  clear(): void;
};

export function createSearchIndex<T extends object>(): SearchIndex<T> {
  const members = new Map<string, T | Set<T>>();

  return {
    add(member, keys) {
      for (const key of keys) {
        const found = members.get(key);
        if (found === undefined) members.set(key, member);
        else if (found instanceof Set) found.add(member);
        else if (found !== member) members.set(key, new Set([found, member]));
      }
    },
    remove(member, keys) {
      for (const key of keys) {
        const found = members.get(key);
        if (found === member) members.delete(key);
        else if (found instanceof Set && found.delete(member) && found.size === 0) members.delete(key);
      }
    },
    with(key) {
      const found = members.get(key);
      if (found === undefined) return [];
      return found instanceof Set ? found : [found];
    },
    clear: () => members.clear(),
  };
}
