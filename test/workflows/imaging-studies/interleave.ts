import type { Context, WorkflowTable } from '../../../src/workflow.js';

type Tables = Context['tables'];
/** A job or timer that runs beside others: each of its calls to tables is a step. */
export type Actor = { name: string; run: (tables: Tables) => Promise<void> };
/** The steps in order, as `actor` or `actor dies`; and the actors that died. */
export type Played = { steps: string[]; died: string[] };
/** The next step of an actor: a call to `table`, or its death before that call. */
export type Option = { actor: string; dies: boolean; table: string; isChange: boolean };
export type Choose = (options: readonly Option[]) => number;

/** A call to a table in memory takes fewer turns of the event loop. */
const TURNS = 3;

class Died extends Error {}
/** Other steps that are played have the same result. */
class Redundant extends Error {}

/**
 * Runs `actors` side by side, step by step. `choose` picks the next step: a step of an actor or, if none has died, its
 * death before that step.
 */
export async function play(actors: readonly Actor[], tables: Tables, choose: Choose): Promise<Played> {
  const parked = new Map<string, { option: Option; go: () => void; die: () => void }>();
  const played: Played = { steps: [], died: [] };
  const failures: unknown[] = [];
  for (const { name, run } of actors) {
    void run(gated(name)).catch((error: unknown) => {
      if (!(error instanceof Died)) failures.push(error);
    });
  }
  for (;;) {
    await settled();
    if (parked.size === 0) break;
    const alive = [...parked.values()].map(({ option }) => option);
    const deaths = played.died.length > 0 ? [] : alive.map((option) => ({ ...option, dies: true }));
    const options = [...alive, ...deaths];
    const chosen = options[choose(options)] as Option;
    const next = parked.get(chosen.actor);
    parked.delete(chosen.actor);
    played.steps.push(nameOf(chosen));
    if (!chosen.dies) next?.go();
    else {
      played.died.push(chosen.actor);
      next?.die();
    }
  }
  if (failures.length > 0) throw failures[0];
  return played;

  function gated(actor: string): Tables {
    const turn = (table: string, isChange = false) =>
      new Promise<void>((go, reject) => {
        const option = { actor, dies: false, table, isChange };
        parked.set(actor, { option, go, die: () => reject(new Died(actor)) });
      });
    return (name) => {
      const through = tables(name);
      return {
        async get(...args) {
          await turn(name);
          return through.get(...args);
        },
        async list(...args) {
          await turn(name);
          const found = await through.list(...args);
          await turn(name); // its pages take time: rows written meanwhile are not in the list
          return found;
        },
        async change(...args) {
          await turn(name, true);
          return through.change(...args);
        },
      } satisfies WorkflowTable;
    };
  }
}

/** Returns a step as `Played` and a script have it. */
export function nameOf({ actor, dies }: Option): string {
  return dies ? `${actor} dies` : actor;
}

/**
 * Runs every order of steps with every death, and returns the number of orders. Steps of two processes that follow each
 * other and have nothing in common end the same in both orders: only the order of the actors' names is played. With
 * `inOneProcess` the actors may have something in common beside their tables, and both orders are played.
 */
export async function playAll(playOnce: (choose: Choose) => Promise<void>, { inOneProcess = false } = {}) {
  let path: number[] = [];
  for (let runs = 0; ; ) {
    const counts: number[] = [];
    let last: Option | undefined;
    const choose: Choose = (options) => {
      const wanted = options.filter((next) => inOneProcess || !last || !isInversion(last, next));
      if (wanted.length === 0) throw new Redundant();
      counts.push(wanted.length);
      last = wanted[path[counts.length - 1] ?? 0] as Option;
      return options.indexOf(last);
    };
    try {
      await playOnce(choose);
      runs += 1;
    } catch (error) {
      if (!(error instanceof Redundant)) throw error;
    }
    const taken = counts.map((_, at) => path[at] ?? 0);
    while (taken.length > 0 && (taken.at(-1) ?? 0) + 1 >= (counts[taken.length - 1] ?? 0)) taken.pop();
    if (taken.length === 0) return runs;
    taken.push((taken.pop() ?? 0) + 1);
    path = taken;
  }
}

/** Returns whether the two steps also end the same the other way round, and that way is the one that is played. */
function isInversion(last: Option, next: Option): boolean {
  const meet = last.table === next.table && (last.isChange || next.isChange) && !last.dies && !next.dies;
  return next.actor < last.actor && !meet;
}

/** Chooses at random, mostly the same actor again, so that one actor often runs far while another stands still. */
export function chooseFrom(random: () => number): Choose {
  let last = '';
  return (options) => {
    const alive = options.filter(({ dies }) => !dies).map(({ actor }) => actor);
    const deaths = options.length - alive.length;
    if (deaths > 0 && random() < 0.08) return alive.length + Math.floor(random() * deaths);
    const same = alive.indexOf(last);
    const chosen = same >= 0 && random() < 0.8 ? same : Math.floor(random() * alive.length);
    last = alive[chosen] ?? '';
    return chosen;
  };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
