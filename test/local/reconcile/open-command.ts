import { systemClock } from '../../../src/clock.js';
import { readConfig } from '../../../src/config.js';
import { composeApp } from '../../../src/functions/compose.js';
import { systemRandom } from '../../../src/functions/random.js';
import { parseOptions, readOptions, readRemovedOptions } from '../../../src/local/reconcile/options.js';
import { run, runFindRemoved } from '../../../src/local/reconcile/run.js';
import { createMemoryBlobStore } from '../../../src/storage/memory-blob-store.js';
import { createMemoryTableStore } from '../../../src/storage/memory-table-store.js';
import { defineWorkflow, dicom, fhir } from '../../../src/workflow.js';
import { resourceIndex } from '../../../src/workflows/resource-index.js';
import { DICOM_HOST, FHIR_HOST } from '../../clients/stand-in.js';
import { createMemoryQueueStore } from '../../storage/memory-queue-store.js';
import { collect } from '../dead-letters/collect.js';

export const NOW = '2026-01-01T12:00:00.000Z';
const WORKSPACE = '/subscriptions/1/resourceGroups/r/providers/Microsoft.HealthcareApis/workspaces/w';

/** An app over stores in memory, whose services are at `fhir` and `dicom`; `type` runs the command. */
export function openCommand({
  fhir: fhirUrl,
  dicom: dicomUrl,
  env = {},
  hasIndex = false,
}: {
  /** Whether the app has the workflow resource-index. */
  hasIndex?: boolean;
  fhir?: string;
  dicom?: string;
  env?: Record<string, string>;
}) {
  let startedAtMs = Date.now();
  const clock = {
    ...systemClock,
    now: () => new Date(Date.parse(NOW) + Date.now() - startedAtMs),
  };
  const runs: string[] = [];
  const handle = (name: string) => (event: { time: string | undefined; id: string }) =>
    void runs.push(`${name} ${event.time}`);
  const workflows = [
    defineWorkflow({ name: 'every-change', on: [fhir('*'), dicom()], handle: handle('every-change') }),
    defineWorkflow({ name: 'patients', on: fhir('Patient'), ordering: 'latest', handle: handle('patients') }),
    ...(hasIndex ? [resourceIndex] : []),
  ];
  const [due, dueLong] = [createMemoryQueueStore({ clock }), createMemoryQueueStore({ clock })];
  const tables = createMemoryTableStore({ clock });
  const config = readConfig({
    EventStorage: 'UseDevelopmentStorage=true',
    WORKSPACES: WORKSPACE,
    ...(fhirUrl !== undefined && { FHIR_HOSTS: `${FHIR_HOST} ${fhirUrl}` }),
    ...(dicomUrl !== undefined && { DICOM_HOSTS: `${DICOM_HOST} ${dicomUrl}` }),
    ...env,
  });
  const app = composeApp(config, {
    workflows,
    clock,
    random: systemRandom,
    telemetryWrite: () => {},
    stores: {
      tables,
      workflowTables: undefined,
      deadLetters: createMemoryBlobStore({ clock }),
      undelivered: createMemoryBlobStore({ clock }),
      due,
      dueLong,
    },
  });
  const controller = new AbortController();
  const noted = Promise.withResolvers<void>();
  return {
    app,
    runs,
    tables,
    interrupt: () => controller.abort(),
    /** Resolves when the command has written to standard error. */
    noted: noted.promise,
    pass(ms: number): void {
      startedAtMs -= ms;
    },
    /** Runs the rows that are due. */
    async runRows(): Promise<void> {
      startedAtMs -= 1000; // a row is due at the time of its write, and the clock has milliseconds
      await app.pipeline.wake();
      for (let text = due.take(); text !== undefined; text = due.take()) await app.pipeline.redeliver(JSON.parse(text));
    },
    type: (...args: string[]) => typeAt(undefined, ...args),
    typeAt,
  };

  /** Runs the command, on a terminal if `columns` is given. */
  async function typeAt(columns: number | undefined, ...args: string[]) {
    const [out, err] = [collect(), collect(noted.resolve)];
    if (columns !== undefined) Object.assign(err.stream, { isTTY: true, columns });
    const values = parseOptions(args);
    const deps = { app, off: ['switched-off'], signal: controller.signal };
    const output = { out: out.stream, err: err.stream };
    const code = values['find-removed']
      ? await runFindRemoved(readRemovedOptions(values), deps, output)
      : await run(readOptions(values, new Date(NOW)), deps, output);
    return { code, output: out.text(), errors: err.text() };
  }
}
