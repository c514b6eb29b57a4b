import { json } from 'node:stream/consumers';
import { sleep, systemClock } from '../../src/clock.js';
import { startServer } from '../local-server.js';

// A FHIR service that has an Observation of 1 KB under every id. It answers GET of a resource and POST of a batch, and
// counts requests.

/** About the time that a service in the same region takes to answer. */
const ANSWER_MS = 10;

let requests = 0;
const { origin } = await startServer(async (request, response) => {
  response.setHeader('content-type', 'application/fhir+json');
  const { method, url = '' } = request;
  if (url === '/counts') response.end(JSON.stringify({ requests }));
  else {
    requests += 1;
    const body = method === 'POST' ? batchResponseTo((await json(request)) as Batch) : observationAt(url.slice(1));
    await sleep(systemClock, ANSWER_MS);
    response.end(body);
  }
});
process.stdout.write(`Listening on ${origin}\n`);

type Batch = { readonly entry: readonly { readonly request: { readonly url: string } }[] };

function batchResponseTo({ entry }: Batch): string {
  const entries = entry.map(({ request }) => `{"resource":${observationAt(request.url)},"response":{"status":"200"}}`);
  return `{"resourceType":"Bundle","type":"batch-response","entry":[${entries.join(',')}]}`;
}

/** `path`: `Observation/<id>`, or with `/_history/<version>` after it. */
function observationAt(path: string): string {
  const [, id, , versionId = '1'] = path.split('/');
  return JSON.stringify({
    resourceType: 'Observation',
    id,
    meta: { versionId, lastUpdated: '2026-03-02T12:00:00.123Z' },
    status: 'final',
    text: {
      status: 'generated',
      div: `<div xmlns="http://www.w3.org/1999/xhtml">${'<p>Body height</p>'.repeat(12)}</div>`,
    },
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'exam' }] }],
    code: { coding: [{ system: 'http://loinc.org', code: '8302-2', display: 'Body height' }] },
    subject: { reference: 'Patient/p1' },
    effectiveDateTime: '2026-03-02T12:00:00Z',
    valueQuantity: { value: 170.5, unit: 'cm', system: 'http://unitsofmeasure.org', code: 'cm' },
  });
}
