import type { Letter, Word } from './letter.js';

/** Letters of one cause. */
export type Group = {
  readonly by: Readonly<Partial<Record<Word, string>>>;
  readonly letters: number;
  readonly events: number;
  readonly oldestAt: string;
  readonly newestAt: string;
  /** The id of one of them: the oldest. */
  readonly example: string;
};

/** Counts letters by what they have in common, the largest group first; looks at `most` at most. */
export async function groupLetters(
  letters: AsyncIterable<Letter>,
  by: readonly Word[],
  most: number,
): Promise<{ groups: Group[]; letters: number; isMore: boolean }> {
  const groups = new Map<string, Group>();
  let seen = 0;
  let isMore = false;
  for await (const letter of letters) {
    isMore = seen === most;
    if (isMore) break;
    seen += 1;
    const values = by.map((word) => letter[word]);
    const key = JSON.stringify(values);
    groups.set(key, added(letter, groups.get(key) ?? emptyGroup(by, values)));
  }
  const sorted = [...groups.values()].sort((one, other) => other.letters - one.letters);
  return { groups: sorted, letters: seen, isMore };
}

function emptyGroup(by: readonly Word[], values: readonly string[]): Group {
  const named = Object.fromEntries(by.map((word, at) => [word, values[at] ?? '']));
  return { by: named, letters: 0, events: 0, oldestAt: '', newestAt: '', example: '' };
}

function added(letter: Letter, group: Group): Group {
  const isOldest = group.letters === 0 || letter.at < group.oldestAt;
  const isNewest = letter.at > group.newestAt;
  return {
    by: group.by,
    letters: group.letters + 1,
    events: group.events + letter.events,
    oldestAt: isOldest ? letter.at : group.oldestAt,
    newestAt: isNewest ? letter.at : group.newestAt,
    example: isOldest ? letter.id : group.example,
  };
}
