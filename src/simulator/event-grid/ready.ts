import type { Entry } from './entry.js';
import type { Treatment } from './interference.js';

/** Events that are due, in the order in which they became so; those that may share a request stand in one lane. */
export type Ready = {
  add(entry: Entry): void;
  /** The lane whose first event has waited longest. */
  first(): Lane | undefined;
};

/** Of events with as many attempts, to be treated alike. */
export type Lane = {
  readonly attempts: number;
  readonly treatment: Treatment;
  /** Skips what is no longer ready. */
  peek(): Entry | undefined;
  take(): void;
};

type Place = { entry: Entry; seq: number };

const LEAST_TO_CUT = 1024;

export function createReady(treatmentOf: (entry: Entry) => Treatment): Ready {
  const lanes = new Map<string, ReturnType<typeof createLane>>();
  let seq = 0;

  return {
    add(entry) {
      const treatment = treatmentOf(entry);
      const key = `${entry.attempts} ${treatment.fate} ${treatment.schema}`;
      let lane = lanes.get(key);
      if (!lane) {
        lane = createLane(entry.attempts, treatment);
        lanes.set(key, lane);
      }
      seq += 1;
      lane.add({ entry, seq });
    },

    first() {
      let first: ReturnType<typeof createLane> | undefined;
      for (const lane of lanes.values()) {
        if (lane.peek() && (!first || lane.seq() < first.seq())) first = lane;
      }
      return first;
    },
  };
}

/** An array whose beginning is cut off now and then, when half of it has been taken. */
function createLane(attempts: number, treatment: Treatment): Lane & { add(place: Place): void; seq(): number } {
  let places: (Place | undefined)[] = [];
  let head = 0;

  return {
    attempts,
    treatment,
    add: (place) => void places.push(place),
    peek,
    take,
    seq: () => places[head]?.seq ?? 0,
  };

  function peek(): Entry | undefined {
    let next = places[head];
    while (next && next.entry.place !== 'ready') {
      take();
      next = places[head];
    }
    return next?.entry;
  }

  function take(): void {
    places[head] = undefined;
    head += 1;
    if (head === places.length || (head >= LEAST_TO_CUT && head * 2 >= places.length)) {
      places = places.slice(head);
      head = 0;
    }
  }
}
