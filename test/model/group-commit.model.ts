import { bound, type Model, type Step } from './explore.js';

/**
 * The group commit with unknown outcomes: transactions of one or two writes over the same rows, in every order, each of
 * whose sendings is answered, or lost on the way: then it takes effect at any later time, or never, and the sender goes
 * on meanwhile. A failure before or after the effect, and an answer that never comes, are cases of this.
 *
 * Each transaction is a sender of its own, because transactions of one process are as independent as those of two. The
 * code has one on its way at a time to save transactions; nothing here depends on that. WRITERS, ROWS and SENDINGS in
 * the environment set the bounds.
 *
 * The outcome `conflict` means that storage does not hold the write, and never will. A write whose answer was lost, and
 * that somebody has overwritten since, looks the same as a write that never took effect.
 */
export const groupCommitRules = {
  noCondition: 'a write names the version of the row that it was made from',
  absenceIsFinal: 'a row that does not hold the write is not final',
  newTagOnResend: 'what is sent again bears the same tag',
  noOwnCheck: "a refusal may be the answer to one's own write",
  spokesmanIsDelete: 'a delete stands for nobody but itself',
  singly: 'what is sent again is the same transaction',
  deleteInserted: 'a row is not deleted while its insert may be on its way: it would come back',
} as const;
export type GroupCommitRule = keyof typeof groupCommitRules;

const MAX_WRITES = 2;
const MAX_ALIVE = 2;

/** `tag`: of the write that it holds. `last`: what changed it last, deletes too. */
type Row = { isThere: boolean; isInserted: boolean; tag: string; last: string };
type Write = {
  id: string;
  row: number;
  kind: 'insert' | 'merge' | 'delete';
  /** The row has changed since the version that it names. */
  isStale: boolean;
  effects: number;
  told: '' | 'written' | 'conflict' | 'unknown';
};
type Sender = {
  at: 'send' | 'look' | 'check' | 'end';
  sendings: number;
  refusals: number;
  /** Of writes to be read: `at` check. */
  suspects: readonly number[];
  /** A refusal has parted its writes. */
  isParted: boolean;
  writes: readonly Write[];
};
/** A sending whose sender has gone on: it may take effect at any time, or never. */
type Stray = { sender: number; writes: readonly number[]; tag: string };
export type GroupCommitWorld = {
  rows: readonly Row[];
  senders: readonly Sender[];
  strays: readonly Stray[];
};

const OVER: Sender = { at: 'end', sendings: 0, refusals: 0, suspects: [], isParted: false, writes: [] };

