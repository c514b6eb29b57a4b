import { Run, type RunDeps, type RunStatus } from './run.js';
import type { RunRequest } from './run-request.js';

type RunsDeps = {
  run: RunDeps;
  makeId: () => string;
  /** Called before the first event of a run. */
  onStart: (request: RunRequest) => void;
  onEnd: () => void;
};

const MAX_REMEMBERED = 20;

/** The runs of the simulator, one at a time, because two would disturb each other. The last runs are kept. */
export class Runs {
  readonly #deps: RunsDeps;
  readonly #statuses = new Map<string, () => RunStatus>();
  #current: Run | undefined;

  constructor(deps: RunsDeps) {
    this.#deps = deps;
  }

  start(request: RunRequest): { kind: 'started'; status: RunStatus } | { kind: 'busy'; id: string } {
    if (this.#current) return { kind: 'busy', id: this.#current.id };
    this.#deps.onStart(request);
    const run = new Run(this.#deps.run, this.#deps.makeId(), request);
    this.#current = run;
    this.#statuses.set(run.id, () => run.status());
    for (const id of this.#statuses.keys()) if (this.#statuses.size > MAX_REMEMBERED) this.#statuses.delete(id);
    void run.ended.then(() => this.#end(run));
    return { kind: 'started', status: run.status() };
  }

  get(id: string): RunStatus | undefined {
    return this.#statuses.get(id)?.();
  }

  list(): RunStatus[] {
    return [...this.#statuses.values()].map((status) => status()).reverse();
  }

  stop(id: string): RunStatus | undefined {
    if (this.#current?.id === id) this.#current.stop();
    return this.get(id);
  }

  /** Returns the run that has not ended. */
  current(): Run | undefined {
    return this.#current;
  }

  /** Stops the current run and forgets all. */
  clear(): void {
    this.#current?.stop();
    if (this.#current) this.#deps.onEnd();
    this.#current = undefined;
    this.#statuses.clear();
  }

  /** Keeps the last status alone, and so frees the memory of the run. */
  #end(run: Run): void {
    if (this.#current !== run) return;
    const status = run.status();
    if (this.#statuses.has(run.id)) this.#statuses.set(run.id, () => status);
    this.#current = undefined;
    this.#deps.onEnd();
  }
}
