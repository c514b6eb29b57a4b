import type { Clock, Random } from '../../clock.js';
import { uuidOf } from '../seeded.js';

/** A bulk update. It runs after the answer to its request, one study after the other. */
export type Operation = {
  readonly id: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly state: 'running' | 'succeeded';
  readonly studies: number;
  readonly studiesUpdated: number;
  readonly imagesUpdated: number;
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
      const started = newOperation(uuidOf(random), clock.now(), studyUids.length);
      running = keep(started);
      clock.endOfTurn(() => {
        if (running !== started) return; // everything was cleared
        const counts = studyUids.map(updateStudy);
        running = undefined;
        const studiesUpdated = counts.filter((count) => count > 0).length;
        const imagesUpdated = counts.reduce((sum, count) => sum + count, 0);
        keep({ ...started, updatedAt: clock.now(), state: 'succeeded', studiesUpdated, imagesUpdated });
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

function newOperation(uuid: string, at: Date, studies: number): Operation {
  const id = uuid.replaceAll('-', '');
  return { id, createdAt: at, updatedAt: at, state: 'running', studies, studiesUpdated: 0, imagesUpdated: 0 };
}
