import type { Entry } from './entry.js';
import type { Treatment } from './interference.js';

/** Events that are due, in the order in which they became due. Events that may share a request are in one lane. */
export type Ready = {
  add(entry: Entry): void;
  /** The lane whose first event has waited longest. */
  first(): Lane | undefined;
};

/** Events with the same number of attempts and the same treatment. */
export type Lane = {
  readonly attempts: number;
  readonly treatment: Treatment;
  /** The first entry that is still ready. */
  peek(): Entry | undefined;
  take(): void;
};

type Queued = { entry: Entry; seq: number };

const MIN_TO_CUT = 1024;

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

/** An array queue. Its taken beginning is cut off when it is half of the array. */
function createLane(attempts: number, treatment: Treatment): Lane & { add(queued: Queued): void; seq(): number } {
  let queue: (Queued | undefined)[] = [];
  let head = 0;

  return {
    attempts,
    treatment,
    add: (queued) => void queue.push(queued),
    peek,
    take,
    seq: () => queue[head]?.seq ?? 0,
  };

  function peek(): Entry | undefined {
    let next = queue[head];
    while (next && next.entry.stage !== 'ready') {
      take();
      next = queue[head];
    }
    return next?.entry;
  }

  function take(): void {
    queue[head] = undefined;
    head += 1;
    if (head === queue.length || (head >= MIN_TO_CUT && head * 2 >= queue.length)) {
      queue = queue.slice(head);
      head = 0;
    }
  }
}
