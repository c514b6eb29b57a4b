import { exportTelemetry } from '../../src/functions/export-telemetry.js';
import { readOtlp } from '../telemetry/read-otlp.js';
import { type StandIn, startStandIn } from '../telemetry/stand-in.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

let collector: StandIn;
beforeEach(async () => {
  collector = await startStandIn();
});
afterEach(() => collector.stop());

describe('when the app starts', () => {
  it('given no destination, then nothing is loaded, and the host gets no setting', async () => {
    const functions = createFakeFunctions();
    const { app } = composeMemoryApp();

    exportTelemetry(functions.app, app);
    await new Promise(setImmediate);

    expect(functions.setups).toEqual([]);
    expect(app.telemetry.trace('deliver', undefined)).toBeUndefined();
  });

  it('given a collector, then it gets all telemetry from the start on, and the host leaves the log to the app', async () => {
    const functions = createFakeFunctions();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, WEBSITE_SITE_NAME: 'func-1' };
    const { app, lines } = composeMemoryApp({ env });

    exportTelemetry(functions.app, app);
    app.telemetry.log('warn', 'workflow-off', { workflow: 'a', code: 'no-key' });
    while (!app.telemetry.trace('deliver', undefined)) await new Promise(setImmediate);
    await app.telemetry.stop();

    const { logs, resources } = readOtlp(collector.received);
    const line = '{"what":"workflow-off","workflow":"a","code":"no-key"}';
    expect(functions.setups).toEqual([{ capabilities: { WorkerOpenTelemetryEnabled: true } }]);
    expect(logs.map(({ body }) => body)).toEqual([line]);
    expect(lines).toEqual([`warn ${line}`]);
    expect(resources[0]).toEqual({ 'service.name': 'func-1', 'service.instance.id': app.instance.id });
  });

  it('given a collector that refuses, then the console says so, and the app goes on', async () => {
    const { app, lines } = composeMemoryApp({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
    collector.answers((response) => response.writeHead(401).end());
    exportTelemetry(createFakeFunctions().app, app);
    app.telemetry.log('info', 'stopping');
    while (!app.telemetry.trace('deliver', undefined)) await new Promise(setImmediate);

    await app.telemetry.stop();

    expect(lines).toEqual([
      'info {"what":"stopping"}',
      'warn {"what":"export-failed","errorCode":"http-401","count":1}',
    ]);
  });
});
