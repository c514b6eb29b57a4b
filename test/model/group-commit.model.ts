import { bound, type Model, type Step } from './explore.js';

/**
 * Models the group commit with unknown outcomes: transactions of one or two writes to the same rows, in every order. A
 * request is answered or lost. A lost request takes effect at any later time, or never, and its sender goes on
 * meanwhile. So it stands for a failure before or after the effect, and for an answer that never comes.
 *
 * Each transaction has its own sender, because transactions of one process are as independent as those of two. The
 * code sends one transaction of a partition at a time, to save transactions; the model does not. The environment
 * variables WRITERS, ROWS and SENDINGS set the bounds.
 *
 * The answer `conflict` means that storage does not hold the write, and never will. A write whose answer was lost, and
 * that another sender has overwritten since, looks the same as a write that never took effect.
 */
export const groupCommitRules = {
  noCondition: 'C1: a write names the version of the row that it was made from',
  absenceIsFinal: 'C2: a row without the write proves nothing',
  newTagOnResend: 'C3: a write that is sent again has the same tag',
  noOwnCheck: 'C5: the tag shows whether a refusal answers an earlier request of the same sender',
  spokesmanIsDelete: 'C6: a delete stands only for itself',
  singly: 'C4: a transaction that is sent again holds the same writes',
  deleteInserted: 'C7: a row is not deleted while its insert may be on its way: the row would come back',
} as const;
export type GroupCommitRule = keyof typeof groupCommitRules;

const MAX_WRITES = 2;
const MAX_ALIVE = 2;

/** `tag`: that of the write that the row holds. `changedBy`: the last write that took effect, also a delete. */
type Row = { isThere: boolean; isInserted: boolean; tag: string; changedBy: string };
type Write = {
  id: string;
  row: number;
  kind: 'insert' | 'merge' | 'delete';
  /** The row has changed since the version that the write names. */
  isStale: boolean;
  effects: number;
  answer: '' | 'written' | 'conflict' | 'unknown';
};
type Sender = {
  at: 'send' | 'look' | 'check' | 'end';
  sendings: number;
  refusals: number;
  /** The writes whose rows are still to be read in `check`. */
  suspects: readonly number[];
  /** After a refusal, the writes of the transaction may have different answers. */
  isSplit: boolean;
  writes: readonly Write[];
};
/** A request whose sender has gone on: it may take effect at any time, or never. */
type Stray = { sender: number; writes: readonly number[]; tag: string };
export type GroupCommitWorld = {
  rows: readonly Row[];
  senders: readonly Sender[];
  strays: readonly Stray[];
};

const OVER: Sender = { at: 'end', sendings: 0, refusals: 0, suspects: [], isSplit: false, writes: [] };

