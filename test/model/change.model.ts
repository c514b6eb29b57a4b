import { bound, type Model, type Step } from './explore.js';

/**
 * The ledger by change, for one job: one version of a resource for one workflow. The service's history shows the version
 * too, without the event's id. The resource is hard-deleted and made anew, so that the same version occurs in two
 * incarnations, A and B. Their events come late, twice or never; reconciliation finds what history shows at that moment;
 * a process crashes at any step. HANDLERS in the environment sets the bound.
 */
export const changeRules = {
  insertBlind: 'a job takes a number on condition that the number is free (Q1)',
  idIsNothing: 'an event matches the incarnation that has its id (Q2)',
  timeIsNothing: 'without its id, an event matches an incarnation of about its time only (Q2)',
  noAdopt: 'an event matches an incarnation that reconciliation made (Q2)',
  memoryByChange: 'a process remembers a settled job by change and event id (Q4)',
  noGuard: 'near midnight, reconciliation holds a place on both days (Q6)',
} as const;
export type ChangeRule = keyof typeof changeRules;

type Life = 'A' | 'B';
/** Of an incarnation, by table: one table for each day. `of` is the model's own knowledge. A guard names another day. */
type Row = {
  of: Life;
  day: number;
  id: string;
  time: number;
  adoptedBy: string;
  version: number;
  state: 'running' | 'settled' | 'guard';
  owner: number;
};
type Handler = {
  number: number;
  of: Life;
  /** Of the event; empty for reconciliation. */
  id: string;
  time: number;
  day: number;
  at: keyof ReturnType<typeof createSteps>;
  /** The index of the row that it has found, and the row's version. */
  row: number;
  version: number;
  /** How many rows there were when it read. */
  seen: number;
};
type Count = Record<Life, number>;
type World = {
  life: Life;
  rows: readonly Row[];
  handlers: readonly Handler[];
  nextHandler: number;
  heard: Count;
  acknowledged: Count;
  runs: Count;
  completed: Count;
  memory: readonly string[];
};

const MAX_ALIVE = 2;
const MAX_ROWS = 5;
const MAX_HEARD = 3;
/** In minutes. An event and its entry in history differ by less. */
const NEAR = 5;
const TIME_OF_EVENT: Count = { A: 0, B: 100 };
const NONE: Count = { A: 0, B: 0 };
const LIVES: readonly Life[] = ['A', 'B'];

/** `midnight`: in minutes; from then on it is the next day. */
export function changeModel({ midnight }: { midnight: number }, broken?: ChangeRule): Model<World> {
  const maxHandlers = bound('HANDLERS', 3);
  const dayOf = (time: number) => (time >= midnight ? 1 : 0);
  const steps = createSteps({ midnight, dayOf }, broken);
  return {
    start: {
      life: 'A',
      rows: [],
      handlers: [],
      nextHandler: 1,
      heard: NONE,
      acknowledged: NONE,
      runs: NONE,
      completed: NONE,
      memory: [],
    },

    *next(world) {
      const { life, handlers, heard } = world;
      if (life === 'A') yield ['hard delete, and made anew: the same version again', { ...world, life: 'B' }];
      if (world.nextHandler <= maxHandlers && handlers.length < MAX_ALIVE) {
        for (const each of life === 'A' ? LIVES.slice(0, 1) : LIVES) {
          if (heard[each] < MAX_HEARD) yield arrive(world, each, { id: each, time: TIME_OF_EVENT[each] });
        }
        if (heard[life] < MAX_HEARD) yield arrive(world, life, { id: '', time: TIME_OF_EVENT[life] + 1 });
      }
      for (const handler of handlers) {
        yield [`${handler.number} crashes at ${handler.at}`, end(world, handler)];
        yield* steps[handler.at](world, handler);
      }
    },

    wrong({ rows, acknowledged, completed, runs }, before) {
      for (const each of LIVES) {
        if (runs[each] > before.runs[each] && before.completed[each]) return `completed, and runs again: ${each}`;
        if (acknowledged[each] && !completed[each]) return `acknowledged, and was never run: ${each}`;
        if (rows.filter(({ of, state }) => of === each && state !== 'guard').length > 1) return `two records: ${each}`;
      }
      return undefined;
    },
  };

  function arrive(world: World, of: Life, what: { id: string; time: number }): Step<World> {
    const { nextHandler, handlers, heard } = world;
    const day = dayOf(what.time);
    const start = { at: 'insert' as const, row: -1, version: 0, seen: 0 };
    const handler: Handler = { number: nextHandler, of, ...what, day, ...start };
    return [
      what.id ? `the event of ${of} arrives` : `reconciliation finds ${of} in history`,
      {
        ...world,
        heard: { ...heard, [of]: heard[of] + 1 },
        nextHandler: nextHandler + 1,
        handlers: [...handlers, what.id ? handler : { ...handler, at: 'read' }],
      },
    ];
  }
}

