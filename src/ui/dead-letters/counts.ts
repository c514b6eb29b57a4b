import type { DeadLetterGroups } from '../../api/dead-letters.js';
import { type Filter, NONE } from './filter.js';

/** The fields whose values together make a cause. */
export const CAUSE = ['reason', 'workflow', 'error', 'frame'] as const;

type Group = DeadLetterGroups['groups'][number];
type Count = { readonly value: DeadLetterGroups; readonly at: Date };

/** A count is kept this long, so that a chosen cause shows the same number as the list of causes. */
const KEEP_MS = 300_000;

/** The counts of all pending, and of all resolved dead letters. */
const counts = new Map<string, Count>();

/** Returns the filter that matches this cause alone. */
export function filterOfCause({ by }: Pick<Group, 'by'>): Filter {
  return Object.fromEntries(CAUSE.map((field) => [field, by[field] || NONE]));
}

/** Keeps a count in the memory of this tab, if it is one of all dead letters. */
export function keepCount({ resolved = '', ...fields }: Filter, value: DeadLetterGroups): void {
  if (Object.keys(fields).length === 0) counts.set(resolved, { value, at: new Date() });
}

/** Forgets all counts, because a change has made them wrong. */
export function forgetCounts(): void {
  counts.clear();
}

/** Returns the count of the dead letters that match, if the last count of all dead letters contains it. */
export function knownCount({ resolved = '', ...filter }: Filter): Count | undefined {
  const count = counts.get(resolved);
  const isOfCauses = Object.keys(filter).every((field) => (CAUSE as readonly string[]).includes(field));
  if (!count || !isOfCauses || Date.now() - count.at.getTime() > KEEP_MS) return undefined;
  const groups = count.value.groups.filter(({ by }) =>
    CAUSE.every((field) => !filter[field] || isOneOf(filter[field], by[field] ?? '')),
  );
  const letters = groups.reduce((sum, group) => sum + group.letters, 0);
  return { at: count.at, value: { groups, letters, isMore: false, next: null } };
}

/** Compares as the app does: a blob of Event Grid has several values. */
function isOneOf(wanted: string, values: string): boolean {
  if (wanted === NONE) return values === '';
  return values === wanted || values.split(' ').includes(wanted);
}

/** Adds the counts of the next request. */
export function addCounts(before: DeadLetterGroups, next: DeadLetterGroups): DeadLetterGroups {
  const groups = new Map(before.groups.map((group) => [keyOf(group), group]));
  for (const group of next.groups) {
    const same = groups.get(keyOf(group));
    groups.set(keyOf(group), same ? joined(same, group) : group);
  }
  return { ...next, groups: [...groups.values()], letters: before.letters + next.letters };
}

/** The part of the list with the counted dead letters: its first and last place, and the time of the newest one. */
export type Part = { readonly after?: string; readonly until?: string; readonly to?: string };

/** Returns the part of the list for one cause. Several causes are spread over the whole list. */
export function partOf(groups: readonly Group[]): Part {
  const [{ after, until } = NO_PART] = groups.length === 1 ? groups : [];
  const to = groups
    .map(({ newestAt }) => newestAt)
    .sort()
    .at(-1);
  return { ...(after !== null && { after }), ...(until !== null && { until }), ...(to !== undefined && { to }) };
}

const NO_PART = { after: null, until: null };

export function keyOf({ by }: Group): string {
  return JSON.stringify(CAUSE.map((field) => by[field]));
}

/** Adds two counts of a cause. `other` was counted after `one`, in the order of the list. */
function joined(one: Group, other: Group): Group {
  const { oldestAt, example } = one.oldestAt <= other.oldestAt ? one : other;
  const { newestAt, newest } = one.newestAt >= other.newestAt ? one : other;
  return {
    by: one.by,
    letters: one.letters + other.letters,
    events: one.events + other.events,
    redriven: one.redriven + other.redriven,
    ...{ oldestAt, example, newestAt, newest, after: one.after, until: other.until },
  };
}
