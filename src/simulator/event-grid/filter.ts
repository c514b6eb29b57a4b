import * as z from 'zod';
import { isFields } from '../../workflow.js';
import { type AdvancedFilter, acceptsValue, advancedFilterSchema } from './advanced-filter.js';
import type { TopicEvent } from './topic-event.js';
import { anyText, expected, flag, properties, texts } from './values.js';

const MAX_FILTERS = 25;
const MAX_VALUES = 25;

/** Returns the schema of a filter. Types that `known` lacks are a problem. */
export function filterSchema(known: readonly string[] | undefined) {
  const eventType = z.string().refine((type) => known?.includes(type) !== false, expected(known?.join(' or ') ?? ''));
  return properties({
    subjectBeginsWith: anyText,
    subjectEndsWith: anyText,
    isSubjectCaseSensitive: flag,
    /** The accepted types; null for all. */
    includedEventTypes: texts
      .default([])
      .transform((types) => (types.length === 0 || types.some((one) => one.toLowerCase() === 'all') ? null : types))
      .pipe(z.array(eventType).nullable()),
    enableAdvancedFilteringOnArrays: flag,
    advancedFilters: z
      .array(advancedFilterSchema, expected('a list'))
      .max(MAX_FILTERS, expected(`at most ${MAX_FILTERS}`))
      .refine(haveFewValues, expected(`at most ${MAX_VALUES} values in all filters together`))
      .default([]),
  });
}

/** The events that a subscription wants, in the property names of the Azure resource. */
export type Filter = z.output<ReturnType<typeof filterSchema>>;

function haveFewValues(filters: readonly AdvancedFilter[]): boolean {
  return filters.flatMap((each) => each.values ?? ('value' in each ? [each.value] : [])).length <= MAX_VALUES;
}

type Test = (event: TopicEvent) => boolean;
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
    const accepts = acceptsValue(advanced, filter.enableAdvancedFilteringOnArrays);
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
function property(object: unknown, name: string): unknown {
  if (!isFields(object)) return undefined;
  if (Object.hasOwn(object, name)) return object[name];
  const folded = name.toLowerCase();
  return Object.entries(object).find(([key]) => key.toLowerCase() === folded)?.[1];
}
