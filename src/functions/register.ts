import { app } from '@azure/functions';
import { systemClock } from '../clock.js';
import { type Config, ConfigError, checkRetention, readConfig, readSetting } from '../config.js';
import { longestRetryMs } from '../pipeline/decide.js';
import type { Workflow } from '../workflow.js';
import { type App, composeApp } from './compose.js';
import { registerDeadLetters } from './dead-letters.js';
import { registerDicomEvents } from './dicom-events.js';
import { registerEvents } from './events.js';
import { registerExpireLedger } from './expire-ledger.js';
import { exportTelemetry } from './export-telemetry.js';
import { registerFhirEvents } from './fhir-events.js';
import type { FunctionApp } from './function-app.js';
import { registerHealthLive } from './health-live.js';
import { registerHealthReady } from './health-ready.js';
import { registerLookups } from './lookups.js';
import { registerMeasureBacklog } from './measure-backlog.js';
import { systemRandom } from './random.js';
import { registerRedeliver } from './redeliver.js';
import { registerRedeliverLong } from './redeliver-long.js';
import { registerRedriveUndelivered } from './redrive-undelivered.js';
import { registerStats } from './stats.js';
import { registerTasks } from './tasks.js';
import { registerWakeDue } from './wake-due.js';

/**
 * Registers every function, to run `workflows` with the settings in the environment.
 * @throws ConfigError that lists everything that is wrong with either.
 */
export async function registerApp({ workflows }: { workflows: readonly Workflow[] }): Promise<void> {
  const { config, on, off } = readSettings(workflows);
  const parts = { workflows: on, clock: systemClock, random: systemRandom, telemetryWrite: writeToHost };
  const composed = composeApp(config, parts);
  exportTelemetry(app, composed);
  for (const { name, code } of off) composed.telemetry.log('warn', 'workflow-off', { workflow: name, code });
  registerFunctions(app, composed);
  if (!config.simulator) return;
  const { registerSimulator } = await import('../simulator/register.js'); // elsewhere it is not even loaded
  await registerSimulator(app, composed, systemRandom);
}

/** Registers the functions of `composed`, and that it is stopped before the process ends. */
export function registerFunctions(functions: FunctionApp, composed: App): void {
  registerFhirEvents(functions, composed);
  registerDicomEvents(functions, composed);
  registerWakeDue(functions, composed);
  registerRedeliver(functions, composed);
  registerRedeliverLong(functions, composed);
  registerExpireLedger(functions, composed);
  registerMeasureBacklog(functions, composed);
  registerRedriveUndelivered(functions, composed);
  registerHealthLive(functions);
  registerHealthReady(functions, composed);
  registerEvents(functions, composed);
  registerStats(functions, composed);
  registerDeadLetters(functions, composed);
  registerLookups(functions, composed);
  registerTasks(functions, composed);
  functions.hook.appTerminate(async () => {
    await composed.pipeline.stop(); // 25 s at most, of 30
    await composed.telemetry.stop();
  });
}

/**
 * The settings, and which workflows are on with them. If they or the workflows cannot be as they are, all that is wrong
 * goes into one error.
 */
export function readSettings(
  workflows: readonly Workflow[],
  env?: Parameters<typeof readConfig>[0],
): { config: Config; on: Workflow[]; off: { name: string; code: string }[] } {
  const problems = [
    ...twiceIn(workflows.map(({ name }) => name)).map((name) => `several workflows are named '${name}', must be one`),
    ...twiceIn(workflows.flatMap(({ lookup }) => lookup?.name ?? [])).map(
      (name) => `several look-ups are named '${name}', must be one`,
    ),
    ...twiceIn(workflows.flatMap(({ task }) => task?.name ?? [])).map(
      (name) => `several tasks are named '${name}', must be one`,
    ),
  ];
  const setting = readSetting(env);
  const setups = workflows.map((workflow) => ({ workflow, setup: workflow.setup(setting) }));
  problems.push(...setups.flatMap(({ setup }) => (setup.kind === 'wrong' ? setup.problems : [])));
  try {
    const config = readConfig(env);
    const on = setups.flatMap(({ workflow, setup }) => (setup.kind === 'on' ? [workflow] : []));
    const off = setups.flatMap(({ workflow: { name }, setup }) =>
      setup.kind === 'off' ? [{ name, code: setup.code }] : [],
    );
    checkRetention(config, Math.max(0, ...on.map(longestRetryMs)));
    if (problems.length === 0) return { config, on, off };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
  }
  throw new ConfigError(problems);
}

function twiceIn(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, at) => names.indexOf(name) !== at))];
}

/**
 * Most lines belong to a job, not to an invocation, so they go to the console: the host logs what a worker prints, as
 * a warning or an error where it comes from stderr and says so.
 */
function writeToHost(level: 'info' | 'warn' | 'error', line: string): void {
  console[level](`${level} ${line}`);
}
