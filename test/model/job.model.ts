import { bound, type Model, type Step } from './explore.js';

/**
 * Models the protocol of one job: deliveries, due rows and redrives in every order, and two handlers at a time. A handler
 * succeeds, fails, or fails for good, and may crash at every step. Leases lapse at any time. The environment variables
 * HANDLERS, FAILS and REDRIVES set the bounds.
 */
export const jobRules = {
  ackBusy: 'J1: a job that another holder runs is safe only with a row',
  recordFirst: 'J3: the row is written before the record that waits for it',
  noFence: 'J2: every write is conditional on the version that was read',
  deleteAny: 'J4: a row whose record is running under a live lease stays',
  sameRow: 'J5: no two rows share a name',
  blobLast: 'J8: the dead letter is written before the record is settled as dead',
  noFailing: 'J8: the record says that a job is failing before its dead letter is written',
  lateStart: 'J6: no handler starts under a lease that has lapsed',
  redriveStale: 'R1: a redrive with a higher number reopens a dead job',
  keepBlob: 'R4: the earlier dead letters of a job move before the row of its redrive is deleted',
  rewrite: 'R6: a dead letter that was moved counts as resolved, also if a former holder writes it once more',
  jobsDeletedFirst: 'J15: a row of several jobs is deleted when each of its jobs is safe',
  memoryAnswersRows: 'J9: the memory of settled jobs answers only deliveries',
} as const;
export type JobRule = keyof typeof jobRules;

const MAX_ALIVE = 2;
const MAX_ROWS = 4;

type JobRecord = {
  state: 'none' | 'running' | 'waiting' | 'settled';
  version: number;
  redrives: number;
  owner: number;
  isLapsed: boolean;
  isFailing: boolean;
  due: number;
  result: '' | 'completed' | 'dead';
};
/** `redrive`: the number of the redrive; 0 for another row. `isShared`: the row holds further jobs, too (J15). */
type Row = { id: number; redrive: number; isShared?: true };
type Handler = {
  id: number;
  from: 'grid' | 'row';
  row: Row;
  at: keyof ReturnType<typeof createSteps>;
  /** The version of the record that the handler read or wrote last. */
  version: number;
  redrives: number;
  nextRow: number;
};
export type JobWorld = {
  record: JobRecord;
  rows: readonly Row[];
  /** The dead letter after each number of redrives. A dead letter in both places counts as resolved (R6). */
  deadLetters: readonly ('' | 'pending' | 'resolved')[];
  isAcknowledged: boolean;
  hasCompleted: boolean;
  ranAgain: boolean;
  fails: number;
  redrivesAsked: number;
  nextRow: number;
  nextHandler: number;
  handlers: readonly Handler[];
};

const NO_ROW: Row = { id: 0, redrive: 0 };
const NO_RECORD: JobRecord = {
  state: 'none',
  version: 0,
  redrives: 0,
  owner: 0,
  isLapsed: false,
  isFailing: false,
  due: 0,
  result: '',
};

