import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serve } from '../serve.js';
import { createFhirWorld } from './fhir-world.js';

describe('when an application uses fhir-kit-client', () => {
  it('given every request of the client, then the client understands every answer, and every change is published once', async () => {
    const { service, events } = createFhirWorld();
    const { url, close } = await serve(service, '/fhir');

    // The client is an ES module, so it runs in a process of its own.
    const script = join(__dirname, 'fhir-kit-client.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [script, url]).finally(close);

    const report = JSON.parse(stdout);
    const { id } = report.create;
    expect(report).toEqual({
      fhirVersion: '4.0.1',
      create: { id, location: `${url}/Patient/${id}/_history/1`, again: id },
      read: 'Sato',
      versions: ['2', '3'],
      stale: 412,
      vread: true,
      batch: 25,
      pages: [10, 10, 5],
      values: 25,
      search: [3, 1],
      reference: true,
      resolved: true,
      gone: 410,
      unknown: 404,
      operation: 405,
      history: ['DELETE', 'PUT', 'PATCH', 'PUT', 'POST'],
      typeHistory: 1,
      systemHistory: 10,
    });
    const published = events();
    expect(published.filter((event) => /^Observation\/.* created 1$/.test(event))).toHaveLength(25);
    expect(published.filter((event) => event.startsWith(`Patient/${id}`))).toEqual([
      `Patient/${id} created 1`,
      `Patient/${id} updated 2`,
      `Patient/${id} updated 3`,
      `Patient/${id} updated 4`,
      `Patient/${id} deleted 5`,
    ]);
    expect(published).toHaveLength(32);
    expect(new Set(published).size).toBe(32);
  });
});
