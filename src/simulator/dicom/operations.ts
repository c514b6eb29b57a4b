import type { Clock, Random } from '../../clock.js';
import { uuidOf } from '../seeded.js';

/** A bulk update: it runs after its request was answered, one study after the other. */
export type Operation = {
  readonly id: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly state: 'running' | 'succeeded';
  readonly studies: number;
  readonly studiesUpdated: number;
  readonly imagesUpdated: number;
};

/** The operations of a service, one running at a time; the oldest are forgotten. */
export type Operations = {
  running(): Operation | undefined;
  /** `updateStudy` returns how many images it has updated. */
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
      const now = clock.now();
      const started: Operation = {
        id: uuidOf(random).replaceAll('-', ''),
        createdAt: now,
        updatedAt: now,
        state: 'running',
        studies: studyUids.length,
        studiesUpdated: 0,
        imagesUpdated: 0,
      };
      running = keep(started);
      clock.endOfTurn(() => {
        if (running !== started) return; // everything was cleared
        const counts = studyUids.map(updateStudy);
        running = undefined;
        keep({
          ...started,
          updatedAt: clock.now(),
          state: 'succeeded',
          studiesUpdated: counts.filter((count) => count > 0).length,
          imagesUpdated: counts.reduce((sum, count) => sum + count, 0),
        });
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