export function jobModel(broken?: JobRule): Model<JobWorld> {
  const maxHandlers = bound('HANDLERS', 4);
  const maxRedrives = bound('REDRIVES', 1);
  const steps = createSteps(broken);

  return {
    start: {
      record: NO_RECORD,
      rows: [],
      deadLetters: Array.from({ length: maxRedrives + 1 }, () => ''),
      isAcknowledged: false,
      hasCompleted: false,
      ranAgain: false,
      fails: 0,
      redrivesAsked: 0,
      nextRow: 1,
      nextHandler: 1,
      handlers: [],
    },

    *nextSteps(world) {
      const { record, handlers, rows } = world;
      if (world.nextHandler <= maxHandlers && handlers.length < MAX_ALIVE) {
        // Event Grid delivers until the app acknowledges, and then once more.
        if (!world.isAcknowledged || world.nextHandler <= 3) yield ['a delivery', start(world, 'grid', NO_ROW)];
        for (const row of rows) {
          if (handlers.some((handler) => handler.row.id === row.id)) continue;
          const before = row.isShared && broken === 'jobsDeletedFirst' ? withoutRow(world, row) : world;
          yield [`row ${row.id} comes due`, start(before, row.isShared ? 'grid' : 'row', row)];
        }
      }
      const isDead = record.state === 'settled' && record.result === 'dead';
      if (isDead && world.redrivesAsked < maxRedrives && world.nextRow <= MAX_ROWS) {
        const asked = { ...world, redrivesAsked: world.redrivesAsked + 1 };
        yield ['someone asks for a redrive', addRow(asked, record.redrives + 1)];
      }
      if (record.state === 'running' && !record.isLapsed) {
        yield ['the lease lapses', { ...world, record: { ...record, isLapsed: true } }];
      }
      for (const handler of handlers) {
        yield [`${handler.id} crashes at ${handler.at}`, end(world, handler)];
        yield* steps[handler.at](world, handler);
      }
    },

    fault({ record, rows, deadLetters, handlers, isAcknowledged, ranAgain, redrivesAsked }) {
      const isQuiet = rows.length === 0 && handlers.length === 0;
      if (ranAgain) return 'a completed job runs again';
      if (record.state === 'waiting' && !rows.some(({ id }) => id === record.due))
        return 'the record waits for a row that is not there';
      if (record.result === 'dead' && deadLetters[record.redrives] !== 'pending')
        return 'settled as dead without a dead letter';
      if (isAcknowledged && record.state !== 'settled' && rows.length === 0)
        return 'acknowledged, not settled, and no row';
      if (isQuiet && record.result === 'completed' && deadLetters.includes('pending'))
        return 'completed, with a pending dead letter beside it';
      if (isQuiet && redrivesAsked > 0 && record.redrives === 0) return 'a redrive was asked for and vanished';
      return undefined;
    },
  };
}

