import { bound, type Model, type Step } from './explore.js';

/**
 * Models the ledger by change for one job: one version of a resource for one workflow. The service's history shows the
 * version too, without the event's id. The resource is hard-deleted and recreated, so that the same version occurs in
 * two incarnations, A and B. Their events come late, twice or never; reconciliation finds what history shows at that
 * moment; a process crashes at any step. The environment variable HANDLERS sets the bound.
 */
export const changeRules = {
  insertBlind: 'Q1: a job takes a number on condition that the number is free',
  idIsNothing: 'Q2: an event matches the incarnation that has its id',
  timeIsNothing: 'Q2: an event without such an incarnation matches only one near its time',
  noAdopt: 'Q2: an event matches an incarnation that reconciliation made',
  memoryByChange: 'Q4: a process remembers a settled job by change and event id',
  noGuard: 'Q6: near midnight, reconciliation first writes a guard on the other day',
} as const;
export type ChangeRule = keyof typeof changeRules;

type Incarnation = 'A' | 'B';
/** A record, or a guard, which leads to the other day. `incarnation` is known only to the model, not to the app. */
type Row = {
  incarnation: Incarnation;
  /** The table: each day has its own. */
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
  incarnation: Incarnation;
  /** The event's id; empty for reconciliation. */
  id: string;
  time: number;
  day: number;
  at: keyof ReturnType<typeof createSteps>;
  /** The index of the row that it has found, and the row's version. */
  row: number;
  version: number;
  /** The number of rows that it has read. */
  rowsRead: number;
};
type Count = Record<Incarnation, number>;
type World = {
  /** The incarnation that the service has now. */
  current: Incarnation;
  rows: readonly Row[];
  handlers: readonly Handler[];
  nextHandler: number;
  arrivals: Count;
  acknowledged: Count;
  runs: Count;
  completed: Count;
  memory: readonly string[];
};

const MAX_ALIVE = 2;
const MAX_ROWS = 5;
const MAX_ARRIVALS = 3;
/** An event and its entry in history are less than 5 minutes apart. */
const NEAR = 5;
const TIME_OF_EVENT: Count = { A: 0, B: 100 };
const NONE: Count = { A: 0, B: 0 };
const INCARNATIONS: readonly Incarnation[] = ['A', 'B'];

