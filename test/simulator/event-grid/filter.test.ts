import fc from 'fast-check';
import type { AdvancedFilter } from '../../../src/simulator/event-grid/advanced-filter.js';
import { type Filter, matches } from '../../../src/simulator/event-grid/filter.js';
import { topicEvent } from './test-grid.js';

const ALL: Filter = {
  subjectBeginsWith: '',
  subjectEndsWith: '',
  isSubjectCaseSensitive: false,
  includedEventTypes: null,
  enableAdvancedFilteringOnArrays: false,
  advancedFilters: [],
};

/** Filters as `operator value,value`; a range is `low-high`. */
const OPERATORS = Object.fromEntries(
  [
    ...['BoolEquals true', 'BoolEquals false', 'NumberGreaterThan 4', 'NumberGreaterThan 5'],
    ...['NumberGreaterThanOrEquals 5', 'NumberLessThan 6', 'NumberLessThan 5', 'NumberLessThanOrEquals 5'],
    ...['NumberIn 41,5', 'NumberNotIn 41,5', 'NumberNotIn 41,0', 'NumberInRange 1-2,5-9', 'NumberInRange 1-2,3-5'],
    ...['NumberNotInRange 1-2,5-9', 'NumberNotInRange 6-9', 'StringContains x,URE D', 'StringNotContains x,URE D'],
    ...['StringNotContains x', 'StringBeginsWith x,AZ', 'StringNotBeginsWith x,AZ', 'StringNotBeginsWith factory'],
    ...['StringEndsWith x,ORY', 'StringNotEndsWith x,ORY', 'StringNotEndsWith azure'],
    ...['StringIn x,AZURE DATA FACTORY', 'StringIn azure', 'StringNotIn x,AZURE DATA FACTORY', 'StringNotIn azure'],
    ...['IsNullOrUndefined', 'IsNotNull'],
  ].map((name) => [name, operatorOf(name)]),
);

function operatorOf(name: string): Omit<AdvancedFilter, 'key'> {
  const [, type = '', text = ''] = /^(\w+) ?(.*)$/.exec(name) ?? [];
  const operatorType = type as AdvancedFilter['operatorType'];
  if (type.startsWith('Is')) return { operatorType };
  if (type === 'BoolEquals') return { operatorType, value: text === 'true' };
  const values = text.split(',');
  if (type.startsWith('String')) return { operatorType, values };
  if (type.endsWith('Range')) return { operatorType, values: values.map((range) => range.split('-').map(Number)) };
  return type.endsWith('In') ? { operatorType, values: values.map(Number) } : { operatorType, value: Number(text) };
}

// The notes of the documentation: what matches an event that lacks the key, and that other types are ignored.
const NOT_FORMS = Object.keys(OPERATORS).filter((name) => name.includes('Not') && !name.startsWith('Is'));
const NUMBER_NOT_FORMS = NOT_FORMS.filter((name) => name.startsWith('Number'));
const TEXT_NOT_FORMS = NOT_FORMS.filter((name) => name.startsWith('String'));
const WHERE_ABSENT = [...NOT_FORMS.filter((name) => /NotIn/.test(name)), 'IsNullOrUndefined'];
const OF_FIVE = [
  'NumberGreaterThan 4',
  'NumberGreaterThanOrEquals 5',
  'NumberLessThan 6',
  'NumberLessThanOrEquals 5',
  'NumberIn 41,5',
  'NumberNotIn 41,0',
  'NumberInRange 1-2,5-9',
  'NumberInRange 1-2,3-5',
  'NumberNotInRange 6-9',
];
const OF_TEXT = [
  'StringContains x,URE D',
  'StringNotContains x',
  'StringBeginsWith x,AZ',
  'StringNotBeginsWith factory',
  'StringEndsWith x,ORY',
  'StringNotEndsWith azure',
  'StringIn x,AZURE DATA FACTORY',
  'StringNotIn azure',
];

