import { readBatchResponse } from '../../src/clients/batch-response.js';
import { seededRandom } from '../../src/simulator/seeded.js';

const places = [
  { type: 'Patient', id: 'p1' },
  { type: 'Patient', id: 'p2', version: '2' },
];
const ENTRIES = [
  '{"resource":{"resourceType":"Patient","id":"p1"},"response":{"status":"200"}}',
  '{"resource":{"resourceType":"Patient","id":"p2","meta":{"versionId":"2"}},"response":{"status":"200 OK"}}',
];
const bundle = (entries: readonly string[], more = '') =>
  `{"resourceType":"Bundle","type":"batch-response"${more},"entry":[${entries.join(',')}]}`;
const read = (text: string, asked = places) => readBatchResponse(Buffer.from(text), asked);

describe('when a batch-response has all entries', () => {
  it('given found, gone and refused resources, then each has its status, and its text as it was written', () => {
    const text =
      ' { "resourceType" : "Patient", "id":"p1" , "weight":1.10e0, "name":"a\\"}]\\\\", "n":[ [ ], {"x":null}] } ';
    const entries = [
      `{"fullUrl":"x","resource":${text},"response":{"status":"200"}}`,
      '{"response":{"status":"404","outcome":{"resourceType":"OperationOutcome"}}}',
      '{"response":{"status":"429 Too Many Requests"}}',
    ];

    const found = read(bundle(entries), [...places, { type: 'Patient', id: 'p3' }]);

    expect(found).toEqual([
      { status: 200, text: text.trim() },
      { status: 404, text: undefined },
      { status: 429, text: undefined },
    ]);
  });

  it('given white space, escaped names and values, a name twice, and letters of all lengths, then all entries are read', () => {
    const entry =
      '{"response":{"status":"500"},"response":{"status":"200"},\n\t"\\u0072esource" :{"resourceType":"Patient","id":"\\u0070\\u0031","n":"\u00e4\u20ac\ud83d\ude00"}}';
    const found = read(`\r\n ${bundle([entry], ', "total":-1.5e+3,"link":[]')} \n`, places.slice(0, 1));
    expect(found?.[0]?.text).toContain('"\u00e4\u20ac\ud83d\ude00"');
  });

  it('given a resource with 100,000 levels, then its entry is read', () => {
    const deep = `{"resourceType":"Patient","id":"p1","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(read(bundle([`{"resource":${deep},"response":{"status":"200"}}`]), places.slice(0, 1))).toEqual([
      { status: 200, text: deep },
    ]);
  });
});

describe('when an answer is not the batch-response asked for', () => {
  it.each([
    { given: 'nothing', text: '' },
    { given: 'HTML', text: '<html></html>' },
    { given: 'a list', text: '[]' },
    { given: 'another resource', text: '{"resourceType":"OperationOutcome"}' },
    { given: 'another type of bundle', text: bundle(ENTRIES).replace('batch-response', 'searchset') },
    { given: 'no entries', text: '{"resourceType":"Bundle","type":"batch-response"}' },
    { given: 'entries that are no list', text: '{"resourceType":"Bundle","type":"batch-response","entry":{}}' },
    { given: 'an entry less', text: bundle(ENTRIES.slice(1)) },
    { given: 'an entry more', text: bundle([...ENTRIES, '{"response":{"status":"405"}}']) },
    { given: 'null for an entry', text: bundle(['null', ENTRIES[1] as string]) },
    { given: 'another order', text: bundle(ENTRIES.toReversed()) },
    { given: 'another type in a place', text: bundle(ENTRIES).replace('"Patient"', '"Device"') },
    { given: 'another version in a place', text: bundle(ENTRIES).replace('"versionId":"2"', '"versionId":"1"') },
    { given: 'no status', text: bundle(ENTRIES).replace('"status":"200"', '"state":"200"') },
    { given: 'a status that is no number', text: bundle(ENTRIES).replace('"200"', '"OK 200"') },
    { given: 'a response that is no object', text: bundle(ENTRIES).replace('{"status":"200"}', 'null') },
    { given: 'found without a resource', text: bundle(['{"response":{"status":"200"}}', ENTRIES[1] as string]) },
    {
      given: 'a resource that is no object',
      text: bundle(['{"resource":[],"response":{"status":"200"}}', ENTRIES[1] as string]),
    },
    { given: 'text after its end', text: `${bundle(ENTRIES)}{}` },
    { given: 'a comma too many', text: bundle([...ENTRIES, '']) },
    { given: 'no comma between entries', text: bundle(ENTRIES).replace('}},{', '}}{') },
    { given: 'a word that JSON does not have', text: bundle(ENTRIES, ',"x":yes') },
    { given: 'a name without quotes', text: bundle(ENTRIES, ',x:1') },
  ])('given $given, then there are no entries', ({ text }) => {
    expect(read(text)).toBeUndefined();
  });

  it('given it breaks off after any byte, then there are no entries', () => {
    const whole = bundle(ENTRIES);
    expect(read(whole)).toHaveLength(2);
    for (let end = 0; end < whole.length; end += 1) expect(read(whole.slice(0, end))).toBeUndefined();
  });
});

it('given random resources with random white space, then each text is the JSON of its resource', () => {
  const random = seededRandom(17);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.number() * list.length)] as T;
  const value = (depth: number): unknown => {
    const kind = pick(depth > 4 ? ['text', 'number', 'word'] : ['text', 'number', 'word', 'list', 'object']);
    if (kind === 'text') return pick(['', '"', '\\', '{', '}]', ',:', '\u00e9\ud83d\ude00', '\n', 'a\\"b', '\u2028']);
    if (kind === 'number') return pick([0, -1.5, 1e21, 1e-7, 123456789012]);
    if (kind === 'word') return pick([true, false, null]);
    const items = Array.from({ length: Math.floor(random.number() * 4) }, () => value(depth + 1));
    return kind === 'list' ? items : Object.fromEntries(items.map((item, n) => [pick(['', '"', 'x', '{']) + n, item]));
  };
  for (let round = 0; round < 300; round += 1) {
    const asked = Array.from({ length: 1 + (round % 5) }, (_, n) => ({ type: 'Patient', id: `p${n}` }));
    const resources = asked.map(({ type, id }) => ({ a: value(0), resourceType: type, b: value(0), id, c: value(0) }));
    const space = pick([undefined, 1, '\t']);
    const entry = resources.map((resource) => ({ resource, response: { status: '200' } }));
    const found = read(JSON.stringify({ entry, type: 'batch-response', resourceType: 'Bundle' }, null, space), asked);
    expect(found?.map(({ text }) => JSON.parse(text ?? ''))).toEqual(resources);
  }
});
