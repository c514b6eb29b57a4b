/** The latest values of some keys. Bounded: the older half is forgotten when the newer half is full. */
export type Recent<Key, Value> = {
  set(key: Key, value: Value): void;
  get(key: Key): Value | undefined;
};

/** Returns an empty Recent. It holds the latest `size / 2` keys at least, and `size` keys at most. */
export function createRecent<Key, Value>(size: number): Recent<Key, Value> {
  let newer = new Map<Key, Value>();
  let older = new Map<Key, Value>();
  return {
    set(key, value) {
      newer.set(key, value);
      if (newer.size * 2 < size) return;
      older = newer;
      newer = new Map();
    },
    get: (key) => newer.get(key) ?? older.get(key),
  };
}
