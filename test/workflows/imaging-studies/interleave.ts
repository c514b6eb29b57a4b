import type { Context, WorkflowTable } from '../../../src/workflow.js';

type Tables = Context['tables'];
/** What goes on beside others: each of its calls to tables is a step. */
export type Actor = { name: string; run: (tables: Tables) => Promise<void> };
/** What has been done next, as `actor` or `actor dies`; those that died. */
export type Played = { steps: string[]; died: string[] };

/** More turns of the event loop than a call to a table in memory takes. */
const TURNS = 6;

class Died extends Error {}

/**
 * Plays `actors` side by side, step by step. `choose` picks among what can be next: a step of an actor, or, where
 * fewer than `mostDeaths` have died, its death before that step.
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
          await turn(); // its pages take their time: what is written meanwhile is not in it
          return found;
        },
        change: gate(through.change),
      } satisfies WorkflowTable;
    };
  }
}

/** Plays every order of steps there is, with every death; how many there were. */
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

/** By chance, and mostly the same actor as before: so that now and then one stands still while another does all it has to. */
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
