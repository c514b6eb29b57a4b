import type { Clock, Random } from '../clock.js';

/**
 * A circuit for each workflow in this process: what its downstream is to a handler that keeps failing.
 *
 *   closed      every job is tried                          20 failures in a row open it
 *   open        none is: jobs wait, and use up no try       its time is over: 10 s, then twice as long each time, to 5 min
 *   half-open   one job is, the others wait                 it succeeds: closed; it fails: open; it ends otherwise: the next one is tried
 *
 * A success closes it at any time: what was under way when it opened tells as much as a probe does.
 */
export type Circuits = {
  /** How long a job should wait; undefined where it may be tried, or at least ask `enter`. */
  waitMs(workflow: string): number | undefined;
  /** Asks to try a job that has been there for so long. Who is let in calls `leave` when it is over, whatever became of it. */
  enter(
    workflow: string,
    ageMs: number,
  ): { kind: 'in'; isProbe: boolean; leave: () => void } | { kind: 'wait'; waitMs: number };
  /** The result of a try: `closed` or `opened` where it closed or opened the circuit, else undefined. */
  succeeded(workflow: string): 'closed' | undefined;
  failed(workflow: string, isProbe: boolean): 'opened' | undefined;
  /** Of every workflow that has failed, since its last success. */
  states(): Record<string, { state: Circuit['kind']; failuresInARow: number; openUntil?: string }>;
};

type Circuit = { failures: number } & (
  | { kind: 'closed' }
  | { kind: 'open'; untilMs: number; forMs: number }
  | { kind: 'half-open'; forMs: number }
);

export const FAILURES_TO_OPEN = 20;
const SHORTEST_MS = 10_000;
const LONGEST_MS = 5 * 60_000;
const LONGEST_SPREAD_MS = 60 * 60_000;

export function createCircuits({ clock, random }: { clock: Clock; random: Pick<Random, 'number'> }): Circuits {
  const circuits = new Map<string, Circuit>();

  return {
    waitMs(workflow) {
      const circuit = circuits.get(workflow);
      return circuit && isShut(circuit) ? waitFor(circuit, 0) : undefined;
    },

    enter(workflow, ageMs) {
      const circuit = circuits.get(workflow);
      if (!circuit || circuit.kind === 'closed') return { kind: 'in', isProbe: false, leave() {} };
      if (isShut(circuit)) return { kind: 'wait', waitMs: waitFor(circuit, ageMs) };
      const { failures, forMs } = circuit;
      const probing: Circuit = { kind: 'half-open', failures, forMs };
      circuits.set(workflow, probing);
      return {
        kind: 'in',
        isProbe: true,
        leave() {
          if (circuits.get(workflow) !== probing) return;
          circuits.set(workflow, { kind: 'open', failures, forMs, untilMs: clock.monotonic() });
        },
      };
    },

    succeeded(workflow) {
      const circuit = circuits.get(workflow);
      circuits.delete(workflow);
      return circuit && circuit.kind !== 'closed' ? 'closed' : undefined;
    },

    failed(workflow, isProbe) {
      const circuit = circuits.get(workflow);
      const failures = (circuit?.failures ?? 0) + 1;
      if (circuit?.kind === 'open' || (circuit?.kind === 'half-open' && !isProbe)) {
        circuit.failures = failures; // it was under way when the circuit opened
        return undefined;
      }
      if (circuit?.kind !== 'half-open' && failures < FAILURES_TO_OPEN) {
        circuits.set(workflow, { kind: 'closed', failures });
        return undefined;
      }
      const forMs = circuit?.kind === 'half-open' ? Math.min(2 * circuit.forMs, LONGEST_MS) : SHORTEST_MS;
      circuits.set(workflow, { kind: 'open', failures, forMs, untilMs: clock.monotonic() + forMs });
      return circuit?.kind === 'half-open' ? undefined : 'opened';
    },

    states() {
      const nowMs = clock.now().getTime() - clock.monotonic();
      return Object.fromEntries(
        [...circuits].map(([workflow, circuit]) => [
          workflow,
          {
            state: circuit.kind,
            failuresInARow: circuit.failures,
            ...(circuit.kind === 'open' && { openUntil: new Date(nowMs + circuit.untilMs).toISOString() }),
          },
        ]),
      );
    },
  };

  function isShut(circuit: Circuit): circuit is Circuit & { kind: 'open' | 'half-open' } {
    return circuit.kind === 'half-open' || (circuit.kind === 'open' && clock.monotonic() < circuit.untilMs);
  }

  /**
   * Until it may be tried again, and by chance up to as long again: so that not all that waits comes at once. What has
   * waited for long waits longer: a day's events, written anew every few minutes, would be a load of their own.
   */
  function waitFor(circuit: Circuit & { kind: 'open' | 'half-open' }, ageMs: number): number {
    const leftMs = circuit.kind === 'open' ? circuit.untilMs - clock.monotonic() : SHORTEST_MS;
    return Math.round(leftMs + random.number() * Math.max(circuit.forMs, Math.min(ageMs, LONGEST_SPREAD_MS)));
  }
}
