import { type Clock, systemClock } from '../../src/clock.js';
import { readConfig } from '../../src/config.js';
import { composeApp } from '../../src/functions/compose.js';
import { systemRandom } from '../../src/functions/random.js';
import { registerFunctions } from '../../src/functions/register.js';
import { workflows } from '../../src/workflows/index.js';
import { FHIR_HOST, json, startService } from '../clients/stand-in.js';
import { createFakeFunctions } from '../functions/fake-functions.js';
import { eventually } from '../local/eventually.js';
import { startProcess } from '../local/test-process.js';
import { useOwnAzurite } from './own-azurite.js';
import { type StorageRecorder, startStorageRecorder } from './storage-recorder.js';

// A request that storage answers with 4xx appears in the telemetry as a failed dependency. An idle app must not add one
// every minute.

const azurite = useOwnAzurite();
/** Every wait takes 100 times as long: the app does not give up on a slow machine. */
const patientClock: Clock = { ...systemClock, after: (ms, run) => systemClock.after(100 * ms, run) };
const failed = ({ requests }: StorageRecorder) => requests.filter((request) => / [45]\d\d$/.test(request));

describe('an app that has never had an event', () => {
  it('given a host with its queues and timers, then no request to storage fails', async () => {
    await using recorder = await startStorageRecorder(azurite.connectionString());
    const env = { EventStorage: recorder.connectionString };
    const host = startProcess('src/local/host/main.ts', ['--app', 'test/processes/app', '--port', '0'], { env });
    const count = (pattern: RegExp) => recorder.requests.filter((request) => pattern.test(request)).length;
    // Timers may begin before the app has made its containers, for which the next test waits.
    await eventually(() => count(/PUT .*\/(dead-letters|undelivered) 201/) === 2 || undefined);
    recorder.requests.length = 0;

    await eventually(
      () => (count(/GET .*\/due\/messages/) > 2 && count(/GET .*\/due-long\/messages/) > 2) || undefined,
    );
    await eventually(() => count(/GET .*\/waiting\(\)/) >= 16 || undefined);
    host.process.kill('SIGTERM');
    await host.ended;

    expect(failed(recorder)).toEqual([]);
  });

  it('given two calls of every timer function, then no request to storage fails', async () => {
    await using recorder = await startStorageRecorder(azurite.connectionString());
    await using service = await startService(json({ resourceType: 'Bundle' }));
    const config = readConfig({
      EventStorage: recorder.connectionString,
      REDRIVE_UNDELIVERED: 'on',
      FHIR_HOSTS: `${FHIR_HOST} ${service.url}`,
      WORKSPACES: '/subscriptions/1/resourceGroups/r/providers/Microsoft.HealthcareApis/workspaces/w',
    });
    const parts = { workflows, clock: patientClock, random: systemRandom, telemetryWrite: () => {} };
    const functions = createFakeFunctions();
    registerFunctions(functions.app, composeApp(config, parts));
    const timers = functions.names().filter((name) => functions.optionsOf(name)?.schedule !== undefined);

    await functions.start();
    for (let times = 0; times < 2; times += 1) for (const name of timers) await functions.call(name);
    await functions.terminate();

    expect(timers).toEqual(
      expect.arrayContaining(['wakeDue', 'measureBacklog', 'expireLedger', 'redriveUndelivered', 'reconcile']),
    );
    expect(recorder.requests.length).toBeGreaterThan(50);
    expect(failed(recorder)).toEqual([]);
  });
});
