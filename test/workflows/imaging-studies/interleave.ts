import type { Context, WorkflowTable } from '../../../src/workflow.js';

type Tables = Context['tables'];
/** A job or timer that runs beside others: each of its calls to tables is a step. */
export type Actor = { name: string; run: (tables: Tables) => Promise<void> };
/** The steps in order, as `actor` or `actor dies`; and the actors that died. */
export type Played = { steps: string[]; died: string[] };

/** More turns of the event loop than a call to a table in memory takes. */
const TURNS = 3;

class Died extends Error {}

/**
 * Runs `actors` side by side, step by step. `choose` picks the next step: a step of an actor or, if fewer than
 * `maxDeaths` have died, its death before that step.
 */
export async function play(
  actors: readonly Actor[],
  tables: Tables,
  choose: (options: readonly string[]) => number,
  maxDeaths = 1,
): Promise<Played> {
  const parked = new Map<string, { go: () => void; die: () => void }>();
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
    const alive = [...parked.keys()];
    const options = played.died.length < maxDeaths ? [...alive, ...alive.map((name) => `${name} dies`)] : alive;
    const chosen = options[choose(options)] as string;
    const name = chosen.replace(' dies', '');
    const next = parked.get(name);
    parked.delete(name);
    played.steps.push(chosen);
    if (chosen === name) next?.go();
    else {
      played.died.push(name);
      next?.die();
    }
  }
  if (failures.length > 0) throw failures[0];
  return played;

  function gated(name: string): Tables {
    const turn = () =>
      new Promise<void>((resolve, reject) => parked.set(name, { go: resolve, die: () => reject(new Died(name)) }));
    return (table) => {
      const through = tables(table);
      const gate =
        <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
        async (...args: A): Promise<R> => {
          await turn();
          return call(...args);
        };
      return {
        get: gate(through.get),
        list: async (...args) => {
          const found = await gate(through.list)(...args);
          await turn(); // its pages take time: rows written meanwhile are not in the list
          return found;
        },
        change: gate(through.change),
      } satisfies WorkflowTable;
    };
  }
}

/** Runs every order of steps with every death. Returns the number of orders. */
export async function playAll(playOnce: (choose: (options: readonly string[]) => number) => Promise<void>) {
  let path: number[] = [];
  for (let runs = 1; ; runs += 1) {
    const counts: number[] = [];
    await playOnce((options) => {
      counts.push(options.length);
      return path[counts.length - 1] ?? 0;
    });
    const taken = counts.map((_, at) => path[at] ?? 0);
    while (taken.length > 0 && (taken.at(-1) ?? 0) + 1 >= (counts[taken.length - 1] ?? 0)) taken.pop();
    if (taken.length === 0) return runs;
    taken.push((taken.pop() ?? 0) + 1);
    path = taken;
  }
}

/** Chooses at random, mostly the same actor again, so that one actor often runs far while another stands still. */
export function chooseFrom(random: () => number): (options: readonly string[]) => number {
  let last = '';
  return (options) => {
    const alive = options.filter((option) => !option.endsWith(' dies'));
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
