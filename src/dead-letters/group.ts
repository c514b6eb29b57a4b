import type { Part } from './list.js';
import type { FilterField, ListedDeadLetter } from './listed.js';

/** Dead letters with the same values of the fields `by`. */
export type Group = {
  readonly by: Readonly<Partial<Record<FilterField, string>>>;
  readonly letters: number;
  readonly events: number;
  readonly oldestAt: string;
  readonly newestAt: string;
  /** The id of the oldest of these dead letters, and that of the newest. */
  readonly example: string;
  readonly newest: string;
  /** The number of those that follow a redrive without success. */
  readonly redriven: number;
  /** The part of the list from their first to their last one, if `add` got the part of each. */
  readonly part?: Part;
};

/** Groups up to `max` dead letters by fields, the largest group first. */
export async function groupDeadLetters(
  deadLetters: AsyncIterable<ListedDeadLetter>,
  by: readonly FilterField[],
  max: number,
): Promise<{ groups: Group[]; letters: number; isMore: boolean }> {
  const groups = createGroups(by);
  let seen = 0;
  for await (const deadLetter of deadLetters) {
    if (seen === max) return { ...groups.counted(), isMore: true };
    seen += 1;
    groups.add(deadLetter);
  }
  return { ...groups.counted(), isMore: false };
}

/** Returns an empty set of groups, to which dead letters are added one by one. */
export function createGroups(by: readonly FilterField[]) {
  const groups = new Map<string, Group>();
  let letters = 0;
  return {
    /** `part`: the part of the list that has nothing but this dead letter. Later calls have later parts. */
    add(deadLetter: ListedDeadLetter, part?: Part): void {
      letters += 1;
      const values = by.map((field) => deadLetter[field]);
      const key = JSON.stringify(values);
      groups.set(key, withDeadLetter(deadLetter, groups.get(key) ?? emptyGroup(by, values), part));
    },
    /** The largest group first. */
    counted: () => ({ groups: [...groups.values()].sort((one, other) => other.letters - one.letters), letters }),
  };
}

function emptyGroup(by: readonly FilterField[], values: readonly string[]): Group {
  const named = Object.fromEntries(by.map((field, at) => [field, values[at] ?? '']));
  return { by: named, letters: 0, events: 0, oldestAt: '', newestAt: '', example: '', newest: '', redriven: 0 };
}

function withDeadLetter({ id, at, events, redrives }: ListedDeadLetter, group: Group, part: Part | undefined): Group {
  const isOldest = group.letters === 0 || at < group.oldestAt;
  const isNewest = at > group.newestAt;
  return {
    by: group.by,
    letters: group.letters + 1,
    events: group.events + events,
    oldestAt: isOldest ? at : group.oldestAt,
    newestAt: isNewest ? at : group.newestAt,
    example: isOldest ? id : group.example,
    newest: isNewest ? id : group.newest,
    redriven: group.redriven + (redrives > 0 ? 1 : 0),
    ...(part && { part: { after: (group.part ?? part).after, until: part.until } }),
  };
}