export function groupCommitModel(broken?: GroupCommitRule): Model<GroupCommitWorld> {
  const maxSenders = bound('WRITERS', 2);
  const maxRows = bound('ROWS', 2);
  const maxSendings = bound('SENDINGS', 3);

  return {
    start: {
      // The first row is inserted, then changed. The others are there, and may be deleted.
      rows: Array.from({ length: maxRows }, (_, i) => ({
        isThere: i > 0,
        isInserted: i === 0,
        tag: '',
        changedBy: '',
      })),
      senders: [],
      strays: [],
    },

    *nextSteps(whole) {
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

    fault({ rows, senders }, before) {
      for (const [number, { writes, isSplit }] of senders.entries()) {
        for (const [i, { id, row, kind, effects, answer }] of writes.entries()) {
          const earlier = before.senders[number]?.writes[i];
          if (effects > 1) return 'a write takes effect twice';
          if (answer === 'written' && kind !== 'delete' && effects === 0)
            return 'the answer is written, without an effect';
          if (answer === 'written' && kind === 'delete' && rows[row]?.isThere)
            return 'the answer is deleted, and the row is there';
          if (answer === 'conflict' && rows[row]?.changedBy === id)
            return 'the answer is conflict, and storage holds the write';
          if (earlier?.answer === 'conflict' && effects > earlier.effects)
            return 'takes effect after the answer conflict';
        }
        if (!isSplit && new Set(writes.map(({ effects }) => effects)).size > 1)
          return 'half a transaction takes effect';
      }
      return undefined;
    },

    faultAtRest: ({ senders }) =>
      senders.some(({ writes }) => writes.some(({ answer }) => answer === ''))
        ? 'a write is never answered'
        : undefined,
  };

  /** A sender has read the rows, and wants to change one or two of them. */
  function* begin(world: GroupCommitWorld): Iterable<Step<GroupCommitWorld>> {
    for (const writes of transactions(world, 0)) {
      if (writes.length === 0) continue;
      const sender: Sender = { at: 'send', sendings: 0, refusals: 0, suspects: [], isSplit: false, writes };
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
          yield [{ id: `${world.senders.length}.${row}`, row, kind, isStale: false, effects: 0, answer: '' }, ...rest];
        }
      }
    }
  }

  function* send(world: GroupCommitWorld, number: number, sender: Sender): Iterable<Step<GroupCommitWorld>> {
    const open = openOf(sender);
    if (sender.sendings > 0) yield [`${number}: gives up`, answerWrites(world, number, open, 'unknown')];
    if (sender.sendings === maxSendings) return;

    const sendings = sender.sendings + 1;
    const groups = broken === 'singly' && sendings > 1 ? open.map((i) => [i]) : [open];
    for (const writes of groups) {
      const sent = change(world, number, { sendings });
      const stray: Stray = { sender: number, writes, tag: tagOf(sendings) };
      const lost = change(lose(sent, stray), number, { at: 'look' });
      yield [`${number}: sends writes ${writes}, without an answer`, lost];

      const refused = refusing(world, number, writes);
      if (refused.length === 0) {
        yield [`${number}: sends writes ${writes}, done`, answerWrites(apply(sent, stray), number, writes, 'written')];
      }
      const refusals = sender.refusals + 1;
      for (const named of refused) {
        const suspects = refusals > 1 ? writes : [named];
        const read = change(sent, number, { at: 'check', refusals, suspects });
        yield [`${number}: sends writes ${writes}, refused for ${named}`, read];
      }
    }
  }

  /** C6: one row that holds its write stands for the whole transaction. */
  function* look(world: GroupCommitWorld, number: number, sender: Sender): Iterable<Step<GroupCommitWorld>> {
    const open = openOf(sender);
    const isDelete = (i: number) => sender.writes[i]?.kind === 'delete';
    const spokesman = broken === 'spokesmanIsDelete' ? open.find(isDelete) : open.find((i) => !isDelete(i));
    if (spokesman !== undefined && isOwn(world, sender, spokesman)) {
      yield [`${number}: finds write ${spokesman}`, answerWrites(world, number, open, 'written')];
    } else if (spokesman !== undefined && broken === 'absenceIsFinal') {
      yield [`${number}: does not find write ${spokesman} (broken)`, answerWrites(world, number, open, 'conflict')];
    }
    yield [`${number}: learns nothing`, change(world, number, { at: 'send' })];
  }

  /** Reads each row that may have caused the refusal: it holds the write, can never take it, or is sent the write again. */
  function* check(world: GroupCommitWorld, number: number, sender: Sender): Iterable<Step<GroupCommitWorld>> {
    const [suspect, ...suspects] = sender.suspects;
    if (suspect === undefined) {
      return yield [`${number}: has read`, change(world, number, { at: 'send' })];
    }
    const rest = change(world, number, { suspects });
    yield [`${number}: cannot read write ${suspect}`, rest];
    const answer = broken !== 'noOwnCheck' && isOwn(world, sender, suspect) ? 'written' : 'conflict';
    if (answer === 'conflict' && isPossible(world, sender, suspect)) return;
    const isSplit = true;
    const text = `${number}: reads write ${suspect}, ${answer}`;
    yield [text, answerWrites(change(rest, number, { isSplit }), number, [suspect], answer)];
  }

  function lose(world: GroupCommitWorld, stray: Stray): GroupCommitWorld {
    // Two equal requests can do no more than one.
    const isThere = world.strays.some((other) => JSON.stringify(other) === JSON.stringify(stray));
    return isThere ? world : { ...world, strays: [...world.strays, stray] };
  }

  /** Applies all writes of a request at once. */
  function apply(world: GroupCommitWorld, { sender, writes, tag }: Stray): GroupCommitWorld {
    const applied = (world.senders[sender] as Sender).writes.filter((_, i) => writes.includes(i));
    const byRow = new Map(applied.map((write) => [write.row, write]));
    return {
      ...world,
      rows: world.rows.map((row, i) => {
        const write = byRow.get(i);
        if (!write) return row;
        const isThere = write.kind !== 'delete';
        return { ...row, isThere, tag: isThere ? `${write.id}${tag}` : '', changedBy: write.id };
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

  /** Returns the writes whose condition does not hold. Storage names any one of them. */
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

/**
 * Makes all senders equal that can have no further effect: fewer states to explore. `isConditional`: a stale write has
 * no effect.
 */
function forget(world: GroupCommitWorld, isConditional: boolean): GroupCommitWorld {
  const isStale = ({ sender, writes }: Stray) => writes.some((i) => world.senders[sender]?.writes[i]?.isStale);
  const strays = world.strays.filter((stray) => !isConditional || !isStale(stray));
  const isOver = world.senders.map(({ at }, i) => at === 'end' && strays.every(({ sender }) => sender !== i));
  const isPast = (id: string) => id !== '' && isOver[Number(id.split('.')[0])] === true;
  return {
    rows: world.rows.map((row) => (isPast(row.changedBy) ? { ...row, tag: '', changedBy: '' } : row)),
    senders: world.senders.map((sender, i) => (isOver[i] ? OVER : sender)),
    strays,
  };
}

function openOf({ writes }: Sender): number[] {
  return [...writes.keys()].filter((i) => writes[i]?.answer === '');
}

function answerWrites(
  world: GroupCommitWorld,
  number: number,
  which: readonly number[],
  answer: Write['answer'],
): GroupCommitWorld {
  const sender = world.senders[number] as Sender;
  const writes = sender.writes.map((write, i) => (which.includes(i) ? { ...write, answer } : write));
  const isOver = writes.every((write) => write.answer !== '');
  // How the answers came about no longer matters: fewer states to explore.
  return change(world, number, isOver ? { writes, at: 'end', suspects: [], refusals: 0 } : { writes });
}

function change(world: GroupCommitWorld, number: number, changes: Partial<Sender>): GroupCommitWorld {
  return {
    ...world,
    senders: world.senders.map((sender, i) => (i === number ? { ...sender, ...changes } : sender)),
  };
}
