import { type AdvancedFilter, acceptsValue } from './advanced-filter.js';
import type { TopicEvent } from './topic-event.js';

/** Which events a subscription wants, in the property names of the Azure resource. */
export type Filter = {
  readonly subjectBeginsWith: string;
  readonly subjectEndsWith: string;
  readonly isSubjectCaseSensitive: boolean;
  /** null for all. */
  readonly includedEventTypes: readonly string[] | null;
  readonly enableAdvancedFilteringOnArrays: boolean;
  readonly advancedFilters: readonly AdvancedFilter[];
};

type Test = (event: TopicEvent) => boolean;

const compiled = new WeakMap<Filter, Test>();

/** Whether the filter accepts the event: every condition must hold, for at least one of its values. */
export function matches(filter: Filter, event: TopicEvent): boolean {
  let test = compiled.get(filter);
  if (!test) {
    test = compileFilter(filter);
    compiled.set(filter, test);
  }
  return test(event);
}

/** The same, made once for a subscription. */
export function compileFilter(filter: Filter): Test {
  const tests = [...typeTests(filter), ...subjectTests(filter), ...filter.advancedFilters.map(advancedTest)];
  return (event) => tests.every((test) => test(event));

  function advancedTest(advanced: AdvancedFilter): Test {
    const read = readField(advanced.key);
    const accepts = acceptsValue(advanced, { lookInArrays: filter.enableAdvancedFilteringOnArrays });
    return (event) => accepts(read(event));
  }
}

function typeTests({ includedEventTypes }: Filter): Test[] {
  if (!includedEventTypes) return [];
  const types = new Set(includedEventTypes);
  return [({ type }) => types.has(type)];
}

function subjectTests({ subjectBeginsWith, subjectEndsWith, isSubjectCaseSensitive }: Filter): Test[] {
  const fold = (text: string) => (isSubjectCaseSensitive ? text : text.toLowerCase());
  const begin = fold(subjectBeginsWith);
  const end = fold(subjectEndsWith);
  if (begin === '' && end === '') return [];
  return [
    ({ subject }) => {
      const folded = fold(subject);
      return folded.startsWith(begin) && folded.endsWith(end);
    },
  ];
}

/** Reads a field by a key of either schema, whatever schema the subscription has. A dot leads one object deeper. */
export function readField(key: string): (event: TopicEvent) => unknown {
  const [first = '', ...path] = key.split('.');
  const readFirst = FIELDS.get(first.toLowerCase());
  if (!readFirst) return () => undefined;
  return (event) => path.reduce<unknown>(property, readFirst(event));
}

const FIELDS: ReadonlyMap<string, (event: TopicEvent) => unknown> = new Map([
  ['id', ({ id }) => id],
  ['eventid', ({ id }) => id],
  ['topic', ({ source }) => source],
  ['source', ({ source }) => source],
  ['subject', ({ subject }) => subject],
  ['eventtype', ({ type }) => type],
  ['type', ({ type }) => type],
  ['dataversion', ({ dataVersion }) => dataVersion],
  ['eventtypeversion', ({ dataVersion }) => dataVersion],
  ['specversion', () => '1.0'],
  ['data', ({ data }) => data],
] as [string, (event: TopicEvent) => unknown][]);

/** By its exact name, or else by its name in another case. */
function property(of: unknown, name: string): unknown {
  if (typeof of !== 'object' || of === null || Array.isArray(of)) return undefined;
  if (Object.hasOwn(of, name)) return (of as Record<string, unknown>)[name];
  const folded = name.toLowerCase();
  return Object.entries(of).find(([key]) => key.toLowerCase() === folded)?.[1];
}
