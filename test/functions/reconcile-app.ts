import { systemClock } from '../../src/clock.js';
import type { App } from '../../src/functions/compose.js';
import { registerReconcile } from '../../src/functions/reconcile.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { TableStore } from '../../src/storage/table-store.js';
import { defineWorkflow, dicom, fhir, type HealthEvent, type Workflow } from '../../src/workflow.js';
import { settingsOf } from '../clients/stand-in.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryAppAt } from './memory-app.js';

/** Shorter waits are real; longer waits and time limits end by `expire`. */
const HELD_MS = 1000;

type Options = {
  fhir?: string;
  dicom?: string;
  env?: Record<string, string>;
  startAt?: string;
  workflows?: readonly Workflow[];
  wrap?: (tables: TableStore) => TableStore;
  /** An earlier process, with the same storage and time. */
  after?: { readonly tables: ReturnType<typeof createMemoryTableStore>; readonly time: { nowMs: number } };
};

/**
 * The app over stores in memory, whose services are at `fhir` and `dicom`. Time stands still but for `advance`.
 * `wrap`: faults of storage, or another process.
 */
export function openReconcileApp({ wrap = (tables) => tables, after, env, ...options }: Options) {
  const { startAt = '2026-01-01T09:00:00.000Z', fhir: fhirUrl, dicom: dicomUrl } = options;
  const time = after?.time ?? { nowMs: Date.parse(startAt) };
  const { clock, expire } = createHeldClock(time, startAt);
  const runs: string[] = [];
  const handle = ({ time }: HealthEvent) => void runs.push(`every-change ${time}`);
  const every = defineWorkflow({ name: 'every-change', on: [fhir('*'), dicom()], handle });
  const tables = after?.tables ?? createMemoryTableStore({ clock });
  const { app, lines, runDueRows } = composeMemoryAppAt(clock, {
    workflows: options.workflows ?? [every],
    env: { ...settingsOf({ fhir: fhirUrl, dicom: dicomUrl }), ...env },
    stores: { tables: wrap(tables) },
  });
  const records = recordsOf(app);
  const functions = createFakeFunctions();
  registerReconcile(functions.app, app);

  return {
    ...{ app, functions, tables, time, lines, runs, records, expire },
    rows: (partition: string) => tables.inspect('reconcile').filter((stored) => stored.partition === partition),
    tick: () => functions.call('reconcile'),
    advance(ms: number): void {
      time.nowMs += ms;
    },
    setTime(at: string): void {
      time.nowMs = Date.parse(at);
    },
    /** Runs the rows that are due. */
    async runRows(): Promise<void> {
      time.nowMs += 1000;
      await runDueRows();
    },
  };
}

function createHeldClock(time: { nowMs: number }, startAt: string) {
  const held = new Map<() => void, number>();
  const clock = {
    ...systemClock,
    now: () => new Date(time.nowMs),
    monotonic: () => time.nowMs - Date.parse(startAt),
    after(ms: number, run: () => void) {
      if (ms < HELD_MS) return systemClock.after(ms, run);
      held.set(run, ms);
      return () => void held.delete(run);
    },
  };
  /** Ends the waits and limits of `ms`. */
  function expire(ms: number): void {
    for (const [run, heldMs] of [...held]) {
      if (heldMs !== ms) continue;
      held.delete(run);
      run();
    }
  }
  return { clock, expire };
}

/** Returns a list that gets each value of the metrics of a comparison. */
function recordsOf({ telemetry }: App) {
  const records: [name: string, value: number, service: unknown][] = [];
  const { record } = telemetry;
  telemetry.record = (metric, value, attributes) => {
    if (/^changes|^comparison/.test(metric)) records.push([metric, value, Object.values(attributes)[0]]);
    record(metric, value, attributes);
  };
  return records;
}
