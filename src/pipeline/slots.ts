/**
 * How many of a kind may run at once in this process. Who finds no place waits in line; `leave` takes somebody out of
 * the line, who is then told false.
 */
export type Slots<Key> = {
  /** True at once where there is a place; else a promise: true with the place, false for who left the line. */
  take(key: Key, who: object): true | Promise<boolean>;
  give(key: Key): void;
  /** Nothing happens where `who` is not in line. */
  leave(key: Key, who: object): void;
};

/**
 * @param places how many there are for a key
 * @param isBefore who of two in line comes first; the one who came first, where left out
 */
export function createSlots<Key>(
  places: (key: Key) => number,
  isBefore?: (a: object, b: object) => boolean,
): Slots<Key> {
  type Waiting = { who: object; answer: (hasPlace: boolean) => void };
  const lines = new Map<Key, { taken: number; line: Waiting[] }>();
  return {
    take(key, who) {
      let state = lines.get(key);
      if (!state) {
        state = { taken: 0, line: [] };
        lines.set(key, state);
      }
      if (state.taken < places(key)) {
        state.taken += 1;
        return true;
      }
      const { line } = state;
      return new Promise((answer) => line.push({ who, answer }));
    },
    give(key) {
      const state = lines.get(key);
      if (!state) return;
      const next = takeNext(state.line);
      if (next) return next.answer(true);
      state.taken -= 1;
      if (state.taken === 0) lines.delete(key);
    },
    leave(key, who) {
      const state = lines.get(key);
      const at = state?.line.findIndex((waiting) => waiting.who === who) ?? -1;
      if (at >= 0) state?.line.splice(at, 1)[0]?.answer(false);
    },
  };

  function takeNext(line: Waiting[]): Waiting | undefined {
    if (!isBefore) return line.shift();
    let best = 0;
    for (let i = 1; i < line.length; i += 1) {
      if (isBefore((line[i] as Waiting).who, (line[best] as Waiting).who)) best = i;
    }
    return line.splice(best, 1)[0];
  }
}
