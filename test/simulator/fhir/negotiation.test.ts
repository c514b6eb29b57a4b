import { createFhirWorld, patient } from './fhir-world.js';

describe('when a body is of some type', () => {
  it.each([
    { type: 'application/fhir+json', status: 201 },
    { type: 'application/fhir+json; charset=utf-8; fhirVersion=4.0', status: 201 },
    { type: 'APPLICATION/JSON', status: 201 },
    { type: 'text/json', status: 201 },
    { type: 'application/fhir+xml', status: 415 },
    { type: 'text/plain', status: 415 },
    { type: 'application/json-patch+json', status: 415 },
    { type: '', status: 415 },
  ])('given "$type", then $status', ({ type, status }) => {
    const { ask, service } = createFhirWorld();

    const answer = ask('POST', 'Patient', patient(), { 'content-type': type });

    expect(answer.status).toBe(status);
    expect(answer.headers['Content-Type']).toBe('application/fhir+json; charset=utf-8');
    expect(service.counts.resources).toBe(status === 201 ? 1 : 0);
  });
});

describe('when an answer of some type is wanted', () => {
  it.each([
    { accept: 'application/fhir+json', status: 200 },
    { accept: 'application/json;q=0.5, application/fhir+xml', status: 200 },
    { accept: 'text/html, */*;q=0.1', status: 200 },
    { accept: 'application/*', status: 200 },
    { accept: 'application/json+fhir', status: 200 },
    { accept: '', status: 200 },
    { accept: 'application/fhir+xml', status: 406 },
    { accept: 'text/html', status: 406 },
  ])('given Accept: "$accept", then $status', ({ accept, status }) => {
    const answer = createFhirWorld().ask('GET', 'metadata', undefined, { accept });

    expect(answer.status).toBe(status);
    expect(answer.headers['Content-Type']).toBe('application/fhir+json; charset=utf-8');
  });

  it.each([
    { format: 'json', accept: 'application/fhir+xml', status: 200 },
    { format: 'application/fhir+json', accept: '*/*', status: 200 },
    { format: 'application%2Ffhir%2Bjson', accept: '*/*', status: 200 },
    { format: 'xml', accept: 'application/json', status: 406 },
    { format: 'application/fhir%2Bxml', accept: '*/*', status: 406 },
  ])('given _format=$format, then it overrides Accept: $status', ({ format, accept, status }) => {
    expect(createFhirWorld().ask('GET', `metadata?_format=${format}`, undefined, { accept }).status).toBe(status);
  });

  it('given a write with an unsupported answer format, then nothing is written', () => {
    const { ask, service } = createFhirWorld();

    expect(ask('POST', 'Patient', patient(), { accept: 'application/fhir+xml' }).status).toBe(406);
    expect(service.counts.versions).toBe(0);
  });
});

describe('when a body is large', () => {
  it('given 30,000,000 bytes, then it is accepted; given one more, then 413', () => {
    const { ask, service } = createFhirWorld();
    const binary = (bytes: number) => {
      const frame = '{"resourceType":"Binary","contentType":"text/plain","data":""}';
      return frame.replace('""}', `"${'A'.repeat(bytes - frame.length)}"}`);
    };

    expect(ask('POST', 'Binary', binary(30_000_000)).status).toBe(201);
    expect(ask('POST', 'Binary', binary(30_000_001))).toMatchObject({
      status: 413,
      json: { issue: [{ code: 'too-long' }] },
    });
    expect(service.counts.resources).toBe(1);
  });
});