export function groupCommitModel(broken?: GroupCommitRule): Model<GroupCommitWorld> {
  const maxSenders = bound('WRITERS', 2);
  const maxRows = bound('ROWS', 2);
  const maxSendings = bound('SENDINGS', 3);

  return {
    start: {
      // The first is inserted, and then changed; the others are there, and may be deleted.
      rows: Array.from({ length: maxRows }, (_, i) => ({ isThere: i > 0, isInserted: i === 0, tag: '', last: '' })),
      senders: [],
      strays: [],
    },

    *next(whole) {
      const world = forget(whole, broken !== 'noCondition');
      const alive = world.senders.filter(({ at }) => at !== 'end').length;
      if (world.senders.length < maxSenders && alive < MAX_ALIVE) yield* begin(world);
      for (const [i, stray] of world.strays.entries()) {
        const { sender, writes } = stray;
        const rest = { ...world, strays: world.strays.toSpliced(i, 1) };
        const applied = refusing(world, sender, writes).length === 0 ? apply(rest, stray) : rest;
        yield [`${sender}: writes ${writes} arrive late`, applied];
      }
      for (const [number, sender] of world.senders.entries()) {
        switch (sender.at) {
          case 'send':
            yield* send(world, number, sender);
            break;
          case 'look':
            yield* look(world, number, sender);
            break;
          case 'check':
            yield* check(world, number, sender);
            break;
          case 'end':
            break;
          default:
            throw new TypeError(`unhandled ${sender.at satisfies never}`);
        }
      }
    },

    wrong({ rows, senders }, before) {
      for (const [number, { writes, isParted }] of senders.entries()) {
        for (const [i, { id, row, kind, effects, told }] of writes.entries()) {
          const earlier = before.senders[number]?.writes[i];
          if (effects > 1) return 'a write takes effect twice';
          if (told === 'written' && kind !== 'delete' && effects === 0) return 'told written, and it is not';
          if (told === 'written' && kind === 'delete' && rows[row]?.isThere) return 'told deleted, and it is there';
          if (told === 'conflict' && rows[row]?.last === id) return 'told conflict, and it is in storage';
          if (earlier?.told === 'conflict' && effects > earlier.effects)
            return 'takes effect after it was told conflict';
        }
        if (!isParted && new Set(writes.map(({ effects }) => effects)).size > 1)
          return 'half a transaction takes effect';
      }
      return undefined;
    },

    wrongAtRest: ({ senders }) =>
      senders.some(({ writes }) => writes.some(({ told }) => told === '')) ? 'a write is never answered' : undefined,
  };

  /** A process reads rows, and wants one or two of them changed. */
  function* begin(world: GroupCommitWorld): Iterable<Step<GroupCommitWorld>> {
    for (const writes of transactions(world, 0)) {
      if (writes.length === 0) continue;
      const sender: Sender = { at: 'send', sendings: 0, refusals: 0, suspects: [], isParted: false, writes };
      const text = writes.map(({ kind, row }) => `${kind} ${row}`).join(', ');
      yield [`${world.senders.length}: wants ${text}`, { ...world, senders: [...world.senders, sender] }];
    }
  }

  function* transactions(world: GroupCommitWorld, from: number): Iterable<Write[]> {
    yield [];
    for (let row = from; row < world.rows.length; row++) {
      const { isThere, isInserted } = world.rows[row] as Row;
      const kinds: Write['kind'][] = isThere ? ['merge'] : [];
      if (!isThere && isInserted) kinds.push('insert');
      if (isThere && (!isInserted || broken === 'deleteInserted')) kinds.push('delete');
      for (const rest of transactions(world, row + 1)) {
        if (rest.length === MAX_WRITES) continue;
        for (const kind of kinds) {
          yield [{ id: `${world.senders.length}.${row}`, row, kind, isStale: false, effects: 0, told: '' }, ...rest];
        }
      }
    }
  }

  function* send(world: GroupCommitWorld, number: number, sender: Sender): Iterable<Step<GroupCommitWorld>> {
    const open = openOf(sender);
    if (sender.sendings > 0) yield [`${number}: gives up`, tell(world, number, open, 'unknown')];
    if (sender.sendings === maxSendings) return;

    const sendings = sender.sendings + 1;
    const groups = broken === 'singly' && sendings > 1 ? open.map((i) => [i]) : [open];
    for (const writes of groups) {
      const sent = change(world, number, { sendings });
      const stray: Stray = { sender: number, writes, tag: tagOf(sendings) };
      const lost = change(lose(sent, stray), number, { at: 'look' });
      yield [`${number}: sends writes ${writes}, and hears nothing`, lost];

      const refused = refusing(world, number, writes);
      if (refused.length === 0) {
        yield [`${number}: sends writes ${writes}, done`, tell(apply(sent, stray), number, writes, 'written')];
      }
      const refusals = sender.refusals + 1;
      for (const named of refused) {
        const suspects = refusals > 1 ? writes : [named];
        const read = change(sent, number, { at: 'check', refusals, suspects });
        yield [`${number}: sends writes ${writes}, refused for ${named}`, read];
      }
    }
  }

  /** One row stands for all. */
  function* look(world: GroupCommitWorld, number: number, sender: Sender): Iterable<Step<GroupCommitWorld>> {
    const open = openOf(sender);
    const isDelete = (i: number) => sender.writes[i]?.kind === 'delete';
    const spokesman = broken === 'spokesmanIsDelete' ? open.find(isDelete) : open.find((i) => !isDelete(i));
    if (spokesman !== undefined && isOwn(world, sender, spokesman)) {
      yield [`${number}: finds write ${spokesman}`, tell(world, number, open, 'written')];
    } else if (spokesman !== undefined && broken === 'absenceIsFinal') {
      yield [`${number}: does not find write ${spokesman} (broken)`, tell(world, number, open, 'conflict')];
    }
    yield [`${number}: learns nothing`, change(world, number, { at: 'send' })];
  }

  /** Each that may be to blame is read: its write is there, or can no longer be done, or is sent again. */
  function* check(world: GroupCommitWorld, number: number, sender: Sender): Iterable<Step<GroupCommitWorld>> {
    const [suspect, ...suspects] = sender.suspects;
    if (suspect === undefined) {
      return yield [`${number}: has read`, change(world, number, { at: 'send' })];
    }
    const rest = change(world, number, { suspects });
    yield [`${number}: cannot read write ${suspect}`, rest];
    const told = broken !== 'noOwnCheck' && isOwn(world, sender, suspect) ? 'written' : 'conflict';
    if (told === 'conflict' && isPossible(world, sender, suspect)) return;
    const isParted = true;
    const text = `${number}: reads write ${suspect}, ${told}`;
    yield [text, tell(change(rest, number, { isParted }), number, [suspect], told)];
  }

  function lose(world: GroupCommitWorld, stray: Stray): GroupCommitWorld {
    // Of two that are the same, each alone can do what both can.
    const isThere = world.strays.some((other) => JSON.stringify(other) === JSON.stringify(stray));
    return isThere ? world : { ...world, strays: [...world.strays, stray] };
  }

  /** All of it, at once. */
  function apply(world: GroupCommitWorld, { sender, writes, tag }: Stray): GroupCommitWorld {
    const applied = (world.senders[sender] as Sender).writes.filter((_, i) => writes.includes(i));
    const byRow = new Map(applied.map((write) => [write.row, write]));
    return {
      ...world,
      rows: world.rows.map((row, i) => {
        const write = byRow.get(i);
        if (!write) return row;
        const isThere = write.kind !== 'delete';
        return { ...row, isThere, tag: isThere ? `${write.id}${tag}` : '', last: write.id };
      }),
      senders: world.senders.map((each) => ({
        ...each,
        writes: each.writes.map((write) => ({
          ...write,
          isStale: write.isStale || (byRow.has(write.row) && write.kind !== 'insert'),
          effects: write.effects + (applied.includes(write) ? 1 : 0),
        })),
      })),
    };
  }

  /** Those whose condition does not hold; storage names any of them. */
  function refusing(world: GroupCommitWorld, number: number, writes: readonly number[]): number[] {
    return writes.filter((i) => !isPossible(world, world.senders[number] as Sender, i));
  }

  function isPossible(world: GroupCommitWorld, sender: Sender, i: number): boolean {
    const { row, kind, isStale } = sender.writes[i] as Write;
    const isThere = world.rows[row]?.isThere ?? false;
    return kind === 'insert' ? !isThere : isThere && (!isStale || broken === 'noCondition');
  }

  function isOwn(world: GroupCommitWorld, sender: Sender, i: number): boolean {
    const { id, row, kind } = sender.writes[i] as Write;
    const { isThere, tag } = world.rows[row] as Row;
    return kind === 'delete' ? !isThere : tag === `${id}${tagOf(sender.sendings)}`;
  }

  function tagOf(sendings: number): string {
    return broken === 'newTagOnResend' ? `.${sendings}` : '';
  }
}

