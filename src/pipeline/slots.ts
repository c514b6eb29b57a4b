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

export type Queueing = {
  /** Who of two in line goes first; the one who came first, where left out. */
  isBefore?: (a: object, b: object) => boolean;
  /** Who stands in a second line: a place that becomes free goes to the first and the second line in turn. */
  isSecond?: (who: object) => boolean;
};

type Waiting = { who: object; answer: (hasPlace: boolean) => void };
type State = { taken: number; first: Waiting[]; second: Waiting[]; isSecondsTurn: boolean };

/** @param places how many there are for a key */
export function createSlots<Key>(places: (key: Key) => number, queueing: Queueing = {}): Slots<Key> {
  const { isBefore, isSecond = () => false } = queueing;
  const states = new Map<Key, State>();
  return {
    take(key, who) {
      let state = states.get(key);
      if (!state) {
        state = { taken: 0, first: [], second: [], isSecondsTurn: false };
        states.set(key, state);
      }
      if (state.taken < places(key)) {
        state.taken += 1;
        return true;
      }
      const line = isSecond(who) ? state.second : state.first;
      return new Promise((answer) => line.push({ who, answer }));
    },
    give(key) {
      const state = states.get(key);
      if (!state) return;
      const isSeconds = state.first.length === 0 || (state.isSecondsTurn && state.second.length > 0);
      state.isSecondsTurn = !isSeconds;
      const next = takeNext(isSeconds ? state.second : state.first);
      if (next) return next.answer(true);
      state.taken -= 1;
      if (state.taken === 0) states.delete(key);
    },
    leave(key, who) {
      const state = states.get(key);
      const line = (isSecond(who) ? state?.second : state?.first) ?? [];
      const at = line.findIndex((waiting) => waiting.who === who);
      if (at >= 0) line.splice(at, 1)[0]?.answer(false);
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
