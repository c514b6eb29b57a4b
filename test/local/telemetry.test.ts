import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readOtlp } from '../telemetry/read-otlp.js';
import { type StandIn, startStandIn } from '../telemetry/stand-in.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { useAppFolder } from './app-folder.js';

const folder = useAppFolder();
let collector: StandIn;
beforeAll(async () => {
  collector = await startStandIn();
});
afterAll(() => collector.stop());

describe('when npm start runs with OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  it('given an event, then the collector receives its metrics, spans and log lines, and the console shows the lines', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, SIMULATOR: 'off', FHIR_HOSTS: '' };
    const app = folder.start('src/local/start.ts', ['--no-demo', '--port', '0'], { env });
    await app.printed('Ctrl-C ends it.');
    const url = /Serving on (\S+)\. /.exec(app.output())?.[1];

    const answer = await fetch(`${url}/runtime/webhooks/EventGrid?functionName=fhirEvents`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'aeg-event-type': 'Notification' },
      body: JSON.stringify([rawFhirEvent()]),
    });
    app.process.kill('SIGINT');
    await app.ended;

    expect(answer.status).toBe(202);
    const { metrics, spans, logs, resources } = readOtlp(collector.received);
    const settled = metrics.find(({ name }) => name === 'ahds.jobs.settled');
    expect(settled?.points.map(({ value, attributes }) => [value, attributes.workflow, attributes.outcome])).toEqual([
      [1, 'resource-index', 'completed'],
    ]);
    expect(spans.map(({ name }) => name).sort()).toEqual([
      'claim',
      'deliver',
      'job',
      'parse',
      'settle',
      'workflow resource-index',
    ]);
    const bodies = logs.map(({ body }) => String(body));
    expect(bodies).toContain('{"what":"stopped","count":0}');
    for (const body of bodies) expect(app.output()).toContain(body);
    expect(new Set(resources.map((resource) => resource['service.name']))).toEqual(new Set(['ahds-events']));
  });
});