/** Senders of whom nothing can come any more are all alike; `isConditional`: from a stale write nothing can. */
function forget(world: GroupCommitWorld, isConditional: boolean): GroupCommitWorld {
  const isStale = ({ sender, writes }: Stray) => writes.some((i) => world.senders[sender]?.writes[i]?.isStale);
  const strays = world.strays.filter((stray) => !isConditional || !isStale(stray));
  const isOver = world.senders.map(({ at }, i) => at === 'end' && strays.every(({ sender }) => sender !== i));
  const isPast = (id: string) => id !== '' && isOver[Number(id.split('.')[0])] === true;
  return {
    rows: world.rows.map((row) => (isPast(row.last) ? { ...row, tag: '', last: '' } : row)),
    senders: world.senders.map((sender, i) => (isOver[i] ? OVER : sender)),
    strays,
  };
}

function openOf({ writes }: Sender): number[] {
  return [...writes.keys()].filter((i) => writes[i]?.told === '');
}

function tell(
  world: GroupCommitWorld,
  number: number,
  which: readonly number[],
  told: Write['told'],
): GroupCommitWorld {
  const sender = world.senders[number] as Sender;
  const writes = sender.writes.map((write, i) => (which.includes(i) ? { ...write, told } : write));
  const isOver = writes.every((write) => write.told !== '');
  // Once every caller has its answer, the steps before it no longer matter: fewer states to explore.
  return change(world, number, isOver ? { writes, at: 'end', suspects: [], refusals: 0 } : { writes });
}

function change(world: GroupCommitWorld, number: number, changes: Partial<Sender>): GroupCommitWorld {
  return {
    ...world,
    senders: world.senders.map((sender, i) => (i === number ? { ...sender, ...changes } : sender)),
  };
}
