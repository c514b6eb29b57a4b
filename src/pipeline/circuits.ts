import type { Clock, Random } from '../clock.js';

type Circuit = { failures: number } & (
  | { kind: 'closed' }
  | { kind: 'open'; sinceMs: number; untilMs: number; forMs: number }
  | { kind: 'half-open'; sinceMs: number; forMs: number }
);

/** The number of failures in a row, over all jobs of a workflow in this process, that opens its circuit. */
export const FAILURES_TO_OPEN = 20;
const MIN_OPEN_MS = 10_000;
const MAX_OPEN_MS = 5 * 60_000;
/** The maximum of the random wait of old jobs. */
const MAX_SPREAD_MS = 60 * 60_000;

type Deps = { readonly clock: Clock; readonly random: Pick<Random, 'number'> };
type Entry = { kind: 'in'; isProbe: boolean; leave: () => void } | { kind: 'wait'; waitMs: number };
/** `openSince`: the time of the last change from closed to open. */
export type CircuitState = { state: Circuit['kind']; failuresInARow: number; openSince?: string; openUntil?: string };

/**
 * One circuit breaker per workflow and process.
 *
 *   state       what holds                                  ends with
 *   closed      every job runs                              20 failures in a row: open
 *   open        no job runs; jobs wait and use up no try    the time of a probe: 10 s, then twice as long, up to 5 min
 *   half-open   one job runs (the probe), the others wait   success: closed; failure: open; any other end: next probe
 *
 * A success always closes the circuit: a job that was running when it opened shows as much as a probe does.
 */
export class Circuits {
  readonly #deps: Deps;
  readonly #circuits = new Map<string, Circuit>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Returns how long a job should wait; undefined if it may call `enter`. */
  waitMs(workflow: string): number | undefined {
    const circuit = this.#circuits.get(workflow);
    return circuit && this.#isShut(circuit) ? this.#waitFor(circuit, 0) : undefined;
  }

  /** Lets a job run, or returns how long it must wait. A job that may run calls `leave` when its run is over. */
  enter(workflow: string, ageMs: number): Entry {
    const circuit = this.#circuits.get(workflow);
    if (!circuit || circuit.kind === 'closed') return { kind: 'in', isProbe: false, leave() {} };
    if (this.#isShut(circuit)) return { kind: 'wait', waitMs: this.#waitFor(circuit, ageMs) };
    const { failures, forMs, sinceMs } = circuit;
    const probing: Circuit = { kind: 'half-open', failures, forMs, sinceMs };
    this.#circuits.set(workflow, probing);
    const leave = () => {
      if (this.#circuits.get(workflow) !== probing) return;
      this.#circuits.set(workflow, { kind: 'open', failures, forMs, sinceMs, untilMs: this.#deps.clock.monotonic() });
    };
    return { kind: 'in', isProbe: true, leave };
  }

  /** Returns whether the success closed the circuit. */
  succeeded(workflow: string): boolean {
    const circuit = this.#circuits.get(workflow);
    this.#circuits.delete(workflow);
    return circuit !== undefined && circuit.kind !== 'closed';
  }

  /** Returns whether the failure opened the circuit; a probe that fails leaves the circuit open. */
  failed(workflow: string, isProbe: boolean): boolean {
    const circuit = this.#circuits.get(workflow);
    const failures = (circuit?.failures ?? 0) + 1;
    if (circuit?.kind === 'open' || (circuit?.kind === 'half-open' && !isProbe)) {
      circuit.failures = failures; // the job was running when the circuit opened
      return false;
    }
    if (circuit?.kind !== 'half-open' && failures < FAILURES_TO_OPEN) {
      this.#circuits.set(workflow, { kind: 'closed', failures });
      return false;
    }
    const forMs = circuit?.kind === 'half-open' ? Math.min(2 * circuit.forMs, MAX_OPEN_MS) : MIN_OPEN_MS;
    const nowMs = this.#deps.clock.monotonic();
    const sinceMs = circuit?.kind === 'half-open' ? circuit.sinceMs : nowMs;
    this.#circuits.set(workflow, { kind: 'open', failures, forMs, sinceMs, untilMs: nowMs + forMs });
    return circuit?.kind !== 'half-open';
  }

  /** Returns the state of every workflow that has failed since its last success. */
  states(): Record<string, CircuitState> {
    const startMs = this.#deps.clock.now().getTime() - this.#deps.clock.monotonic();
    const at = (ms: number) => new Date(startMs + ms).toISOString();
    const stateOf = (circuit: Circuit) => ({
      state: circuit.kind,
      failuresInARow: circuit.failures,
      ...(circuit.kind !== 'closed' && { openSince: at(circuit.sinceMs) }),
      ...(circuit.kind === 'open' && { openUntil: at(circuit.untilMs) }),
    });
    return Object.fromEntries([...this.#circuits].map(([workflow, circuit]) => [workflow, stateOf(circuit)]));
  }

  #isShut(circuit: Circuit): circuit is Circuit & { kind: 'open' | 'half-open' } {
    return circuit.kind === 'half-open' || (circuit.kind === 'open' && this.#deps.clock.monotonic() < circuit.untilMs);
  }

  /**
   * Returns the time until the circuit lets a job in, plus a random time up to as long again, so that not all waiting
   * jobs come at once. Old jobs wait longer: else storage would get new rows for a day's events every few minutes.
   */
  #waitFor(circuit: Circuit & { kind: 'open' | 'half-open' }, ageMs: number): number {
    const leftMs = circuit.kind === 'open' ? circuit.untilMs - this.#deps.clock.monotonic() : MIN_OPEN_MS;
    return Math.round(leftMs + this.#deps.random.number() * Math.max(circuit.forMs, Math.min(ageMs, MAX_SPREAD_MS)));
  }
}
