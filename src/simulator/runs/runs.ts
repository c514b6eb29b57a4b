import { type Run, type RunDeps, type RunStatus, startRun } from './run.js';
import type { RunRequest } from './run-request.js';

/** One run at a time: two would judge each other's load. The last ones are remembered. */
export type Runs = {
  start(request: RunRequest): { kind: 'started'; status: RunStatus } | { kind: 'busy'; id: string };
  get(id: string): RunStatus | undefined;
  list(): RunStatus[];
  stop(id: string): RunStatus | undefined;
  /** The one that has not ended. */
  current(): Run | undefined;
  /** Stops what runs and forgets all. */
  clear(): void;
};

const MAX_REMEMBERED = 20;

export function createRuns(deps: {
  run: RunDeps;
  makeId: () => string;
  /** Before the first event, and when it is over. */
  onStart: (request: RunRequest) => void;
  onEnd: () => void;
}): Runs {
  const statuses = new Map<string, () => RunStatus>();
  let current: Run | undefined;

  return {
    start(request) {
      if (current) return { kind: 'busy', id: current.id };
      deps.onStart(request);
      const run = startRun(deps.run, deps.makeId(), request);
      current = run;
      statuses.set(run.id, () => run.status());
      for (const id of statuses.keys()) if (statuses.size > MAX_REMEMBERED) statuses.delete(id);
      void run.ended.then(() => {
        if (current !== run) return;
        const status = run.status(); // what it has sent need not be kept any longer
        if (statuses.has(run.id)) statuses.set(run.id, () => status);
        current = undefined;
        deps.onEnd();
      });
      return { kind: 'started', status: run.status() };
    },
    get: (id) => statuses.get(id)?.(),
    list: () => [...statuses.values()].map((status) => status()).reverse(),
    stop(id) {
      if (current?.id === id) current.stop();
      return statuses.get(id)?.();
    },
    current: () => current,
    clear() {
      current?.stop();
      if (current) deps.onEnd();
      current = undefined;
      statuses.clear();
    },
  };
}
