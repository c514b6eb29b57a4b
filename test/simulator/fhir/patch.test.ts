import { createFhirWorld, PATCH, patient } from './fhir-world.js';

const before = patient('p1', {
  gender: 'male',
  text: { status: 'generated', div: '<div>x</div>' },
  name: [{ given: ['A'] }],
});

function worldWithPatient() {
  const world = createFhirWorld();
  world.ask('PUT', 'Patient/p1', before);
  world.events();
  return world;
}

describe('when a resource is patched', () => {
  it('given operations that apply, then they are a new version', () => {
    const { ask, events } = worldWithPatient();

    const answer = ask(
      'PATCH',
      'Patient/p1',
      [
        { op: 'test', path: '/gender', value: 'male' },
        { op: 'replace', path: '/gender', value: 'female' },
        { op: 'add', path: '/address', value: [] },
        { op: 'add', path: '/address/0', value: { city: 'Town' } },
        { op: 'add', path: '/name/0/given/-', value: 'B' },
        { op: 'copy', from: '/name/0/given/0', path: '/name/0/family' },
        { op: 'remove', path: '/name/0/given/0' },
      ],
      PATCH,
    );

    expect(answer).toMatchObject({
      status: 200,
      headers: { ETag: 'W/"2"' },
      json: {
        gender: 'female',
        address: [{ city: 'Town' }],
        name: [{ given: ['B'], family: 'A' }],
        meta: { versionId: '2' },
      },
    });
    expect(events()).toEqual(['Patient/p1 updated 2']);
  });

  it('given nothing changes, then there is no new version', () => {
    const { ask, events } = worldWithPatient();

    expect(ask('PATCH', 'Patient/p1', [{ op: 'replace', path: '/gender', value: 'male' }], PATCH)).toMatchObject({
      status: 200,
      json: { meta: { versionId: '1' } },
    });
    expect(events()).toEqual([]);
  });

  it.each([
    { given: 'a test that fails', patch: [{ op: 'test', path: '/gender', value: 'female' }] },
    { given: 'a test without a value', patch: [{ op: 'test', path: '/birthDate' }] },
    { given: 'a path to nothing', patch: [{ op: 'replace', path: '/birthDate', value: '2000-01-01' }] },
    { given: 'a place beyond the end', patch: [{ op: 'add', path: '/name/7', value: { family: 'X' } }] },
    { given: 'nothing to remove', patch: [{ op: 'remove', path: '/address' }] },
    { given: 'an operation that is none', patch: [{ op: 'jump', path: '/gender', value: 'x' }] },
    { given: 'no path', patch: [{ op: 'replace', value: 'x' }] },
    { given: 'the whole resource', patch: [{ op: 'replace', path: '', value: patient('p1') }] },
    { given: 'an add without a value', patch: [{ op: 'add', path: '/birthDate' }] },
    { given: 'an id', patch: [{ op: 'replace', path: '/id', value: 'p2' }] },
    { given: 'a type', patch: [{ op: 'replace', path: '/resourceType', value: 'Observation' }] },
    { given: 'a version', patch: [{ op: 'replace', path: '/meta/versionId', value: '9' }] },
    { given: 'a time', patch: [{ op: 'replace', path: '/meta/lastUpdated', value: '2020-01-01T00:00:00Z' }] },
    { given: 'no meta', patch: [{ op: 'remove', path: '/meta' }] },
    { given: 'a narrative', patch: [{ op: 'replace', path: '/text/div', value: '<div>y</div>' }] },
    { given: 'an invalid result', patch: [{ op: 'add', path: '/birthDate', value: ['2000', '2001'] }] },
    { given: 'a prototype', patch: [{ op: 'add', path: '/__proto__/polluted', value: true }] },
    { given: 'a constructor', patch: [{ op: 'add', path: '/constructor/prototype/polluted', value: true }] },
    { given: 'a good operation before a bad one', patch: Array(2).fill({ op: 'remove', path: '/gender' }) },
    { given: 'something else', patch: { op: 'remove', path: '/gender' } },
    { given: 'numbers', patch: [1, null] },
    { given: 'no JSON', patch: '[{' },
    { given: 'nothing', patch: '' },
  ])('given $given, then 400, and nothing changes', ({ patch }) => {
    const { ask, events } = worldWithPatient();
    const stored = ask('GET', 'Patient/p1').text;

    const answer = ask('PATCH', 'Patient/p1', patch, PATCH);

    expect(answer.status).toBe(400);
    expect(answer.problem).not.toBe('');
    expect(ask('GET', 'Patient/p1').text).toBe(stored);
    expect(events()).toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('given an operation that does not apply, then the answer says which, and nothing of the resource', () => {
    const { ask } = worldWithPatient();

    const good = { op: 'test', path: '/id', value: 'p1' };
    const { problem } = ask('PATCH', 'Patient/p1', [good, { op: 'remove', path: '/x' }], PATCH);

    expect(problem).toBe('Operation 2 of the patch (remove /x) cannot be applied: operation path unresolvable.');
  });

  it.each([
    { given: 'the current version', match: 'W/"1"', status: 200 },
    { given: 'another', match: 'W/"2"', status: 412 },
    { given: 'no weak ETag', match: '"1"', status: 400 },
  ])('given If-Match of $given, then $status', ({ match, status }) => {
    const { ask } = worldWithPatient();

    const patch = [{ op: 'remove', path: '/gender' }];
    expect(ask('PATCH', 'Patient/p1', patch, { ...PATCH, 'if-match': match }).status).toBe(status);
  });

  it('given another version, and a patch that does not apply, then the answer is about the version', () => {
    const { ask } = worldWithPatient();

    const headers = { ...PATCH, 'if-match': 'W/"7"' };
    expect(ask('PATCH', 'Patient/p1', [{ op: 'remove', path: '/nothing' }], headers).status).toBe(412);
  });

  it('given an unknown or a deleted resource, then 404 or 410', () => {
    const { ask } = worldWithPatient();
    ask('DELETE', 'Patient/p1');
    const patch = [{ op: 'remove', path: '/gender' }];

    expect(ask('PATCH', 'Patient/p2', patch, PATCH).status).toBe(404);
    expect(ask('PATCH', 'Patient/p1', patch, PATCH).status).toBe(410);
  });

  it.each([
    {
      given: 'FHIRPath Patch',
      type: 'application/fhir+json',
      body: { resourceType: 'Parameters' },
      problem: 'FHIRPath Patch',
    },
    { given: 'XML', type: 'application/xml', body: '<a/>', problem: 'application/json-patch+json' },
  ])('given $given, then 415', ({ type, body, problem }) => {
    const { ask } = worldWithPatient();

    const answer = ask('PATCH', 'Patient/p1', body, { 'content-type': type });

    expect(answer.status).toBe(415);
    expect(answer.problem).toContain(problem);
  });
});

describe('when a patch cannot be read', () => {
  it.each([
    { given: 'nothing', patch: '' },
    { given: 'white space', patch: ' ' },
    { given: 'an object', patch: { op: 'remove', path: '/gender' } },
    { given: 'an operation that is none', patch: [{ op: 'jump', path: '/gender' }] },
    { given: 'an operation without a path', patch: [{ op: 'remove' }] },
  ])('given $given for an unknown resource, then 400, not 404', ({ patch }) => {
    const { ask } = worldWithPatient();

    expect(ask('PATCH', 'Patient/nobody', patch, PATCH).status).toBe(400);
    expect(ask('PATCH', 'Patient?identifier=nobody', patch, PATCH).status).toBe(400);
  });
});

describe('when a patch has a condition', () => {
  it.each([{ query: '' }, { query: '?_count=1' }, { query: '?shoe-size=44' }])(
    'given the query "$query", which would mean all, then 412',
    ({ query }) => {
      const { ask, events } = worldWithPatient();

      const answer = ask('PATCH', `Patient${query}`, [{ op: 'add', path: '/active', value: true }], PATCH);

      expect(answer).toMatchObject({ status: 412, json: { issue: [{ code: 'required' }] } });
      expect(events()).toEqual([]);
    },
  );

  it.each([
    { given: 'none meets it', stored: 0, status: 404 },
    { given: 'one meets it', stored: 1, status: 200 },
    { given: 'many meet it', stored: 2, status: 412 },
  ])('given $given, then $status', ({ stored, status }) => {
    const { ask, events } = createFhirWorld();
    for (let n = 0; n < stored; n += 1) ask('POST', 'Patient', patient(undefined, { identifier: [{ value: 'x' }] }));
    events();

    const patch = [{ op: 'add', path: '/active', value: true }];
    expect(ask('PATCH', 'Patient?identifier=x', patch, PATCH).status).toBe(status);
    expect(events()).toHaveLength(status === 200 ? 1 : 0);
  });
});

describe('numbers', () => {
  const observation =
    '{"resourceType":"Observation","id":"o1","valueQuantity":{"value":1.10},"component":[{"valueQuantity":{"value":2.500}}]}';

  it('given another element is patched, then their digits stay', () => {
    const { ask } = createFhirWorld();
    ask('PUT', 'Observation/o1', observation);

    const status = '{"op":"add","path":"/status","value":"final"}';
    const range = '{"op":"add","path":"/referenceRange","value":[{"low":{"value":1.0}}]}';
    const { text } = ask('PATCH', 'Observation/o1', `[${status},${range}]`, PATCH);

    expect(text).toContain(
      '"valueQuantity":{"value":1.10},"component":[{"valueQuantity":{"value":2.500}}],"status":"final"',
    );
    expect(text).toContain('{"low":{"value":1.0}}');
  });

  it.each(['1.10', '1.1', '11e-1'])('given a test for %s of 1.10, then the test passes', (value) => {
    const { ask } = createFhirWorld();
    ask('PUT', 'Observation/o1', observation);

    const patch = `[{"op":"test","path":"/valueQuantity/value","value":${value}}]`;
    expect(ask('PATCH', 'Observation/o1', patch, PATCH).status).toBe(200);
  });
});