/** The operators that accept each value of data.key. All others reject it. */
const ACCEPTED: readonly { what: string; data: Record<string, unknown>; lookInArrays?: true; by: readonly string[] }[] =
  [
    { what: 'no such key', data: {}, by: WHERE_ABSENT },
    { what: 'null', data: { key: null }, by: WHERE_ABSENT },
    { what: 'true', data: { key: true }, by: ['BoolEquals true', ...NOT_FORMS, 'IsNotNull'] },
    { what: 'false', data: { key: false }, by: ['BoolEquals false', ...NOT_FORMS, 'IsNotNull'] },
    { what: 'a number', data: { key: 5 }, by: [...OF_FIVE, ...TEXT_NOT_FORMS, 'IsNotNull'] },
    { what: 'a text', data: { key: 'Azure Data Factory' }, by: [...OF_TEXT, ...NUMBER_NOT_FORMS, 'IsNotNull'] },
    { what: 'a number as a text', data: { key: '5' }, by: [...NOT_FORMS, 'IsNotNull'] },
    { what: 'an object', data: { key: { a: 1 } }, by: [...NOT_FORMS, 'IsNotNull'] },
    { what: 'an array, not looked into', data: { key: [5, 'Azure Data Factory', true] }, by: ['IsNotNull'] },
    {
      what: 'an array of all types',
      data: { key: [5, 'Azure Data Factory', true, null] },
      lookInArrays: true,
      by: ['BoolEquals true', ...OF_FIVE, ...OF_TEXT, 'IsNotNull'],
    },
    {
      what: 'an array, of which one fits',
      data: { key: [100, 5] },
      lookInArrays: true,
      by: [...OF_FIVE, 'NumberGreaterThan 5', ...TEXT_NOT_FORMS, 'IsNotNull'],
    },
    { what: 'an empty array', data: { key: [] }, lookInArrays: true, by: [...NOT_FORMS, 'IsNotNull'] },
    { what: 'an array of objects', data: { key: [{ a: 5 }] }, lookInArrays: true, by: [...NOT_FORMS, 'IsNotNull'] },
    {
      what: 'a number, arrays looked into',
      data: { key: 5 },
      lookInArrays: true,
      by: [...OF_FIVE, ...TEXT_NOT_FORMS, 'IsNotNull'],
    },
  ];

describe('when an advanced filter tests an event', () => {
  const table = ACCEPTED.flatMap(({ by, ...of }) =>
    Object.entries(OPERATORS).map(([name, operator]) => ({ ...of, name, operator, accepts: by.includes(name) })),
  );

  it.each(table)('given $what, then $name says $accepts', ({ data, operator, accepts, lookInArrays = false }) => {
    const filter = {
      ...ALL,
      enableAdvancedFilteringOnArrays: lookInArrays,
      advancedFilters: [{ key: 'data.key', ...operator }],
    };

    expect(matches(filter, topicEvent('a', { data }))).toBe(accepts);
  });
});

describe('when a key is looked up', () => {
  const event = topicEvent('the-id', {
    type: 'the-type',
    subject: 'the-subject',
    source: 'the-source',
    dataVersion: 'the-version',
    data: { a: { b: { c: 'deep' } }, Mixed: 'case', 'with.dot': 'flat', mixed: 'exact', list: ['x'] },
  });

  it.each([
    ['id', 'the-id'],
    ['ID', 'the-id'],
    ['eventid', 'the-id'],
    ['Topic', 'the-source'],
    ['source', 'the-source'],
    ['Subject', 'the-subject'],
    ['EventType', 'the-type'],
    ['type', 'the-type'],
    ['DataVersion', 'the-version'],
    ['eventtypeversion', 'the-version'],
    ['specversion', '1.0'],
    ['data.a.b.c', 'deep'],
    ['Data.A.b.C', 'deep'],
    ['data.Mixed', 'case'],
    ['data.mixed', 'exact'],
  ])('given %s, then it is found', (key, value) => {
    expect(matches({ ...ALL, advancedFilters: [{ key, operatorType: 'StringIn', values: [value] }] }, event)).toBe(
      true,
    );
  });

  it.each([
    '',
    'nowhere',
    'data.with.dot',
    'data.with\\.dot',
    "data['with.dot']",
    'data.a.b.c.d',
    'data.list.0',
    'data.list.length',
    'data.toString',
    'data.__proto__',
    'eventTime',
  ])('given %j, then the event has no such key', (key) => {
    expect(matches({ ...ALL, advancedFilters: [{ key, operatorType: 'IsNullOrUndefined' }] }, event)).toBe(true);
  });
});

