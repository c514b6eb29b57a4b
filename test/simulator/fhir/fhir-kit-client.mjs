// Uses a FHIR service as an application does, by a popular client library, and prints the answers.
import { Client } from 'fhir-kit-client';

const client = new Client({ baseUrl: process.argv[2] });
const statusOf = async (promise) =>
  promise.then(
    () => 'fine',
    (error) => error.response.status,
  );
const report = {};

const capabilities = await client.capabilityStatement();
report.fhirVersion = capabilities.fhirVersion;

const created = await client.create({
  resourceType: 'Patient',
  body: { resourceType: 'Patient', identifier: [{ system: 'http://mrn', value: '1' }], name: [{ family: 'Sato' }] },
});
const id = created.id;
const location = Client.httpFor(created).response.headers.get('location');
const ifNoneExist = { headers: { 'If-None-Exist': 'identifier=http://mrn|1' } };
const again = await client.create({
  resourceType: 'Patient',
  body: { ...created, id: undefined },
  options: ifNoneExist,
});
report.create = { id, location, again: again.id };

report.read = (await client.read({ resourceType: 'Patient', id })).name[0].family;
const updated = await client.update({ resourceType: 'Patient', id, body: { ...created, active: true } });
const options = { headers: { 'If-Match': 'W/"2"' } };
const patched = await client.patch({
  resourceType: 'Patient',
  id,
  jsonPatch: [{ op: 'replace', path: '/active', value: false }],
  options,
});
report.versions = [updated, patched].map(({ meta }) => meta.versionId);
report.stale = await statusOf(client.update({ resourceType: 'Patient', id, body: created, options }));
report.vread = (await client.vread({ resourceType: 'Patient', id, version: '2' })).active;
await client.update({
  resourceType: 'Patient',
  searchParams: { identifier: 'http://mrn|1' },
  body: { resourceType: 'Patient', identifier: [{ system: 'http://mrn', value: '1' }] },
});

const entry = Array.from({ length: 25 }, (_, n) => ({
  resource: { resourceType: 'Observation', subject: { reference: `Patient/${id}` }, valueInteger: n },
  request: { method: 'POST', url: 'Observation' },
}));
const batch = await client.batch({ body: { resourceType: 'Bundle', type: 'batch', entry } });
report.batch = batch.entry.filter(({ response }) => response.status === '201').length;

const values = [];
const pages = [];
for (
  let page = await client.search({ resourceType: 'Observation', searchParams: { patient: id } });
  page;
  page = await client.nextPage({ bundle: page })
) {
  pages.push(page.entry.length);
  values.push(...page.entry.map(({ resource }) => resource.valueInteger));
}
report.pages = pages;
report.values = [...new Set(values)].length;
const posted = await client.search({
  resourceType: 'Observation',
  searchParams: { subject: `Patient/${id}`, _count: 3 },
  options: { postSearch: true },
});
const everywhere = await client.systemSearch({ searchParams: { _type: 'Patient', _total: 'accurate' } });
report.search = [posted.entry.length, everywhere.total];

const transaction = await client.transaction({
  body: {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:11111111-1111-4111-8111-111111111111',
        resource: {
          resourceType: 'Encounter',
          subject: { reference: 'urn:uuid:22222222-2222-4222-8222-222222222222' },
        },
        request: { method: 'POST', url: 'Encounter' },
      },
      {
        fullUrl: 'urn:uuid:22222222-2222-4222-8222-222222222222',
        resource: { resourceType: 'Patient' },
        request: { method: 'POST', url: 'Patient' },
      },
    ],
  },
});
const [encounter, patient] = transaction.entry.map(({ resource }) => resource);
report.reference = encounter.subject.reference === `Patient/${patient.id}`;
report.resolved =
  (await client.resolve({ reference: encounter.subject.reference, context: encounter })).id === patient.id;

await client.delete({ resourceType: 'Patient', id });
report.gone = await statusOf(client.read({ resourceType: 'Patient', id }));
report.unknown = await statusOf(client.read({ resourceType: 'Patient', id: 'nobody' }));
report.operation = await statusOf(client.operation({ name: 'everything', resourceType: 'Patient', id, method: 'GET' }));
const ofInstance = await client.history({ resourceType: 'Patient', id });
report.history = ofInstance.entry.map(({ request }) => request.method);
report.typeHistory = (await client.history({ resourceType: 'Encounter' })).entry.length;
report.systemHistory = (await client.history()).entry.length;

console.log(JSON.stringify(report));