/** Returns a function for each place of a handler: the next steps of the handler, and of the app around it. */
function createSteps(broken: JobRule | undefined) {
  const maxFails = bound('FAILS', 1);

  return {
    read: (world: JobWorld, handler: Handler) =>
      handler.from === 'grid' ? readForDelivery(world, handler) : readForRow(world, handler),

    *claim(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
      const { record } = world;
      const redrives = handler.row.redrive > 0 && record.state === 'settled' ? handler.row.redrive : record.redrives;
      const isFailing = record.isFailing && record.state === 'running';
      const claimed = write(world, handler, { state: 'running', owner: handler.id, redrives, isFailing });
      if (!claimed) return yield lose(world, handler, 'loses the claim');
      yield go(claimed, handler, { at: isFailing ? 'deadLetter' : 'run', redrives }, 'claims');
    },

    *run(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
      const { record } = world;
      // J7: the holder counts its lease from before the claim was sent.
      const isHeld = record.owner === handler.id && record.state === 'running' && !record.isLapsed;
      if (!isHeld && broken !== 'lateStart') return yield lose(world, handler, 'sees its lease lapsed, does not start');
      if (world.hasCompleted) return yield [`${handler.id} runs`, { ...world, ranAgain: true }];
      yield go(world, handler, { at: 'ok' }, 'succeeds');
      yield go(world, handler, { at: broken === 'noFailing' ? 'deadLetter' : 'failing' }, 'fails for good');
      if (world.fails < maxFails) {
        const failed = { ...world, fails: world.fails + 1 };
        yield go(failed, handler, { at: broken === 'recordFirst' ? 'recordFirst' : 'row' }, 'fails');
      }
      const isWaitedFor = !world.isAcknowledged || handler.row.isShared;
      if (handler.from === 'grid' && world.nextRow <= MAX_ROWS && isWaitedFor) {
        const answered = { ...withoutRow(addSharedRow(world), handler.row), isAcknowledged: true };
        const goesOn = change(answered, handler, { row: NO_ROW });
        yield [`${handler.id} meets the deadline: row, acknowledges, goes on`, goesOn];
      }
    },

    *ok(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
      const settled = write(world, handler, { state: 'settled', result: 'completed' });
      if (!settled) return yield lose(world, handler, 'is fenced off');
      yield done({ ...settled, hasCompleted: true }, handler, 'settles: completed');
    },

    *failing(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
      const { state, owner } = world.record;
      const recorded = write(world, handler, { state, owner, isFailing: true, isLapsed: world.record.isLapsed });
      if (!recorded) return yield lose(world, handler, 'is fenced off');
      yield go(recorded, handler, { at: 'deadLetter' }, 'records: failing');
    },

    *deadLetter(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
      const written = broken === 'blobLast' ? world : writeDeadLetter(world, handler);
      yield go(written, handler, { at: 'dead' }, 'writes the dead letter');
    },

    *dead(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
      const settled = write(world, handler, { state: 'settled', result: 'dead' });
      if (!settled) return yield lose(world, handler, 'is fenced off');
      if (broken === 'blobLast') return yield go(settled, handler, { at: 'deadLetterLate' }, 'settles: dead');
      yield done(settled, handler, 'settles: dead');
    },

    *deadLetterLate(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
      yield done(writeDeadLetter(world, handler), handler, 'writes the dead letter late');
    },

    *row(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
      if (world.nextRow > MAX_ROWS) return;
      const isShared = broken === 'sameRow' && handler.row.id > 0;
      const nextRow = isShared ? handler.row.id : world.nextRow;
      const isThere = world.rows.some(({ id }) => id === nextRow);
      yield go(isThere ? world : addRow(world, 0, nextRow), handler, { at: 'wait', nextRow }, `writes row ${nextRow}`);
    },

    *wait(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
      const waiting = write(world, handler, { state: 'waiting', due: handler.nextRow });
      if (!waiting) return yield lose(world, handler, 'is fenced off');
      yield done(waiting, handler, `waits for row ${handler.nextRow}`);
    },

    *recordFirst(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
      const waiting = write(world, handler, { state: 'waiting', due: world.nextRow });
      if (!waiting) return yield lose(world, handler, 'is fenced off');
      yield go(waiting, handler, { at: 'row' }, 'waits for a row to come');
    },

    /** J15: a row of several jobs is deleted when each is safe. */
    *deleteShared(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
      yield [`${handler.id} deletes row ${handler.row.id}`, end(withoutRow(world, handler.row), handler)];
    },

    *tidy(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
      const { record, deadLetters } = world;
      const mustMove = (deadLetter: string, redrives: number) =>
        deadLetter === 'pending' && (redrives < record.redrives || record.result === 'completed');
      const found = record.state === 'settled' && broken !== 'keepBlob' ? deadLetters.findIndex(mustMove) : -1;
      if (found >= 0)
        return yield [`${handler.id} moves dead letter ${found}`, setDeadLetter(world, found, 'resolved')];
      yield [`${handler.id} deletes row ${handler.row.id}`, end(withoutRow(world, handler.row), handler)];
    },
  };

  function* readForDelivery(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
    const { record } = world;
    const { state } = record;
    if (wasSettled(record)) yield done(world, handler, 'remembers it as settled');
    if (state === 'settled' || state === 'waiting') return yield done(world, handler, `reads ${state}`);
    const isBusy = state === 'running' && !record.isLapsed;
    if (isBusy && broken === 'ackBusy') return yield done(world, handler, 'reads running (broken)');
    // The job runs elsewhere, or gets no slot before the deadline: it is safe with a row.
    if (world.nextRow <= MAX_ROWS) yield done(addRow(world, 0), handler, 'writes a row');
    if (!isBusy) yield go(world, handler, { at: 'claim', version: record.version }, `reads ${state}`);
  }

  function* readForRow(world: JobWorld, handler: Handler): Iterable<Step<JobWorld>> {
    const { record } = world;
    const { state, version } = record;
    const { row } = handler;
    if (broken === 'memoryAnswersRows' && wasSettled(record)) {
      return yield go(world, handler, { at: 'tidy' }, 'remembers it as settled (broken)');
    }
    if (state === 'running' && !record.isLapsed) {
      if (broken === 'deleteAny') return yield go(world, handler, { at: 'tidy' }, 'reads running (broken)');
      return yield lose(world, handler, 'reads running, leaves the row');
    }
    const mayReopen = record.result === 'dead' && record.redrives < row.redrive && broken !== 'redriveStale';
    if (state === 'settled' && !mayReopen) return yield go(world, handler, { at: 'tidy' }, 'reads settled');
    if (state === 'waiting' && record.due !== row.id) {
      return yield go(world, handler, { at: 'tidy' }, 'reads that it waits for another row');
    }
    yield go(world, handler, { at: 'claim', version }, mayReopen ? 'reads dead, reopens' : `reads ${state}`);
  }

  /** Returns undefined if another handler has written the record since. */
  function write(world: JobWorld, handler: Handler, changes: Partial<JobRecord>): JobWorld | undefined {
    const { version, redrives } = world.record;
    if (version !== handler.version && broken !== 'noFence') return undefined;
    const record = { ...NO_RECORD, redrives, ...changes, version: version + 1 };
    return change({ ...world, record }, handler, { version: record.version });
  }

  function writeDeadLetter(world: JobWorld, { redrives }: Handler): JobWorld {
    if (world.deadLetters[redrives] === 'resolved' && broken !== 'rewrite') return world;
    return setDeadLetter(world, redrives, 'pending');
  }
}