describe('when a filter names types and subjects', () => {
  const event = topicEvent('a', { subject: 'Host/Patient/P1', type: 'T.Created' });

  it.each([
    [{ includedEventTypes: ['T.Created'] }, true],
    [{ includedEventTypes: ['T.Deleted', 'T.Created'] }, true],
    [{ includedEventTypes: ['T.Deleted'] }, false],
    [{ subjectBeginsWith: 'host/patient' }, true],
    [{ subjectBeginsWith: 'host/patient', isSubjectCaseSensitive: true }, false],
    [{ subjectBeginsWith: 'Host/Patient', isSubjectCaseSensitive: true }, true],
    [{ subjectBeginsWith: 'Patient' }, false],
    [{ subjectEndsWith: 'p1' }, true],
    [{ subjectEndsWith: 'p1', isSubjectCaseSensitive: true }, false],
    [{ subjectEndsWith: 'P2' }, false],
    [{ subjectBeginsWith: 'Host', subjectEndsWith: 'P1' }, true],
    [{ subjectBeginsWith: 'Host', subjectEndsWith: 'P2' }, false],
  ])('given %j, then %s', (fields, expected) => {
    expect(matches({ ...ALL, ...fields }, event)).toBe(expected);
  });
});

describe('for all filters', () => {
  const word = fc.constantFrom('a', 'B', 'ab', 'Abc', 'cab', '');
  const value = fc.oneof(
    word,
    fc.integer({ min: -3, max: 3 }),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.array(word, { maxLength: 3 }),
  );
  const words = fc.array(word, { minLength: 1, maxLength: 3 });
  const numbers = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 3 });
  const filter: fc.Arbitrary<AdvancedFilter> = fc.oneof(
    fc.record({
      key: fc.constant('data.key'),
      operatorType: fc.constantFrom(
        'StringIn' as const,
        'StringNotIn' as const,
        'StringContains' as const,
        'StringNotEndsWith' as const,
      ),
      values: words,
    }),
    fc.record({
      key: fc.constant('data.key'),
      operatorType: fc.constantFrom('NumberIn' as const, 'NumberNotIn' as const),
      values: numbers,
    }),
    fc.record({
      key: fc.constant('data.key'),
      operatorType: fc.constantFrom('IsNotNull' as const, 'IsNullOrUndefined' as const),
    }),
  );
  const accepts = (advancedFilters: AdvancedFilter[], key: unknown, enableAdvancedFilteringOnArrays = true) =>
    matches({ ...ALL, enableAdvancedFilteringOnArrays, advancedFilters }, topicEvent('a', { data: { key } }));

  it('given several filters, then an event must pass each', () => {
    fc.assert(
      fc.property(fc.array(filter, { maxLength: 4 }), value, fc.boolean(), (filters, data, arrays) => {
        expect(accepts(filters, data, arrays)).toBe(filters.every((one) => accepts([one], data, arrays)));
      }),
    );
  });

  it.each(['StringIn', 'StringContains', 'StringBeginsWith', 'StringEndsWith'] as const)(
    'given several values of %s, then one that matches is enough',
    (operatorType) => {
      fc.assert(
        fc.property(words, value, (values, data) => {
          const any = values.some((one) => accepts([{ key: 'data.key', operatorType, values: [one] }], data));
          expect(accepts([{ key: 'data.key', operatorType, values }], data)).toBe(any);
        }),
      );
    },
  );

  it.each([
    ['StringIn', 'StringNotIn'],
    ['StringContains', 'StringNotContains'],
    ['StringBeginsWith', 'StringNotBeginsWith'],
    ['StringEndsWith', 'StringNotEndsWith'],
  ] as const)(
    'given %s and %s of an existing key, then exactly one of the two accepts the event',
    (operatorType, notForm) => {
      fc.assert(
        fc.property(words, value, (values, data) => {
          fc.pre(data !== null && data !== undefined);
          expect(accepts([{ key: 'data.key', operatorType, values }], data)).not.toBe(
            accepts([{ key: 'data.key', operatorType: notForm, values }], data),
          );
        }),
      );
    },
  );
});
