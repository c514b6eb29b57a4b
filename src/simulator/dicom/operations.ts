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

const MAX_OPERATIONS = 1000;

/** The operations of a service, one running at a time. The oldest operations are dropped. */
export type Operations = ReturnType<typeof createOperations>;

/** Returns the operations of a service, without any yet. */
export function createOperations({ clock, random }: { clock: Clock; random: Random }) {
  const operations = new Map<string, Operation>();
  let running: Operation | undefined;

  return {
    running: () => running,
    /** `updateStudy` returns the number of images that it has updated. */
    start(studyUids: readonly string[], updateStudy: (studyUid: string) => number): Operation {
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
    get: (id: string) => operations.get(id),
    clear(): void {
      operations.clear();
      running = undefined;
    },
  };

  function keep(operation: Operation): Operation {
    operations.set(operation.id, operation);
    const [oldest = ''] = operations.keys();
    if (operations.size > MAX_OPERATIONS) operations.delete(oldest);
    return operation;
  }
}
