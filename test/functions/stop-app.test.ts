import { sleep } from '../../src/clock.js';
import { exportTelemetry } from '../../src/functions/export-telemetry.js';
import { stopApp } from '../../src/functions/stop-app.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { holdWorkflow } from '../pipeline/held-workflow.js';
import { allThatFollows, watched } from '../pipeline/memory-app.js';
import { type Fault, faultyTables } from '../storage/faults.js';
import { readOtlp } from '../telemetry/read-otlp.js';
import { createRecording } from '../telemetry/recording.js';
import { type StandIn, startStandIn } from '../telemetry/stand-in.js';
import { rawFhirEvent } from '../testing/raw-events.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

let collector: StandIn;
beforeEach(async () => {
  collector = await startStandIn();
});
afterEach(() => collector.stop());

const lineIn = (body: string) => (received: readonly StandIn['received'][number][]) =>
  readOtlp([...received]).logs.some((log) => String(log.body).includes(body));

describe('when the app is stopped', () => {
  it('given a handler that runs, then telemetry is sent while the handler runs, and the last line is sent too', async () => {
    const { app, clock } = await start();
    void app.pipeline.deliver([rawFhirEvent()]);
    await allThatFollows();
    app.telemetry.log('info', 'circuit-closed');

    const stop = watched(stopApp(app));
    await collector.has(lineIn('circuit-closed'));
    expect(stop.state).toBe('open');
    clock.advance(1200);
    await stop.promise;

    expect(lineIn('"stopped","count":0')(collector.received)).toBe(true);
  });

  it('given neither storage nor the exporter ends, then `stopped` is logged, and the end is over in 3.9 s', async () => {
    let storage: Fault = 'ok';
    const tables = faultyTables(createMemoryTableStore({ clock: createFakeClock() }), () => storage);
    const { app, clock, lines } = composeMemoryApp({ workflows: [holdWorkflow().workflow], stores: { tables } });
    const { exporter } = createRecording();
    app.telemetry.exportTo(Promise.resolve({ ...exporter, stop: (withinMs = 3000) => sleep(clock, withinMs) }));
    void app.pipeline.deliver([rawFhirEvent()]).catch(() => {});
    await allThatFollows();
    storage = 'never';

    const stop = watched(stopApp(app));
    for (let ms = 0; ms < 3800; ms += 100) {
      await allThatFollows();
      clock.advance(100);
    }
    await allThatFollows();
    expect([stop.state, lines.at(-1)]).toEqual(['open', 'info {"what":"stopped","count":1}']);
    clock.advance(100);
    await allThatFollows();

    expect(stop.state).toBe('resolved');
  });
});

async function start() {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const composed = composeMemoryApp({ workflows: [holdWorkflow().workflow], env });
  exportTelemetry(createFakeFunctions().app, composed.app);
  while (!composed.app.telemetry.trace('deliver', undefined)) await allThatFollows();
  return composed;
}
