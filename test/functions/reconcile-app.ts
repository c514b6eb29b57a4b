import { systemClock } from '../../src/clock.js';
import { registerReconcile } from '../../src/functions/reconcile.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import type { TableStore } from '../../src/storage/table-store.js';
import { defineWorkflow, dicom, fhir, type Workflow } from '../../src/workflow.js';
import { settingsOf } from '../clients/stand-in.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryAppAt } from './memory-app.js';

/** Shorter waits are real; longer waits and time limits end by `expire`. */
const HELD_MS = 1000;

/**
 * The app over stores in memory, whose services are at `fhir` and `dicom`. Time stands still but for `advance`.
 * `wrap`: faults of storage, or another process.
 */
export function openReconcileApp({
  fhir: fhirUrl,
  dicom: dicomUrl,
  env = {},
  startAt = '2026-01-01T09:00:00.000Z',
  workflows,
  wrap = (tables) => tables,
  after,
}: {
  fhir?: string;
  dicom?: string;
  env?: Record<string, string>;
  startAt?: string;
  workflows?: readonly Workflow[];
  wrap?: (tables: TableStore) => TableStore;
  /** An earlier process, with the same storage and time. */
  after?: { readonly tables: ReturnType<typeof createMemoryTableStore>; readonly time: { nowMs: number } };
}) {
  const time = after?.time ?? { nowMs: Date.parse(startAt) };
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
  const runs: string[] = [];
  const every = defineWorkflow({
    name: 'every-change',
    on: [fhir('*'), dicom()],
    handle: (event) => void runs.push(`every-change ${event.time}`),
  });
  const tables = after?.tables ?? createMemoryTableStore({ clock });
  const { app, lines, runDueRows } = composeMemoryAppAt(clock, {
    workflows: workflows ?? [every],
    env: { ...settingsOf({ fhir: fhirUrl, dicom: dicomUrl }), ...env },
    stores: { tables: wrap(tables) },
  });
  const records: [name: string, value: number, service: unknown][] = [];
  const { record } = app.telemetry;
  app.telemetry.record = (metric, value, attributes) => {
    if (/^changes|^comparison/.test(metric)) records.push([metric, value, Object.values(attributes)[0]]);
    record(metric, value, attributes);
  };
  const functions = createFakeFunctions();
  registerReconcile(functions.app, app);

  return {
    app,
    functions,
    tables,
    time,
    lines,
    runs,
    records,
    rows: (partition: string) => tables.inspect('reconcile').filter((stored) => stored.partition === partition),
    tick: () => functions.call('reconcile'),
    advance(ms: number): void {
      time.nowMs += ms;
    },
    setTime(at: string): void {
      time.nowMs = Date.parse(at);
    },
    /** Ends the waits and limits of `ms`. */
    expire(ms: number): void {
      for (const [run, heldMs] of [...held]) {
        if (heldMs !== ms) continue;
        held.delete(run);
        run();
      }
    },
    /** Runs the rows that are due. */
    async runRows(): Promise<void> {
      time.nowMs += 1000;
      await runDueRows();
    },
  };
}
