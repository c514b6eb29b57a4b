import { systemClock } from '../../../src/clock.js';
import { parseOptions, readHistoryOptions, readRemovedOptions } from '../../../src/local/reconcile/options.js';
import { compareHistory, findRemovedResources } from '../../../src/local/reconcile/run.js';
import { defineWorkflow, dicom, fhir } from '../../../src/workflow.js';
import { resourceIndex } from '../../../src/workflows/resource-index.js';
import { settingsOf } from '../../clients/stand-in.js';
import { composeMemoryAppAt } from '../../functions/memory-app.js';
import { collect } from '../dead-letters/collect.js';

export const NOW = '2026-01-01T12:00:00.000Z';

type CommandOptions = {
  readonly fhir?: string;
  readonly dicom?: string;
  readonly env?: Record<string, string>;
  /** Whether the app has the workflow resource-index. */
  readonly hasIndex?: boolean;
};

/** An app over stores in memory, whose services are at `fhir` and `dicom`; `type` runs the command. */
export function openCommand({ fhir: fhirUrl, dicom: dicomUrl, env = {}, hasIndex = false }: CommandOptions) {
  let startedAtMs = Date.now();
  const clock = { ...systemClock, now: () => new Date(Date.parse(NOW) + Date.now() - startedAtMs) };
  const runs: string[] = [];
  const { app, stores, runDueRows } = composeMemoryAppAt(clock, {
    workflows: [...workflowsThatRecord(runs), ...(hasIndex ? [resourceIndex] : [])],
    env: { ...settingsOf({ fhir: fhirUrl, dicom: dicomUrl }), ...env },
  });
  const controller = new AbortController();
  const noted = Promise.withResolvers<void>();
  return {
    app,
    runs,
    tables: stores.tables,
    interrupt: () => controller.abort(),
    /** Resolves when the command has written to standard error. */
    noted: noted.promise,
    pass(ms: number): void {
      startedAtMs -= ms;
    },
    /** Runs the rows that are due. */
    async runRows(): Promise<void> {
      startedAtMs -= 1000; // a row is due at the time of its write, and the clock has milliseconds
      await runDueRows();
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
      ? await findRemovedResources(readRemovedOptions(values), deps, output)
      : await compareHistory(readHistoryOptions(values, new Date(NOW)), deps, output);
    return { code, output: out.text(), errors: err.text() };
  }
}

/** Returns two workflows that add the time of each event to `runs`. */
function workflowsThatRecord(runs: string[]) {
  const handle = (name: string) => (event: { time: string | undefined }) => void runs.push(`${name} ${event.time}`);
  return [
    defineWorkflow({ name: 'every-change', on: [fhir('*'), dicom()], handle: handle('every-change') }),
    defineWorkflow({ name: 'patients', on: fhir('Patient'), ordering: 'latest', handle: handle('patients') }),
  ];
}
