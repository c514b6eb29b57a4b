/**
 * Returns the word most similar to `typed`, ignoring case; undefined if more than `maxEdits` letters differ in each.
 */
export function nearest(
  typed: string,
  words: Iterable<string>,
  maxEdits = typed.length < 4 ? 1 : Math.max(2, Math.floor(typed.length / 3)),
): string | undefined {
  let found: string | undefined;
  let least = 1 + maxEdits;
  for (const word of words) {
    const distance = distanceOf(typed.toLowerCase(), word.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    found = word;
  }
  return found;
}

/** Returns the question for the end of a message about an unknown name; '' without a similar name. */
export function didYouMean(similar: string | undefined): string {
  return similar === undefined ? '' : ` Did you mean ${similar}?`;
}

/** Returns the number of characters to insert, remove, replace or swap (Damerau and Levenshtein). */
function distanceOf(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 1; at <= one.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= other.length; to += 1) {
      const change = (row[to - 1] ?? 0) + (one[at - 1] === other[to - 1] ? 0 : 1);
      const isSwap = at > 1 && to > 1 && one[at - 1] === other[to - 2] && one[at - 2] === other[to - 1];
      const swap = isSwap ? (before[to - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(change, swap, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[other.length] ?? 0;
}
