import { type AdvancedFilter, acceptsValue, readAdvancedFilter } from './advanced-filter.js';
import type { Reader } from './reader.js';
import type { TopicEvent } from './topic-event.js';

const MAX_FILTERS = 25;
const MAX_VALUES = 25;

/** The events that a subscription wants, in the property names of the Azure resource. */
export type Filter = {
  readonly subjectBeginsWith: string;
  readonly subjectEndsWith: string;
  readonly isSubjectCaseSensitive: boolean;
  /** The accepted types; null for all. */
  readonly includedEventTypes: readonly string[] | null;
  readonly enableAdvancedFilteringOnArrays: boolean;
  readonly advancedFilters: readonly AdvancedFilter[];
};

type Test = (event: TopicEvent) => boolean;

/** Reads a filter. Wrong values, and types that `eventTypes` lacks, become problems of `filter`. */
export function readFilter(filter: Reader, eventTypes: readonly string[] | undefined): Filter {
  const advancedFilters = filter.objects('advancedFilters', MAX_FILTERS).map(readAdvancedFilter);
  const values = advancedFilters.flatMap((each) => each.values ?? ('value' in each ? [each.value] : [])).length;
  if (values > MAX_VALUES) {
    filter.wrong('advancedFilters', `expected at most ${MAX_VALUES} values in all filters together, found ${values}`);
  }
  return {
    subjectBeginsWith: filter.text('subjectBeginsWith', { or: '' }),
    subjectEndsWith: filter.text('subjectEndsWith', { or: '' }),
    isSubjectCaseSensitive: filter.boolean('isSubjectCaseSensitive', false),
    includedEventTypes: readEventTypes(filter, eventTypes),
    enableAdvancedFilteringOnArrays: filter.boolean('enableAdvancedFilteringOnArrays', false),
    advancedFilters,
  };
}

/** Returns the types; null for absent, empty and 'All', which mean every type. */
function readEventTypes(filter: Reader, known: readonly string[] | undefined): readonly string[] | null {
  const types = filter.texts('includedEventTypes') ?? [];
  if (types.length === 0 || types.some((type) => type.toLowerCase() === 'all')) return null;
  for (const [n, type] of types.entries()) {
    if (known?.includes(type) === false) {
      filter.wrong(`includedEventTypes[${n}]`, `expected ${known.join(' or ')}, found ${JSON.stringify(type)}`);
    }
  }
  return types;
}

const compiled = new WeakMap<Filter, Test>();

/** Returns whether the filter accepts the event: every condition must hold, for at least one of its values. */
export function matches(filter: Filter, event: TopicEvent): boolean {
  let test = compiled.get(filter);
  if (!test) {
    test = compileFilter(filter);
    compiled.set(filter, test);
  }
  return test(event);
}

function compileFilter(filter: Filter): Test {
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
  const folded = first.toLowerCase();
  const field = FIELDS.get(folded);
  if (!field) return () => (folded === 'specversion' && path.length === 0 ? '1.0' : undefined);
  return (event) => path.reduce<unknown>(property, event[field]);
}

/** The fields of an event by their names in either schema, in lower case. */
const FIELDS: ReadonlyMap<string, keyof TopicEvent> = new Map([
  ['id', 'id'],
  ['eventid', 'id'],
  ['topic', 'source'],
  ['source', 'source'],
  ['subject', 'subject'],
  ['eventtype', 'type'],
  ['type', 'type'],
  ['dataversion', 'dataVersion'],
  ['eventtypeversion', 'dataVersion'],
  ['data', 'data'],
]);

/** Returns the property of this exact name, or else of this name in another case. */
function property(of: unknown, name: string): unknown {
  if (typeof of !== 'object' || of === null || Array.isArray(of)) return undefined;
  if (Object.hasOwn(of, name)) return (of as Record<string, unknown>)[name];
  const folded = name.toLowerCase();
  return Object.entries(of).find(([key]) => key.toLowerCase() === folded)?.[1];
}
