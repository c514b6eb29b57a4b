type Fields = Record<string, unknown>;

/**
 * Every kind of event that the app's parser rejects and that Event Grid could deliver. A text, a number or an array in
 * the place of an event is not among them: the Functions host refuses the whole POST before the app sees it.
 */
export const MALFORMED: readonly { readonly name: string; readonly spoil: (event: Fields) => Fields }[] = [
  ...(['id', 'topic', 'eventType', 'eventTime', 'data'] as const).flatMap((field) => [
    { name: `no ${field}`, spoil: (event: Fields) => without(event, field) },
    { name: `${field} null`, spoil: (event: Fields) => ({ ...event, [field]: null }) },
    { name: `${field} a number`, spoil: (event: Fields) => ({ ...event, [field]: 42 }) },
    { name: `${field} an array`, spoil: (event: Fields) => ({ ...event, [field]: ['x'] }) },
    { name: `${field} empty`, spoil: (event: Fields) => ({ ...event, [field]: '' }) },
  ]),
  { name: 'id too long', spoil: (event) => ({ ...event, id: 'i'.repeat(1025) }) },
  { name: 'topic too long', spoil: (event) => ({ ...event, topic: `/${'t'.repeat(2048)}` }) },
  { name: 'unknown type', spoil: (event) => ({ ...event, eventType: 'Microsoft.Storage.BlobCreated' }) },
  { name: 'impossible time', spoil: (event) => ({ ...event, eventTime: '2026-02-30T25:61:00Z' }) },
  { name: 'another version of CloudEvents', spoil: (event) => ({ ...event, specversion: '0.3' }) },
  { name: 'too large', spoil: (event) => ({ ...event, padding: 'p'.repeat(33 * 1024) }) },
  { name: 'a prototype', spoil: (event) => withOwn(event, '__proto__') },
  { name: 'a constructor', spoil: (event) => withOwn(event, 'constructor') },
  { name: 'a prototype in data', spoil: (event) => ({ ...event, data: withOwn(dataOf(event), '__proto__') }) },
  ...everyField().flatMap(({ field, wrong }) =>
    wrong.map(([what, value]) => ({
      name: `${field} ${what}`,
      spoil: (event: Fields) => ({
        ...event,
        data: value === undefined ? without(dataOf(event), field) : { ...dataOf(event), [field]: value },
      }),
    })),
  ),
];

type Wrong = readonly [what: string, value: unknown];

/** Of FHIR's data; a field that DICOM's lacks is a field more there, so these are for FHIR events only. */
function everyField(): { field: string; wrong: readonly Wrong[] }[] {
  const common: readonly Wrong[] = [
    ['absent', undefined],
    ['null', null],
    ['an object', {}],
    ['true', true],
  ];
  return [
    { field: 'resourceType', wrong: [...common, ['with a slash', 'Pati/ent'], ['too long', `P${'t'.repeat(128)}`]] },
    { field: 'resourceFhirId', wrong: [...common, ['empty', ''], ['too long', 'r'.repeat(1025)]] },
    { field: 'resourceFhirAccount', wrong: [...common, ['empty', ''], ['too long', 'h'.repeat(301)]] },
    {
      field: 'resourceVersionId',
      wrong: [
        ...common,
        ['negative', -1],
        ['a fraction', 1.5],
        ['no number', 'one'],
        ['too large', '9007199254740993'],
      ],
    },
  ];
}

function dataOf(event: Fields): Fields {
  return (event.data ?? {}) as Fields;
}

function without(fields: Fields, name: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));
}

/** An own property of that name, as JSON can have it. */
function withOwn(fields: Fields, name: string): Fields {
  return Object.defineProperty({ ...fields }, name, { value: { polluted: true }, enumerable: true });
}
