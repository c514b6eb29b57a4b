import type { FilterField, ListedDeadLetter } from './listed.js';

/** Dead letters with the same values of the fields `by`. */
export type Group = {
  readonly by: Readonly<Partial<Record<FilterField, string>>>;
  readonly letters: number;
  readonly events: number;
  readonly oldestAt: string;
  readonly newestAt: string;
  /** The id of the oldest of them. */
  readonly example: string;
};

/** Groups up to `max` dead letters by fields, the largest group first. */
export async function groupDeadLetters(
  deadLetters: AsyncIterable<ListedDeadLetter>,
  by: readonly FilterField[],
  max: number,
): Promise<{ groups: Group[]; letters: number; isMore: boolean }> {
  const groups = new Map<string, Group>();
  let seen = 0;
  let isMore = false;
  for await (const deadLetter of deadLetters) {
    isMore = seen === max;
    if (isMore) break;
    seen += 1;
    const values = by.map((field) => deadLetter[field]);
    const key = JSON.stringify(values);
    groups.set(key, added(deadLetter, groups.get(key) ?? emptyGroup(by, values)));
  }
  const sorted = [...groups.values()].sort((one, other) => other.letters - one.letters);
  return { groups: sorted, letters: seen, isMore };
}

function emptyGroup(by: readonly FilterField[], values: readonly string[]): Group {
  const named = Object.fromEntries(by.map((field, at) => [field, values[at] ?? '']));
  return { by: named, letters: 0, events: 0, oldestAt: '', newestAt: '', example: '' };
}

function added({ id, at, events }: ListedDeadLetter, group: Group): Group {
  const isOldest = group.letters === 0 || at < group.oldestAt;
  return {
    by: group.by,
    letters: group.letters + 1,
    events: group.events + events,
    oldestAt: isOldest ? at : group.oldestAt,
    newestAt: at > group.newestAt ? at : group.newestAt,
    example: isOldest ? id : group.example,
  };
}
