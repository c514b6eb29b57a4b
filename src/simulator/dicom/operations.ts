import type { Clock, Random } from '../../clock.js';
import { uuidOf } from '../seeded.js';

/** A bulk update. It runs after the answer to its request, one study after the other. */
export type Operation = {
  readonly id: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** The counts as the service reports them; undefined while the update runs. */
  readonly results?: Readonly<Record<'studyProcessed' | 'studyUpdated' | 'studyFailed' | 'instanceUpdated', number>>;
};

/** The operations of a service, one running at a time. The oldest operations are dropped. */
export type Operations = {
  running(): Operation | undefined;
  /** `updateStudy` returns the number of images that it has updated. */
  start(studyUids: readonly string[], updateStudy: (studyUid: string) => number): Operation;
  get(id: string): Operation | undefined;
  clear(): void;
};

const MAX_OPERATIONS = 1000;

export function createOperations({ clock, random }: { clock: Clock; random: Random }): Operations {
  const operations = new Map<string, Operation>();
  let running: Operation | undefined;

  return {
    running: () => running,
    start(studyUids, updateStudy) {
      const at = clock.now();
      const started = keep({ id: uuidOf(random).replaceAll('-', ''), createdAt: at, updatedAt: at });
      running = started;
      clock.endOfTurn(() => {
        if (running !== started) return; // everything was cleared
        const counts = studyUids.map(updateStudy);
        running = undefined;
        const studyUpdated = counts.filter((count) => count > 0).length;
        const instanceUpdated = counts.reduce((sum, count) => sum + count, 0);
        const results = { studyProcessed: counts.length, studyUpdated, studyFailed: 0, instanceUpdated };
        keep({ ...started, updatedAt: clock.now(), results });
      });
      return started;
    },
    get: (id) => operations.get(id),
    clear() {
      operations.clear();
      running = undefined;
    },
  };

  function keep(operation: Operation): Operation {
    operations.set(operation.id, operation);
    for (const id of operations.keys()) {
      if (operations.size <= MAX_OPERATIONS) break;
      operations.delete(id);
    }
    return operation;
  }
}