/** `midnight`: the minute at which the second day begins. */
export function changeModel({ midnight }: { midnight: number }, broken?: ChangeRule): Model<World> {
  const maxHandlers = bound('HANDLERS', 3);
  const dayOf = (time: number) => (time >= midnight ? 1 : 0);
  const steps = createSteps({ midnight, dayOf }, broken);
  return {
    start: {
      current: 'A',
      rows: [],
      handlers: [],
      nextHandler: 1,
      arrivals: NONE,
      acknowledged: NONE,
      runs: NONE,
      completed: NONE,
      memory: [],
    },

    *nextSteps(world) {
      const { current, handlers, arrivals } = world;
      if (current === 'A') yield ['hard delete and recreation: the same version again', { ...world, current: 'B' }];
      if (world.nextHandler <= maxHandlers && handlers.length < MAX_ALIVE) {
        for (const each of current === 'A' ? INCARNATIONS.slice(0, 1) : INCARNATIONS) {
          if (arrivals[each] < MAX_ARRIVALS) yield arrive(world, each, { id: each, time: TIME_OF_EVENT[each] });
        }
        if (arrivals[current] < MAX_ARRIVALS)
          yield arrive(world, current, { id: '', time: TIME_OF_EVENT[current] + 1 });
      }
      for (const handler of handlers) {
        yield [`${handler.number} crashes at ${handler.at}`, end(world, handler)];
        yield* steps[handler.at](world, handler);
      }
    },

    fault({ rows, acknowledged, completed, runs }, before) {
      for (const each of INCARNATIONS) {
        if (runs[each] > before.runs[each] && before.completed[each]) return `completed, and runs again: ${each}`;
        if (acknowledged[each] && !completed[each]) return `acknowledged, and was never run: ${each}`;
        const records = rows.filter(({ incarnation, state }) => incarnation === each && state !== 'guard');
        if (records.length > 1) return `two records: ${each}`;
      }
      return undefined;
    },
  };

  function arrive(world: World, incarnation: Incarnation, source: { id: string; time: number }): Step<World> {
    const { nextHandler, handlers, arrivals } = world;
    const day = dayOf(source.time);
    const start = { at: source.id ? ('insert' as const) : ('read' as const), row: -1, version: 0, rowsRead: 0 };
    return [
      source.id ? `the event of ${incarnation} arrives` : `reconciliation finds ${incarnation} in history`,
      {
        ...world,
        arrivals: { ...arrivals, [incarnation]: arrivals[incarnation] + 1 },
        nextHandler: nextHandler + 1,
        handlers: [...handlers, { number: nextHandler, incarnation, ...source, day, ...start }],
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
        return yield step(handler, 'remembers it as settled', acknowledge(end(world, handler), handler));
      if (rowsOf(world, handler.day).length > 0)
        return yield step(handler, 'meets a row of this change', change(world, handler, { at: 'read' }));
      yield insertRow(world, handler);
    },

    /** One range query reads all rows of the change on one day. Reconciliation first writes its guard on the other day. */
    *read(world: World, handler: Handler): Iterable<Step<World>> {
      const { day } = handler;
      const rowsRead = rowsOf(world, day).length;
      const found = world.rows.findIndex((row) => row.day === day && isOwn(row, handler));
      const row = world.rows[found];
      if (!row) return yield step(handler, 'finds no row of its own', change(world, handler, { at: 'more', rowsRead }));
      if (row.state === 'guard')
        return yield step(handler, 'is sent to the other day', change(world, handler, { at: 'read', day: 1 - day }));
      const { version } = row;
      const isToAdopt = handler.id !== '' && row.id === '' && !row.adoptedBy;
      const at = isToAdopt ? 'adopt' : 'join';
      yield step(handler, `finds row ${found}`, change(world, handler, { at, row: found, version }));
    },

    *more(world: World, handler: Handler): Iterable<Step<World>> {
      const rows = rowsOf(world, handler.day);
      if (rows.length > handler.rowsRead && broken !== 'insertBlind')
        return yield step(handler, 'finds the number taken', change(world, handler, { at: 'read' }));
      if (world.rows.length >= MAX_ROWS) return;
      yield mustGuard(world, handler) ? guard(world, handler) : insertRow(world, handler);
    },

    /** An event adopts a record by a row of its own, inserted if absent: the holder's record stays as it is (Q3). */
    *adopt(world: World, handler: Handler): Iterable<Step<World>> {
      const row = world.rows[handler.row] as Row;
      if (row.adoptedBy && row.adoptedBy !== handler.id)
        return yield step(handler, 'finds it adopted by another event', change(world, handler, { at: 'read' }));
      const adopted = withRow(world, handler.row, { ...row, adoptedBy: handler.id });
      yield step(handler, 'adopts it', change(adopted, handler, { at: 'join' }));
    },

    *join(world: World, handler: Handler): Iterable<Step<World>> {
      const row = world.rows[handler.row] as Row;
      if (row.state === 'settled')
        return yield step(handler, 'finds it settled', acknowledge(end(world, handler), handler));
      if (world.handlers.some(({ number }) => number === row.owner)) return; // a row in `waiting` looks again later
      if (row.version !== handler.version)
        return yield step(handler, 'finds it changed', change(world, handler, { at: 'read' }));
      const taken = withRow(world, handler.row, { ...row, owner: handler.number, version: row.version + 1 });
      yield step(handler, 'takes it over', change(taken, handler, { at: 'run' }));
    },

    *run(world: World, handler: Handler): Iterable<Step<World>> {
      const { owner } = world.rows[handler.row] as Row;
      if (owner !== handler.number) return yield step(handler, 'has lost it', end(world, handler));
      const runs = { ...world.runs, [handler.incarnation]: world.runs[handler.incarnation] + 1 };
      yield step(handler, 'runs the handler', change({ ...world, runs }, handler, { at: 'settle' }));
    },

    *settle(world: World, handler: Handler): Iterable<Step<World>> {
      const row = world.rows[handler.row] as Row;
      if (row.owner !== handler.number) return yield step(handler, 'has lost it', end(world, handler));
      const settled = withRow(world, handler.row, { ...row, state: 'settled', version: row.version + 1 });
      const completed = { ...world.completed, [handler.incarnation]: 1 };
      yield step(handler, 'settles it', acknowledge({ ...end(settled, handler), completed }, handler));
    },
  };

  function isOwn(row: Row, { id, time }: Handler): boolean {
    if (!id) return isNear(row.time, time);
    if (row.id === id || row.adoptedBy === id || (broken === 'idIsNothing' && row.id !== '')) return true;
    return broken !== 'noAdopt' && row.id === '' && !row.adoptedBy && isNear(row.time, time);
  }

  /** Q6: the event may be of the other day, so reconciliation writes a guard there before it makes its record. */
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
      return step(
        handler,
        'finds it on the other day',
        change(world, handler, { at: 'join', row: found, version, day }),
      );
    }
    const { incarnation, time } = handler;
    const written: Row = { incarnation, day, id: '', time, adoptedBy: '', version: 1, state: 'guard', owner: 0 };
    return step(handler, 'writes a guard on the other day', { ...world, rows: [...world.rows, written] });
  }

  function acknowledge(world: World, { incarnation, id }: Handler): World {
    const memory = id ? [...new Set([...world.memory, remembered(id)])].sort() : world.memory;
    return { ...world, memory, acknowledged: { ...world.acknowledged, [incarnation]: 1 } };
  }
}

function insertRow(world: World, handler: Handler): Step<World> {
  const { incarnation, day, id, time, number } = handler;
  const row: Row = { incarnation, day, id, time, adoptedBy: '', version: 1, state: 'running', owner: number };
  const rows = [...world.rows, row];
  const claimed = change({ ...world, rows }, handler, { at: 'run', row: rows.length - 1, version: 1 });
  return step(handler, `inserts row ${rows.length - 1}`, claimed);
}

function rowsOf({ rows }: World, day: number): Row[] {
  return rows.filter((row) => row.day === day);
}

function withRow(world: World, index: number, row: Row): World {
  return { ...world, rows: world.rows.with(index, row) };
}

function change(world: World, handler: Handler, to: Partial<Handler>): World {
  const handlers = world.handlers.map((each) => (each.number === handler.number ? { ...each, ...to } : each));
  return { ...world, handlers };
}

function end(world: World, { number }: Handler): World {
  return { ...world, handlers: world.handlers.filter((each) => each.number !== number) };
}

function step({ number }: Handler, text: string, to: World): Step<World> {
  return [`${number} ${text}`, to];
}
