import { app } from '@azure/functions';
import { type Random, systemClock } from '../clock.js';
import { ConfigError } from '../config.js';
import { printable } from '../printable.js';
import { type Workflow, WorkflowError } from '../workflow.js';
import { guardHttp, registerAccess } from './access.js';
import { registerDeadLetterChanges } from './change-dead-letters.js';
import { type App, composeApp } from './compose.js';
import { registerDeadLetters } from './dead-letters.js';
import { registerEventGrid } from './event-grid.js';
import { registerEvents } from './events.js';
import { registerExpireLedger } from './expire-ledger.js';
import { exportTelemetry } from './export-telemetry.js';
import { registerHealth } from './health.js';
import { registerLookups, registerOpenApi } from './lookups.js';
import { registerMeasureBacklog } from './measure-backlog.js';
import { registerOverview } from './overview.js';
import { prepareStorage } from './prepare-storage.js';
import { systemRandom } from './random.js';
import { readSettings } from './read-settings.js';
import { registerReconcile } from './reconcile.js';
import { registerReconcileRequests } from './reconcile-requests.js';
import { redactFatalErrors } from './redact-fatal-errors.js';
import { registerRedeliver } from './redeliver.js';
import { registerRedriveUndelivered } from './redrive-undelivered.js';
import type { FunctionApp } from './serve.js';
import { stopApp } from './stop-app.js';
import { registerTasks } from './tasks.js';
import { registerUi } from './ui.js';
import { registerWorkflows } from './workflows.js';
import { registerWrongSettings } from './wrong-settings.js';

type RegisterOptions = {
  readonly workflows: readonly Workflow[];
  /**
   * Loads the simulator. Only called if the setting SIMULATOR is on, so that the simulator costs nothing elsewhere.
   */
  readonly loadSimulator?: () => Promise<{
    registerSimulator(functions: FunctionApp, composed: App, random: Random): Promise<void>;
  }>;
  /** The folder of the built page. Without it, the app has no page. */
  readonly ui?: URL;
};

/**
 * Registers every function, to run `workflows` with the settings in the environment. If the settings or the workflows are
 * wrong, only registers functions that report the problems.
 */
export async function registerApp({ workflows, loadSimulator, ui }: RegisterOptions): Promise<void> {
  redactFatalErrors(process);
  if (ui) registerUi(app, ui); // also with wrong settings: the page says where they are listed
  const settings = readOrProblems(workflows);
  if (settings instanceof Error) return registerWrongSettings(app, settings);
  const { config, on, off } = settings;
  const parts = { workflows: on, clock: systemClock, random: systemRandom, telemetryWrite: writeToHost };
  const composed = composeApp(config, parts);
  exportTelemetry(app, composed);
  for (const { name, code } of off) composed.telemetry.log('warn', 'workflow-off', { workflow: name, code });
  registerFunctions(app, composed);
  if (!config.simulator || !loadSimulator) return;
  const { registerSimulator } = await loadSimulator();
  await registerSimulator(guardHttp(app, composed), composed, systemRandom);
}

const FUNCTIONS: readonly ((functions: FunctionApp, composed: App) => void)[] = [
  registerEventGrid,
  registerRedeliver,
  registerExpireLedger,
  registerMeasureBacklog,
  registerRedriveUndelivered,
  registerReconcile,
  registerHealth,
  registerEvents,
  registerOverview,
  registerWorkflows,
  registerDeadLetters,
  registerDeadLetterChanges,
  registerReconcileRequests,
  registerAccess,
  registerLookups,
  registerOpenApi,
  registerTasks,
];

/** Registers the functions of `composed`, and hooks for the start and the end of the process. */
export function registerFunctions(functions: FunctionApp, composed: App): void {
  const guarded = guardHttp(functions, composed);
  for (const register of FUNCTIONS) register(guarded, composed);
  functions.hook.appStart(async () => {
    await prepareStorage(composed); // 3 s at most
    composed.pipeline.start();
    composed.instances.start();
  });
  functions.hook.appTerminate(() => stopApp(composed));
}

function readOrProblems(workflows: readonly Workflow[]): ReturnType<typeof readSettings> | ConfigError | WorkflowError {
  try {
    return readSettings(workflows);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof WorkflowError) return error;
    throw error;
  }
}

/**
 * Prints a line. Most lines belong to a job, not to an invocation, so they go to the console. The host logs the lines of a
 * worker; a line on stderr that begins with `warn` or `error` gets that level.
 */
export function writeToHost(level: 'info' | 'warn' | 'error', line: string): void {
  console[level](`${level} ${printable(line)}`); // an event's id is a sender's text
}
