import { Run, type RunDeps, type RunStatus } from './run.js';
import type { RunRequest } from './run-request.js';

/** The runs of the simulator, one at a time, for two runs would disturb each other. The last runs are kept. */
export type Runs = {
  start(request: RunRequest): { kind: 'started'; status: RunStatus } | { kind: 'busy'; id: string };
  get(id: string): RunStatus | undefined;
  list(): RunStatus[];
  stop(id: string): RunStatus | undefined;
  /** The run that has not ended. */
  current(): Run | undefined;
  /** Stops the current run and forgets all. */
  clear(): void;
};

type RunsDeps = {
  run: RunDeps;
  makeId: () => string;
  /** Called before the first event of a run. */
  onStart: (request: RunRequest) => void;
  onEnd: () => void;
};

const MAX_REMEMBERED = 20;

export function createRuns(deps: RunsDeps): Runs {
  const statuses = new Map<string, () => RunStatus>();
  let current: Run | undefined;

  return {
    start(request) {
      if (current) return { kind: 'busy', id: current.id };
      deps.onStart(request);
      const run = new Run(deps.run, deps.makeId(), request);
      current = run;
      statuses.set(run.id, () => run.status());
      for (const id of statuses.keys()) if (statuses.size > MAX_REMEMBERED) statuses.delete(id);
      void run.ended.then(() => end(run));
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

  /** Keeps the last status alone, and so frees the memory of the run. */
  function end(run: Run): void {
    if (current !== run) return;
    const status = run.status();
    if (statuses.has(run.id)) statuses.set(run.id, () => status);
    current = undefined;
    deps.onEnd();
  }
}