/** Returns whether the job was ever settled: the process at hand may be the one that remembers it. */
function wasSettled({ state, redrives }: JobRecord): boolean {
  return state === 'settled' || redrives > 0;
}

function start(world: JobWorld, from: Handler['from'], row: Row): JobWorld {
  const handler: Handler = { id: world.nextHandler, from, row, at: 'read', version: 0, redrives: 0, nextRow: 0 };
  return { ...world, nextHandler: world.nextHandler + 1, handlers: [...world.handlers, handler] };
}

function go(world: JobWorld, handler: Handler, changes: Partial<Handler>, text: string): Step<JobWorld> {
  return [`${handler.id} ${text}`, change(world, handler, changes)];
}

/** The job is safe: a delivery is acknowledged, a row is deleted. */
function done(world: JobWorld, handler: Handler, text: string): Step<JobWorld> {
  if (handler.from === 'row') return go(world, handler, { at: 'tidy' }, text);
  if (handler.row.isShared) return go(world, handler, { at: 'deleteShared' }, text);
  return [`${handler.id} ${text}, acknowledges`, end({ ...world, isAcknowledged: true }, handler)];
}

/** The handler ends without a change: its delivery or its row comes again. */
function lose(world: JobWorld, handler: Handler, text: string): Step<JobWorld> {
  return [`${handler.id} ${text}`, end(world, handler)];
}

function change(world: JobWorld, { id }: Handler, changes: Partial<Handler>): JobWorld {
  return {
    ...world,
    handlers: world.handlers.map((handler) => (handler.id === id ? { ...handler, ...changes } : handler)),
  };
}

function end(world: JobWorld, { id }: Handler): JobWorld {
  return { ...world, handlers: world.handlers.filter((handler) => handler.id !== id) };
}

function addRow(world: JobWorld, redrive: number, id = world.nextRow): JobWorld {
  return { ...world, rows: [...world.rows, { id, redrive }], nextRow: Math.max(world.nextRow, id + 1) };
}

function addSharedRow(world: JobWorld): JobWorld {
  const { nextRow } = world;
  return { ...world, rows: [...world.rows, { id: nextRow, redrive: 0, isShared: true }], nextRow: nextRow + 1 };
}

function withoutRow(world: JobWorld, { id }: Row): JobWorld {
  return { ...world, rows: world.rows.filter((row) => row.id !== id) };
}

function setDeadLetter(world: JobWorld, redrives: number, deadLetter: 'pending' | 'resolved'): JobWorld {
  return { ...world, deadLetters: world.deadLetters.with(redrives, deadLetter) };
}
