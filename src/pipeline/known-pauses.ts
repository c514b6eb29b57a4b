import type { Clock, Random } from '../clock.js';
import { errorCodeOf } from '../errors.js';
import type { Pauses } from '../storage/pauses.js';
import type { Telemetry } from '../telemetry/telemetry.js';

const READ_EVERY_MS = 10_000;
const MIN_WAIT_MS = 30_000;
const SPREAD_MS = 60_000;
/** The rate of paused jobs that come back. Each costs four entities, so a long pause must not slow down other jobs. */
const ROWS_PER_SECOND = 50;
/** The maximum wait, without `SPREAD_MS`: so long a job may wait after a resume. */
const MAX_WAIT_MS = 10 * 60_000;

type Deps = {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly random: Pick<Random, 'number'>;
  readonly stores: { readonly pauses: Pick<Pauses, 'list'> };
  readonly telemetry: Pick<Telemetry, 'log'>;
};

/**
 * J13: the pauses that this process knows. No job starts unless the process has read the pauses in the last 10 s. So a
 * process without jobs reads nothing, and most jobs need no read.
 *
 *   last read    what a job does
 *   none         it waits for the first read. If that fails, the delivery fails, or the row stays
 *   succeeded    it uses the known pauses for 10 s; then it reads, or waits for the read of another job
 *   failed       it uses the pauses that were known before, for 10 s more
 */
export class KnownPauses {
  readonly #deps: Deps;
  #paused: ReadonlySet<string> | undefined;
  #readAtMs = 0;
  #reading: Promise<void> | undefined;
  /** The due time of the last row that a pause has deferred, without its random part. */
  #lastDueAtMs = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Returns undefined if the pauses were read in the last 10 s, else a promise that resolves when they are read. */
  refreshed(): Promise<void> | undefined {
    const isKnown = this.#paused && this.#deps.clock.monotonic() - this.#readAtMs < READ_EVERY_MS;
    if (isKnown && !this.#reading) return undefined;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /**
   * Returns how long a job of a paused workflow waits; undefined if the workflow is not paused. Up to 3,000 jobs come
   * back after 30 to 90 s; more come back at 50 a second, up to 10 minutes later.
   */
  waitMs(workflow: string): number | undefined {
    if (!this.#paused?.has(workflow)) return undefined;
    const { clock, random } = this.#deps;
    const nowMs = clock.monotonic();
    const nextMs = Math.max(this.#lastDueAtMs + 1000 / ROWS_PER_SECOND, nowMs + MIN_WAIT_MS);
    this.#lastDueAtMs = Math.min(nextMs, nowMs + MAX_WAIT_MS);
    return Math.round(this.#lastDueAtMs - nowMs + random.number() * SPREAD_MS);
  }

  async #read(): Promise<void> {
    const { clock, stores, telemetry } = this.#deps;
    this.#readAtMs = clock.monotonic(); // before the call: the answer can be as old as that
    try {
      this.#paused = new Set((await stores.pauses.list()).map(({ workflow }) => workflow));
    } catch (error) {
      telemetry.log('warn', 'pauses-not-read', { errorCode: errorCodeOf(error) });
      if (!this.#paused) throw error;
    }
  }
}
