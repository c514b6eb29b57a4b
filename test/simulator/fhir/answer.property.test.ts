import fc from 'fast-check';
import { createFhirWorld } from './fhir-world.js';

const oneOf = (words: string) => fc.constantFrom(...words.split(/\s+/));
const word = fc.oneof(
  fc.constant(''),
  oneOf('Patient Observation Bundle _history _search metadata p1 1 $export % ..'),
  fc.string({ maxLength: 5 }),
);
const path = fc.oneof(
  fc.constantFrom('Patient/p1', 'Patient', '', 'Patient?identifier=s|1', 'Patient/p1/_history'),
  fc.array(word, { maxLength: 4 }).map((words) => words.join('/')),
);
const parameter = fc.tuple(
  oneOf(`_id identifier patient subject:Patient _lastUpdated _count _sort _total _summary _elements ct _since
    _tag _type hardDelete _format x __proto__`),
  fc.oneof(oneOf('p1 s|1 | , \\ true 5 0 2026 gt2026-01-01 _lastUpdated json accurate'), fc.string({ maxLength: 6 })),
);
const leaf = fc.oneof(
  fc.constantFrom('urn:uuid:1', 'Patient?identifier=s|1', 'Patient/p1', '?', 's', '1', ''),
  fc.jsonValue({ maxDepth: 1 }),
);
const resource = fc
  .dictionary(
    oneOf('id meta identifier subject patient name _name contained entry type __proto__'),
    fc.oneof(
      leaf,
      fc.array(leaf, { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('reference', 'system', 'value', 'tag', 'versionId'), leaf),
    ),
    { maxKeys: 4 },
  )
  .map((elements) => ({ resourceType: 'Patient', ...elements }));
const entry = fc.oneof(
  leaf,
  fc.record(
    {
      fullUrl: leaf,
      resource: fc.oneof(resource, leaf),
      request: fc.record(
        {
          method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'X'),
          url: path,
          ifMatch: leaf,
          ifNoneExist: leaf,
        },
        { requiredKeys: ['method', 'url'] },
      ),
    },
    { requiredKeys: [] },
  ),
);
const bundle = fc.record({
  resourceType: fc.constant('Bundle'),
  type: fc.constantFrom('batch', 'transaction'),
  entry: fc.array(entry, { maxLength: 5 }),
});
const patch = fc.array(
  fc.record(
    {
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
      path: fc.constantFrom('', '/', '/name', '/name/0', '/id', '/-', '/__proto__/x', '/meta', '~'),
      from: fc.constantFrom('/name', '/x', '/__proto__'),
      value: leaf,
    },
    { requiredKeys: ['op'] },
  ),
  { maxLength: 4 },
);
const body = fc.oneof(
  resource,
  bundle,
  patch,
  fc.jsonValue(),
  fc.constantFrom(undefined, '', '{', 'null'),
  fc.uint8Array({ maxLength: 8 }),
);
const type = oneOf('application/fhir+json application/json-patch+json application/x-www-form-urlencoded text/plain');
const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS');

describe('whatever is sent', () => {
  it('given any requests, one after the other, then each has an answer of FHIR, and a refusal changes nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(method, path, fc.array(parameter, { maxLength: 3 }), body, type), { maxLength: 6 }),
        (requests) => {
          const { ask, service, events } = createFhirWorld();
          ask('PUT', 'Patient/p1', {
            resourceType: 'Patient',
            id: 'p1',
            name: [{ family: 'A' }],
            identifier: [{ system: 's', value: '1' }],
          });
          events();

          for (const [verb, where, parameters, content, contentType] of requests) {
            const query = new URLSearchParams(parameters).toString();
            const before = service.counts;

            const { status, json, text } = ask(verb, [where, query].join(where.includes('?') ? '&' : '?'), content, {
              'content-type': contentType,
            });

            expect({ status, text }).not.toMatchObject({ status: 500 });
            if (status >= 400) {
              expect(verb === 'HEAD' || json.resourceType === 'OperationOutcome').toBe(true);
              expect(service.counts).toEqual(before);
              expect(events()).toEqual([]);
            } else {
              expect(text === '' || typeof json.resourceType === 'string').toBe(true);
              events();
            }
          }
          expect(({} as { polluted?: unknown; x?: unknown }).x).toBeUndefined();
        },
      ),
      { numRuns: 500 },
    );
  });
});