type Days = { midnight: number; dayOf: (time: number) => number };

function createSteps({ midnight, dayOf }: Days, broken: ChangeRule | undefined) {
  const isNear = (one: number, other: number) => broken === 'timeIsNothing' || Math.abs(one - other) < NEAR;
  const remembered = (id: string) => (broken === 'memoryByChange' ? 'the change' : id);

  return {
    *insert(world: World, handler: Handler): Iterable<Step<World>> {
      if (handler.id && world.memory.includes(remembered(handler.id)))
        return yield say(handler, 'remembers it as settled', acknowledge(end(world, handler), handler));
      if (rowsOf(world, handler.day).length > 0)
        return yield say(handler, 'meets a row of this change', change(world, handler, { at: 'read' }));
      yield insertRow(world, handler);
    },

    /** All rows of the change on one day, in one range query. Reconciliation holds its place on the other day first. */
    *read(world: World, handler: Handler): Iterable<Step<World>> {
      const { day } = handler;
      const seen = rowsOf(world, day).length;
      const found = world.rows.findIndex((row) => row.day === day && isOwn(row, handler));
      const row = world.rows[found];
      if (!row) return yield say(handler, 'finds no row of its own', change(world, handler, { at: 'more', seen }));
      if (row.state === 'guard')
        return yield say(handler, 'is sent to the other day', change(world, handler, { at: 'read', day: 1 - day }));
      const { version } = row;
      const isToAdopt = handler.id !== '' && row.id === '' && !row.adoptedBy;
      const at = isToAdopt ? 'adopt' : 'join';
      yield say(handler, `finds row ${found}`, change(world, handler, { at, row: found, version }));
    },

    *more(world: World, handler: Handler): Iterable<Step<World>> {
      const rows = rowsOf(world, handler.day);
      if (rows.length > handler.seen && broken !== 'insertBlind')
        return yield say(handler, 'finds the number taken', change(world, handler, { at: 'read' }));
      if (world.rows.length >= MAX_ROWS) return;
      yield mustGuard(world, handler) ? guard(world, handler) : insertRow(world, handler);
    },

    /** A row of its own, inserted if absent: the holder's record stays as it is (Q3). */
    *adopt(world: World, handler: Handler): Iterable<Step<World>> {
      const row = world.rows[handler.row] as Row;
      if (row.adoptedBy && row.adoptedBy !== handler.id)
        return yield say(handler, 'finds it adopted by another event', change(world, handler, { at: 'read' }));
      const adopted = withRow(world, handler.row, { ...row, adoptedBy: handler.id });
      yield say(handler, 'adopts it', change(adopted, handler, { at: 'join' }));
    },

    *join(world: World, handler: Handler): Iterable<Step<World>> {
      const row = world.rows[handler.row] as Row;
      if (row.state === 'settled')
        return yield say(handler, 'finds it settled', acknowledge(end(world, handler), handler));
      if (world.handlers.some(({ number }) => number === row.owner)) return; // a row in `waiting` looks again later
      if (row.version !== handler.version)
        return yield say(handler, 'finds it changed', change(world, handler, { at: 'read' }));
      const taken = withRow(world, handler.row, { ...row, owner: handler.number, version: row.version + 1 });
      yield say(handler, 'takes it over', change(taken, handler, { at: 'run' }));
    },

    *run(world: World, handler: Handler): Iterable<Step<World>> {
      const { owner } = world.rows[handler.row] as Row;
      if (owner !== handler.number) return yield say(handler, 'has lost it', end(world, handler));
      const runs = { ...world.runs, [handler.of]: world.runs[handler.of] + 1 };
      yield say(handler, 'runs the handler', change({ ...world, runs }, handler, { at: 'settle' }));
    },

    *settle(world: World, handler: Handler): Iterable<Step<World>> {
      const row = world.rows[handler.row] as Row;
      if (row.owner !== handler.number) return yield say(handler, 'has lost it', end(world, handler));
      const settled = withRow(world, handler.row, { ...row, state: 'settled', version: row.version + 1 });
      const completed = { ...world.completed, [handler.of]: 1 };
      yield say(handler, 'settles it', acknowledge({ ...end(settled, handler), completed }, handler));
    },
  };

  function isOwn(row: Row, { id, time }: Handler): boolean {
    if (!id) return isNear(row.time, time);
    if (row.id === id || row.adoptedBy === id || (broken === 'idIsNothing' && row.id !== '')) return true;
    return broken !== 'noAdopt' && row.id === '' && !row.adoptedBy && isNear(row.time, time);
  }

  /** Q6: the event may be of the other day, so reconciliation holds a place there before it makes its record. */
  function mustGuard(world: World, { id, time, day }: Handler): boolean {
    if (id || broken === 'noGuard' || Math.abs(time - midnight) >= NEAR || day !== dayOf(time)) return false;
    return !rowsOf(world, 1 - day).some((row) => row.state === 'guard' && isNear(row.time, time));
  }

  function guard(world: World, handler: Handler): Step<World> {
    const day = 1 - handler.day;
    const found = world.rows.findIndex((row) => row.day === day && isNear(row.time, handler.time));
    const row = world.rows[found];
    if (row) {
      const { version } = row;
      return say(
        handler,
        'finds it on the other day',
        change(world, handler, { at: 'join', row: found, version, day }),
      );
    }
    const { of, time } = handler;
    const held: Row = { of, day, id: '', time, adoptedBy: '', version: 1, state: 'guard', owner: 0 };
    return say(handler, 'holds its place on the other day', { ...world, rows: [...world.rows, held] });
  }

  function acknowledge(world: World, { of, id }: Handler): World {
    const memory = id ? [...new Set([...world.memory, remembered(id)])].sort() : world.memory;
    return { ...world, memory, acknowledged: { ...world.acknowledged, [of]: 1 } };
  }
}

function insertRow(world: World, handler: Handler): Step<World> {
  const { of, day, id, time, number } = handler;
  const row: Row = { of, day, id, time, adoptedBy: '', version: 1, state: 'running', owner: number };
  const rows = [...world.rows, row];
  const claimed = change({ ...world, rows }, handler, { at: 'run', row: rows.length - 1, version: 1 });
  return say(handler, `inserts row ${rows.length - 1}`, claimed);
}

function rowsOf({ rows }: World, day: number): Row[] {
  return rows.filter((row) => row.day === day);
}

function withRow(world: World, at: number, row: Row): World {
  return { ...world, rows: world.rows.with(at, row) };
}

function change(world: World, handler: Handler, to: Partial<Handler>): World {
  const handlers = world.handlers.map((one) => (one.number === handler.number ? { ...one, ...to } : one));
  return { ...world, handlers };
}

function end(world: World, { number }: Handler): World {
  return { ...world, handlers: world.handlers.filter((one) => one.number !== number) };
}

function say({ number }: Handler, text: string, to: World): Step<World> {
  return [`${number} ${text}`, to];
}
